"""Best partitions against a list of all of them, and of planted clusters."""

import numpy as np
import pytest

from scripts.multitask import partitions
from scripts.multitask.partitions import best_partition


def all_partitions(things):
    """Every partition of a list, by where its first member goes."""
    if not things:
        yield []
        return
    first, *rest = things
    for others in all_partitions(rest):
        yield [[first], *others]
        for place, part in enumerate(others):
            yield [*others[:place], [first, *part], *others[place + 1 :]]


def scored(count, seed):
    """A score without any structure: a random number per set."""
    values = np.random.default_rng(seed).normal(size=2**count)
    return lambda part: float(values[sum(2**one for one in part)])


def total(score, parts):
    return sum(score(tuple(part)) for part in parts)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("most", [1, 2, 3, None])
def test_the_best_of_all_partitions(count, most):
    for seed in range(4):
        score = scored(count, seed)
        every = [parts for parts in all_partitions(list(range(count))) if most is None or len(parts) <= most]
        found = best_partition(score, count, most)
        assert sorted(map(sorted, found)) == found
        assert sorted(one for part in found for one in part) == list(range(count))
        assert total(score, found) == pytest.approx(max(total(score, parts) for parts in every))
        assert most is None or len(found) <= most


def test_numbers_of_partitions_of_the_test_itself():
    assert [sum(1 for _ in all_partitions(list(range(count)))) for count in (3, 5, 7)] == [5, 52, 877]


def pairwise(affinity):
    def score(part):
        own = affinity[np.ix_(part, part)]
        return float(own.sum() - own.trace())

    return score


@pytest.mark.parametrize("count", [12, 17, 31])
def test_planted_clusters_of_many(count):
    random = np.random.default_rng(count)
    cluster = random.permutation(count) % 3
    affinity = np.where(cluster[:, None] == cluster, 1.0, -1.0) + 0.3 * random.normal(size=(count, count))
    found = best_partition(pairwise(affinity), count, 4)
    assert found == sorted(sorted(np.flatnonzero(cluster == code).tolist()) for code in range(3))


@pytest.mark.parametrize("most", [1, 2, 3])
def test_many_never_make_more_parts_than_asked(most):
    random = np.random.default_rng(most)
    assert len(best_partition(pairwise(-random.random((13, 13))), 13, most)) <= most


@pytest.mark.parametrize("seed", range(6))
def test_no_single_move_improves_what_the_search_returns(seed):
    score = pairwise(np.random.default_rng(seed).normal(size=(14, 14)))
    found = best_partition(score, 14, 4)
    for source in found:
        for one in source:
            for goal in [part for part in found if part is not source] + ([[]] if len(found) < 4 else []):
                left = [x for x in source if x != one]
                rest = [part for part in found if part is not source and part is not goal]
                moved = [part for part in [*rest, left, sorted([*goal, one])] if part]
                assert total(score, moved) <= total(score, found) + 1e-9


def test_the_search_mostly_reaches_the_best(monkeypatch):
    reached = 0
    for seed in range(10):
        score = pairwise(np.random.default_rng(seed).normal(size=(8, 8)))
        best = total(score, best_partition(score, 8, 3))
        monkeypatch.setattr(partitions, "EXACT", 1)
        searched = total(score, best_partition(score, 8, 3))
        monkeypatch.undo()
        assert searched <= best + 1e-9
        reached += searched > 0.9 * best
    assert reached >= 7
