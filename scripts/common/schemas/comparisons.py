"""Comparisons: one row per difference of two measured numbers, A minus B."""

import pandas as pd
import pyarrow as pa

from scripts.common import parquet
from scripts.common.metric_checks import check_vocabulary

text, whole, real = pa.string(), pa.int64(), pa.float64()

PAIRINGS = ("rows", "seeds", "splits", "none")


def check_comparisons(frame: pd.DataFrame, where: object) -> None:
    """Check the vocabulary of a frame of comparisons, and what its sides share.

    Raises:
        ValueError: as `check_vocabulary`, or `paired_by` is none of `PAIRINGS`.
    """
    check_vocabulary(frame, where)
    if unknown := sorted(set(frame["paired_by"]) - set(PAIRINGS), key=str):
        raise ValueError(f"{where}: paired_by {unknown}; there are {', '.join(PAIRINGS)}")


COMPARISONS = parquet.checked(
    pa.schema(
        [
            ("study", text),
            ("dataset", text),
            ("protocol", text),  # null where the two sides differ in it
            ("seed", whole),  # null where the difference is over several seeds
            ("split", text),
            ("attribute", text),  # as in METRICS
            ("subgroup", text),
            ("metric", text),
            ("condition", text),
            ("first", text),  # method, protocol or stage
            ("second", text),
            ("paired_by", text),  # what both sides share: the same rows, seeds or splits; "none": independent
            ("value", real),  # first minus second
            ("ci_low", real),  # 95 % interval; null where undefined
            ("ci_high", real),
            ("interval", text),  # its kind, one of interval_kinds.py
            ("n", whole),  # rows (the fewer of both sides)
            ("seeds", whole),  # seeds or splits that the difference is a mean of
        ]
    ),
    check_comparisons,
)
