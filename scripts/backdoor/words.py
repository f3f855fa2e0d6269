"""How figures and tables call things, and in which order."""

from scripts.common import figures

METHOD_WORDS = {
    "before": "before",
    "fine_tuned": "fine-tuned on clean images",
    "unlearned": "unlearned, reversed trigger",
    "unlearned_true": "unlearned, true trigger",
    "pruned": "neurons pruned",
    "filtered": "input filter",
}
RATE_WORDS = {
    "attack_success": "attack success, true trigger",
    "attack_success_reversed": "attack success, reversed trigger",
    "clean_accuracy": "clean accuracy",
    "stamped_accuracy": "accuracy on stamped images",
}
INDEX_WORDS = {
    "index": "norms",
    "index_lower": "norms, lower median",
    "index_log": "log-norms",
    "index_log_lower": "log-norms, lower median",
}
COLOURS = (figures.BLUE, figures.VERMILION, figures.GREEN, figures.PURPLE, figures.ORANGE, figures.SKY, figures.BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def kind_words(kind: str) -> str:
    """Return a kind of model in words."""
    return kind.replace("_", " ")


def in_kind_order(kinds) -> list[str]:
    """Return the kinds with the clean one last."""
    return sorted(set(kinds), key=lambda kind: (kind == "clean", kind))
