"""Means over splits and paired differences, with the corrected resampled t of Nadeau and Bengio (2003).

Splits of the same people share rows, so the variance of a mean over J splits is s^2 (1 / J + test / training rows).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from scripts.common.holm import holm
from scripts.common.interval_kinds import RESAMPLED_T
from scripts.common.intervals import LEVEL
from scripts.common.metric_registry import registry
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.names import CORRECTED, NO_PLAN, PUBLISHED, REAL, method_name

RUN_KEYS = ["protocol", "plan", "generator", "method", "dose", "variant"]
METRIC_KEYS = ["metric", "attribute", "subgroup", "condition"]


def over_splits(values: np.ndarray, test_by_train: float) -> pd.DataFrame:
    """Return mean, interval and spread over splits: value, ci_low, ci_high, interval, deviation, deviation_0, p_value.

    The p-value is that of a mean of 0, two-sided; 1 where all values are 0, and undefined with one split.

    Args:
        values: [rows, splits]; a row with an undefined value has an undefined mean.
        test_by_train: test rows / training rows.
    """
    splits = values.shape[1]
    mean = values.mean(1)
    if splits < 2:
        empty = np.full(len(mean), np.nan)
        bounds = {name: empty for name in ("ci_low", "ci_high")}
        last = {"interval": None, "deviation": empty, "deviation_0": empty, "p_value": empty}
        return pd.DataFrame({"value": mean, **bounds, **last})
    deviation = values.std(1, ddof=1)
    error = deviation * np.sqrt(1 / splits + test_by_train)
    half = special.stdtrit(splits - 1, (1 + LEVEL) / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where((mean == 0) & (error == 0), 0.0, mean / error)
    known = ~np.isnan(half)
    return pd.DataFrame(
        {
            "value": mean,
            "ci_low": mean - half,
            "ci_high": mean + half,
            "interval": np.where(known, RESAMPLED_T, None),
            "deviation": deviation,
            "deviation_0": values.std(1),
            "p_value": 2 * special.stdtr(splits - 1, -np.abs(t)),
        }
    )


def wide(metrics: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the means over draws, one column per split, and the spread of draws.

    Args:
        metrics: of one dataset; RUN_KEYS, METRIC_KEYS, split_number, draw, value, n.

    Returns:
        Values indexed by RUN_KEYS and METRIC_KEYS, and, with the same index, draw_deviation (standard deviation of the
        draws within a split, root of the mean square; NaN with one draw), n (fewest rows of any split).
    """
    keys = [*RUN_KEYS, *METRIC_KEYS]
    by_draw = metrics.groupby([*keys, "split_number"], sort=False)["value"]
    means = by_draw.first()
    if metrics["draw"].any():  # by differences to the first, so that equal draws have exactly their value as mean
        differences = metrics.assign(value=metrics["value"] - by_draw.transform("first"))
        own = differences.groupby([*keys, "split_number"], sort=False)["value"]
        means += own.agg(lambda values: values.mean(skipna=False))
    table = means.unstack("split_number").sort_index(axis=1)
    about = metrics.groupby(keys, sort=False)["n"].min().to_frame()
    if metrics["draw"].any():
        variance = by_draw.var(ddof=1).unstack("split_number")
        about["draw_deviation"] = np.sqrt(variance.mean(axis=1))
    else:
        about["draw_deviation"] = np.nan
    return table.reindex(about.index), about


def summary(table: pd.DataFrame, about: pd.DataFrame, test_by_train: float) -> pd.DataFrame:
    """Return the means over splits of every run and metric, with intervals and both spreads."""
    found = over_splits(table.to_numpy(), test_by_train).drop(columns="p_value").set_index(table.index)
    return found.join(about).assign(seeds=table.shape[1]).reset_index()


def comparisons(table: pd.DataFrame, about: pd.DataFrame, test_by_train: float) -> pd.DataFrame:
    """Return differences on the same splits: method minus real, minus bootstrap of its plan, published minus corrected.

    Only whole plans (dose 1) are compared. Holm's adjustment is over the plans and generators (and weights) of one
    protocol, variant, metric and reference.

    Args:
        table, about: as `wide` returns them.

    Returns:
        METRIC_KEYS, plan, generator, dose, variant, protocol (null where both sides differ in it), first, second,
        value, ci_low, ci_high, interval, p_value, p_holm, p_better, n, seeds.
    """
    whole = table[table.index.get_level_values("dose") == 1]
    runs = {key: own.droplevel(RUN_KEYS) for key, own in whole.groupby(level=RUN_KEYS, sort=False)}
    places = {(key[0], key[5], key[3]): key for key in runs}  # protocol, variant, method
    parts = []
    for (protocol, plan, generator, method, dose, variant), own in runs.items():
        run = {"plan": plan, "generator": generator, "dose": dose, "variant": variant}
        pairs = [(protocol, REAL)] if method != REAL else []
        if plan != NO_PLAN and generator != BOOTSTRAP:
            pairs.append((protocol, method_name(plan, BOOTSTRAP)))
        if protocol == PUBLISHED and method != REAL:
            pairs.append((CORRECTED, method))
        for side, reference in pairs:
            if (key := places.get((side, variant, reference))) is None:
                continue
            difference = own - runs[key].reindex(own.index)
            found = over_splits(difference.to_numpy(), test_by_train).set_index(own.index).reset_index()
            same = side == protocol
            run |= {"protocol": protocol if same else None, "first": method if same else f"{method} as published"}
            parts.append(found.assign(**run, second=reference if same else f"{reference} corrected"))
    if not parts:
        return pd.DataFrame()
    found = pd.concat(parts, ignore_index=True)
    sizes = about.groupby(METRIC_KEYS)["n"].min()
    found["n"] = sizes.reindex(pd.MultiIndex.from_frame(found[METRIC_KEYS])).to_numpy()
    return _adjusted(found.assign(seeds=table.shape[1]))


def _adjusted(found: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons with Holm's p-values; controls without a plan are no candidates and have none.

    `p_better` is that of the first being better than the second: 1 where it is not, or neither direction is better.
    """
    kind = np.where(found["second"] == REAL, REAL, BOOTSTRAP)
    candidate = (found["plan"] != NO_PLAN) & found["p_value"].notna() & found["protocol"].notna()
    adjusted = np.full(len(found), np.nan)
    keys = [found["protocol"].fillna(""), found["variant"], *(found[name] for name in METRIC_KEYS), pd.Series(kind)]
    for rows in found[candidate].groupby([key[candidate] for key in keys], sort=False).indices.values():
        places = np.flatnonzero(candidate)[rows]
        adjusted[places] = holm(found["p_value"].to_numpy()[places])
    signs = {"higher": 1, "lower": -1}
    sign = found["metric"].map({name: signs.get(entry["better"], 0) for name, entry in registry().items()})
    better = np.where(found["value"] * sign > 0, adjusted, np.where(np.isnan(adjusted), np.nan, 1.0))
    return found.assign(p_holm=adjusted, p_better=better)


def split_values(table: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the values of every split of some metrics of everyone: RUN_KEYS, metric, split, value."""
    levels = {name: table.index.get_level_values(name) for name in ("metric", "subgroup")}
    frame = table[levels["metric"].isin(metrics) & (levels["subgroup"] == "all")].reset_index()
    frame = frame.drop(columns=["subgroup", "condition", "attribute"])
    return frame.melt([*RUN_KEYS, "metric"], var_name="split", value_name="value").astype({"split": int})
