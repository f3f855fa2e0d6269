"""Bars of label by group, of the real training rows and after each plan (figure 1 of the paper)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.imbalance.labels import Place, at, place_title, places, plan_title
from scripts.imbalance.names import NO_PLAN
from scripts.imbalance.plans import TITLES

COLUMNS = ["dataset", "attributes", "plan", "group", "label", "real", "added", "fraction"]
COLOURS = {0: "#C9D6E2", 1: figures.BLUE, -1: "#9A9A9A"}
UNKNOWN = -1  # label of rows that are added to a whole group: its generator draws their labels
EVEN = 0.005  # the largest difference of the groups' fractions of label 1 that counts as none


def shown_cells(counts: pd.DataFrame) -> pd.DataFrame:
    """Return real and added rows per plan, group and label of the first split, with fractions of the group's rows."""
    first = counts[counts["split"] == counts.groupby(["dataset", "attributes"])["split"].transform("min")]
    parts = []
    for place in places(first):
        own = at(first, place)
        real = own[own["plan"] == NO_PLAN].set_index(["group", "label"])["rows"]
        for plan in [NO_PLAN, *(name for name in TITLES if name in set(own["plan"]))]:
            added = own[own["plan"] == plan].set_index(["group", "label"])["added"]
            keys = [*real.index, *(key for key in added.index if key not in real.index)]
            part = pd.DataFrame(keys, columns=["group", "label"])
            part["real"], part["added"] = real.reindex(keys, fill_value=0).values, added.reindex(keys).fillna(0).values
            parts.append(part.assign(dataset=place[0], attributes=place[1], plan=plan))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    cells = pd.concat(parts, ignore_index=True)
    size = (cells["real"] + cells["added"]).groupby([cells[name] for name in COLUMNS[:4]]).transform("sum")
    return cells.assign(fraction=(cells["real"] + cells["added"]) / size.where(size > 0))[COLUMNS]


def finding(cells: pd.DataFrame) -> list[str]:
    """Return per dataset which plan evens the groups' labels with the fewest rows; at most three datasets."""
    sentences = []
    for place in places(cells):
        own = at(cells, place)
        rows = own[own["plan"] == NO_PLAN]["real"].sum()
        added = own.groupby("plan", sort=False)["added"].sum().drop(NO_PLAN)
        even = []
        for plan in added.index:
            mine = own[own["plan"] == plan]
            known = mine[mine["label"] == 1].set_index("group")["fraction"]
            if added[plan] > 0 and not mine["label"].eq(UNKNOWN).any() and known.max() - known.min() <= EVEN:
                even.append(plan)
        if not even:
            sentences.append(f"{place_title(place)}: no plan gives the groups the same fraction of label 1.")
            continue
        best = min(even, key=lambda plan: added[plan])
        text = f"{place_title(place)}: {plan_title(best)} gives all groups the same fraction of label 1 with "
        text += f"{percent(added[best] / rows)} more rows"
        others = [f"{plan_title(plan)} {percent(added[plan] / rows)}" for plan in even if plan != best]
        sentences.append(text + (f" ({', '.join(others)})." if others else "."))
    return sentences[:3]


def percent(fraction: float) -> str:
    """Return "9 %"; below one percent with two decimals."""
    return f"{100 * fraction:.{0 if fraction >= 0.01 or fraction == 0 else 2}f}\u00a0%"


def draw_bars(axes: Axes, cells: pd.DataFrame, highest: float) -> None:
    """Draw the bars of one plan: label 0 below, label 1 above, added rows hatched."""
    groups = list(dict.fromkeys(cells["group"]))
    size = 9 if len(groups) < 4 else 7.5
    for place, group in enumerate(groups):
        own, bottom = cells[cells["group"] == group].set_index("label"), 0.0
        drawn_labels = UNKNOWN in own.index and own.loc[UNKNOWN, "added"] > 0
        for label in (0, 1, UNKNOWN):
            if label not in own.index:
                continue
            real, added, fraction = own.loc[label, ["real", "added", "fraction"]]
            colour, height = COLOURS[label], real + added
            axes.bar(place, real, bottom=bottom, color=colour, width=0.74)
            hatched = {"facecolor": colour, "edgecolor": "white", "hatch": "////", "lw": 0}
            axes.bar(place, added, bottom=bottom + real, width=0.74, **hatched)
            text, middle = f"{100 * fraction:.0f}\u00a0%", bottom + height / 2
            text = text if not drawn_labels else f"+{added:,.0f}" if label == UNKNOWN else ""
            ink = {0: "black", 1: "white", UNKNOWN: "white"}[label]
            box = {"facecolor": colour, "edgecolor": "none", "pad": 0.8}
            if label == 1 and height <= 0.07 * highest:  # too low for its text
                ink, box, middle = figures.BLUE, None, bottom + height + 0.045 * highest
            if text and (label == 1 or height > 0.07 * highest):
                axes.text(place, middle, text, ha="center", va="center", color=ink, fontsize=size, bbox=box)
            bottom += height
    axes.set_xticks(range(len(groups)), [group.replace(", ", "\n") for group in groups], fontsize=size)
    axes.grid(axis="x", visible=False)


def draw_cells(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw counts of group and label, real and after each plan, a row per dataset; inside `figures.style()`."""
    cells = shown_cells(frames["counts"])
    if cells.empty:
        return without_data("No counts in these results.", COLUMNS)
    shown: list[Place] = places(cells)
    plans = [plan for plan in [NO_PLAN, *TITLES] if plan in set(cells["plan"])]
    widest = max(at(cells, place)["group"].nunique() for place in shown)
    figure = figures.new_figure(1.4 + len(plans) * (0.9 + 0.55 * widest), 1.9 + 2.5 * len(shown))
    grid = figure.subplots(len(shown), len(plans), squeeze=False, sharey="row")
    for line, place in zip(grid, shown, strict=True):
        own = at(cells, place)
        highest = own.groupby(["plan", "group"])[["real", "added"]].sum().sum(axis=1).max()
        total = own[own["plan"] == NO_PLAN]["real"].sum()
        for axes, plan in zip(line, plans, strict=True):
            mine = own[own["plan"] == plan]
            if mine.empty:
                axes.text(0.5, 0.5, "not run", transform=axes.transAxes, ha="center", color=figures.GREY)
                axes.axis("off")
                continue
            draw_bars(axes, mine, highest)
            added = mine["added"].sum()
            under = f"{total:,} rows" if plan == NO_PLAN else f"+{added:,.0f} rows ({percent(added / total)})"
            axes.set_title(f"{plan_title(plan)}\n{under}", fontsize=10)
            axes.set_ylim(0, 1.08 * highest)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        line[0].set_ylabel(f"{place_title(place)}\ntraining rows")
    known = frames["facts"].drop_duplicates("dataset")
    known = known[known["dataset"].isin(cells["dataset"])]
    meaning = "; ".join(f"{row.positive} ({row.dataset})" for row in known.itertuples())
    handles = {
        "label 0": Patch(color=COLOURS[0]),
        "label 1": Patch(color=COLOURS[1]),
        "added": Patch(facecolor="#888888", edgecolor="white", hatch="////", lw=0),
    }
    if (cells["label"] == UNKNOWN).any():
        hatched = {"edgecolor": "white", "hatch": "////", "lw": 0}
        handles["added, label drawn by the generator"] = Patch(facecolor=COLOURS[UNKNOWN], **hatched)
    note = "Training rows of the first split; percentages of the group's rows; exact counts, no intervals."
    figures.footer(figure, f"{note} Label 1 is {meaning}.")
    titled(figure, finding(cells), handles)
    return figure, cells
