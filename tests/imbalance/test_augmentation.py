"""Synthetic rows of a split: as many as a plan says, from the rows of their part, the same whatever runs beside."""

import numpy as np
import pytest

from scripts.common.mixed_table import concatenate
from scripts.imbalance import augmentation
from scripts.imbalance.augmentation import LABEL, Seconds, Synthetic, augment, part_name, wanted_rows
from scripts.imbalance.plans import PLANS, PROTECTED, SAME_CLASS, at_dose, by_group, rows_to_add
from scripts.imbalance.splits import splits
from tests.imbalance.synthetic import SETTINGS, SPLITTING, adults

PEOPLE = adults(attributes=("sex", "race"))
TRAIN = splits(PEOPLE, SPLITTING)[0][0]
GENERATORS = ["bootstrap", "cart", "copula", "smote_nc"]


def augmented(plans=PLANS, generators=("bootstrap",), people=PEOPLE, train=TRAIN, split=0, draw=0, seconds=None):
    return augment(people, people.features, train, split, plans, generators, SETTINGS, draw, seconds)


@pytest.fixture(scope="module")
def made():
    """All plans and generators on split 0, by plan and generator."""
    return {(rows.plan, rows.generator): rows for rows in augmented(generators=GENERATORS)}


def same(first: Synthetic, second: Synthetic) -> bool:
    arrays = [(rows.group, rows.label, rows.table.numeric, rows.table.codes) for rows in (first, second)]
    return all(np.array_equal(own, other) for own, other in zip(*arrays, strict=True))


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("plan", PLANS)
def test_every_part_gets_the_rows_of_the_plan(made, plan, generator):
    rows, counts = made[plan, generator], PEOPLE.counts(TRAIN)
    found = np.zeros_like(counts)
    np.add.at(found, (rows.group, rows.label), 1)
    added = rows_to_add(plan, counts)
    assert (found.sum(1) if by_group(plan) else found).tolist() == added.tolist()
    assert rows.table.schema == PEOPLE.features.schema and len(rows.table) == len(rows.label) == added.sum() > 0
    assert (rows.group.dtype, rows.label.dtype) == (np.int16, np.int8)


def lines(table):
    return {(*row, *codes) for row, codes in zip(table.numeric.tolist(), table.codes.tolist(), strict=True)}


@pytest.mark.parametrize("plan", PLANS)
def test_copies_are_training_rows_of_their_group_and_label(made, plan):
    """Also where whole groups are filled: the label is copied with the row."""
    rows = made[plan, "bootstrap"]
    for group in range(4):
        for label in (0, 1):
            own = TRAIN[(PEOPLE.groups[TRAIN] == group) & (PEOPLE.y[TRAIN] == label)]
            copies = rows.table.take((rows.group == group) & (rows.label == label))
            assert lines(copies) <= lines(PEOPLE.features.take(own))


def test_rows_do_not_hang_on_what_else_is_drawn(made):
    for generator in GENERATORS:
        for plan in (SAME_CLASS, PROTECTED):
            assert same(augmented([plan], [generator])[0], made[plan, generator]), (plan, generator)
    backwards = augmented(PLANS[::-1], GENERATORS[1::-1])
    assert all(same(rows, made[rows.plan, rows.generator]) for rows in backwards) and len(backwards) == 8


def test_other_draws_and_splits_are_other_rows(made):
    for change in ({"draw": 1}, {"split": 1}):
        for rows in augmented(generators=["bootstrap", "cart"], **change):
            assert not same(rows, made[rows.plan, rows.generator])
            assert (rows.draw, rows.split) == (change.get("draw", 0), change.get("split", 0))


def test_test_rows_bear_on_nothing(made):
    tested = np.setdiff1d(np.arange(len(PEOPLE.y)), TRAIN)
    numeric, codes = PEOPLE.features.numeric.copy(), PEOPLE.features.codes.copy()
    numeric[tested], codes[tested] = 99, 0
    changed = type(PEOPLE.features)(PEOPLE.features.schema, numeric, codes)
    for rows in augment(PEOPLE, changed, TRAIN, 0, PLANS, GENERATORS, SETTINGS, 0):
        assert same(rows, made[rows.plan, rows.generator])


def test_a_generator_is_fitted_once_for_all_plans_of_cells_and_sees_the_label_where_groups_are_filled(monkeypatch):
    seen, real = [], augmentation.fit

    def fit(name, table, part, parts, settings, random):
        seen.append((name, LABEL in table.schema.order, parts))
        assert len(table) == len(part) == len(TRAIN)
        return real(name, table, part, parts, settings, random)

    monkeypatch.setattr(augmentation, "fit", fit)
    augmented(generators=["bootstrap", "copula"])
    assert [(name, labelled) for name, labelled, _ in seen] == [
        (name, labelled) for name in ("bootstrap", "copula") for labelled in (False, True)
    ]
    wanted = {part for plan in PLANS if not by_group(plan) for part in wanted_rows(PEOPLE, TRAIN, plan)}
    assert seen[0][2] == sorted(wanted) and seen[1][2] == sorted(wanted_rows(PEOPLE, TRAIN, PROTECTED))


@pytest.mark.parametrize("plan", PLANS)
def test_a_smaller_dose_is_the_start_of_a_larger_one_in_every_part(made, plan):
    rows = made[plan, "cart"]
    whole = rows.first(1)
    assert sorted(whole) == list(range(len(rows.label))) and not len(rows.first(0))
    doses = {dose: rows.first(dose) for dose in (0.25, 0.5, 0.75, 1)}
    for low, high in ((0.25, 0.5), (0.5, 0.75), (0.75, 1)):
        assert {*doses[low]} < {*doses[high]}
    added = rows_to_add(plan, PEOPLE.counts(TRAIN))
    for dose, kept in doses.items():
        assert len(kept) == at_dose(added, dose).sum()
        part = rows.group if by_group(plan) else 2 * rows.group + rows.label
        assert all(np.diff(own).max(initial=1) == 1 for own in (kept[part[kept] == key] for key in {*part}))


def test_a_dose_that_is_no_binary_fraction_loses_no_row():
    part = np.zeros(100, np.int16)
    rows = Synthetic("class", "bootstrap", 0, 0, part, part.astype(np.int8), PEOPLE.features.take(np.arange(100)))
    assert len(rows.first(0.29)) == 29 and len(rows.first(0.07)) == 7  # .29 * 100 is 28.999999999999996


def test_a_balanced_table_needs_no_row_and_fits_nothing(monkeypatch):
    random = np.random.default_rng(0)
    people = adults(400, sex=np.tile(["Male", "Female"], 200), y=np.repeat([0, 1], 200).astype(np.int8))
    train = random.permutation(400)
    monkeypatch.setattr(augmentation, "fit", None)
    for rows in augmented(people=people, train=train):
        assert len(rows.label) == len(rows.table) == len(rows.first(1)) == 0
        assert concatenate([people.features, rows.table]).schema == people.features.schema


def test_names_of_parts():
    assert part_name(PEOPLE, SAME_CLASS, 5) == "men, others, label 1"
    assert part_name(PEOPLE, PROTECTED, 2) == "men, others"


def test_seconds_are_added_up_over_splits_and_a_fit_counts_for_every_plan():
    seconds = Seconds()
    for split in (0, 1):
        augmented(["class", SAME_CLASS], ["bootstrap"], split=split, seconds=seconds)
    assert {key: count for key, (_, _, count) in seconds.spent.items()} == {
        ("class", "bootstrap"): 2,
        (SAME_CLASS, "bootstrap"): 2,
    }
    assert seconds.spent["class", "bootstrap"][0] == seconds.spent[SAME_CLASS, "bootstrap"][0] >= 0
