"""Partitions of a few things into parts that score best in total."""

from collections.abc import Callable
from functools import cache

Score = Callable[[tuple[int, ...]], float]  # of a part, whose members are in ascending order

EXACT = 10  # things up to which all partitions are compared


def best_partition(score: Score, count: int, most: int | None = None) -> list[list[int]]:
    """Return the partition of 0 .. count - 1 with the highest sum of scores, each part sorted, by first members.

    It is exact for up to EXACT things; for more, parts are merged greedily and then single things moved as long as that
    helps, which finds a partition that no single move improves.

    Args:
        score: of a part.
        count: of things, at least 1.
        most: parts at most; any number by default.
    """
    most = count if most is None else most
    score = cache(score)
    parts = _exact(score, count, most) if count <= EXACT else _moved(score, _merged(score, count, most), most)
    return sorted(map(list, parts))


def _exact(score: Score, count: int, most: int) -> list[tuple[int, ...]]:
    """Return the best partition by recursion over the part of the first thing left."""

    @cache
    def best(left: tuple[int, ...], parts: int) -> tuple[float, tuple[tuple[int, ...], ...]]:
        if not left:
            return 0.0, ()
        first, rest = left[0], left[1:]
        reached: tuple[float, tuple[tuple[int, ...], ...]] = (-float("inf"), ())
        for code in range(2 ** len(rest)):
            inside = (first, *(x for place, x in enumerate(rest) if code >> place & 1))
            outside = tuple(x for place, x in enumerate(rest) if not code >> place & 1)
            if outside and parts == 1:
                continue
            value, others = best(outside, parts - 1)
            if score(inside) + value > reached[0]:
                reached = score(inside) + value, (inside, *others)
        return reached

    return list(best(tuple(range(count)), most)[1])


def _merged(score: Score, count: int, most: int) -> list[tuple[int, ...]]:
    """Return parts merged pair by pair, the most gainful first, until no merger gains and there are few enough."""
    parts = [(one,) for one in range(count)]
    while len(parts) > 1:
        gain, a, b = max(
            (score(tuple(sorted(a + b))) - score(a) - score(b), a, b) for a in parts for b in parts if a < b
        )
        if gain <= 0 and len(parts) <= most:
            break
        parts = [part for part in parts if part not in (a, b)] + [tuple(sorted(a + b))]
    return parts


def _moved(score: Score, parts: list[tuple[int, ...]], most: int) -> list[tuple[int, ...]]:
    """Return parts after the most gainful moves of one thing to another or a new part, until none gains."""
    while True:
        best: tuple[float, list[tuple[int, ...]]] = (1e-12, [])  # rounding is no gain
        for source in parts:
            for one in source:
                left = tuple(x for x in source if x != one)
                goals = [part for part in parts if part != source] + ([()] if left and len(parts) < most else [])
                for goal in goals:
                    grown = tuple(sorted((*goal, one)))
                    before = score(source) + (score(goal) if goal else 0.0)
                    gain = score(grown) + (score(left) if left else 0.0) - before
                    if gain > best[0]:
                        kept = [part for part in parts if part not in (source, goal)]
                        best = gain, [*kept, grown, *([left] if left else [])]
        if not best[1]:
            return parts
        parts = best[1]
