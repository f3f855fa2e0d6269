"""One number with its interval from the rows of a released table: the `measure:` of a claim."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from scripts.common.errors import UserError
from scripts.common.intervals import LEVEL, unpaired_difference


@dataclass(frozen=True)
class Measured:
    """A number, its 95 % interval, what it rests on, and the standard deviation of the rows that it is made of."""

    value: float
    low: float
    high: float
    n: int | None
    seeds: int
    dataset: str
    deviation: float

    def scaled(self, factor: float) -> "Measured":
        """Return the same in other units; `factor` may be negative."""
        low, high = sorted((self.low * factor, self.high * factor), key=lambda end: (math.isnan(end), end))
        deviation = self.deviation * abs(factor)
        return Measured(self.value * factor, low, high, self.n, self.seeds, self.dataset, deviation)


def chosen(frame: pd.DataFrame, wanted: dict, where: str) -> pd.DataFrame:
    """Return the rows in which every column has the wanted value (or one of a list of them); maybe none.

    Raises:
        UserError: the table has no such column, or no row at all has the wanted metric.
    """
    rows = frame
    for column, values in wanted.items():
        if column not in frame.columns:
            raise UserError(f"{where}: there is no column {column!r}; there are {', '.join(frame.columns)}")
        values = values if isinstance(values, list) else [values]
        if column == "metric" and (missing := sorted(set(values) - set(frame[column]))):
            known = ", ".join(sorted(set(frame[column])))
            raise UserError(f"{where}: there is no metric {missing[0]!r}; there are {known}")
        rows = rows[rows[column].isin(values)]
    return rows


def measure(frame: pd.DataFrame, entry: dict, protocol: str, where: str) -> Measured | str:
    """Return the measured number of a claim, or why there is none.

    Args:
        frame: the released table.
        entry: `measure:` of the claim (claims.schema.yaml).
        protocol: rows of another protocol are left out, where the table has such a column.
        where: file and claim, for messages.

    Raises:
        UserError: a column or the metric does not exist, or a pair is not unique.
    """
    wanted = dict(entry["select"])
    if "protocol" in frame.columns:
        wanted.setdefault("protocol", protocol)
    column = entry.get("column", "value")
    if column not in frame.columns:
        raise UserError(f"{where}: there is no column {column!r}; there are {', '.join(frame.columns)}")
    rows = _numbers(chosen(frame, wanted, where), column, entry, where)
    if "minus" in entry:
        others = _numbers(chosen(frame, wanted | entry["minus"], where), column, entry, where)
        rows = _paired(rows, others, entry.get("pair_by", "seed"), where)
    if rows.empty:
        return f"these results have no rows with {', '.join(f'{key} = {value}' for key, value in wanted.items())}"
    if rows["value"].isna().any():
        return "the number is undefined here"
    return _statistic(rows, entry).scaled(entry.get("scale", 1.0))


def _numbers(rows: pd.DataFrame, column: str, entry: dict, where: str) -> pd.DataFrame:
    """Return value, low, high, n, seed, dataset and the pairing column of the rows."""
    pair_by = entry.get("pair_by", "seed")
    if "minus" in entry and pair_by not in rows.columns:
        raise UserError(f"{where}: there is no column {pair_by!r} to pair by; there are {', '.join(rows.columns)}")
    own = column == "value"  # the interval of another column is not in the table
    numbers = {
        "value": rows[column],
        "low": rows["ci_low"] if own and "ci_low" in rows else np.nan,
        "high": rows["ci_high"] if own and "ci_high" in rows else np.nan,
        "n": rows.get("n", np.nan),
        "seed": rows.get("seed", 0),
        "dataset": rows.get("dataset", entry.get("dataset", "")),
        "pair": rows.get(pair_by, 0),
    }
    return pd.DataFrame(numbers, index=rows.index)


def _paired(first: pd.DataFrame, second: pd.DataFrame, pair_by: str, where: str) -> pd.DataFrame:
    """Return first - second for every pair that both have; a selection of one row stands for all of the other's.

    The interval is one for unpaired values; for rows that were judged on the same images it is rather too wide.
    """
    for rows in (first, second):
        if rows["pair"].duplicated().any():
            twice = rows["pair"][rows["pair"].duplicated()].iloc[0]
            raise UserError(
                f"{where}: two rows have {pair_by} = {twice}; select one of them, or pair by another column"
            )
    alone = 1 in (len(first), len(second))  # a method without randomness has one seed, say
    both = first.merge(second, how="cross" if alone else "inner", on=None if alone else "pair", suffixes=("", "_2"))
    both["seed"] = both["seed"] if len(second) == 1 else both["seed_2"]
    value, low, high = unpaired_difference(
        both["value"], (both["low"], both["high"]), both["value_2"], (both["low_2"], both["high_2"])
    )
    return both.assign(value=value, low=low, high=high, n=np.fmin(both["n"], both["n_2"]))


def _statistic(rows: pd.DataFrame, entry: dict) -> Measured:
    """Return the statistic over the rows with the interval that the claim asks for."""
    values, statistic = rows["value"].to_numpy(float), entry.get("statistic", "mean")
    value = float(getattr(np, statistic)(values))
    deviation = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    kind = entry.get("interval", "own")
    if kind == "t" and len(values) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * deviation / math.sqrt(len(values))
        low, high = value - half, value + half
    elif kind == "range":
        low, high = float(values.min()), float(values.max())
    elif statistic in ("min", "max"):  # the interval of the row that it is
        row = rows.iloc[int(getattr(np, f"arg{statistic}")(values))]
        low, high = float(row["low"]), float(row["high"])
    else:
        low, high = float(rows["low"].min(skipna=False)), float(rows["high"].max(skipna=False))
    n = rows["n"].min()
    dataset = ", ".join(sorted(set(rows["dataset"]) - {""}))
    return Measured(value, low, high, None if pd.isna(n) else int(n), rows["seed"].nunique(), dataset, deviation)
