"""Which images take part."""

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.data.celeba_partitions import partitions
from scripts.data.choose_rows import choose_rows, write_rows

COUNTS = {"published_test": 40, "train": 100, "valid": 20, "test": 30}


@pytest.fixture(scope="module")
def table():
    return partitions()


@pytest.fixture
def warnings(caplog):
    log.addHandler(caplog.handler)
    yield caplog
    log.removeHandler(caplog.handler)


def parts_of(table, rows):
    """How many of the rows belong to each of the four groups."""
    chosen = table[table["row_id"].isin(rows)]
    rest = chosen[chosen["published"] == 0]["official"]
    return {
        "published_test": int((chosen["published"] == 1).sum()),
        **{name: int((rest == part).sum()) for part, name in enumerate(["train", "valid", "test"])},
    }


def test_each_group_gives_its_count_sorted_and_once(table):
    rows = choose_rows(table, COUNTS, seed=1306)
    assert rows.dtype == np.int64
    assert (np.diff(rows) > 0).all()
    assert parts_of(table, rows) == COUNTS


def test_the_choice_depends_on_the_seed_alone(table):
    first = choose_rows(table, COUNTS, seed=1306)
    np.testing.assert_array_equal(first, choose_rows(table, COUNTS, seed=1306))
    assert set(first) != set(choose_rows(table, COUNTS, seed=1307))


def test_a_larger_count_keeps_the_images_of_a_smaller_and_leaves_other_groups_alone(table):
    small = choose_rows(table, COUNTS, seed=1306)
    large = choose_rows(table, {**COUNTS, "train": 500}, seed=1306)
    assert set(small) < set(large)
    assert len(large) == len(small) + 400


def test_null_takes_all(table):
    rows = choose_rows(table, {"published_test": None, "train": 0, "valid": 0, "test": 0}, seed=1)
    np.testing.assert_array_equal(rows, table.loc[table["published"] == 1, "row_id"])
    everything = choose_rows(table, dict.fromkeys(COUNTS), seed=1)
    np.testing.assert_array_equal(everything, table["row_id"])


def test_a_subset_gives_only_what_it_has_and_says_so(table, warnings):
    available = np.arange(100_000, 199_999, 7)
    rows = choose_rows(table, {**COUNTS, "valid": 19_867}, seed=1306, available=available)
    assert set(rows) <= set(available)
    there = parts_of(table, available)["valid"]
    assert parts_of(table, rows)["valid"] == there
    assert f"faces.rows.valid: 19867 images are asked for, {there} are there: all are taken" in warnings.text


def test_more_than_exist_is_an_error_where_all_exist(table):
    with pytest.raises(UserError, match=r"faces\.rows\.published_test: 10,001 images are asked for, 10,000 exist"):
        choose_rows(table, {**COUNTS, "published_test": 10_001}, seed=1)


def test_a_part_without_any_image_is_an_error_unless_it_is_not_wanted(table):
    train_only = np.arange(1, 1000)
    with pytest.raises(UserError, match=r"faces\.rows\.valid: .* no image of this part"):
        choose_rows(table, COUNTS, seed=1, available=train_only)
    rows = choose_rows(table, {**COUNTS, "valid": 0, "test": 0}, seed=1, available=train_only)
    assert set(rows) <= set(train_only)


def test_no_image_at_all_is_an_error(table):
    with pytest.raises(UserError, match="every part is 0"):
        choose_rows(table, dict.fromkeys(COUNTS, 0), seed=1)


def test_the_file_holds_the_rows_of_rendered_faces(table, tmp_path):
    table.to_parquet(tmp_path / "partitions.parquet")
    write_rows(tmp_path / "partitions.parquet", tmp_path / "rows.parquet", COUNTS, 1306, None, False)
    frame = pd.read_parquet(tmp_path / "rows.parquet")
    assert list(frame.columns) == ["row_id"]
    np.testing.assert_array_equal(frame["row_id"], choose_rows(table, COUNTS, 1306))


def test_celeba_needs_its_terms_accepted(table, tmp_path):
    table.to_parquet(tmp_path / "partitions.parquet")
    with pytest.raises(UserError, match=r"faces\.accept_terms is false"):
        write_rows(tmp_path / "partitions.parquet", tmp_path / "rows.parquet", COUNTS, 1306, str(tmp_path), False)
    assert not (tmp_path / "rows.parquet").exists()
