"""Generated people: rates that follow from the equations, and opposed effects of the group in two clusters."""

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.multitask.sources import people_of
from scripts.multitask.sources.generated import directions

ENTRY = {"source": "generated", "attribute": "group", "rows": 60_000, "tasks": 4}


def generated(**changes):
    return people_of("generated", ENTRY | changes, {})


def rate(signal, shift):
    """The mean of sigmoid(signal * z + shift) over a standard normal z, by Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    return (weights / (1 + np.exp(-(signal * points + shift)))).sum() / weights.sum()


@pytest.mark.parametrize(("signal", "effect", "share"), [(1.5, 1.0, 0.5), (0.7, 2.0, 0.3)])
def test_rates_by_group_are_those_of_the_equations(signal, effect, share):
    people = generated(signal=signal, effect=effect, share=share)
    assert people.groups.mean() == pytest.approx(share, abs=0.01)
    for task, cluster in enumerate(people.clusters):
        for group, sign in ((0, -1), (1, 1)):
            expected = rate(signal, effect * sign * (1 - 2 * cluster))
            assert people.labels[people.groups == group, task].mean() == pytest.approx(expected, abs=0.015)


def test_the_first_half_of_the_tasks_is_one_cluster_and_names_say_so():
    people = generated(tasks=5, rows=100)
    assert people.clusters == (0, 0, 0, 1, 1) and people.tasks == ("a1", "a2", "a3", "b4", "b5")
    assert "group" not in people.feature_names and np.bincount(people.split).tolist() == [47, 23, 30]


def test_directions_have_unit_length_and_only_the_groups_own_tells_the_group():
    weights, group_direction = directions((0, 0, 1, 1), 12, 0.4, 0)
    assert np.linalg.norm(weights, axis=1) == pytest.approx(1) and np.linalg.norm(group_direction) == pytest.approx(1)
    assert weights @ group_direction == pytest.approx(0, abs=1e-12)
    plain, _ = directions((0, 0, 1, 1), 12, 0.0, 0)
    assert plain[0] == pytest.approx(plain[1]) and plain[0] @ plain[2] == pytest.approx(0, abs=1e-12)


def test_the_weight_that_a_proxy_of_the_group_earns_has_opposite_signs_in_the_clusters():
    """Correlation of label and projection on e: positive in cluster 0, negative in cluster 1."""
    people = generated()
    _, e = directions(people.clusters, 16, 0.4, 0)
    proxy = people.features @ e
    correlations = [np.corrcoef(proxy, labels)[0, 1] for labels in people.labels.T]
    assert min(correlations[:2]) > 0.1 and max(correlations[2:]) < -0.1
    without = generated(effect=0.0)
    assert max(abs(np.corrcoef(without.features @ e, labels)[0, 1]) for labels in without.labels.T) < 0.02


def test_the_same_seed_gives_the_same_people_and_another_others():
    one, again, other = generated(rows=500), generated(rows=500), generated(rows=500, seed=1)
    assert (one.features == again.features).all() and (one.labels == again.labels).all()
    assert (one.split == again.split).all() and (one.labels != other.labels).any()


@pytest.mark.parametrize(
    ("changes", "message"), [({"tasks": 3}, "tasks: 3, but"), ({"features": 3}, "features: 3, but")]
)
def test_too_few_tasks_or_features_are_refused(changes, message):
    with pytest.raises(UserError, match=f"generated.{message}"):
        generated(**changes)
