"""The audited models of the study: plain ones, and the defences, each with everything that it exposes per person."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

from scripts.common.log_odds import log_odds
from scripts.common.mitigations import fit_reduction, reduction_probability, threshold_probability
from scripts.common.seeds import seed_from
from scripts.leakage.mlp import Perceptron

Model = LogisticRegression | XGBClassifier | Perceptron
TREES = 150
MEMBERS = 3  # of a reduction's ensemble that are exposed as a vector: those of largest weight


@dataclass(frozen=True)
class Task:
    """What a model is trained on: features [n, d], labels and groups [n], and which rows train it."""

    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    train: np.ndarray
    seed: int
    settings: dict  # epochs of the perceptron, epsilon and iterations of the reduction


@dataclass(frozen=True)
class Exposed:
    """What a model says of every row: label and log-odds, and further columns of the predictions file."""

    labels: np.ndarray
    score: np.ndarray
    further: dict[str, np.ndarray] = field(default_factory=dict)


Method = Callable[[Task], dict[str, Exposed]]  # what is appended to its name, and what it exposes


def base(kind: str, task: Task, batch_mean_weight: bool = False) -> Model:
    """Return an unfitted model: logistic, xgboost or mlp."""
    if kind == "logistic":
        return LogisticRegression(max_iter=1000)
    if kind == "xgboost":
        return XGBClassifier(
            n_estimators=TREES, learning_rate=0.1, tree_method="hist", n_jobs=1, random_state=task.seed
        )
    return Perceptron(task.settings["epochs"], task.seed, batch_mean_weight)


def fitted(kind: str, task: Task) -> Model:
    """Return a model fitted on the training rows without regard to fairness."""
    return base(kind, task).fit(task.features[task.train], task.labels[task.train])


def plain(kind: str) -> Method:
    """Return a method without a defence."""

    def run(task: Task) -> dict[str, Exposed]:
        score = log_odds(fitted(kind, task).predict_proba(task.features)[:, 1])
        return {"": Exposed((score > 0).astype(np.int8), score)}

    return run


def drawn(probability: np.ndarray, task: Task, name: str) -> np.ndarray:
    """Return labels drawn with these probabilities, int8 [n]."""
    random = np.random.default_rng(seed_from(task.seed, "labels", name))
    return (random.random(len(probability)) < probability).astype(np.int8)


def reduced(task: Task, kind: str, batch_mean_weight: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit the exponentiated gradient reduction for demographic parity (Agarwal et al. 2018).

    Returns:
        P(label 1) of its randomised classifier [n]; the mean probability of its members [n]; the probabilities of the
        members of largest weight [n, 3 or fewer].
    """
    epsilon, rows = task.settings["epsilon"], task.train
    given = (task.features[rows], task.labels[rows], task.groups[rows], epsilon, task.settings["iterations"])
    model = fit_reduction(base(kind, task, batch_mean_weight), "demographic_parity", *given, difference_bound=epsilon)
    probability = reduction_probability(model, task.features)
    weights = np.asarray(model.weights_)
    order = [place for place in np.argsort(-weights, kind="stable") if weights[place] > 0]
    members = np.column_stack([member_probability(model.predictors_[place], task.features) for place in order])
    return probability, members @ weights[order] / weights[order].sum(), members[:, :MEMBERS]


def member_probability(member, features: np.ndarray) -> np.ndarray:
    """Return a member's probability of label 1, float64 [n]; a constant member says 0 or 1."""
    if hasattr(member, "predict_proba"):
        return np.asarray(member.predict_proba(features))[:, -1].astype(float)
    return np.asarray(member.predict(features), dtype=float)


def reduction(kind: str, batch_mean_weight: bool = False) -> Method:
    """Return the reduction as a method: its labels drawn anew at every query; or, derandomised, the likelier ones."""

    def run(task: Task) -> dict[str, Exposed]:
        probability, mean, members = reduced(task, kind, batch_mean_weight)
        further = {"probability": probability, "score_member_mean": log_odds(mean)}
        further |= {f"vector_member_{number}": log_odds(column) for number, column in enumerate(members.T)}
        likelier = (probability >= 0.5).astype(np.int8)
        return {
            "": Exposed(drawn(probability, task, f"egd {kind}"), log_odds(probability), further),
            "_derandomised": Exposed(likelier, log_odds(probability)),
        }

    return run


def thresholds(constraint: str) -> Method:
    """Return post-processing of a logistic model by thresholds per group (Hardt et al. 2016), which needs the group.

    The score is the logit below, which stays readable.
    """

    def run(task: Task) -> dict[str, Exposed]:
        below = fitted("logistic", task)
        rows = task.train
        chosen_on = (task.features[rows], task.labels[rows], task.groups[rows])
        probability = threshold_probability(below, constraint, chosen_on, task.features, task.groups, prefit=True)
        score = log_odds(below.predict_proba(task.features)[:, 1])
        return {"": Exposed(drawn(probability, task, constraint), score, {"probability": probability})}

    return run


METHODS: dict[str, Method] = {
    "logistic": plain("logistic"),
    "xgboost": plain("xgboost"),
    "mlp": plain("mlp"),
    "logistic_egd": reduction("logistic"),
    "logistic_dp_thresholds": thresholds("demographic_parity"),
    "logistic_eo_thresholds": thresholds("equalized_odds"),
    "mlp_egd": reduction("mlp"),
    "mlp_egd_batch_mean": reduction("mlp", batch_mean_weight=True),
}
