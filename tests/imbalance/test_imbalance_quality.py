"""The rule's frame: copies in every plan, weights by rows added, splits and plans that are left out, files."""

import json

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.interval_kinds import KINDS
from scripts.common.metric_registry import registry
from scripts.common.mixed_table import concatenate
from scripts.common.tabular import table_of
from scripts.imbalance import synthetic_file
from scripts.imbalance.augmentation import Synthetic, augment
from scripts.imbalance.imbalance_quality import COLUMNS, gathered_seconds, quality, quality_of_all
from scripts.imbalance.part_quality import AUC, COPIES, METRICS, RATIO
from scripts.imbalance.people import people
from scripts.imbalance.plans import PLANS, PROTECTED
from scripts.imbalance.splits import Splitting, splits

BOOTSTRAP = "bootstrap"
ROWS, ROUNDS = 40, 3


def german(rows=360, seed=0):
    """Frame with the columns of the prepared German table; the numbers make every row unique."""
    random, table = np.random.default_rng(seed), table_of("german")
    men = random.random(rows) < 0.65
    frame = pd.DataFrame({name: random.random(rows).round(6) for name in table.numeric})
    frame = frame.assign(**{name: random.choice(["a", "b", "c"], rows) for name in table.categorical})
    frame = frame.assign(marital_status="x", sex=np.where(men, "male", "female"), row_id=np.arange(rows))
    return frame.assign(y=(random.random(rows) < 0.5 + 0.2 * men).astype(np.int8))


@pytest.fixture(scope="module")
def data():
    return people(german(), "german", ["sex"])


@pytest.fixture(scope="module")
def drawn(data):
    return splits(data, Splitting())[:2]


@pytest.fixture(scope="module")
def made(data, drawn):
    settings = {BOOTSTRAP: {}}
    return [
        own
        for number, (train, _) in enumerate(drawn)
        for own in augment(data, data.features, train, number, list(PLANS), [BOOTSTRAP], settings, 0)
    ]


def value(frame, metric, **about):
    for name, wanted in about.items():
        frame = frame[frame[name] == wanted]
    return frame.set_index("metric").loc[metric, "value"]


def test_copies_are_recognised_in_every_plan(data, drawn, made):
    found = quality(data, drawn, made, ROWS, ROUNDS)
    assert list(found) == COLUMNS
    copies = found[found["generator"] == BOOTSTRAP].set_index(["metric", "plan", "split"])["value"]
    assert set(copies.index.get_level_values("plan")) == set(PLANS)
    assert (copies.loc[COPIES] == 1).all() and (copies.loc[RATIO] == 0).all()
    real = found[found["generator"] == "real"]
    assert (real.loc[real["metric"] == COPIES, "value"] == 0).all() and RATIO not in set(real["metric"])
    assert set(found["metric"]) == set(METRICS) <= set(registry()) and set(found["interval"].dropna()) <= set(KINDS)
    assert not found.duplicated(["plan", "generator", "split", "draw", "metric"]).any()
    known = found[found["interval"].notna()]
    assert ((known["ci_low"] <= known["value"]) & (known["value"] <= known["ci_high"])).all()
    pd.testing.assert_frame_equal(found, quality(data, drawn, made, ROWS, ROUNDS))


def test_parts_count_by_the_rows_that_they_get(data, drawn):
    train = drawn[0][0]
    first, second = (train[data.cells[train] == cell][:30] for cell in (0, 3))
    new = data.features.take(second[:10])
    new.numeric[:] += 0.5  # no copies: of 40 rows 30
    rows = concatenate([data.features.take(first), new])
    group, label = np.repeat([0, 1], [30, 10]).astype(np.int16), np.repeat([0, 1], [30, 10]).astype(np.int8)
    found = quality(data, drawn, [Synthetic("class", "x", 0, 0, group, label, rows)], ROWS, ROUNDS)
    assert value(found, COPIES, generator="x") == 0.75
    # the same rows with another label are no copies: they are compared with the training rows of their own part
    found = quality(data, drawn, [Synthetic("class", "x", 0, 0, group, 1 - label, rows)], ROWS, ROUNDS)
    assert value(found, COPIES, generator="x") == 0


def test_where_groups_are_filled_the_label_is_a_column(data, drawn):
    train = drawn[0][0]
    own = train[data.groups[train] == 0][:30]
    args = (PROTECTED, "x", 0, 0, np.zeros(30, np.int16))
    for label, expected in ((data.y[own], 1), (1 - data.y[own], 0)):
        found = quality(data, drawn, [Synthetic(*args, label, data.features.take(own))], ROWS, ROUNDS)
        assert value(found, COPIES, generator="x") == expected


def test_rows_are_compared_with_the_training_and_test_rows_of_their_split(data, drawn):
    train, test = drawn[1]
    for rows, expected in ((train, 1), (test, 0)):
        rows = rows[data.cells[rows] == 3]
        part = Synthetic("class", "x", 1, 0, data.groups[rows], np.ones(len(rows), np.int8), data.features.take(rows))
        found = quality(data, drawn, [part], 500, ROUNDS)
        assert value(found, COPIES, generator="x") == expected
        assert value(found, RATIO, generator="x") == pytest.approx(1 - expected, abs=1e-12)


def test_later_splits_and_plans_without_rows_are_left_out(data, drawn, made):
    nothing = data.features.take(np.arange(0))
    empty = Synthetic("same_class", "x", 0, 0, np.empty(0, np.int16), np.empty(0, np.int8), nothing)
    found = quality(data, drawn[:1], [*made, empty], ROWS, ROUNDS)
    assert set(found["split"]) == {0} and "x" not in set(found["generator"])
    assert quality(data, drawn[:0], made, ROWS, ROUNDS).columns.tolist() == COLUMNS


def test_from_files_to_a_frame(data, made, tmp_path):
    parquet.write(german(), tmp_path / "german.parquet")
    synthetic_file.write(made, data.features.schema, tmp_path / "rows.parquet")
    entry = {"table": "german", "attributes": ["sex"], "most_rows": None, "splits": 2, "quality": 1}
    arguments = {"german": str(tmp_path / "german.parquet")}, [entry], Splitting()
    settings = {"rows": ROWS, "rounds": ROUNDS}
    found = quality_of_all(*arguments, {"german.sex": [tmp_path / "rows.parquet"]}, settings)
    expected = quality(data, splits(data, Splitting())[:1], made, ROWS, ROUNDS)
    pd.testing.assert_frame_equal(found, expected)
    parquet.write(found, tmp_path / "quality.parquet")
    assert parquet.read(tmp_path / "quality.parquet")["dataset"].unique().tolist() == ["German"]
    nothing = quality_of_all(*arguments, {}, settings)
    assert nothing.empty and list(nothing) == COLUMNS


def test_seconds_of_all_parts_stand_in_one_list(tmp_path):
    for name in ("german.sex.0-2", "adult.sex.0-2"):
        (tmp_path / f"{name}.seconds.json").write_text(json.dumps([{"plan": "class", "fit": 1.5}]), encoding="utf-8")
    found = gathered_seconds(sorted(tmp_path.glob("*.json")))
    assert found == [{"part": f"{name}.sex.0-2", "plan": "class", "fit": 1.5} for name in ("adult", "german")]
