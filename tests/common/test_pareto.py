import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scripts.common.pareto import lower_hull, pareto_mask

# the published hulls, read off the figures (reference sheet of the trade-off study, 1.4)
FAIRNESS_HULL = [(0.3047, 0.222), (0.3059, 0.173), (0.3093, 0.076), (0.3121, 0.004), (0.3208, 0.0004)]
ROBUSTNESS_HULL = [(0.3056, 1.000), (0.3312, 0.696), (0.3426, 0.586), (0.3682, 0.488)]

coarse = st.integers(-4, 4).map(float)  # few values, so that ties and duplicates are common


def points(dimensions):
    return st.integers(0, 25).flatmap(lambda n: hnp.arrays(float, (n, dimensions), elements=coarse))


def brute_force(cloud):
    return [not any((q <= p).all() and (q < p).any() for q in cloud) for p in cloud]


def test_exact_small_case_keeps_every_copy():
    cloud = [(1, 3), (2, 2), (2, 2), (3, 1), (3, 3), (1, 4), (2, 3)]
    assert pareto_mask(cloud).tolist() == [True, True, True, True, False, False, False]
    assert pareto_mask([(*p, 0) for p in cloud]).tolist() == [True, True, True, True, False, False, False]


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_equals_brute_force(dimensions):
    @given(points(dimensions))
    def check(cloud):
        assert pareto_mask(cloud).tolist() == brute_force(cloud)

    check()


def test_undefined_and_infinite_points():
    nan, inf = np.nan, np.inf
    assert pareto_mask([(nan, 0), (1, 1), (0, nan)]).tolist() == [False, True, False]
    assert pareto_mask([(inf, inf)]).tolist() == [True]
    assert pareto_mask([(0, inf), (1, inf), (-inf, inf)]).tolist() == [False, False, True]
    assert pareto_mask(np.empty((0, 2))).tolist() == []
    with pytest.raises(ValueError, match="shape"):
        pareto_mask([1.0, 2.0])


@given(points(2))
def test_hull_is_below_every_point_and_made_of_efficient_points(cloud):
    hull = lower_hull(cloud)
    if not len(cloud):
        assert hull.shape == (0, 2)
        return
    efficient = {tuple(p) for p in cloud[pareto_mask(cloud)]}
    assert {tuple(p) for p in hull} <= efficient
    x, y = hull.T
    assert (np.diff(x) > 0).all() and (np.diff(y) < 0).all()
    slopes = np.diff(y) / np.diff(x)
    assert (np.diff(slopes) > 0).all()  # strictly convex: no vertex on an edge
    inside = cloud[(cloud[:, 0] >= x[0]) & (cloud[:, 0] <= x[-1])]
    assert (inside[:, 1] >= np.interp(inside[:, 0], x, y) - 1e-12).all()
    assert x[0] == cloud[:, 0].min() and y[-1] == cloud[:, 1].min()


@given(points(2), st.floats(0.01, 10))
def test_a_weighted_sum_selects_a_vertex(cloud, weight):
    if len(cloud):
        assert (cloud @ [1, weight]).min() == pytest.approx((lower_hull(cloud) @ [1, weight]).min(), abs=1e-9)


@pytest.mark.parametrize("hull", [FAIRNESS_HULL, ROBUSTNESS_HULL], ids=["fairness", "robustness"])
def test_published_hulls(hull):
    """The published vertices come back from a cloud of dominated and of efficient non-vertex points."""
    hull = np.array(hull)
    random = np.random.default_rng(0)
    start = random.integers(len(hull) - 1, size=300)
    along = random.random((300, 1))
    edges = hull[start] * along + hull[start + 1] * (1 - along)
    cloud = random.permutation(np.concatenate([hull, edges + random.random((300, 2)) * [1e-4, 1e-3] + 1e-9]))
    assert pareto_mask(hull).all()
    np.testing.assert_array_equal(lower_hull(cloud), hull)
    assert pareto_mask(cloud).sum() > len(hull)


def test_published_headline_numbers():
    error, gap = lower_hull(FAIRNESS_HULL).T
    assert error[3] - error[0] == pytest.approx(0.0074) and gap[0] - gap[3] == pytest.approx(0.218)
    tangent = lower_hull(FAIRNESS_HULL) @ [1.0, 0.1]  # the "weight" variant of the figure
    assert tuple(lower_hull(FAIRNESS_HULL)[tangent.argmin()]) == (0.3121, 0.004)
