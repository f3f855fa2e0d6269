"""The names of arms, as predictions, figures, tables and claims use them, and of attributes; imports nothing."""

ADABOOST = "AdaBoost"
ADAFAIR = "AdaFair"
ADAFAIR_CSB2 = "AdaFair, CSB2"
ADAFAIR_LAST = "AdaFair, not cumulative"
ADAFAIR_SP = "AdaFair for SP"
ADAFAIR_EOPP = "AdaFair for EOpp"
ADAFAIR_HELD = "AdaFair, validation rows"
MFBPP = "MFBPP"
MFBPP_PREFERENCE = "MFBPP by preference"
XGBOOST = "xgboost"
SKLEARN = "scikit-learn AdaBoost"
REDUCTIONS = "exponentiated gradient"
THRESHOLDS = "thresholds per group"
MORE_ATTRIBUTES = {"bank": ("marital", "age")}  # beside those of the shared tables
JOINT = "the cell"  # the attribute whose protected group is that of all attributes at once


def on(attribute: str) -> str:
    """Return the name of AdaFair for one of several attributes."""
    return f"AdaFair on {attribute}"


def fair_xgboost(notion: str, weight: float) -> str:
    """Return the name of a fair gradient booster."""
    return f"fair xgboost, {notion}, weight {weight:g}"


def run_name(cell: str, protocol: str, arm: str, seed: int) -> str:
    """Return the name of a run."""
    return f"{cell}.{protocol}.{arm}.seed{seed}"


# (protocol, method) of the boosters that figures follow round by round, and of those whose weights they show.
FOLLOWED = (
    ("as_published", ADABOOST),
    ("as_published", ADAFAIR),
    ("as_published", ADAFAIR_LAST),
    ("corrected", ADAFAIR),
)
WEIGHED = FOLLOWED[:3]
