"""How figures and tables call things, and in which order."""

import pandas as pd

from scripts.common import colours
from scripts.common.conditions import condition

# metric and condition
ATTACK, CLEAN, STAMPED = ("attack_success_rate", ""), ("accuracy", ""), ("accuracy", condition(images="stamped"))
METHOD_WORDS = {
    "before": "before",
    "fine_tuned": "fine-tuned on clean images",
    "unlearned": "unlearned, reversed trigger",
    "unlearned_true": "unlearned, true trigger",
    "pruned": "neurons pruned",
    "filtered": "input filter",
}
RATE_WORDS = {
    ATTACK: "attack success, true trigger",
    ("attack_success_rate", condition(trigger="reversed")): "attack success, reversed trigger",
    CLEAN: "clean accuracy",
    STAMPED: "accuracy on stamped images",
}
INDEX_WORDS = {
    "index": "norms",
    "index_lower": "norms, lower median",
    "index_log": "log-norms",
    "index_log_lower": "log-norms, lower median",
}
COLOURS = (colours.BLUE, colours.VERMILION, colours.GREEN, colours.PURPLE, colours.ORANGE, colours.SKY, colours.BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def keys_of(metrics: pd.DataFrame) -> pd.Series:
    """Return metric and condition of each row as a pair."""
    return pd.Series(list(zip(metrics["metric"], metrics["condition"], strict=True)), index=metrics.index, dtype=object)


def kind_words(kind: str) -> str:
    """Return a kind of model in words."""
    return kind.replace("_", " ")


def in_kind_order(kinds) -> list[str]:
    """Return the kinds with the clean one last."""
    return sorted(set(kinds), key=lambda kind: (kind == "clean", kind))
