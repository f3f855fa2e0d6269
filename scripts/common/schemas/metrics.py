"""Metrics: one row per measured number."""

import pandas as pd
import pyarrow as pa

from scripts.common.errors import UserError

text, whole, real = pa.string(), pa.int64(), pa.float64()

METRICS = pa.schema(
    [
        ("study", text),  # tradeoffs, income, ...
        ("dataset", text),  # e.g. "rendered faces"
        ("method", text),  # e.g. "adversarial eps=0.005"
        ("protocol", text),  # as_published or corrected
        ("run", text),  # the trained model, unique in the study
        ("seed", whole),
        ("split", text),  # train, valid or test
        ("subgroup", text),  # all, one group, or "difference"
        ("metric", text),
        ("value", real),
        ("ci_low", real),  # 95 % interval; null where undefined
        ("ci_high", real),
        ("n", whole),  # number of rows that the value is computed from
    ]
)


def select_metric(metrics: pd.DataFrame, metric: str, subgroup: str = "all", split: str = "test") -> pd.DataFrame:
    """Return the rows of one metric.

    Raises:
        UserError: there are none.
    """
    chosen = metrics[(metrics.metric == metric) & (metrics.subgroup == subgroup) & (metrics.split == split)]
    if chosen.empty:
        raise UserError(
            f"metrics: no rows of {metric!r} for subgroup {subgroup!r} in the {split} split; "
            "measure the runs again (delete the study's metrics and rerun)"
        )
    return chosen
