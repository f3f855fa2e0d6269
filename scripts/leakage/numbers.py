"""What the study's numbers are called: attacks are one metric, and conditions say what an attack sees and may do."""

from scripts.common.conditions import condition

ATTACK = "attack_balanced_accuracy"
LABEL, SCORE, MEMBER_MEAN, VECTOR = (condition(input=name) for name in ("label", "score", "member_mean", "vector"))
BEST = condition(input="any")  # the strongest attack on any output
BOUND = condition(attack="best_possible", input="label")  # no attack that sees one label reaches more
PREDICTED = condition(
    assuming="equalized_odds", attack="best_possible", input="label"
)  # what equalized odds make of it
FOREST = condition(attack="forest", input="score")  # the published attack


def asked(queries: int) -> str:
    """Return the condition of an attack that sees this many labels of each person."""
    return condition(input="label", queries=queries)
