"""Means over splits, paired differences and their adjustment, against the shared library, scipy and a restatement."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from scripts.common.aggregate import aggregate
from scripts.common.interval_kinds import RESAMPLED_T
from scripts.imbalance.names import method_name
from scripts.imbalance.pairing import METRIC_KEYS, RUN_KEYS, comparisons, over_splits, split_values, summary, wide

RATIO = 0.5
METHODS = [
    ("none", "real"),
    ("none", "reweighing"),
    *itertools.product(("class", "same_class"), ("bootstrap", "weights", "cart")),
]
METRICS = {"accuracy": "none", "demographic_parity_difference": "sex"}


def values(rows=5, splits=6, seed=0):
    return np.random.default_rng(seed).normal(0.4, 0.1, (rows, splits))


def metrics(splits=6, draws=1, seed=0):
    """All numbers of one dataset: both protocols, eight methods, a dose and a variant, two metrics."""
    random, rows = np.random.default_rng(seed), []
    for protocol, (plan, generator) in itertools.product(("as_published", "corrected"), METHODS):
        if protocol == "as_published" and generator in ("weights", "reweighing"):
            continue
        runs = [(1.0, "main")]
        runs += [(0.5, "main")] if (protocol, plan, generator) == ("corrected", "class", "bootstrap") else []
        runs += [(1.0, "sensitive kept")] if protocol == "corrected" and generator in ("real", "bootstrap") else []
        for (dose, variant), metric, split in itertools.product(runs, METRICS, range(splits)):
            for draw in range(draws if generator in ("bootstrap", "cart") else 1):
                run = (protocol, plan, generator, method_name(plan, generator), dose, variant)
                value = random.normal(0.5 + 0.01 * split, 0.05)
                rows.append((*run, metric, METRICS[metric], "all", "", split, draw, value, 100 + split))
    return pd.DataFrame(rows, columns=[*RUN_KEYS, *METRIC_KEYS, "split_number", "draw", "value", "n"])


def test_means_and_intervals_are_those_of_the_shared_aggregation():
    own = values()
    long = pd.DataFrame(
        [(row, split, own[row, split], 7, RATIO) for row in range(5) for split in range(6)],
        columns=["row", "seed", "value", "n", "test_by_train"],
    )
    expected = aggregate(long, ["row"], RESAMPLED_T)
    found = over_splits(own, RATIO)
    for name in ("value", "ci_low", "ci_high", "deviation"):
        assert np.allclose(found[name], expected[name], rtol=1e-12)
    assert found["interval"].tolist() == expected["interval"].tolist() == [RESAMPLED_T] * 5
    assert np.allclose(found["deviation_0"], own.std(1))


def test_without_shared_rows_it_is_the_t_test_of_scipy():
    own = values() - 0.4
    found = over_splits(own, 0.0)
    assert np.allclose(found["p_value"], scipy.stats.ttest_1samp(own, 0, axis=1).pvalue, rtol=1e-10)


def test_shared_rows_widen_the_interval_by_the_factor_of_nadeau_and_bengio():
    plain, corrected = (over_splits(values(), ratio) for ratio in (0.0, RATIO))
    widths = [(own["ci_high"] - own["ci_low"]) / (2 * own["deviation"]) for own in (plain, corrected)]
    quantile = scipy.stats.t.ppf(0.975, 5)
    assert np.allclose(widths[0] / quantile, 0.408, atol=5e-4) and np.allclose(widths[1] / quantile, 0.816, atol=5e-4)
    t = values().mean(1) / (values().std(1, ddof=1) * np.sqrt(1 / 6 + RATIO))
    assert np.allclose(corrected["p_value"], 2 * scipy.stats.t.sf(abs(t), 5), rtol=1e-10)


def test_an_interval_without_zero_is_a_p_value_below_five_percent():
    found = over_splits(np.random.default_rng(3).normal(0.1, 0.12, (200, 6)), RATIO)
    excludes = (found["ci_low"] > 0) | (found["ci_high"] < 0)
    assert (excludes == (found["p_value"] < 0.05)).all() and 0 < excludes.sum() < 200


def test_identical_values_and_one_split():
    same = over_splits(np.array([[0.0] * 6, [0.2] * 6]), RATIO)
    assert same["p_value"].tolist() == pytest.approx([1, 0]) and same["ci_low"].tolist() == pytest.approx([0, 0.2])
    one = over_splits(np.array([[0.3], [0.0]]), RATIO)
    assert one["value"].tolist() == [0.3, 0.0] and one["interval"].isna().all()
    assert one[["ci_low", "ci_high", "deviation", "deviation_0", "p_value"]].isna().all(axis=None)


def test_a_value_that_is_undefined_in_a_split_has_no_mean():
    own = values()
    own[2, 3] = np.nan
    found = over_splits(own, RATIO)
    assert found.loc[2, ["value", "ci_low", "ci_high", "p_value"]].isna().all() and found["interval"][2] is None
    assert found.drop(index=2).notna().all(axis=None)


def at(frame, **keys):
    return frame[np.logical_and.reduce([frame[name] == value for name, value in keys.items()])]


def test_draws_are_averaged_within_a_split_before_anything_else():
    own = metrics(draws=3)
    table, about = wide(own)
    key = {"protocol": "corrected", "method": "class cart", "metric": "accuracy"}
    by_split = at(own, **key).pivot(index="split_number", columns="draw", values="value").to_numpy()
    assert by_split.shape == (6, 3)
    row = at(summary(table, about, RATIO), **key).iloc[0]
    means = by_split.mean(1)
    assert row["value"] == pytest.approx(means.mean()) and row["deviation"] == pytest.approx(means.std(ddof=1))
    assert row["draw_deviation"] == pytest.approx(np.sqrt(by_split.var(1, ddof=1).mean()))
    assert row["seeds"] == 6 and row["n"] == 100
    assert np.isnan(at(summary(table, about, RATIO), method="real")["draw_deviation"]).all()


def test_one_draw_has_no_spread_of_draws_and_a_summary_has_every_run_once():
    table, about = wide(metrics())
    found = summary(table, about, RATIO)
    assert found["draw_deviation"].isna().all() and "p_value" not in found
    assert not found.duplicated([*RUN_KEYS, *METRIC_KEYS]).any() and len(found) == len(table)


def test_an_undefined_draw_makes_its_split_undefined():
    own = metrics(draws=2)
    place = at(own, protocol="corrected", method="class cart", metric="accuracy").index[3]
    own.loc[place, "value"] = np.nan
    table, _ = wide(own)
    row = table.xs(("corrected", "class cart", "accuracy"), level=("protocol", "method", "metric")).iloc[0]
    assert row.isna().tolist() == [number == own.loc[place, "split_number"] for number in range(6)]


@pytest.fixture(scope="module")
def compared():
    own = metrics(draws=2)
    table, about = wide(own)
    return own, comparisons(table, about, RATIO)


def by_split(own, **keys):
    return at(own, dose=1.0, **keys).groupby("split_number")["value"].mean().to_numpy()


def test_every_difference_is_of_the_two_sides_that_it_names(compared):
    own, found = compared
    for row in found.itertuples():
        key = {"metric": row.metric, "variant": row.variant}
        published = row.first.endswith(" as published")
        assert published == row.second.endswith(" corrected") == (row.protocol is None)
        first = {"method": row.first.removesuffix(" as published")}
        second = {"method": row.second.removesuffix(" corrected")}
        sides = ("as_published", "corrected") if published else (row.protocol, row.protocol)
        one, other = (
            by_split(own, protocol=protocol, **side, **key)
            for protocol, side in zip(sides, (first, second), strict=True)
        )
        expected = over_splits((one - other)[None], RATIO).iloc[0]
        for name in ("value", "ci_low", "ci_high", "p_value"):
            assert getattr(row, name) == pytest.approx(expected[name], abs=1e-12)
        assert row.seeds == 6 and row.n == 100 and row.interval == RESAMPLED_T and row.dose == 1


def test_which_pairs_there_are(compared):
    _, found = compared
    assert not found.duplicated(["protocol", "variant", "metric", "first", "second"]).any()
    main = at(found, variant="main", metric="accuracy")
    plans, generators = ("class", "same_class"), ("bootstrap", "weights", "cart")
    methods = {f"{plan} {generator}" for plan, generator in itertools.product(plans, generators)}
    corrected = at(main, protocol="corrected")
    assert set(at(corrected, second="real")["first"]) == methods | {"reweighing"}
    against = corrected[corrected["second"] != "real"]
    assert {*zip(against["first"], against["second"], strict=True)} == {
        (f"{plan} {generator}", f"{plan} bootstrap") for plan in plans for generator in ("weights", "cart")
    }
    published = at(main, protocol="as_published")
    assert set(published["first"]) == {method for method in methods if "weights" not in method}
    both = main[main["protocol"].isna()]
    assert {*zip(both["first"], both["second"], strict=True)} == {
        (f"{method} as published", f"{method} corrected") for method in methods if "weights" not in method
    }
    kept = at(found, variant="sensitive kept", metric="accuracy")
    assert set(kept["first"]) == {"class bootstrap", "same_class bootstrap"} and set(kept["second"]) == {"real"}


def restated(p_values):
    """Holm's adjustment as the paper reads: the k-th smallest of m times m - k + 1, never falling, at most 1."""
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = np.empty(len(p_values)), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def test_holm_is_over_plans_and_generators_of_one_protocol_variant_metric_and_reference(compared):
    _, found = compared
    sizes = {}
    for protocol, variant, metric, real in itertools.product(
        ("as_published", "corrected"), ("main", "sensitive kept"), METRICS, (True, False)
    ):
        own = at(found, protocol=protocol, variant=variant, metric=metric)
        family = own[((own["second"] == "real") == real) & (own["first"] != "reweighing")]
        if len(family):
            assert np.allclose(family["p_holm"], restated(family["p_value"].to_numpy()), rtol=1e-12)
            sizes[protocol, variant, real] = len(family)
    assert sizes == {
        ("corrected", "main", True): 6,
        ("corrected", "main", False): 4,
        ("corrected", "sensitive kept", True): 2,
        ("as_published", "main", True): 4,
        ("as_published", "main", False): 2,
    }
    others = found[found["protocol"].isna() | (found["first"] == "reweighing")]
    assert len(others) and others["p_holm"].isna().all() and others["p_value"].notna().all()


def test_the_p_value_of_being_better_follows_the_direction_of_the_metric(compared):
    _, found = compared
    own = found[found["p_holm"].notna()]
    sign = np.where(own["metric"] == "accuracy", 1, -1)
    better = own["value"] * sign > 0
    assert better.any() and (~better).any()
    assert (own["p_better"] == np.where(better, own["p_holm"], 1.0)).all()
    assert found.loc[found["p_holm"].isna(), "p_better"].isna().all()


def test_a_method_that_predicts_as_real_rows_do_has_p_one():
    own = metrics()
    real = at(own, method="real", protocol="corrected", variant="main")["value"].to_numpy()
    own.loc[at(own, method="class weights").index, "value"] = real
    table, about = wide(own)
    rows = at(comparisons(table, about, RATIO), first="class weights", second="real")
    assert (rows[["value", "ci_low", "ci_high"]] == 0).all(axis=None) and (rows[["p_value", "p_holm"]] == 1).all(
        axis=None
    )


@pytest.mark.parametrize("seed", range(4))
def test_so_do_three_draws_of_which_each_does(seed):
    """The mean of three equal numbers, as a sum by three, would differ from them in the last digit."""
    own = metrics(draws=3, seed=seed)
    real = at(own, method="real", protocol="corrected", variant="main").set_index(["metric", "split_number"])["value"]
    rows = at(own, method="class cart", protocol="corrected").index
    own.loc[rows, "value"] = real[[*zip(own["metric"][rows], own["split_number"][rows], strict=True)]].to_numpy()
    table, about = wide(own)
    found = at(comparisons(table, about, RATIO), first="class cart", second="real", protocol="corrected")
    assert len(found) == 2 and (found["value"] == 0).all() and (found["p_value"] == 1).all()


def test_one_split_gives_differences_without_an_interval():
    table, about = wide(metrics(splits=1))
    found = comparisons(table, about, RATIO)
    assert found["value"].notna().all() and (found["seeds"] == 1).all()
    assert found[["ci_low", "ci_high", "interval", "p_value", "p_holm", "p_better"]].isna().all(axis=None)


def test_real_rows_alone_give_nothing_to_compare():
    table, about = wide(at(metrics(), method="real", protocol="corrected", variant="main"))
    assert comparisons(table, about, RATIO).empty


def test_the_values_of_every_split_are_those_of_everyone():
    own = metrics(draws=2)
    table, _ = wide(pd.concat([own, own.assign(subgroup="women", metric="accuracy", attribute="sex")]).drop_duplicates(
        [*RUN_KEYS, *METRIC_KEYS, "split_number", "draw"]
    ))  # fmt: skip
    found = split_values(table, ["accuracy"])
    assert list(found) == [*RUN_KEYS, "metric", "split", "value"] and set(found["metric"]) == {"accuracy"}
    assert not found.duplicated([*RUN_KEYS, "split"]).any()
    row = at(found, method="same_class cart", protocol="corrected", split=4).iloc[0]
    expected = by_split(own, method="same_class cart", protocol="corrected", metric="accuracy")[4]
    assert row["value"] == pytest.approx(expected)
