"""Numbers of runs and tasks against fairlearn and by hand, protocols, comparisons, records of trainings."""

import warnings

import fairlearn.metrics as reference
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import METRICS
from scripts.multitask.measures import COMPARED, GAPS, MEAN, constant, mean_over_tasks, measure
from scripts.multitask.methods import ABLATIONS, FAULTS, METHODS
from scripts.multitask.multitask_measure import (
    MAJORITY,
    by_protocol,
    compared,
    facts_of,
    majority_metrics,
    measure_all,
    measure_dataset,
    recorded_metrics,
    summary_of,
    variant_of,
)
from scripts.multitask.transfer import COLUMNS, crossed_interval
from tests.multitask.small import people
from tests.multitask.test_multitask_fit import run_job

KEYS = ["protocol", "first", "second", "reference", "variant", "metric", "task"]


def value(frame, metric, subgroup="all", **where):
    found = frame[(frame["metric"] == metric) & (frame["subgroup"] == subgroup)]
    for name, wanted in where.items():
        found = found[found[name] == wanted]
    assert len(found) == 1, (metric, subgroup, where, len(found))
    return found.iloc[0]


# --- numbers of one run and task


@pytest.mark.parametrize("groups", [2, 3])
def test_metrics_are_fairlearns(groups):
    random = np.random.default_rng(groups)
    y, guessed, group = random.integers(0, 2, (3, 400)).astype(np.int8)
    group = random.integers(0, groups, 400).astype(np.int8)
    names = [f"g{code}" for code in range(groups)]
    found = measure(y, guessed, group, names, "sex")
    about = {"y_true": y, "y_pred": guessed, "sensitive_features": group}
    rates = reference.MetricFrame(
        metrics={
            "true_positive_rate": reference.true_positive_rate,
            "true_negative_rate": reference.true_negative_rate,
            "selection_rate": reference.selection_rate,
        },
        **about,
    )
    for metric in ("true_positive_rate", "true_negative_rate", "selection_rate"):
        for code, name in enumerate(names):
            assert value(found, metric, name)["value"] == pytest.approx(rates.by_group[metric][code], abs=1e-12)
    gaps = rates.difference()
    expected = {
        "equal_opportunity_difference": reference.equal_opportunity_difference(**about),
        "equalized_odds_difference": reference.equalized_odds_difference(**about),
        "demographic_parity_difference": reference.demographic_parity_difference(**about),
        "equalized_odds_sum": gaps["true_positive_rate"] + gaps["true_negative_rate"],
        "accuracy": (y == guessed).mean(),
        "balanced_accuracy": balanced_accuracy_score(y, guessed),
        "prevalence": y.mean(),
        "selection_rate": guessed.mean(),
    }
    for metric, number in expected.items():
        assert value(found, metric)["value"] == pytest.approx(number, abs=1e-12), metric
    assert {*found[found["subgroup"] == "all"]["metric"]} == {*expected} == {*COMPARED, "prevalence", "selection_rate"}
    assert len(found) == len(expected) + 3 * groups


def test_gaps_by_hand():
    """Men: TPR 2/4, TNR 1/2; women: TPR 1/1, TNR 1/4. EP = .5, EO = .75, the difference .5, selection .5 and .8."""
    y = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    guessed = np.array([1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 0])
    group = np.array([0] * 6 + [1] * 5)
    found = measure(y, guessed, group, ["men", "women"], "sex")
    expected = (0.5, 0.75, 0.5, 0.3)
    assert [value(found, metric)["value"] for metric in GAPS] == pytest.approx(expected, abs=1e-12)
    for metric in GAPS:
        row = value(found, metric)
        assert 0 <= row["ci_low"] <= row["value"] <= row["ci_high"] and row["attribute"] == "sex"


@pytest.mark.parametrize("kind", ["constant", "perfect"])
def test_a_constant_and_a_perfect_classifier_have_no_gap(kind):
    y, group = np.array([0, 1, 1, 0, 1, 0]), np.array([0, 0, 0, 1, 1, 1])
    found = measure(y, y if kind == "perfect" else np.ones(6, int), group, ["a", "b"], "sex")
    assert value(found, "equalized_odds_sum")["value"] == 0
    assert value(found, "accuracy")["value"] == (1 if kind == "perfect" else 0.5)


@pytest.mark.parametrize("groups", [2, 3])
def test_an_empty_label_and_group_is_undefined_and_never_0(groups):
    y = np.array([1, 1, 0, 0, 0, 0, 1, 0])
    group = np.array([0, 0, 0, 0, 1, 1, groups - 1, groups - 1])  # with three groups, group 1 has no positive
    if groups == 2:
        y[6] = 0
    guessed = np.array([1, 0, 1, 0, 1, 0, 1, 0])
    found = measure(y, guessed, group, [f"g{code}" for code in range(groups)], "sex")
    for metric in ("equal_opportunity_difference", "equalized_odds_sum", "equalized_odds_difference"):
        row = value(found, metric)
        assert np.isnan(row["value"]) and np.isnan(row["ci_low"]) and row["interval"] is None, metric
    assert np.isnan(value(found, "true_positive_rate", "g1")["value"])
    assert value(found, "demographic_parity_difference")["value"] >= 0 and value(found, "accuracy")["value"] > 0


def test_the_mean_over_tasks_counts_what_is_undefined():
    nan = float("nan")
    values = [0.2, 0.4, nan]
    frame = pd.DataFrame(
        {
            "run": ["r"] * 6,
            "task": ["a", "b", "c"] * 2,
            "attribute": ["sex"] * 6,
            "subgroup": ["all"] * 3 + ["men"] * 3,
            "metric": ["equalized_odds_sum"] * 6,
            "value": values * 2,
            "n": [10, 8, 9] * 2,
        }
    )
    (found,) = mean_over_tasks(frame).to_dict("records")
    assert found["value"] == pytest.approx(0.3) and (found["tasks"], found["undefined"], found["n"]) == (2, 1, 8)
    assert (found["task"], found["subgroup"]) == (MEAN, "all")
    (nothing,) = mean_over_tasks(frame.assign(value=nan)).to_dict("records")
    assert np.isnan(nothing["value"]) and (nothing["tasks"], nothing["undefined"]) == (0, 3)


def test_the_majority_gives_everyone_the_more_frequent_label_of_the_test_rows():
    own = people(rows=200, tasks=3)
    own.labels[:, 0] = np.arange(200) % 10 > 0
    own.labels[:, 1] = np.arange(200) % 10 == 0
    found, test = majority_metrics(own), own.take(own.rows("test"))
    for place, task in enumerate(own.tasks):
        rate = test.labels[:, place].mean()
        assert value(found, "accuracy", task=task)["value"] == pytest.approx(max(rate, 1 - rate))
        assert value(found, "selection_rate", task=task)["value"] == float(rate > 0.5)
        assert value(found, "equalized_odds_sum", task=task)["value"] == 0
    own_mean = [value(found, "accuracy", task=task)["value"] for task in own.tasks]
    assert value(found, "accuracy", task=MEAN)["value"] == pytest.approx(np.mean(own_mean))
    assert {*found["method"]} == {*found["run"]} == {MAJORITY}
    even = constant(np.array([0, 1]), np.array([0, 1]), ["a", "b"], "sex")
    assert value(even, "selection_rate")["value"] == 0


# --- protocols and comparisons


def fits_frame(names, seeds=(1, 2), tasks=("a", "b", "c")):
    """Numbers of some fits; ablations and faults have the first seed alone."""
    random, rows = np.random.default_rng(0), []
    for name in names:
        few = name in METHODS and METHODS[name].family in (ABLATIONS, FAULTS)
        for seed in seeds[:1] if few else seeds:
            for task in tasks:
                for metric in COMPARED:
                    about = {"run": f"{name}.{seed}", "method": name, "seed": seed, "task": task, "metric": metric}
                    rows.append(about | {"subgroup": "all", "attribute": "x", "value": random.random(), "n": 9})
    return pd.DataFrame(rows)


def test_which_fits_stand_under_each_protocol():
    names = ["stl", "stl_fair", "vanilla", "fairbranch", "fairbranch_cosine", "fairbranch_second_nearest"]
    names += ["fairbranch_as_published", "stl_as_published", MAJORITY]
    found = by_protocol(fits_frame(names))
    standing = {*zip(found["protocol"], found["method"], found["variant"], found["fit"], strict=True)}
    corrected = {name for protocol, name, _, _ in standing if protocol == "corrected"}
    assert corrected == {"stl", "stl_fair", "vanilla", "fairbranch", "fairbranch_cosine", MAJORITY}
    assert {row[1:] for row in standing if row[0] == "as_published"} == {
        ("fairbranch", "all", "fairbranch_as_published"),
        ("fairbranch", "second_nearest", "fairbranch_second_nearest"),
        ("stl_fair", "all", "stl_as_published"),  # so the corrected stl_fair and fairbranch stand there no more
        ("stl", "", "stl"),
        ("vanilla", "", "vanilla"),
        ("fairbranch_cosine", "", "fairbranch_cosine"),
        (MAJORITY, "", MAJORITY),
    }
    assert not found.duplicated(["protocol", "variant", "method", "seed", "task", "metric"]).any()


def test_without_faults_both_protocols_have_the_same_fits():
    found = by_protocol(fits_frame(["stl", "vanilla", "fairbranch"]))
    sides = [
        found[found["protocol"] == protocol].drop(columns="protocol") for protocol in ("corrected", "as_published")
    ]
    pd.testing.assert_frame_equal(*(side.reset_index(drop=True) for side in sides))


def test_every_fault_has_a_name_and_all_of_a_method_together_are_all():
    for name, method in METHODS.items():
        assert (variant_of(name) == "") is (method.family != FAULTS)
        if method.family == FAULTS:
            assert variant_of(name) in (*method.faults, "all") and METHODS[method.of].family != FAULTS
    assert variant_of("fairbranch_second_nearest") == "second_nearest" and variant_of("l2t_fmt_as_published") == "all"


@pytest.mark.parametrize("faults", [True, False])
def test_comparisons_are_unique_and_known(faults):
    names = [name for name, method in METHODS.items() if faults or method.family != FAULTS]
    found = compared(by_protocol(fits_frame([*names, MAJORITY])))
    assert not found.assign(protocol=found["protocol"].fillna("")).duplicated(KEYS).any()
    assert {*found["reference"]} == {"like for like", "published", "method"} | ({"without faults"} if faults else set())
    assert MAJORITY not in {*found["first"], *found["second"]} and (found["undefined"] == 0).all()
    assert found["protocol"].isna().equals(found["reference"] == "without faults")


def rows_of(found, **where):
    for name, wanted in where.items():
        found = found[found[name] == wanted]
    return {*zip(found["first"], found["second"], found["variant"], strict=True)}


def test_what_each_reference_compares():
    names = ["stl", "stl_fair", "vanilla", "fairbranch", "fairbranch_second_nearest", "fairbranch_as_published"]
    found = compared(by_protocol(fits_frame([*names, "stl_as_published", "fairbranch_cosine"])))
    like = rows_of(found, reference="like for like")
    assert like == {("vanilla", "stl", ""), ("fairbranch", "stl_fair", ""), ("fairbranch_cosine", "stl_fair", "")}
    assert rows_of(found, reference="without faults") == {
        ("fairbranch", "fairbranch", "second_nearest"),
        ("fairbranch", "fairbranch", "all"),
        ("stl_fair", "stl_fair", "all"),
    }
    published = rows_of(found, reference="published", protocol="as_published")
    assert ("fairbranch", "stl_as_published", "all") in published and ("vanilla", "stl_as_published", "") in published
    assert not any(first == "fairbranch" and not variant for first, _, variant in published)
    assert rows_of(found, reference="method") == {
        ("fairbranch_cosine", "fairbranch", ""),
        ("fairbranch", "stl", ""),
        ("fairbranch", "stl_fair", ""),
        ("fairbranch", "vanilla", ""),
        ("stl_fair", "stl", ""),
    }


def test_seeds_are_those_of_both_sides():
    found = compared(by_protocol(fits_frame(["stl", "stl_fair", "fairbranch", "fairbranch_cosine", MAJORITY], (1, 2))))
    seeds = found.groupby(["first", "second"])["seeds"].unique().map(list).to_dict()
    assert seeds["fairbranch", "stl_fair"] == [2] and seeds["fairbranch_cosine", "fairbranch"] == [1]


def test_one_method_alone_is_compared_with_nothing():
    found = compared(by_protocol(fits_frame(["stl"])))
    assert not len(found) and [*found.columns] == [*COLUMNS, "reference", "protocol", "variant"]


def test_a_summary_is_the_mean_over_tasks_and_seeds():
    frame = by_protocol(fits_frame(["stl", "fairbranch_cosine"]))
    frame.loc[(frame["metric"] == "equalized_odds_sum") & (frame["task"] == "b"), "value"] = np.nan
    found = summary_of(frame)
    for (protocol, method, metric), own in frame.groupby(["protocol", "method", "metric"]):
        (row,) = found[
            (found["protocol"] == protocol) & (found["method"] == method) & (found["metric"] == metric)
        ].to_dict("records")
        matrix = own.pivot(index="seed", columns="task", values="value").to_numpy()
        assert row["value"] == pytest.approx(np.nanmean(matrix)) and row["seeds"] == len(matrix)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(crossed_interval(matrix), abs=1e-12)
        assert row["undefined"] == np.isnan(matrix).sum() == (len(matrix) if metric == "equalized_odds_sum" else 0)
    assert len(found) == 4 * len(COMPARED)


# --- what trainings recorded


def test_records_by_hand():
    runs = pd.DataFrame(
        {
            "run": ["s1", "v1", "v2"],
            "method": ["stl", "vanilla", "vanilla"],
            "seed": [1, 1, 2],
            "parameters": [400, 100, 100],
        }
    )
    rows = [("v1", epoch, layer, kind) for epoch in (1, 2) for layer in (1, 2) for kind in ("accuracy", "both")]
    curves = pd.DataFrame(rows, columns=["run", "epoch", "layer", "kind"])
    parts = [curves.assign(quantity="pairs", value=10.0), curves.assign(quantity="conflicts", value=2.0)]
    parts[1].loc[curves["epoch"] == 1, "value"] = 9.0  # only the last epoch counts
    parts[1].loc[(curves["epoch"] == 2) & (curves["layer"] == 2), "value"] = 5.0
    curves = pd.concat([*parts, parts[0].assign(quantity="train_loss", epoch=7)])
    alignments = pd.DataFrame(
        {
            "run": "v1",
            "cka": [0.1, 0.2, 0.3, 0.4],
            "cosine_accuracy": [0.0, 0.2, 0.1, 0.3],
            "cosine_fairness": [3.0, 2.0, 1.0, np.nan],
        }
    )
    found = recorded_metrics(runs, curves, alignments)
    named = {(row.run, row.metric, row.condition): (row.value, row.n) for row in found.itertuples()}
    assert named == {
        ("s1", "parameter_fraction", ""): (1.0, 1),
        ("v1", "parameter_fraction", ""): (0.25, 1),  # v2 has no STL of its seed
        ("v1", "gradient_conflict_fraction", condition(losses="accuracy")): (pytest.approx(7 / 20), 20),
        ("v1", "gradient_conflict_fraction", condition(losses="both")): (pytest.approx(7 / 20), 20),
        ("v1", "similarity_rank_correlation", condition(losses="accuracy")): (pytest.approx(0.8), 4),
        ("v1", "similarity_rank_correlation", condition(losses="fairness")): (pytest.approx(-1.0), 3),
    }


def test_facts_of_the_people():
    own = people(rows=200, tasks=2)
    found = facts_of(own)
    assert found["train_rows"].tolist() == [100, 100] and found["test_rows"].tolist() == [50, 50]
    test = own.take(own.rows("test"))
    for place, row in enumerate(found.itertuples()):
        assert row.positives == pytest.approx(own.labels[:, place].mean())
        counts = [
            ((test.groups == group) & (test.labels[:, place] == label)).sum() for group in (0, 1) for label in (0, 1)
        ]
        assert row.fewest_test_rows == min(counts)
        assert row.positives_by_group.startswith(f"group 0 {own.labels[own.groups == 0, place].mean():.3f}; group 1 ")


# --- whole files

OUTPUTS = ("metrics", "comparisons", "summary", "curves", "branchings", "alignments", "runs", "facts")
CASES = {
    "all": (["stl", "stl_fair", "vanilla", "fairbranch", "fairbranch_as_published", "stl_as_published"], (1, 2), 32),
    "no faults": (["stl", "stl_fair", "vanilla", "fairbranch"], (1, 2), 32),
    "one seed": (["stl", "stl_fair", "fairbranch"], (1,), 32),
    "no conflicts": (["stl", "stl_fair", "fairbranch"], (1, 2), 0),
    "one method": (["stl"], (1, 2), 0),
    "no branching": (["stl", "vanilla"], (1, 2), 0),
}


@pytest.mark.parametrize("case", CASES)
def test_released_files(case, tmp_path):
    names, seeds, sample = CASES[case]
    output = {name: tmp_path / f"{name}.parquet" for name in OUTPUTS}
    plain = run_job(tmp_path / "plain", [name for name in names if METHODS[name].family != FAULTS], seeds, sample)
    parts = [plain]
    if "fairbranch_as_published" in names:
        faulty = [name for name in names if METHODS[name].family == FAULTS]
        parts.append(run_job(tmp_path / "faults", faulty, seeds[:1], sample))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure_all({"small": tmp_path / "plain" / "people.parquet"}, {"small": parts}, output)
    metrics = parquet.read(output["metrics"], METRICS)
    comparisons = parquet.read(output["comparisons"], COMPARISONS)
    assert (metrics["source"] == "small").all() and (metrics["dataset"] == "small").all()
    keys = ["protocol", "variant", "method", "seed", "task", "attribute", "subgroup", "metric", "condition"]
    assert not metrics.duplicated(keys).any()
    assert not comparisons.assign(protocol=comparisons["protocol"].fillna("")).duplicated(["source", *KEYS]).any()
    assert {*parquet.read(output["runs"])["method"]} == {*names}
    assert (comparisons["undefined"] == 0).all() and set(comparisons["seeds"]) <= {1, len(seeds)}
    conflicts = metrics[metrics["metric"] == "gradient_conflict_fraction"]
    assert bool(len(conflicts)) is bool(sample) and conflicts["value"].between(0, 1).all()
    share = metrics[(metrics["metric"] == "parameter_fraction") & (metrics["method"] == "stl")]
    assert (share["value"] == 1).all() and len(share)
    gains = comparisons[(comparisons["metric"] == "accuracy") & (comparisons["task"] == MEAN)]
    for row in gains.itertuples():
        both = [
            metrics[
                (metrics["run"].isin([f"small.{name}.seed{seed}" for seed in seeds[: row.seeds]]))
                & (metrics["metric"] == "accuracy")
                & (metrics["task"] == MEAN)
            ].drop_duplicates("run")["value"]
            for name in (row.first if not row.variant else _fit_of(row, names), row.second)
        ]
        assert row.value == pytest.approx(both[0].mean() - both[1].mean(), abs=1e-12)


def _fit_of(row, names):
    return next(name for name in names if variant_of(name) == row.variant and METHODS[name].of == row.first)


def test_several_datasets_stand_side_by_side(tmp_path):
    paths, parts = {}, {}
    for name in ("one", "two"):
        parts[name] = [run_job(tmp_path / name, ["stl", "vanilla"], (1,), 0)]
        paths[name] = tmp_path / name / "people.parquet"
    output = {name: tmp_path / f"{name}.parquet" for name in OUTPUTS}
    measure_all(paths, parts, output)
    assert {*parquet.read(output["comparisons"])["source"]} == {"one", "two"}
    alone = measure_dataset(paths["two"], parts["two"], "two")["summary"]
    found = parquet.read(output["summary"])
    both = found[found["source"] == "two"].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, alone[both.columns], check_dtype=False)
