"""How close synthetic rows are to real ones: exact copies, distance to the closest record, and telling them apart."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.labels import (
    PLAN_COLOURS,
    at,
    data_note,
    generator_title,
    in_order,
    place_title,
    places,
    plan_title,
)
from scripts.imbalance.names import REAL
from scripts.imbalance.plans import TITLES

COPIED, DISTANCE, AUC = "exact_copy_fraction", "closest_record_distance_ratio", "real_synthetic_roc_auc"
PANELS = {  # metric: title of the panel, value that equals real rows
    COPIED: ("exact copies of training rows, %", None),
    DISTANCE: ("distance to the closest record,\nover that of real rows", 1.0),
    AUC: ("ROC AUC, real against synthetic\n(0.5: cannot be told apart)", 0.5),
}
KEYS = ["dataset", "attributes", "plan", "generator", "metric"]
COLUMNS = [*KEYS, "split", "value"]


def split_means(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the drawn measures per split, as means over draws."""
    rows = quality[quality["metric"].isin(PANELS) & (quality["condition"] == "") & quality["value"].notna()]
    means = rows.groupby([*KEYS, "split"], sort=False, as_index=False)["value"].mean()
    return in_order(means)[COLUMNS].reset_index(drop=True)


def finding(rows: pd.DataFrame) -> list[str]:
    """Return per dataset which generator copies most and which is told from real rows most easily; three at most."""
    sentences = []
    for place in places(rows):
        own = at(rows, place)
        held_out = own[(own["generator"] == REAL) & (own["metric"] == COPIED)]["value"]
        own = own[~own["generator"].isin([BOOTSTRAP, REAL])]
        means = own.groupby(["metric", "generator"], sort=False)["value"].mean()
        parts = []
        if COPIED in means.index:
            copied = means[COPIED]
            best = copied.idxmax()
            text = f"{100 * copied[best]:.0f}\u00a0% of {generator_title(best)}'s rows copy a training row"
            text += f" (held-out real rows: {100 * held_out.mean():.0f}\u00a0%)" if len(held_out) else ""
            parts.append(text if copied[best] >= 0.005 else "no generator copies training rows")
        if AUC in means.index:
            apart = means[AUC]
            best = apart.idxmax()
            parts.append(f"{generator_title(best)}'s are easiest to tell from real ones (AUC\u00a0{apart[best]:.2f})")
        if parts:
            sentences.append(f"{place_title(place)}: {'; '.join(parts)}.")
    return sentences[:3]


def draw_fidelity(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw copies, closest-record ratio and real-against-synthetic AUC per generator, a row of panels per dataset."""
    rows = split_means(frames["quality"])
    if rows.empty:
        return without_data("No synthetic rows were judged in these results.", COLUMNS)
    shown = places(rows)
    orders = {place: list(dict.fromkeys(at(rows, place)["generator"])) for place in shown}
    plans = [plan for plan in TITLES if plan in set(rows["plan"])]
    heights = [len(orders[place]) + 1.5 for place in shown]
    figure = figures.new_figure(11.5, 1.7 + 0.5 * sum(heights))
    grid = figure.subplots(len(shown), len(PANELS), squeeze=False, gridspec_kw={"height_ratios": heights})
    for line, place in zip(grid, shown, strict=True):
        for axes, (metric, (title, reference)) in zip(line, PANELS.items(), strict=True):
            own, order = at(rows, place), orders[place]
            own = own[own["metric"] == metric]
            factor = 100 if metric == COPIED else 1
            for number, plan in enumerate(plans):
                offset = 0.17 * (number - (len(plans) - 1) / 2)
                mine, colour = own[own["plan"] == plan], PLAN_COLOURS[plan]
                where = [order.index(name) + offset for name in mine["generator"]]
                axes.scatter(factor * mine["value"], where, s=14, color=colour, alpha=0.45, lw=0)
                means = mine.groupby("generator", sort=False)["value"].mean()
                where = [order.index(name) + offset for name in means.index]
                axes.scatter(factor * means, where, s=70, marker="|", color=colour, lw=2)
            if reference is not None:
                axes.axvline(reference, color=figures.BLACK, lw=0.9, ls=":")
            if own.empty:
                figures.empty_note(axes, "not measured")
            axes.set(ylim=(len(order) - 0.5, -0.5), yticks=range(len(order)), yticklabels=[])
            axes.set_xlabel(title, fontsize=9.5)
            if metric != AUC:
                axes.set_xlim(left=min(0, axes.get_xlim()[0]))
        titles = ["held-out real rows" if name == REAL else generator_title(name) for name in orders[place]]
        line[0].set_yticks(range(len(orders[place])), titles, fontsize=9.5)
        line[0].set_title(place_title(place), loc="left", fontsize=11)
    handles = {plan_title(plan): Line2D([], [], ls="", marker="o", color=PLAN_COLOURS[plan]) for plan in plans}
    handles["equal to real rows"] = Line2D([], [], color=figures.BLACK, lw=0.9, ls=":")
    note = "Small dots are splits (means over draws and plan parts), ticks their means; no intervals."
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, rows)}")
    titled(figure, finding(rows), handles)
    return figure, rows
