"""Metrics over all groups of an attribute with more than two; what the boosters compare is its two-group form."""

from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.k_groups import k_group_metrics
from scripts.common.tabular import table_of


def every_group(path: str | Path, runs: pd.DataFrame) -> pd.DataFrame:
    """Return rows of METRICS with `attributes` of all runs of a cell; none where each attribute has two groups.

    Args:
        path: the predictions file of the cell.
        runs: its runs, one row each.
    """
    table = table_of(runs["cell"].iloc[0].split(".")[0])
    frame = parquet.read(path)
    if not any(name in frame and len(attribute.groups) > 2 for name, attribute in table.attributes.items()):
        return pd.DataFrame()
    frames = []
    for own in runs.itertuples():
        rows = k_group_metrics(frame[frame["run"] == own.run], table)
        about = {name: getattr(own, name) for name in ("dataset", "method", "protocol", "run", "seed", "attributes")}
        frames.append(rows.assign(**about, study="boosting", split="test", condition=""))
    return pd.concat(frames, ignore_index=True)
