"""The columns of an attacks file: which images each attack of the ensemble broke."""

import pandas as pd

from scripts.common.conditions import condition

THREAT = ["run", "row_id", "split", "norm", "eps", "y_true", "male", "clean_correct"]
VERDICTS = ["robust", "published_broken"]  # every further column of an attacks file is an attack


WORST, PUBLISHED, NO_ATTACK = "ensemble", "apgd_ce", "none"  # besides the names of single attacks


def under(threat: str, attack: str = WORST, **further: object) -> str:
    """Return the condition of a metric under attack: `linf_0.01` -> "attack=ensemble, eps=0.01, norm=linf".

    Args:
        attack: WORST (all attacks), the name of an attack (the ensemble up to it), PUBLISHED (APGD on cross-entropy
            alone), or NO_ATTACK (the images that were attacked, before the attack).
    """
    norm, eps = threat.split("_")
    return condition(attack=attack, eps=eps, norm=norm, **further)


def attack_names(attacks: pd.DataFrame) -> list[str]:
    """Return the columns that say "this attack broke the image", in the order of the attacks."""
    return [name for name in attacks.columns if name not in (*THREAT, *VERDICTS)]
