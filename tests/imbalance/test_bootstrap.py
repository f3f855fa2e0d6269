"""Copies of real rows: only of their part, and on average what row weights are."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.mixed_table import MixedTable
from scripts.imbalance import generators
from scripts.imbalance.plans import PLANS, PROTECTED, by_group, rows_to_add, weights_of

COUNTS = np.array([[40, 9], [60, 25], [12, 5]])
SETS = 50


def rows_of(counts):
    """A table with one row per person, numbered, and the group and label of each."""
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    frame = pd.DataFrame({"number": np.arange(len(cells)), "cell": cells.astype(str)})
    return MixedTable.from_frame(frame, ["number"], ["cell"]), cells


@pytest.mark.parametrize("plan", PLANS)
def test_the_mean_of_the_training_sets_is_that_of_the_weights(plan):
    """Each person's mean number of copies lies within 4.5 sigma of the weight, and so does each cell's total."""
    table, cells = rows_of(COUNTS)
    added = rows_to_add(plan, COUNTS)
    part = cells // 2 if by_group(plan) else cells
    parts = np.flatnonzero(added.ravel()).tolist()
    fitted = generators.fit("bootstrap", table, part, parts, {}, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    copies = np.ones((SETS, len(table)))  # the real rows are kept
    for once in copies:
        for key in parts:
            drawn = fitted.sample(key, int(added.ravel()[key]), rng).numeric[:, 0].astype(int)
            assert set(part[drawn]) == {key}
            once += np.bincount(drawn, minlength=len(table))
    weights = weights_of(COUNTS, added).ravel()
    draws, among = (added.ravel()[part], np.bincount(part)[part])
    sigma = np.sqrt(draws / among * (1 - 1 / among) / SETS)
    assert (np.abs(copies.mean(0) - weights[cells]) <= 4.5 * sigma).all()
    totals = np.array([copies.mean(0)[cells == key].sum() for key in range(COUNTS.size)])
    if plan != PROTECTED:  # whose labels are drawn too
        assert totals == pytest.approx(COUNTS.ravel() * weights)
        return
    p = COUNTS / COUNTS.sum(1, keepdims=True)
    sigma = np.sqrt(added[:, None] * p * (1 - p) / SETS).ravel()
    assert (np.abs(totals - COUNTS.ravel() * weights) <= 4 * sigma).all() and sigma.max() > 0


def test_the_same_seed_gives_the_same_copies():
    table, cells = rows_of(COUNTS)
    fitted = generators.fit("bootstrap", table, cells, [1], {}, np.random.default_rng(0))
    first, again, other = (fitted.sample(1, 30, np.random.default_rng(seed)).numeric for seed in (5, 5, 6))
    assert (first == again).all() and (first != other).any()


def test_how_many_rows_a_part_must_have():
    settings = {"neighbours": 3, "leaf": 5}
    fewest = {name: generators.fewest_rows(name, settings) for name in generators.GENERATORS}
    assert fewest == {"bootstrap": 1, "copula": 1, "cart": 2, "smote_nc": 4, "vae": 1}
