"""The data note in the footer of a figure: datasets, number of images and seeds, kind of interval."""

import pandas as pd

from scripts.common.interval_kinds import in_words
from scripts.common.schemas.metrics import select_metric


def span(low: int, high: int) -> str:
    """Text of a range of whole numbers, or of the single number where both ends agree."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def data_note(metrics: pd.DataFrame, measures: dict[str, dict], intervals: pd.Series | str, split: str = "test") -> str:
    """Data note of a figure, counted from the frame itself.

    Args:
        metrics: rows of `METRICS` (trained models only).
        measures: label of the rows, such as "images" -> what `select_metric` takes (metric, attribute, condition ...);
            the first gives the main n.
        intervals: kind of the intervals drawn, or the column of their kinds.

    Returns:
        For example "rendered faces; n = 2,000 test images (robustness: 256); 2 seeds; 95 % bootstrap intervals
        over rows".

    Raises:
        UserError: a metric has no rows.
    """
    counts = {}
    for label, wanted in measures.items():
        n = select_metric(metrics, **wanted, split=split).n
        counts[label] = span(int(n.min()), int(n.max()))
    (main, first), *further = counts.items()
    others = "; ".join(f"{label}: {count}" for label, count in further if count != first)
    seeds = metrics.groupby(["protocol", "method"]).seed.nunique()
    unit = "seed" if seeds.max() == 1 else "seeds"
    parts = [
        ", ".join(sorted(metrics.dataset.unique())),
        f"n = {first} {split} {main}" + (f" ({others})" if others else ""),
        f"{span(int(seeds.min()), int(seeds.max()))} {unit} per setting",
        in_words(intervals),
    ]
    return "; ".join(parts)
