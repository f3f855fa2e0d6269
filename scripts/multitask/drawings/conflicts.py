"""Conflicts of gradients by epoch and layer: how many pairs of tasks, and at which angle, with and without FBGrad."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.aggregate import mean_interval
from scripts.common.interval_kinds import STUDENT
from scripts.common.layout import titled, without_data
from scripts.common.points import points
from scripts.multitask.labels import FAIRBRANCH, at, data_note, dataset_title, datasets

KINDS = ("accuracy", "fairness")
QUANTITIES = {"share": "pairs in conflict, %", "angle": "mean angle, degrees"}
WITHOUT = f"{FAIRBRANCH}_no_projection"
OTHERS = ("fixed_1", "vanilla")  # for results without FairBranch
LAYERS = ("#B5D4E9", "#6BAED6", "#2171B5", "#08306B")  # the first layer is the lightest
EVERY = 0  # layer of the numbers of all layers
COLUMNS = ["source", "dataset", "method", "kind", "quantity", "layer", "epoch", "value", "ci_low", "ci_high"]
COLUMNS += ["interval", "seeds"]


def conflict_rows(curves: pd.DataFrame) -> pd.DataFrame:
    """Return share of conflicts (0 to 1) and mean angle by epoch, kind of pair and layer; layer 0 is all of them.

    Means over seeds; the numbers of all layers have Student intervals over seeds.
    """
    rows = curves[curves["quantity"].isin(["pairs", "conflicts", "angle"]) & curves["kind"].isin(KINDS)]
    keys = ["source", "dataset", "method", "kind", "layer", "epoch", "seed"]
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    wide = rows.pivot_table(index=keys, columns="quantity", values="value", sort=False).reset_index()
    wide = wide.reindex(columns=[*keys, "pairs", "conflicts", "angle"])
    wide = wide[wide["pairs"] > 0].assign(turned=lambda own: own["angle"] * own["pairs"])
    whole = wide.groupby([key for key in keys if key != "layer"], sort=False)[["pairs", "conflicts", "turned"]].sum()
    both = pd.concat([wide, whole.reset_index().assign(layer=EVERY)], ignore_index=True)
    both = both.assign(share=both["conflicts"] / both["pairs"], angle=both["turned"] / both["pairs"])
    parts = []
    for key, own in both.groupby([*keys[:5], "epoch"], sort=False):
        for quantity in QUANTITIES:
            values = own[quantity].to_numpy(float)
            low, high = mean_interval(values) if key[4] == EVERY and len(values) > 1 else (float("nan"),) * 2
            kind = STUDENT if low == low else None
            parts.append((*key[:4], quantity, key[4], key[5], values.mean(), low, high, kind, len(values)))
    found = pd.DataFrame(parts, columns=COLUMNS)
    return found[found["method"].isin(chosen(found))]


def chosen(rows: pd.DataFrame) -> list[str]:
    """Return the methods that are drawn: FairBranch with and without FBGrad, else one shared network."""
    there = set(rows["method"])
    found = [name for name in (FAIRBRANCH, WITHOUT) if name in there]
    return found or [name for name in OTHERS if name in there][:1]


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset how the conflicts change from first to last epoch, and what FBGrad changes in the last one."""
    sentences = []
    for source in datasets(rows):
        own = at(rows, source)
        own = own[(own["layer"] == EVERY) & (own["quantity"] == "share")]
        method, parts = chosen(own)[0], []
        for kind in KINDS:
            mine = own[(own["method"] == method) & (own["kind"] == kind)].sort_values("epoch")
            if len(mine) > 1:
                first, last = mine["value"].iloc[[0, -1]]
                parts.append(f"{points(first, 0)} → {points(last, 0)} % of {kind}")
        text = f"{dataset_title(rows, source)}: {' and '.join(parts)} pairs conflict"
        fair = own[own["kind"] == "fairness"].pivot_table(index="epoch", columns="method", values="value").dropna()
        if {FAIRBRANCH, WITHOUT} <= set(fair.columns):
            largest = (fair[FAIRBRANCH] - fair[WITHOUT]).abs().max()
            text += f"; FBGrad changes the latter by at most {points(largest)} points"
        sentences += [f"{text}."] if parts else []
    return sentences[:3]


def draw_panel(axes: Axes, rows: pd.DataFrame, scale: float) -> None:
    """Draw the curves of one dataset, kind and quantity: layers thin, all layers thick with their interval."""
    first = chosen(rows)[0]
    for layer, own in rows[(rows["layer"] != EVERY) & (rows["method"] == first)].groupby("layer"):
        own = own.sort_values("epoch")
        axes.plot(own["epoch"], scale * own["value"], color=LAYERS[min(int(layer), len(LAYERS)) - 1], lw=1.2)
    for method, own in rows[rows["layer"] == EVERY].groupby("method", sort=False):
        own, without = own.sort_values("epoch"), method == WITHOUT
        if not without:
            ends = scale * own["ci_low"], scale * own["ci_high"]
            axes.fill_between(own["epoch"], *ends, color=figures.VERMILION, alpha=0.13, lw=0)
        style = {"color": figures.BLACK if without else figures.VERMILION, "ls": "--" if without else "-"}
        marks = {"marker": "s" if without else "o", "ms": 3.5, "zorder": 4 + without, "lw": 1.2 if without else 2.4}
        axes.plot(own["epoch"], scale * own["value"], **style, **marks)
    axes.axhline(50 if scale == 100 else 90, color=figures.GREY, lw=0.8, ls=":")
    axes.margins(x=0.03)


def draw_conflicts(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw share and angle of conflicts by epoch, a row per dataset; pairs of accuracy and of fairness losses."""
    rows = conflict_rows(frames["curves"])
    if rows.empty:
        return without_data("No conflicts of gradients were counted in these results.", COLUMNS)
    shown = datasets(rows)
    figure = figures.new_figure(13.0, 2.2 + 2.4 * len(shown))
    grid = figure.subplots(len(shown), 4, squeeze=False, sharex="row")
    for line, source in zip(grid, shown, strict=True):
        own = at(rows, source)
        for place, (quantity, unit) in enumerate(QUANTITIES.items()):
            pair = line[2 * place : 2 * place + 2]
            for axes, kind in zip(pair, KINDS, strict=True):
                mine = own[(own["quantity"] == quantity) & (own["kind"] == kind)]
                if mine.empty:
                    figures.empty_note(axes, f"No pairs of {kind} losses.")
                    continue
                draw_panel(axes, mine, 100 if quantity == "share" else 1)
                axes.set_title(f"{kind} losses" if source == shown[0] else "", fontsize=11)
                axes.set_ylabel(unit if kind == KINDS[0] else "", fontsize=10)
                axes.set_xlabel("epoch" if source == shown[-1] else "")
            low = min(axes.get_ylim()[0] for axes in pair)
            high = max(axes.get_ylim()[1] for axes in pair)
            floor, top = (max(low, 0), min(high, 100)) if quantity == "share" else (low, high)
            for axes in pair:
                axes.set_ylim(floor, top)
        line[0].annotate(
            dataset_title(rows, source), (0, 1), (0, 16 if source == shown[0] else 6), xycoords="axes fraction",
            textcoords="offset points", fontsize=11.5, fontweight="bold", va="bottom",
        )  # fmt: skip
    handles = {}
    methods = set(rows["method"])
    thick = {"color": figures.VERMILION, "lw": 2.2, "marker": "o", "ms": 4}
    handles["FairBranch, all layers" if FAIRBRANCH in methods else "shared network, all layers"] = Line2D(
        [], [], **thick
    )
    if WITHOUT in methods:
        style = {"color": figures.BLACK, "lw": 1.4, "ls": "--", "marker": "s", "ms": 4}
        handles["without FBGrad, all layers"] = Line2D([], [], **style)
    for layer in sorted(set(rows["layer"]) - {EVERY}):
        handles[f"layer {layer:g}"] = Line2D([], [], color=LAYERS[min(int(layer), len(LAYERS)) - 1], lw=1.4)
    note = (
        "Pairs of tasks that share weights of a layer; a layer that is split has fewer. Band: interval of FairBranch."
    )
    note += " Dotted: half of the pairs, a right angle."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows), handles)
    return figure, rows
