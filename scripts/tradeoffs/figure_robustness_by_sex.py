"""Robust accuracy of men and women under each norm, and how much of it each attack takes."""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.common import figures, parquet
from scripts.common.aggregate import aggregate
from scripts.common.data_notes import data_note
from scripts.common.interval_kinds import RANGE
from scripts.common.schemas.metrics import METRICS, select_metric
from scripts.tradeoffs.attack_table import NO_ATTACK, PUBLISHED, WORST, under
from scripts.tradeoffs.looks import ARMS, CONSTANT_NAMES, threat_words
from scripts.tradeoffs.model_points import PROTOCOLS, THREAT, setting_names

THREATS = (THREAT, "l2_1", "l1_20")
SEXES = {"men": (figures.BLUE, "o", -0.16), "women": (figures.VERMILION, "^", 0.16)}  # colour, marker, shift
STAGES = {  # what is left after this attack; the last one stands for itself
    "clean": NO_ATTACK,
    "APGD": "apgd",
    "+ FAB": "fab",
    "+ Square": "square",
    "APGD-CE\nalone": PUBLISHED,
}
WORST_CASE = "worst case"
MOST_METHODS = 14
KEYS = ["protocol", "threat", "arm", "setting", "stage", "subgroup"]
COLUMNS = [*KEYS, "value", "ci_low", "ci_high", "interval", "n", "seeds"]


def standings(metrics: pd.DataFrame, runs: pd.DataFrame, threats: tuple[str, ...] = THREATS) -> pd.DataFrame:
    """Return per setting (seeds together), norm, stage and subgroup the share of images still judged rightly.

    The stage "worst case" is the robust accuracy itself; others are those of `STAGES`. A norm that was
    not measured is left out.

    Raises:
        UserError: the robust accuracy of either sex was not measured under any of the norms.
    """
    measured = metrics[(metrics.split == "test") & metrics.metric.isin(["accuracy", "robust_accuracy"])]
    present = [threat for threat in threats if under(threat) in set(measured.condition)] or threats[:1]
    for sex in SEXES:
        select_metric(metrics, "robust_accuracy", sex, attribute="sex", condition=under(present[0]))
    stages = {WORST_CASE: WORST, **STAGES}
    named = {under(threat, attack): (threat, stage) for threat in present for stage, attack in stages.items()}
    columns = ["run", "seed", "condition", "subgroup", "value", "ci_low", "ci_high", "n"]
    rows = measured.loc[measured.condition.isin(named), columns].merge(setting_names(runs), on="run")
    rows["threat"] = rows.condition.map(lambda text: named[text][0])
    rows["stage"] = rows.condition.map(lambda text: named[text][1])
    return aggregate(rows, KEYS, RANGE)


def best_of_arm(table: pd.DataFrame) -> pd.DataFrame:
    """Return each arm's setting of highest worst-case robust accuracy per protocol: protocol, arm, setting."""
    first = table.threat == table.threat.iloc[0]
    ranked = table[first & (table.stage == WORST_CASE) & (table.subgroup == "all") & table.arm.isin(ARMS)]
    ranked = ranked.sort_values("value", ascending=False, kind="stable")
    return ranked.drop_duplicates(["protocol", "arm"])[["protocol", "arm", "setting"]]


def draw_interval(axes: Axes, rows: pd.DataFrame, across: np.ndarray, upright: bool, **look) -> None:
    """Draw values with their intervals, along x, or along y if `upright`."""
    ends = figures.offsets(rows.value, rows.ci_low, rows.ci_high)
    places = {"x": across, "y": rows.value, "yerr": ends} if upright else {"x": rows.value, "y": across, "xerr": ends}
    axes.errorbar(**places, elinewidth=1.2, capsize=2, ls="none", **look)


def panels(figure: Figure, table: pd.DataFrame, **shared) -> dict[tuple[str, str], Axes]:
    """Return a panel per protocol (row) and norm (column), those without numbers with a note in them."""
    threats = list(table.threat.unique())
    grid = figure.subplots(len(PROTOCOLS), len(threats), squeeze=False, **shared)
    found = {}
    for (protocol, words), line in zip(PROTOCOLS.items(), grid, strict=True):
        for threat, axes in zip(threats, line, strict=True):
            axes.set_title(f"{words}: {threat_words(threat)}", fontsize=10)
            if ((table.protocol == protocol) & (table.threat == threat)).any():
                found[protocol, threat] = axes
            else:
                axes.grid(visible=False)
                axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=figures.GREY)
    return found


def draw_by_sex(table: pd.DataFrame, note: str) -> tuple[Figure, pd.DataFrame]:
    """Draw the worst case per setting as dots with intervals, men beside women; call it inside `figures.style()`."""
    shown = table[(table.stage == WORST_CASE) & table.subgroup.isin(SEXES)]
    methods = shown.drop_duplicates(["arm", "setting"])[["arm", "setting"]]
    if len(methods) > MOST_METHODS:
        kept = best_of_arm(table).merge(shown, on=["protocol", "arm", "setting"])
        shown = pd.concat([kept, shown[shown.arm.isin(CONSTANT_NAMES)]])
        methods = shown.drop_duplicates(["arm", "setting"])[["arm", "setting"]]
        note += " Of each arm the strength with the highest worst-case robust accuracy."
    order = [*ARMS, *CONSTANT_NAMES]
    methods = methods.assign(place=methods.arm.map(order.index)).sort_values("place", kind="stable").setting.tolist()
    figure = figures.new_figure(11.0, 2.6 + 0.6 * len(methods))
    for (protocol, threat), axes in panels(figure, shown, sharex=True, sharey=True).items():
        own = shown[(shown.protocol == protocol) & (shown.threat == threat)]
        for sex, (colour, marker, shift) in SEXES.items():
            rows = own[own.subgroup == sex]
            draw_interval(
                axes, rows, rows.setting.map(methods.index) + shift, False, color=colour, fmt=marker, label=sex
            )
    for axes in figure.axes:
        axes.set_yticks(range(len(methods)), [textwrap.fill(name, 28) for name in methods], fontsize=9)
        axes.set_ylim(len(methods) - 0.5, -0.5)
    for axes in figure.axes[len(figure.axes) // 2 :]:
        axes.set_xlabel("robust accuracy, worst case")
    handles = dict(zip(*axes_with_marks(figure).get_legend_handles_labels()[::-1], strict=True))
    figures.legend_above(figure, handles, columns=2)
    figures.footer(figure, note)
    return figure, shown.reset_index(drop=True)[COLUMNS]


def axes_with_marks(figure: Figure) -> Axes:
    """Return a panel that something is drawn in."""
    return next(axes for axes in figure.axes if axes.containers)


def draw_cascade(table: pd.DataFrame, note: str) -> tuple[Figure, pd.DataFrame]:
    """Draw what is left after each attack, for the best setting of each arm; call it inside `figures.style()`."""
    shown = best_of_arm(table).merge(table[table.subgroup.isin(SEXES)], on=["protocol", "arm", "setting"])
    shown = shown[shown.stage.isin(STAGES)]
    figure = figures.new_figure(11.0, 7.0)
    places, handles = {stage: place for place, stage in enumerate(STAGES)}, {}
    for (protocol, threat), axes in panels(figure, shown, sharex=True, sharey=True).items():
        own = shown[(shown.protocol == protocol) & (shown.threat == threat)]
        for number, (arm, (words, colour, marker)) in enumerate(ARMS.items()):
            for sex, fill in (("men", colour), ("women", "white")):
                rows = own[(own.arm == arm) & (own.subgroup == sex)]
                if rows.empty:
                    continue
                across = rows.stage.map(places) + 0.18 * (number - 1.5) + (0.07 if sex == "women" else 0)
                look = {"color": colour, "fmt": marker, "ms": 5, "mfc": fill}
                draw_interval(axes, rows, across, True, **look)
                handles[words] = axes.scatter([], [], marker=marker, color=colour)
        axes.set_xticks(list(places.values()), list(places), fontsize=8)
        axes.axvline(len(places) - 1.5, color="#B0B0B0", lw=0.8)
    for axes in figure.axes[:: len(figure.axes) // 2]:
        axes.set_ylabel("share still judged rightly")
    figures.legend_above(figure, handles, columns=2)
    filled = "Filled: men, hollow: women. Attacks follow one another from left to right; APGD-CE alone is the published"
    figures.footer(
        figure, f"{note} {filled} measure. Of each arm the strength with the highest worst-case robust accuracy."
    )
    return figure, shown.reset_index(drop=True)[COLUMNS]


def draw_all(
    metrics_path: str,
    runs_path: str,
    folder: str | Path,
    threats: list[str] | tuple[str, ...] = THREATS,
    budget: str = "",
) -> None:
    """Write `robustness_by_sex` and `attack_cascade` (each png, pdf, parquet) into `folder`."""
    metrics, runs = parquet.read(metrics_path, METRICS), parquet.read(runs_path)
    table = standings(metrics, runs, tuple(threats))
    trained = metrics[metrics.run.isin(runs.run[runs.arm.isin(ARMS)])]
    attacked = {"metric": "robust_accuracy", "condition": under(table.threat.iloc[0])}
    note = "; ".join(
        part for part in (data_note(trained, {"images": attacked}, RANGE), budget, "mean over seeds") if part
    )
    for name, draw in (("robustness_by_sex", draw_by_sex), ("attack_cascade", draw_cascade)):
        with figures.style():
            figures.save(*draw(table, note + "."), Path(folder) / name)
