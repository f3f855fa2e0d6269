"""Every fit of a split: which tables, labels and weights, and that equal ones are fitted once."""

from collections import Counter

import numpy as np
import pytest

from scripts.common.mixed_table import concatenate
from scripts.imbalance import fits
from scripts.imbalance.augmentation import augment
from scripts.imbalance.classifier import boosted_log_odds, logistic_log_odds
from scripts.imbalance.fits import Split, augmented, controls, planned, runs, with_column, without_column
from scripts.imbalance.plans import PLANS, rows_to_add
from scripts.imbalance.shifted_codes import with_moved_codes
from scripts.imbalance.splits import lost_categories, splits
from tests.imbalance.synthetic import CLASSIFIER, SETTINGS, SPLITTING, adults, entry

PEOPLE = adults()
DRAWN = splits(PEOPLE, SPLITTING)
LOST = [number for number, (train, _) in enumerate(DRAWN) if lost_categories(PEOPLE.features, train)]
KEPT = next(number for number in range(6) if number not in LOST)
FULL = entry(
    generators=["bootstrap", "cart"],
    controls=["weights", "reweighing", "duplicate_all"],
    doses={"class": [0.25, 0.5], "protected": [0.5]},
    draws=2,
    variants=["sensitive_kept", "logistic_regression"],
    without=["relationship", "age"],
)


def split_of(number, people=PEOPLE):
    return Split("adult.sex", number, people, people.features, *DRAWN[number])


def synthetic(number, settings=FULL):
    train = DRAWN[number][0]
    return [
        rows
        for draw in range(settings["draws"])
        for rows in augment(
            PEOPLE, PEOPLE.features, train, number, settings["plans"], settings["generators"], SETTINGS, draw
        )
    ]


@pytest.fixture(scope="module")
def all_runs():
    return list(runs(split_of(LOST[0]), synthetic(LOST[0]), FULL, CLASSIFIER))


def test_a_category_of_one_row_is_lost_in_two_of_six_splits():
    assert len(LOST) == 2  # once in each repetition


def test_controls_are_weights_or_rows_that_stand_twice():
    split = split_of(KEPT)
    found = {(fit.plan, fit.generator): fit for fit in controls(split, PLANS, FULL["controls"])}
    assert len(found) == 3 + len(PLANS)
    real, twice = found["none", "real"], found["none", "duplicate_all"]
    y = PEOPLE.y[split.train]
    assert real.weight is None and real.y.tolist() == y.tolist() and len(real.table) == len(split.train)
    for name in ("numeric", "codes"):
        once = getattr(split.real, name)
        assert np.array_equal(getattr(twice.table, name), np.concatenate([once, once]))
    assert twice.y.tolist() == [*y, *y] and twice.added == len(y) and twice.weight is None


def test_weights_of_a_plan_are_rows_with_the_added_ones_per_row():
    split = split_of(KEPT)
    group, y = PEOPLE.groups[split.train], PEOPLE.y[split.train]
    counts = PEOPLE.counts(split.train)
    for fit in controls(split, PLANS, ["weights"]):
        if fit.generator == "weights":
            added = rows_to_add(fit.plan, counts)
            for row in range(len(y)):
                c = counts[group[row]].sum() if fit.plan == "protected" else counts[group[row], y[row]]
                n = added[group[row]] if fit.plan == "protected" else added[group[row], y[row]]
                assert fit.weight[row] == pytest.approx((c + n) / c, rel=1e-15)
            assert fit.table is not None and len(fit.table) == len(y) and fit.added == 0


def test_reweighing_is_the_probability_if_independent_by_the_joint_one():
    split = split_of(KEPT)
    group, y = PEOPLE.groups[split.train], PEOPLE.y[split.train]
    fit = next(fit for fit in controls(split, PLANS, ["reweighing"]) if fit.generator == "reweighing")
    expected = [
        (group == g).mean() * (y == label).mean() / ((group == g) & (y == label)).mean()
        for g, label in zip(group, y, strict=True)
    ]
    assert np.allclose(fit.weight, expected, rtol=1e-12)
    assert np.average(y[group == 0], weights=fit.weight[group == 0]) == pytest.approx(y.mean())


def test_no_control_that_is_not_asked_for():
    assert [fit.generator for fit in controls(split_of(KEPT), PLANS, [])] == ["real"]


def test_an_augmented_table_is_the_real_rows_and_then_the_synthetic_ones():
    split, rows = split_of(KEPT), synthetic(KEPT)[0]
    fit = augmented(split, rows)
    n = len(split.train)
    assert np.array_equal(fit.table.codes[:n], split.real.codes) and len(fit.table) == len(fit.y) == n + fit.added
    assert fit.y[:n].tolist() == PEOPLE.y[split.train].tolist()
    counts = np.bincount(fit.y[n:] + 2 * rows.group, minlength=4).reshape(2, 2)
    assert counts.tolist() == rows_to_add(rows.plan, PEOPLE.counts(split.train)).tolist()
    half = augmented(split, rows, 0.5)
    assert 0 < half.added < fit.added and half.dose == 0.5

    def lines(own):
        columns = np.column_stack([own.table.numeric, own.table.codes, own.y])[n:]
        return Counter(map(tuple, columns.tolist()))

    assert lines(half) <= lines(fit)


def test_moved_codes_are_fitted_only_where_a_code_moves():
    for number in (LOST[0], KEPT):
        found = list(planned(split_of(number), synthetic(number), FULL))
        moved = [fit for fit in found if fit.moved]
        assert len(moved) == (16 if number == LOST[0] else 0)  # plans x generators x draws
        kept = {(fit.plan, fit.generator, fit.draw): fit for fit in found if not fit.moved and fit.dose == 1}
        for fit in moved:
            other = kept[fit.plan, fit.generator, fit.draw]
            assert np.array_equal(fit.table.codes, with_moved_codes(other.table).codes)
            assert np.array_equal(fit.y, other.y) and fit.dose == 1


def test_the_number_of_fits_is_what_the_entry_asks_for(all_runs):
    found = Counter((run.about["variant"], run.about["moved"], run.about["dose"] == 1) for run in all_runs)
    assert found == {
        ("main", False, True): 3 + 4 + 16,  # controls, weights of each plan, plans x generators x draws
        ("main", True, True): 16,
        ("main", False, False): 3,  # of bootstrap's first draw
        ("sensitive kept", False, True): 5,  # real rows, and bootstrap of each plan
        ("logistic regression", False, True): 5,
        ("without relationship", False, True): 5,
        ("without age", False, True): 5,
    }
    assert len({run.name for run in all_runs}) == len(all_runs)
    assert all(len(run.log_odds) == len(DRAWN[LOST[0]][1]) == run.about["test_rows"] for run in all_runs)


def named(all_runs, **about):
    return next(run.log_odds for run in all_runs if about.items() <= run.about.items())


def test_runs_are_the_classifier_s_on_the_tables_that_they_name(all_runs):
    number = LOST[0]
    split, rows = split_of(number), synthetic(number)
    test = PEOPLE.features.take(split.test)
    y = PEOPLE.y[split.train]
    cart = next(own for own in rows if (own.plan, own.generator, own.draw) == ("same_class", "cart", 1))
    copies = next(own for own in rows if (own.plan, own.generator, own.draw) == ("class", "bootstrap", 0))
    real = boosted_log_odds(split.real, y, test, CLASSIFIER)
    assert np.array_equal(named(all_runs, method="real", variant="main"), real)
    table = concatenate([split.real, cart.table])
    labels = np.concatenate([y, cart.label])
    key = {"method": "same_class cart", "draw": 1, "variant": "main", "dose": 1.0}
    assert np.array_equal(named(all_runs, **key, moved=False), boosted_log_odds(table, labels, test, CLASSIFIER))
    moved = boosted_log_odds(with_moved_codes(table), labels, test, CLASSIFIER)  # the test rows keep their codes
    assert np.array_equal(named(all_runs, **key, moved=True), moved)
    assert not np.array_equal(named(all_runs, **key, moved=False), moved)
    table = concatenate([split.real, copies.table])
    labels = np.concatenate([y, copies.label])
    key = {"method": "class bootstrap"}
    expected = logistic_log_odds(table, labels, test)
    assert np.array_equal(named(all_runs, **key, variant="logistic regression"), expected)
    groups = np.concatenate([PEOPLE.groups[split.train], copies.group])
    expected = boosted_log_odds(
        with_column(table, groups, PEOPLE), labels, with_column(test, PEOPLE.groups[split.test], PEOPLE), CLASSIFIER
    )
    assert np.array_equal(named(all_runs, **key, variant="sensitive kept"), expected)


def test_labels_of_test_rows_bear_on_no_prediction(all_runs):
    number = LOST[0]
    y, groups = PEOPLE.y.copy(), PEOPLE.groups.copy()
    y[DRAWN[number][1]] ^= 1
    groups[DRAWN[number][1]] ^= 1
    changed = fits.replace(PEOPLE, y=y, groups=groups)
    small = FULL | {"variants": [], "without": [], "doses": {}}
    again = runs(split_of(number, changed), synthetic(number)[:3], small, CLASSIFIER)
    before = {run.name: run.log_odds for run in all_runs}
    assert all(np.array_equal(before[run.name], run.log_odds) for run in again)


def test_a_column_is_left_out_of_either_kind():
    table = PEOPLE.features
    for name in ("age", "capital_loss", "relationship", "workclass"):
        less = without_column(table, name)
        expected = table.frame().drop(columns=name)
        assert list(less.schema.order) == list(expected) and less.frame().equals(expected)
        assert len(less.schema.whole) == len(less.schema.numeric) == less.numeric.shape[1]
        assert len(less.schema.sizes) == less.codes.shape[1]
        assert hash(less.schema) == hash(less.schema)  # tuples all the way down


def test_the_sensitive_group_becomes_a_feature_with_all_its_names():
    more = with_column(PEOPLE.features, PEOPLE.groups, PEOPLE)
    assert more.frame()["group"].tolist() == [PEOPLE.group_names[code] for code in PEOPLE.groups]
    assert more.take(PEOPLE.groups == 1).schema.sizes[-1] == 2
