"""The Parquet files that studies meet in."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scripts.common.errors import UserError
from scripts.common.parquet import gather, read, write
from scripts.common.schemas.curves import CURVES
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, write_predictions


def predictions(rows=3):
    return pd.DataFrame(
        {
            "Male": np.array([1, -1, 1] * rows, dtype=np.int8)[:rows],
            "score": np.linspace(-1, 1, rows),
            "run": "r",
            "row_id": range(1, rows + 1),
            "split": "test",
            "y_true": [1] * rows,
            "y_pred": [0] * rows,
        }
    )


def test_columns_are_ordered_and_cast_as_the_schema_says(tmp_path):
    write(predictions(), tmp_path / "p.parquet", PREDICTIONS)
    stored = pq.read_schema(tmp_path / "p.parquet")
    assert stored.names == [*PREDICTIONS.names, "Male"]
    assert [stored.field(name).type for name in PREDICTIONS.names] == PREDICTIONS.types
    assert stored.field("Male").type == pa.int8()


@settings(max_examples=30, deadline=None)
@given(values=some.lists(some.tuples(some.text("ab ü", max_size=3), some.floats(), some.integers(-(2**63), 2**63 - 1))))
def test_what_is_written_is_read(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "c.parquet"
    frame = pd.DataFrame(
        {
            "run": pd.Series([text for text, _, _ in values], dtype=object),
            "epoch": pd.Series([number for _, _, number in values], dtype=np.int64),
            "quantity": pd.Series([text for text, _, _ in values], dtype=object),
            "value": pd.Series([value for _, value, _ in values], dtype=np.float64),
        }
    )
    write(frame, path, CURVES)
    pd.testing.assert_frame_equal(read(path, CURVES), frame)


def test_the_same_frame_gives_the_same_bytes_whatever_its_index(tmp_path):
    write(predictions(), tmp_path / "a.parquet", PREDICTIONS)
    write(predictions().set_index(np.array([7, 8, 9])), tmp_path / "b.parquet", PREDICTIONS)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    write(predictions(), tmp_path / "c.parquet")
    assert pq.read_schema(tmp_path / "c.parquet").metadata is None  # it would name the pandas version


def test_missing_intervals_stay_missing(tmp_path):
    row = dict.fromkeys(METRICS.names, "x") | {"seed": 1, "value": 0.5, "n": 10, "metric": "accuracy", "condition": ""}
    intervals = [
        {"ci_low": None, "ci_high": None, "interval": None},
        {"ci_low": 0.4, "ci_high": 0.6, "interval": "range"},
    ]
    frame = pd.DataFrame([row | interval for interval in intervals])
    write(frame, tmp_path / "m.parquet", METRICS)
    back = read(tmp_path / "m.parquet", METRICS)
    assert back["ci_low"].isna().tolist() == [True, False]


def test_a_frame_without_a_column_of_the_schema_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"lacks the columns \['y_pred'\]"):
        write(predictions().drop(columns="y_pred"), tmp_path / "p.parquet", PREDICTIONS)
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_does_not_hold_its_type_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="300"):
        write(predictions().assign(y_true=300), tmp_path / "p.parquet", PREDICTIONS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file; run the workflow"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "damaged or no Parquet file"),
        (lambda path: path.write_text("a,b\n1,2\n", encoding="utf-8"), "damaged or no Parquet file"),
        (lambda path: path.write_bytes(b""), "damaged or no Parquet file"),
        (
            lambda path: pq.write_table(pq.read_table(path).drop(["score"]), path),
            "column 'score' of type float is missing",
        ),
        (lambda path: write(read(path).assign(score=0.5), path), "column 'score' of type float is missing"),
    ],
    ids=["missing", "cut", "csv", "empty", "column", "type"],
)
def test_a_bad_file_is_one_clear_line(tmp_path, damage, message):
    path = tmp_path / "p.parquet"
    write(predictions(), path, PREDICTIONS)
    damage(path)
    with pytest.raises(UserError, match=message) as error:
        read(path, PREDICTIONS)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_some_columns_can_be_read_alone(tmp_path):
    write(predictions(), tmp_path / "p.parquet", PREDICTIONS)
    assert list(read(tmp_path / "p.parquet", PREDICTIONS, columns=["score", "Male"]).columns) == ["score", "Male"]


def test_gathering_stacks_in_the_order_given(tmp_path):
    paths = [tmp_path / "b.parquet", tmp_path / "a.parquet"]
    for rows, path in enumerate(paths, start=1):
        write(predictions(rows), path, PREDICTIONS)
    stacked = gather(paths, PREDICTIONS)
    assert stacked["row_id"].tolist() == [1, 1, 2]
    assert stacked.index.tolist() == [0, 1, 2]


def test_predictions_carry_the_list_of_their_attributes_and_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_predictions(predictions(), tmp_path / f"{name}.parquet", ["Male"])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert attributes_of(tmp_path / "a.parquet") == ["Male"]
    assert read(tmp_path / "a.parquet", PREDICTIONS).columns.tolist() == [*PREDICTIONS.names, "Male"]
    with pytest.raises(ValueError, match="no attributes of the frame"):
        write_predictions(predictions(), tmp_path / "c.parquet", ["Female"])
