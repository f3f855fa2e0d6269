"""The rules by which a claim holds, on exact small cases and as properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.claims.verdicts import NOT_REPRODUCED, PARTLY, REPRODUCED, RULES, judge

CASES = {
    "equals, inside": (("equals", 0.80, 0.70, 0.90, 0.81, 0.02), REPRODUCED),
    "equals, on the edge": (("equals", 0.80, 0.79, 0.81, 0.82, 0.02), REPRODUCED),
    "equals, the interval reaches": (("equals", 0.80, 0.75, 0.85, 0.86, 0.02), PARTLY),
    "equals, nothing reaches": (("equals", 0.80, 0.79, 0.81, 0.90, 0.02), NOT_REPRODUCED),
    "equals, no interval": (("equals", 0.80, math.nan, math.nan, 0.83, 0.02), NOT_REPRODUCED),
    "at least, all of it": (("at_least", 0.3, 0.1, 0.5, 0.0, 0.0), REPRODUCED),
    "at least, touching": (("at_least", 0.3, 0.0, 0.5, 0.0, 0.0), REPRODUCED),
    "at least, the value alone": (("at_least", 0.3, -0.1, 0.5, 0.0, 0.0), PARTLY),
    "at least, not": (("at_least", -0.01, -0.1, 0.5, 0.0, 0.0), NOT_REPRODUCED),
    "at least, given in": (("at_least", 0.79, 0.785, 0.80, 0.80, 0.02), REPRODUCED),
    "at most, all of it": (("at_most", 0.1, 0.0, 0.2, 0.2, 0.0), REPRODUCED),
    "at most, the value alone": (("at_most", 0.1, 0.0, 0.3, 0.2, 0.0), PARTLY),
    "at most, not": (("at_most", 0.3, 0.25, 0.35, 0.2, 0.0), NOT_REPRODUCED),
    "at most, no interval": (("at_most", 0.2, math.nan, math.nan, 0.2, 0.0), REPRODUCED),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case):
    arguments, expected = CASES[case]
    assert judge(*arguments)[0] == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("roughly", 0.1, 0.0, 0.2, 0.1, 0.0),
        ("equals", math.nan, 0.0, 0.2, 0.1, 0.0),
        ("equals", 0.1, 0.0, 0.2, math.nan, 0.0),
        ("equals", 0.1, 0.0, 0.2, 0.1, -0.1),
        ("equals", 0.1, 0.0, 0.2, 0.1, math.nan),
    ],
)
def test_no_verdict_from_nonsense(arguments):
    with pytest.raises(ValueError, match="no verdict"):
        judge(*arguments)


ORDER = [NOT_REPRODUCED, PARTLY, REPRODUCED]
number = st.floats(-10, 10)
width = st.floats(0, 5)


@given(st.sampled_from(RULES), number, width, width, number, st.floats(0, 3), st.floats(1, 4))
def test_a_larger_tolerance_never_worsens_a_verdict(rule, value, below, above, bound, tolerance, factor):
    small, large = (judge(rule, value, value - below, value + above, bound, tolerance * f)[0] for f in (1, factor))
    assert ORDER.index(large) >= ORDER.index(small)


@given(number, width, width, number, st.floats(0, 3))
def test_at_most_is_at_least_with_all_signs_turned(value, below, above, bound, tolerance):
    one = judge("at_least", value, value - below, value + above, bound, tolerance)[0]
    other = judge("at_most", -value, -value - above, -value + below, -bound, tolerance)[0]
    assert one == other
