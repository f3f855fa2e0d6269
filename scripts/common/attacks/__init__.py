"""l_p attacks on differentiable models, on any objective: for training and for evaluation."""

from scripts.common.attacks.apgd import apgd, maximise_apgd
from scripts.common.attacks.checks import (
    check_black_box,
    check_deterministic,
    check_large_eps,
    check_logits,
    check_not_rising_with_eps,
    check_perturbations,
    check_robust_not_above_clean,
    verify_classifier,
)
from scripts.common.attacks.classification import Classification
from scripts.common.attacks.ensemble import attack_ensemble, check_plan, published_measure
from scripts.common.attacks.errors import AttackCheckError
from scripts.common.attacks.fab import fab, fab_minimal, minimal_fab
from scripts.common.attacks.norms import NORMS, distance, project, random_start
from scripts.common.attacks.objective import Objective
from scripts.common.attacks.published import published_apgd
from scripts.common.attacks.reconstruction import Reconstruction
from scripts.common.attacks.single_step import fgsm_random_start, frozen, pgd
from scripts.common.attacks.square import maximise_square, square

__all__ = [
    "NORMS",
    "AttackCheckError",
    "Classification",
    "Objective",
    "Reconstruction",
    "apgd",
    "attack_ensemble",
    "check_black_box",
    "check_deterministic",
    "check_large_eps",
    "check_logits",
    "check_not_rising_with_eps",
    "check_perturbations",
    "check_plan",
    "check_robust_not_above_clean",
    "distance",
    "fab",
    "fab_minimal",
    "fgsm_random_start",
    "frozen",
    "maximise_apgd",
    "maximise_square",
    "minimal_fab",
    "pgd",
    "project",
    "published_apgd",
    "published_measure",
    "random_start",
    "square",
    "verify_classifier",
]
