"""Which column determines another, and what fills the gaps."""

import numpy as np
import pandas as pd

from scripts.common.mixed_table import MixedTable
from scripts.imbalance.augmenting.columns import determining, filled

FRAME = pd.DataFrame(
    {
        "row_id": range(40),
        "number": np.arange(40),  # one row per value
        "eight": np.arange(40) % 8,
        "four": np.arange(40) % 4,
        "other": np.arange(40) // 20,
        "even": np.where(np.arange(40) % 2, "odd", "even"),
    }
)


def test_the_determining_column_is_the_one_with_the_fewest_values_that_has_several_rows_of_each():
    known = ["row_id", "number", "eight", "four", "other"]
    assert determining(FRAME, known, "even") == "four"
    assert determining(FRAME, ["eight", "other"], "even") == "eight"
    assert determining(FRAME, ["row_id", "number", "other"], "even") == ""
    gaps = FRAME.assign(even=FRAME["even"].mask(FRAME["four"] == 1))
    assert determining(gaps, known, "even") == "four"
    assert determining(gaps, known, "even") != determining(
        gaps.assign(even=gaps["even"].mask(FRAME.index == 7)), known, "even"
    )


def test_only_gaps_are_filled_and_whole_numbers_stay_whole():
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["x", None, "y"], "c": [0.1, 0.2, 0.3]})
    before = MixedTable.from_frame(frame, ["a", "c"], ["b"])
    after = MixedTable(before.schema, np.nan_to_num(before.numeric, nan=2), np.maximum(before.codes, 0))
    table = filled(frame, before, after)
    assert table["a"].tolist() == [1, 2, 3] and table["a"].dtype == np.int64
    assert table["b"].tolist() == ["x", "x", "y"] and table["c"] is not frame["c"] and table["c"].equals(frame["c"])
