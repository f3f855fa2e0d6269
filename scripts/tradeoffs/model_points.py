"""One row per model with the three quantities that the study trades off."""

import pandas as pd

from scripts.common.errors import UserError
from scripts.common.intervals import absolute_interval
from scripts.common.metrics import signed
from scripts.common.pareto import lower_hull
from scripts.common.schemas.metrics import select_metric
from scripts.tradeoffs.attack_table import PUBLISHED, under
from scripts.tradeoffs.runs import CONSTANTS

THREAT = "linf_0.01"  # the threat model of the published plots
GAP = {"metric": signed("false_negative_rate"), "attribute": "sex"}  # men minus women
PROTOCOLS = {"as_published": "as published", "corrected": "corrected"}
SETTINGS = ["run", "protocol", "network", "arm", "train_eps", "fairness_weight", "seed", "method"]


def setting_names(runs: pd.DataFrame) -> pd.DataFrame:
    """Return run, protocol, arm and `setting`: the method, with its network where the study has several."""
    several = trained(runs).network.nunique() > 1
    named = runs.method + (" (" + runs.network + ")" if several else "")
    return runs[["run", "protocol", "arm"]].assign(setting=named.where(~runs.arm.isin(CONSTANTS), runs.method))


def trained(points: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of trained models, without the constant classifiers."""
    return points[~points.arm.isin(CONSTANTS)]


def column(metrics: pd.DataFrame, name: str, split: str, **wanted: str) -> pd.DataFrame:
    """Return one metric by run as the columns `name`, `name_low`, `name_high` and `name_n`.

    Args:
        wanted: what `select_metric` takes: metric, attribute, condition.

    Raises:
        UserError: the metric has no rows, or a run has two.
    """
    rows = select_metric(metrics, split=split, **wanted)
    if rows.run.duplicated().any():
        twice = rows.run[rows.run.duplicated()].iloc[0]
        raise UserError(f"metrics: run {twice!r} has {wanted['metric']!r} twice in the {split} split")
    rows = rows.set_index("run")[["value", "ci_low", "ci_high", "n"]]
    return rows.set_axis([name, f"{name}_low", f"{name}_high", f"{name}_n"], axis=1)


def complement(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Turn an accuracy into an error: 1 - value, and the interval's ends change places."""
    ends = {f"{name}_low": 1 - frame[f"{name}_high"], f"{name}_high": 1 - frame[f"{name}_low"]}
    return frame.assign(**{name: 1 - frame[name]}, **ends)


def model_points(metrics: pd.DataFrame, runs: pd.DataFrame, split: str = "test", threat: str = THREAT) -> pd.DataFrame:
    """Return one row per run: its settings, `error`, `adversarial_error`, `published_error` and `gap`, with intervals.

    `adversarial_error` is 1 - worst-case robust accuracy, `published_error` the same from APGD-CE
    alone, `gap` = |FNR men - FNR women|; each has `_low`, `_high` (95 %) and `_n` beside it. A
    robustness that was not measured for a run is missing (NaN) there.

    Raises:
        UserError: a metric has no rows in this split, or a measured run is not among the runs.
    """
    lost = sorted(set(metrics.run) - set(runs.run))
    if lost:
        raise UserError(f"runs: {len(lost)} measured runs are not listed (first: {lost[0]!r}); gather the runs again")
    points = runs[SETTINGS].copy()
    attacks = {"adversarial_error": under(threat), "published_error": under(threat, PUBLISHED)}
    parts = [
        column(metrics, "error", split, metric="zero_one_loss"),
        *(
            complement(column(metrics, name, split, metric="robust_accuracy", condition=condition), name)
            for name, condition in attacks.items()
        ),
        column(metrics, "gap", split, **GAP),
    ]
    for part in parts:
        points = points.merge(part, how="left", left_on="run", right_index=True)
    points["gap"] = points.gap.abs()
    points["gap_low"], points["gap_high"] = absolute_interval(points.gap_low, points.gap_high)
    return points.dropna(subset=["error"]).reset_index(drop=True)


def hull_rows(points: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return the rows that are vertices of the lower hull in (x, y), from the least x to the least y."""
    index = {(row[x], row[y]): place for place, row in points.iloc[::-1].iterrows()}
    return points.loc[[index[tuple(vertex)] for vertex in lower_hull(points[[x, y]].to_numpy())]]
