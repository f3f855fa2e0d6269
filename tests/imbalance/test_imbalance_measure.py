"""From predictions to released numbers: protocols, rows added, facts, and files that are damaged."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.errors import UserError
from scripts.common.interval_kinds import RESAMPLED_T
from scripts.common.schemas.predictions import write_predictions
from scripts.imbalance.imbalance_measure import added_of, by_protocol, counts_of, facts_of, part_metrics, runs_of
from scripts.imbalance.measures import OF_SPLITS, measure
from scripts.imbalance.plans import PLANS, rows_to_add
from scripts.imbalance.splits import lost_categories, splits
from scripts.leakage.reading import read_predictions
from tests.imbalance.synthetic import SPLITTING, adults

PEOPLE = adults()
DRAWN = splits(PEOPLE, SPLITTING)
LOST = [number for number, (train, _) in enumerate(DRAWN) if lost_categories(PEOPLE.features, train)]
RUN = 3  # splits
ABOUT = ["method", "draw", "split_number"]


def part(written, place=0, name="adult.sex"):
    paths = written[name][place]
    return paths["predictions"], parquet.read(paths["runs"])


def test_every_run_has_all_test_rows_of_its_split_once(written):
    for name, paths in written.items():
        for own in paths:
            predictions, runs = parquet.read(own["predictions"]), parquet.read(own["runs"])
            assert set(predictions["run"]) == set(runs["run"]) and not runs["run"].duplicated().any()
            assert all(run.startswith(f"{name}.") for run in runs["run"])
            for row in runs.iloc[::7].itertuples():
                rows = predictions[predictions["run"] == row.run]
                assert rows["row_id"].tolist() == DRAWN[row.split_number][1].tolist()
                assert rows["y_true"].tolist() == PEOPLE.y[rows["row_id"]].tolist()
                assert (rows["y_pred"] == (rows["score"] > 0)).all()


def test_the_audit_of_leakage_reads_the_predictions_and_their_groups(written):
    assert read_predictions(written["adult.sex"][0]["predictions"]).groups == {"sex": 2}
    found = read_predictions(written["adult.sex-race"][0]["predictions"])
    assert found.groups == {"sex x race": 4}


def test_the_metrics_of_a_run_are_those_of_its_rows(written):
    predictions, runs = part(written)
    found = part_metrics(predictions, runs)
    frame = parquet.read(predictions)
    for row in runs.iloc[:: len(runs) // 5].itertuples():
        own = frame[frame["run"] == row.run]
        columns = (own[name].to_numpy() for name in ("y_true", "y_pred", "score", "sex"))
        expected = measure(*columns, ["women", "men"], "sex")
        mine = found[found["run"] == row.run].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine[list(expected)], expected)
        assert (mine["method"] == row.method).all() and (mine["split_number"] == row.split_number).all()


def test_runs_are_told_apart_whatever_the_order_of_rows(written, tmp_path):
    predictions, runs = part(written, 1)
    frame = parquet.read(predictions).astype({"run": "category"})
    mixed = frame.iloc[np.random.default_rng(0).permutation(len(frame))]
    write_predictions(mixed, tmp_path / "mixed.parquet", {"sex": ("women", "men")})
    expected, found = (part_metrics(path, runs) for path in (predictions, tmp_path / "mixed.parquet"))
    brier = expected["metric"] == "brier_score"  # a mean, whose last digit hangs on the order
    pd.testing.assert_frame_equal(expected[~brier], found[~brier])
    assert np.allclose(expected.loc[brier, "value"], found.loc[brier, "value"], rtol=1e-12)


@pytest.fixture(scope="module")
def protocols(written):
    """Numbers of all runs of the first dataset, before and after they are sorted into protocols."""
    before = pd.concat([part_metrics(*part(written, place)) for place in (0, 1)], ignore_index=True)
    before = before[(before["metric"] == "accuracy") & (before["attribute"] == "none")]
    return before, by_protocol(before)


def test_each_protocol_has_every_method_draw_and_split_exactly_once(protocols):
    _, found = protocols
    main = found[(found["variant"] == "main") & (found["dose"] == 1)]
    assert not main.duplicated(["protocol", *ABOUT]).any()
    sizes = main.groupby(["protocol", "method"])["split_number"].agg(["size", "nunique"])
    assert (sizes["nunique"] == RUN).all()
    drawn = {f"{plan} {generator}" for plan in ("class", "protected") for generator in ("bootstrap", "cart")}
    assert set(sizes.loc["as_published"].index) == {"real", *drawn}
    assert set(sizes.loc["corrected"].index) == {"real", "reweighing", "duplicate_all", *drawn} | {
        "class weights",
        "protected weights",
    }
    assert all(size == RUN * (2 if method in drawn else 1) for (_, method), size in sizes["size"].items())


def test_moved_codes_stand_where_a_code_moves_and_nowhere_else(protocols):
    before, found = protocols
    lost = [number for number in LOST if number < RUN]
    assert set(before.loc[before["moved"], "split_number"]) == set(lost) and len(lost) == 1
    published = found[found["protocol"] == "as_published"]
    generated = published["method"] != "real"
    assert (published["moved"] == (generated & published["split_number"].isin(lost))).all()
    assert not found.loc[found["protocol"] == "corrected", "moved"].any()
    sides = [found[found["protocol"] == name].set_index(ABOUT) for name in ("as_published", "corrected")]
    sides[1] = sides[1][(sides[1]["variant"] == "main") & (sides[1]["dose"] == 1)]
    value = [side["value"] for side in sides]
    same = (value[0] == value[1].reindex(value[0].index)).groupby("split_number").all()
    assert set(same.index[same]) == set(range(RUN)) - set(lost)


def test_doses_and_checks_are_no_part_of_the_published_protocol(protocols):
    _, found = protocols
    other = found[(found["variant"] != "main") | (found["dose"] != 1)]
    assert set(other["protocol"]) == {"corrected"}
    assert set(other["variant"]) == {"main", "sensitive kept", "logistic regression", "without relationship"}


def test_a_toy_of_runs_sorts_as_it_reads():
    toy = pd.DataFrame(
        [
            ("real", "none", "real", 0, 0, False),
            ("class cart", "class", "cart", 0, 0, False),
            ("class cart", "class", "cart", 0, 0, True),
            ("class cart", "class", "cart", 0, 1, False),
            ("class weights", "class", "weights", 0, 0, False),
            ("reweighing", "none", "reweighing", 0, 0, False),
        ],
        columns=["method", "plan", "generator", "draw", "split_number", "moved"],
    ).assign(dose=1.0, variant="main", value=range(6))
    found = by_protocol(toy).groupby("protocol")["value"].agg(list).to_dict()
    assert found == {"as_published": [0, 2, 3], "corrected": [0, 1, 3, 4, 5]}


def test_counts_are_those_of_the_training_rows_and_of_the_plans():
    found = counts_of(PEOPLE, DRAWN[:2], PLANS)
    own = PEOPLE.counts(DRAWN[1][0])
    real = found[(found["split"] == 1) & (found["plan"] == "none")]
    assert real["rows"].tolist() == own.ravel().tolist() and not real["added"].any()
    assert real["group"].tolist() == ["women", "women", "men", "men"] and real["label"].tolist() == [0, 1, 0, 1]
    for plan in PLANS:
        rows = found[(found["split"] == 1) & (found["plan"] == plan)]
        assert rows["added"].tolist() == rows_to_add(plan, own).ravel().tolist()
    whole = found[(found["split"] == 1) & (found["plan"] == "protected")]
    assert whole["label"].tolist() == [-1, -1] and whole["rows"].tolist() == own.sum(1).tolist()


def test_rows_added_are_means_over_splits_and_the_fewest_is_below_zero():
    found = added_of(counts_of(PEOPLE, DRAWN, PLANS)).set_index("plan")
    sums = {plan: [rows_to_add(plan, PEOPLE.counts(train)).sum() for train, _ in DRAWN] for plan in PLANS}
    for plan in PLANS:
        mean = np.mean(sums[plan])
        assert found.loc[plan, "value"] == pytest.approx(mean)
        assert found.loc[plan, "fraction"] == pytest.approx(mean / 240)
        others = min(np.mean(sums[other]) for other in PLANS if other != plan)
        assert found.loc[plan, "over_fewest"] == pytest.approx(mean - others)
    assert (found["over_fewest"] < 0).sum() == 1 and (found["seeds"] == 6).all()
    alone = counts_of(PEOPLE, DRAWN, ["class"])
    assert set(alone["plan"]) == {"none", *PLANS}  # those that were not run are counted as well
    assert added_of(alone[alone["plan"].isin(["none", "class"])])["over_fewest"].isna().all()


def test_facts_name_the_category_of_the_test_part_and_the_splits():
    facts = facts_of(PEOPLE, DRAWN).iloc[0]
    assert (facts["rows"], facts["train_rows"], facts["test_rows"], facts["splits"]) == (360, 240, 120, 6)
    assert facts["lost"] == ", ".join(map(str, LOST)) and facts["lost_categories"] == "Holland (native_country)"
    assert facts["groups"] == "women; men" and facts["positive"] == "income above 50,000 dollars"
    assert facts["smallest_cell"] == min(PEOPLE.counts(test).min() for _, test in DRAWN)
    kept = facts_of(PEOPLE, [DRAWN[number] for number in range(6) if number not in LOST]).iloc[0]
    assert kept["lost"] == kept["lost_categories"] == ""


def test_the_released_summary_is_the_shared_aggregation_of_the_released_metrics(measured):
    metrics, summary = measured["metrics"], measured["summary"]
    keys = ["dataset", "attributes", "protocol", "method", "dose", "variant", "metric", "attribute", "subgroup"]
    chosen = metrics[metrics["metric"].isin(["accuracy", "equalized_odds_sum"])]
    means = chosen.groupby([*keys, "seed"], as_index=False).agg(value=("value", "mean"), n=("n", "min"))
    expected = aggregate(means.assign(test_by_train=SPLITTING.test_by_train), keys, RESAMPLED_T).set_index(keys)
    found = summary.set_index(keys).reindex(expected.index)
    for name in ("value", "ci_low", "ci_high", "deviation", "seeds", "n"):
        assert np.allclose(found[name], expected[name], rtol=1e-9, equal_nan=True), name
    assert set(summary["attributes"]) == {"sex", "sex x race"} and set(summary["dataset"]) == {"AdultCensus"}
    assert set(summary.loc[summary["attributes"] == "sex x race", "seeds"]) == {2}


def test_what_is_released_besides(measured):
    metrics, comparisons, shown = (measured[name] for name in ("metrics", "comparisons", "splits"))
    assert set(metrics["split"]) == {"test"} and set(metrics["study"]) == {"imbalance"}
    assert set(comparisons["paired_by"]) == {"splits"} and comparisons["seed"].isna().all()
    assert set(comparisons.loc[comparisons["seeds"] > 1, "interval"].dropna()) == {RESAMPLED_T}
    assert set(shown["metric"]) == set(OF_SPLITS) and set(shown["split"]) == set(range(RUN))
    assert not shown.duplicated(
        ["attributes", "protocol", "method", "dose", "variant", "metric", "split"]
    ).any()  # draws are averaged
    assert set(measured["counts"]["plan"]) == {"none", *PLANS} and len(measured["facts"]) == 2
    twice = comparisons[(comparisons["first"] == "duplicate_all") & (comparisons["second"] == "real")]
    assert len(twice) and twice["p_holm"].isna().all()


def broken(written, tmp_path, change):
    """A copy of a predictions file, its frame changed."""
    predictions, runs = part(written)
    path = tmp_path / "broken.parquet"
    pq.write_table(change(pq.read_table(predictions)), path)
    return path, runs


def replaced(table, name, value):
    column = table[name].to_pandas().copy()
    column.iloc[3] = value
    frame = pd.DataFrame({name: column})
    return table.set_column(table.column_names.index(name), name, pa.Table.from_pandas(frame)[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns(["score"]), "(cannot be read|the column score is missing)"),
        (lambda table: replaced(table, "y_pred", 2), "y_pred holds another value than 0 or 1; delete it"),
        (lambda table: replaced(table, "y_true", 7), "y_true holds another value than 0 or 1; delete it"),
        (lambda table: table.slice(130), "the run .* is missing; delete it and run the workflow"),
        (lambda table: table.replace_schema_metadata({}), "does not list its sensitive attributes"),
    ],
)
def test_predictions_that_cannot_be_measured_are_named(written, tmp_path, change, message):
    with pytest.raises(UserError, match=rf"broken.parquet: {message}"):
        part_metrics(*broken(written, tmp_path, change))


def test_damaged_files_of_predictions_and_runs_are_named(written, tmp_path):
    predictions, runs = part(written)
    content = open(predictions, "rb").read()  # noqa: PTH123, SIM115
    for wrong in (content[:-30], content[:5000], b""):
        (tmp_path / "cut.parquet").write_bytes(wrong)
        with pytest.raises(UserError, match=r"cut.parquet: .*; delete it"):
            part_metrics(tmp_path / "cut.parquet", runs)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    (tmp_path / "flipped.parquet").write_bytes(flipped)
    with pytest.raises(UserError, match=r"flipped.parquet: cannot be read"):
        part_metrics(tmp_path / "flipped.parquet", runs)
    with pytest.raises(UserError, match=r"none.parquet: no such file"):
        part_metrics(tmp_path / "none.parquet", runs)


def test_runs_of_gives_every_run_with_its_rows(written):
    predictions, runs = part(written)
    found = dict(runs_of(predictions, "sex"))
    assert set(found) == set(runs["run"]) and {len(own["y_true"]) for own in found.values()} == {120}


def test_the_parts_are_those_of_the_splits(written):
    numbers = [set(part(written, place)[1]["split_number"]) for place in (0, 1)]
    assert numbers == [{0, 1}, {2}]
