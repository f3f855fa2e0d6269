"""How the arms of the study are drawn and named in its figures."""

from scripts.common import colours

ARMS = {  # words, colour, marker
    "plain": ("plain training", colours.GREY, "o"),
    "adversarial": ("adversarial training", colours.VERMILION, "^"),
    "fair": ("fairness penalty (our extension)", colours.GREEN, "D"),
    "fair_adversarial": ("adversarial + fairness (our extension)", colours.PURPLE, "s"),
}
CONSTANT_NAMES = {"constant_reject": "always reject", "constant_accept": "always accept"}


def threat_words(threat: str) -> str:
    """Return the words for a threat model, e.g. `linf_0.01` -> "l_inf, eps 0.01" in mathematical type."""
    norm, size = threat.split("_")
    return rf"$\ell_{{{norm[1:].replace('inf', chr(92) + 'infty')}}}$, ε = {float(size):g}"
