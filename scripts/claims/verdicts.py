"""Verdict on a claim from the measured number, its interval, the claimed value and the tolerance."""

import math

REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "partly", "not reproduced", "not testable here"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_TESTABLE)
ROUNDING = 1e-12  # the last bit of a float must not decide
RULES = ("equals", "at_least", "at_most")


def judge(rule: str, value: float, low: float, high: float, bound: float, tolerance: float) -> tuple[str, str]:
    """Return the verdict and its reason, both as text.

    `equals`: reproduced if the value is within the tolerance of the bound, partly if only the interval reaches that
    range. `at_least` (`at_most`): reproduced if the whole interval is beyond the bound, partly if only the value is;
    the tolerance loosens the bound in either case. A missing interval (nan) is taken as the value itself.

    Args:
        value, low, high: ours, with its 95 % interval.
        bound: the claimed value.
        tolerance: at least 0, in the units of the value.

    Raises:
        ValueError: the rule does not exist, a number is nan, or the tolerance is negative.
    """
    if rule not in RULES or math.isnan(value) or math.isnan(bound) or not tolerance >= 0:
        raise ValueError(f"no verdict by {rule!r} from value {value}, bound {bound} and tolerance {tolerance}")
    low, high = (value if math.isnan(end) else end for end in (low, high))
    if rule == "equals":
        return _equals(value, low, high, bound, tolerance)
    if rule == "at_most":  # the same as at_least with all signs reversed
        value, low, bound = -value, -high, -bound
    limit = bound - tolerance - ROUNDING
    if low >= limit:
        return REPRODUCED, "the value meets the bound, and so does its whole interval"
    if value >= limit:
        return PARTLY, "the value meets the bound, but its interval reaches beyond it"
    return NOT_REPRODUCED, "the value does not meet the bound"


def _equals(value: float, low: float, high: float, bound: float, tolerance: float) -> tuple[str, str]:
    reach = tolerance + ROUNDING
    if abs(value - bound) <= reach:
        return REPRODUCED, "within the tolerance"
    if low - reach <= bound <= high + reach:
        return PARTLY, "outside the tolerance, but its interval reaches into it"
    return NOT_REPRODUCED, "outside the tolerance, and so is its whole interval"
