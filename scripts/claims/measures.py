"""One number with its interval from the rows of a released table: the `measure:` of a claim."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from scripts.common.aggregate import bounds_of, combined, sampling_half_widths, student_half_width
from scripts.common.errors import UserError
from scripts.common.interval_kinds import KINDS, RANGE, RESAMPLED_T, STUDENT
from scripts.common.intervals import unpaired_difference

Z = 1.959963984540054  # half the width of a 95 % interval in standard errors
ROWS_DIFFER = {"split", "dataset"}  # columns: models that differ in one are judged on different rows
RELEASED = "released"  # the interval of the one selected row
OVER_SEEDS = {
    STUDENT: "seeds (Student's t)",
    RESAMPLED_T: "random splits (corrected resampled t)",
    RANGE: "range over seeds",
}


@dataclass(frozen=True)
class Measured:
    """A number, its 95 % interval, the number of rows and seeds and the dataset behind it, and its two kinds of error.

    `deviation` is the standard deviation over seeds, `standard_error` that of sampling the test rows alone (nan where
    unknown), `interval` the errors that the interval covers, as text.
    """

    value: float
    low: float
    high: float
    n: int | None
    seeds: int
    dataset: str
    deviation: float
    standard_error: float
    interval: str

    def scaled(self, factor: float) -> "Measured":
        """Return the same in other units; `factor` may be negative."""
        low, high = sorted((self.low * factor, self.high * factor), key=lambda end: (math.isnan(end), end))
        spread = {name: getattr(self, name) * abs(factor) for name in ("deviation", "standard_error")}
        return replace(self, value=self.value * factor, low=low, high=high, **spread)


def chosen(frame: pd.DataFrame, wanted: dict, where: str) -> pd.DataFrame:
    """Return the rows in which every column has its wanted value, or one of several; there may be none.

    Raises:
        UserError: the table has no such column, or (unless it is empty) no row has the wanted metric.
    """
    rows = frame
    for column, values in wanted.items():
        if column not in frame.columns:
            raise UserError(f"{where}: there is no column {column!r}; there are {', '.join(frame.columns)}")
        values = values if isinstance(values, list) else [values]
        if column == "metric" and len(frame) and (missing := sorted(set(values) - set(frame[column]))):
            known = ", ".join(sorted(set(frame[column])))
            raise UserError(f"{where}: there is no metric {missing[0]!r}; there are {known}")
        rows = rows[rows[column].isin(values)]
    return rows


def measure(frame: pd.DataFrame, entry: dict, protocol: str, where: str) -> Measured | str:
    """Return the measured number of a claim, or the reason why there is none.

    Args:
        frame: the released table.
        entry: `measure:` of the claim (claims.schema.yaml); a metric without a condition is that of condition "".
        protocol: rows of another protocol are left out, where the table has such a column.
        where: file and claim, for messages.

    Raises:
        UserError: a column or the metric does not exist, or a pair is not unique.
    """
    wanted = dict(entry["select"])
    if "protocol" in frame.columns:
        wanted.setdefault("protocol", protocol)
    if "metric" in wanted and "condition" in frame.columns:
        wanted.setdefault("condition", "")
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
    if entry.get("interval") == RELEASED and len(rows) > 1:
        raise UserError(f"{where}: interval: released takes one row; {len(rows)} are selected")
    return _statistic(rows, entry).scaled(entry.get("scale", 1.0))


def _numbers(rows: pd.DataFrame, column: str, entry: dict, where: str) -> pd.DataFrame:
    """Return value, ci_low, ci_high, interval, n, seed, dataset and the pairing column of the rows."""
    pair_by = entry.get("pair_by", "seed")
    if "minus" in entry and pair_by not in rows.columns:
        raise UserError(f"{where}: there is no column {pair_by!r} to pair by; there are {', '.join(rows.columns)}")
    has_interval = column == "value"  # ci_low and ci_high belong to this column only
    numbers = {
        "value": rows[column],
        "ci_low": rows["ci_low"] if has_interval and "ci_low" in rows else np.nan,
        "ci_high": rows["ci_high"] if has_interval and "ci_high" in rows else np.nan,
        "interval": rows.get("interval"),
        "n": rows.get("n", np.nan),
        "seed": rows.get("seed", 0),
        "dataset": rows.get("dataset", entry.get("dataset", "")),
        "pair": rows.get(pair_by, 0),
        "deviation": rows.get("deviation", np.nan),  # of a table that is already a mean over seeds
        "seeds": rows.get("seeds", np.nan),
    }
    return pd.DataFrame(numbers, index=rows.index)


def _paired(first: pd.DataFrame, second: pd.DataFrame, pair_by: str, where: str) -> pd.DataFrame:
    """Return first - second for every pair that both have; a single row is paired with every row of the other side.

    Pairs share their seed, so the spread over seeds is that of paired differences. The sampling error of a pair is
    computed as if its two models had been judged on different rows: on the same rows it is too wide, never too narrow
    unless the models err in opposite ways.
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
        both["value"], (both["ci_low"], both["ci_high"]), both["value_2"], (both["ci_low_2"], both["ci_high_2"])
    )
    return both.assign(value=value, ci_low=low, ci_high=high, n=np.fmin(both["n"], both["n_2"]))


def _statistic(rows: pd.DataFrame, entry: dict) -> Measured:
    """Return the statistic over the rows with the interval that the claim asks for."""
    values, statistic = rows["value"].to_numpy(float), entry.get("statistic", "mean")
    value, per_seed = float(getattr(np, statistic)(values)), seed_values(rows)
    deviation = float(per_seed.std(ddof=1)) if len(per_seed) > 1 else float(rows["deviation"].iloc[0])
    if statistic in ("min", "max"):  # take the interval of that row
        chosen_row = int(getattr(np, f"arg{statistic}")(values))
        down, up = sampling_half_widths(rows.iloc[[chosen_row]])
        spread = math.nan
    else:
        (down, up), spread = sampling_half_widths(rows), student_half_width(per_seed)
    kind = entry.get("interval")
    if kind == RANGE:
        low, high = float(values.min()), float(values.max())
    elif kind == STUDENT:
        spread = student_half_width(values)
        low, high = bounds_of(rows, STUDENT)
    else:
        low, high = value - combined(down, spread), value + combined(up, spread)
    released = rows["interval"].iloc[0] if kind == RELEASED else None
    standard_error = math.nan if released in OVER_SEEDS else (down + up) / (2 * Z)
    n, seeds = rows["n"].min(), rows["seeds"].max()
    dataset = ", ".join(sorted(set(rows["dataset"]) - {""}))
    return Measured(
        value,
        low,
        high,
        None if pd.isna(n) else int(n),
        max(rows["seed"].nunique(), 1 if pd.isna(seeds) else int(seeds)),
        dataset,
        deviation,
        standard_error,
        _interval_text(entry, released, not math.isnan(down + up), not math.isnan(spread)),
    )


def seed_values(rows: pd.DataFrame) -> np.ndarray:
    """Return one value per seed, the mean of its rows."""
    return rows.groupby("seed")["value"].mean().to_numpy(float)


def _interval_text(entry: dict, released: str | None, sampling: bool, seeds: bool) -> str:
    """Return the errors that the interval covers, as text; `released` is the kind of a released interval."""
    kind = entry.get("interval")
    if kind == RANGE:
        return "range over the rows"
    if kind == STUDENT:
        return "Student's t over the rows"
    if kind == RELEASED:
        return (OVER_SEEDS.get(released) or KINDS.get(released, "unnamed")) if sampling else "none"
    unpaired = "minus" in entry and not ROWS_DIFFER & entry["minus"].keys()
    parts = [f"sampling error{' (unpaired, too wide)' if unpaired else ''}"] if sampling else []
    parts += ["seeds (Student's t)"] if seeds else []
    return " and ".join(parts) or "none"
