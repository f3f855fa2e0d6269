"""The file of synthetic rows: what is written comes back, and a damaged file is named."""

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.mixed_table import MixedTable
from scripts.imbalance import synthetic_file
from scripts.imbalance.augmentation import Synthetic, augment
from scripts.imbalance.splits import splits
from tests.imbalance.synthetic import SETTINGS, SPLITTING, adults

PEOPLE = adults(120)


@pytest.fixture(scope="module")
def parts():
    """Rows of two draws, two plans and two generators, and of a plan that adds none."""
    drawn, plans = splits(PEOPLE, SPLITTING), ["class", "protected"]
    rows = []
    for draw in (0, 1):
        rows += augment(PEOPLE, PEOPLE.features, drawn[2][0], 2, plans, ["bootstrap", "cart"], SETTINGS, draw)
    return [*rows, empty("same_class", rows[0].table)]


def empty(plan, table):
    none = np.empty(0, np.int64)
    return Synthetic(plan, "copula", 5, 0, none.astype(np.int16), none.astype(np.int8), table.take(none))


@pytest.fixture
def path(parts, tmp_path):
    synthetic_file.write(parts, PEOPLE.features.schema, tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def test_what_is_written_comes_back_in_order(parts, path):
    back = synthetic_file.read(path)
    assert len(back) == len(parts) == 9 and len(back[-1].label) == 0
    for own, found in zip(parts, back, strict=True):
        for name in ("plan", "generator", "split", "draw"):
            assert getattr(own, name) == getattr(found, name)
        for name in ("group", "label"):
            mine, other = getattr(own, name), getattr(found, name)
            assert np.array_equal(mine, other) and mine.dtype == other.dtype
        assert found.table.schema == own.table.schema  # with tuples, so that it can be compared
        assert np.array_equal(found.table.numeric, own.table.numeric)
        assert np.array_equal(found.table.codes, own.table.codes) and found.table.codes.dtype == np.int32


def test_a_second_writing_gives_the_same_bytes(parts, path, tmp_path):
    synthetic_file.write(parts, PEOPLE.features.schema, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def test_no_rows_at_all_and_features_named_like_the_keys(tmp_path):
    frame = pd.DataFrame({"plan": [1.5, 2], "group": ["a", "b"], "draw": ["c", "c"]})
    table = MixedTable.from_frame(frame, ["plan"], ["group", "draw"])
    rows = empty("class", table)
    synthetic_file.write([rows], table.schema, tmp_path / "none.parquet")
    (back,) = synthetic_file.read(tmp_path / "none.parquet")
    assert len(back.table) == 0 and back.table.schema == table.schema and back.plan == "class"
    own = Synthetic("class", "cart", 0, 0, np.zeros(2, np.int16), np.ones(2, np.int8), table)
    synthetic_file.write([own], table.schema, tmp_path / "named.parquet")
    (back,) = synthetic_file.read(tmp_path / "named.parquet")
    pd.testing.assert_frame_equal(back.table.frame(), table.frame())


def test_a_damaged_file_and_one_of_something_else_are_named(path):
    content = path.read_bytes()
    for wrong in (b"", content[:-40], content[: len(content) // 2], content[200:]):
        path.write_bytes(wrong)
        with pytest.raises(UserError, match=r"rows.parquet: damaged or no Parquet file .*; delete it"):
            synthetic_file.read(path)
    parquet.write(pd.DataFrame({"group": [1], "label": [0]}), path)
    with pytest.raises(UserError, match=r"rows.parquet: no file of synthetic rows .*; delete it and run the workflow"):
        synthetic_file.read(path)
    path.unlink()
    with pytest.raises(UserError, match=r"rows.parquet: no such file; run the workflow"):
        synthetic_file.read(path)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"mixed_schema": "no JSON", "parts": "[]"},
        {"mixed_schema": "{}", "parts": "[]"},
        {"mixed_schema": "[1]", "parts": "[]"},
    ],
)
def test_metadata_that_describe_no_rows_are_named(path, metadata):
    parquet.write(parquet.read(path), path, metadata=metadata)
    with pytest.raises(UserError, match=r"rows.parquet: no file of synthetic rows"):
        synthetic_file.read(path)


def test_a_missing_column_of_the_features_is_named(path):
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["code_0"]), path)
    with pytest.raises(UserError, match=r"rows.parquet: no file of synthetic rows .*code_0"):
        synthetic_file.read(path)
