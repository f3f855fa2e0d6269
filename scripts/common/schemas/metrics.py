"""Metrics: one row per measured number."""

import pandas as pd
import pyarrow as pa

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.metric_checks import check_vocabulary

text, whole, real = pa.string(), pa.int64(), pa.float64()

NO_ATTRIBUTE, EVERYONE = "none", "all"
METRICS = parquet.checked(
    pa.schema(
        [
            ("study", text),  # tradeoffs, income, ...
            ("dataset", text),  # e.g. "rendered faces"
            ("method", text),  # e.g. "adversarial eps=0.005"
            ("protocol", text),  # as_published or corrected
            ("run", text),  # the trained model, unique in the study
            ("seed", whole),
            ("split", text),  # train, valid or test
            ("attribute", text),  # sensitive attribute ("sex", "sex x race"); "none" where no groups are looked at
            ("subgroup", text),  # "all", or the name of one group of the attribute
            ("metric", text),  # an id of metrics.yaml
            ("condition", text),  # its parameters ("eps=0.01, norm=linf"), see conditions.py; often ""
            ("value", real),
            ("ci_low", real),  # 95 % interval; null where undefined
            ("ci_high", real),
            ("interval", text),  # its kind, one of interval_kinds.py; null where there is none
            ("n", whole),  # number of rows that the value is computed from
        ]
    ),
    check_vocabulary,
)


def select_metric(
    metrics: pd.DataFrame,
    metric: str,
    subgroup: str = EVERYONE,
    split: str = "test",
    *,
    attribute: str = NO_ATTRIBUTE,
    condition: str = "",
) -> pd.DataFrame:
    """Return the rows of one metric.

    Args:
        attribute: the sensitive attribute whose group is meant, or whose groups the metric compares.
        condition: the parameters of the metric, as `conditions.condition` writes them.

    Raises:
        UserError: there are none.
    """
    wanted = {
        "metric": metric,
        "attribute": attribute,
        "subgroup": subgroup,
        "condition": condition,
        "split": split,
    }
    chosen = metrics[(metrics[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if chosen.empty:
        told = ", ".join(
            f"{key} {value!r}" for key, value in wanted.items() if key not in ("metric", "split") and value
        )
        raise UserError(
            f"metrics: no rows of {metric!r} for {told} in the {split} split; "
            "measure the runs again (delete the study's metrics and rerun)"
        )
    return chosen
