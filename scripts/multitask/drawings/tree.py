"""The branches of FairBranch as a tree: tasks at the top, one shared layer at the bottom, CKA where branches merge."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.multitask.labels import FAIRBRANCH, at, data_note, dataset_title, datasets, task_title

TAU = {"fairbranch_tau_5": ".5", "fairbranch_tau_9": ".9", "fairbranch_tau_99": ".99"}
COLUMNS = ["source", "dataset", "seed", "layer", "branch", "tasks", "x", "similarity"]
PER_LINE = 12  # tasks of panels that stand side by side


def tree_rows(branchings: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Return every branch of the first seed of each dataset with the place of its middle, tasks in the tree's order."""
    rows, parts = branchings[branchings["method"] == FAIRBRANCH], []
    for source in datasets(rows):
        own = at(rows, source)
        own = own[own["seed"] == own["seed"].min()]
        order = leaves(own, list(at(facts, source)["task"]))
        middle = [sum(order.index(task) for task in names) / len(names) for names in own["tasks"].str.split("; ")]
        parts.append(own.assign(x=middle))
    return figures.stack(parts, COLUMNS)


def leaves(branches: pd.DataFrame, tasks: list[str]) -> list[str]:
    """Return the tasks so that those of a branch are side by side in every layer."""
    layers = sorted(branches["layer"].unique())  # the lowest one first: its branches are the widest
    places = {task: [] for task in tasks}
    for layer in layers:
        for row in branches[branches["layer"] == layer].itertuples():
            for task in row.tasks.split("; "):
                places.setdefault(task, []).append(row.branch)
    return sorted(places, key=lambda task: (places[task], tasks.index(task) if task in tasks else 0))


def finding(rows: pd.DataFrame, branchings: pd.DataFrame) -> list[str]:
    """Return per dataset how similar the merged branches of all seeds are, and whether tau changes the branches."""
    sentences = []
    for source in datasets(rows):
        own = at(branchings, source)
        merged = own[(own["method"] == FAIRBRANCH) & own["similarity"].notna()]
        title = dataset_title(rows, source)
        if merged.empty:
            sentences.append(f"{title}: no two branches merge.")
            continue
        copied = merged[merged["layer"] < own["layer"].max()]
        text = f"{title}: the {len(merged)} merges of {merged['seed'].nunique()} seeds have CKA ≥ "
        text += f"{merged['similarity'].min():.3f}"
        text += ", all of them of copied layers" if len(copied) == len(merged) else ""
        made = {tau: branches_of(own, name) for name, tau in TAU.items() if (own["method"] == name).any()}
        if len(made) > 1:
            alike = all(one == next(iter(made.values())) for one in made.values())
            *others, last = made
            text += f"; tau {', '.join(others)} and {last} give {'the same' if alike else 'different'} branches"
        sentences.append(f"{text}.")
    return sentences[:3]


def branches_of(branchings: pd.DataFrame, method: str) -> set[tuple]:
    """Return the branches that a method made, by seed, layer and tasks."""
    own = branchings[branchings["method"] == method]
    return set(zip(own["seed"], own["layer"], own["tasks"], strict=True))


def draw_panel(axes: Axes, rows: pd.DataFrame, small: bool) -> None:
    """Draw the tree of one dataset."""
    layers = sorted(rows["layer"].unique(), reverse=True)
    tasks = {name for names in rows["tasks"].str.split("; ") for name in names}
    order = sorted(tasks, key=lambda task: _place(rows, task, layers[0]))
    heads = len(order)
    top = max(layers) + 1
    for place, task in enumerate(order):
        axes.plot([place, place], [top, top], marker="v", color=figures.BLACK, ms=6, zorder=4)
        turned = {"rotation": 35, "ha": "left"} if small else {"ha": "center"}
        axes.annotate(
            task_title(task), (place, top), (0, 7), textcoords="offset points", fontsize=9, va="bottom", **turned
        )
        axes.plot([place, _place(rows, task, layers[0])], [top, layers[0]], color=figures.GREY, lw=1.1, zorder=2)
    lowest = min(layers)
    trunk = (heads - 1) / 2
    for row in rows.itertuples():
        axes.scatter([row.x], [row.layer], s=46, color=figures.VERMILION, zorder=5)
        if row.layer > lowest:
            target = _place(rows, row.tasks.split("; ")[0], row.layer - 1)
            axes.plot([row.x, target], [row.layer, row.layer - 1], color=figures.VERMILION, lw=1.8, zorder=3)
        else:
            axes.plot([row.x, trunk], [row.layer, row.layer - 1], color=figures.VERMILION, lw=1.8, zorder=3)
        if row.similarity == row.similarity:
            text = f"{row.similarity:.4f}".lstrip("0")
            box = {"boxstyle": "square,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.9}
            axes.annotate(
                text,
                (row.x, row.layer),
                (0, -7),
                textcoords="offset points",
                fontsize=8.5,
                ha="center",
                va="top",
                bbox=box,
                zorder=6,
            )
    for layer in range(lowest - 1, 0, -1):
        axes.scatter([trunk], [layer], s=110, color=figures.BLUE, zorder=5, marker="s")
        if layer > 1:
            axes.plot([trunk] * 2, [layer, layer - 1], color=figures.BLUE, lw=2.4, zorder=3)
    names = {layer: f"layer {layer}" for layer in range(1, top)} | {top: "heads"}
    axes.set(
        yticks=list(names),
        yticklabels=list(names.values()),
        ylim=(0.5, top + 0.35),
        xticks=[],
        xlim=(-0.6, heads - 0.4),
    )
    axes.grid(axis="x", visible=False)
    axes.spines["bottom"].set_visible(False)


def _place(rows: pd.DataFrame, task: str, layer: int) -> float:
    """Return the place of the branch of a task in a layer."""
    own = rows[(rows["layer"] == layer) & rows["tasks"].str.split("; ").map(lambda names: task in names)]
    return float(own["x"].iloc[0])


def lines_of(sizes: Mapping[str, int]) -> list[list[str]]:
    """Return the datasets line by line, small ones side by side.

    Args:
        sizes: number of tasks by dataset.
    """
    lines: list[list[str]] = []
    for source, size in sizes.items():
        if lines and sum(sizes[other] for other in lines[-1]) + size <= PER_LINE:
            lines[-1].append(source)
        else:
            lines.append([source])
    return lines


def draw_tree(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the branches of FairBranch of one seed, a tree per dataset."""
    rows = tree_rows(frames["branchings"], frames["facts"])
    if rows.empty:
        return without_data("No branches of FairBranch in these results.", COLUMNS)
    sizes = {
        source: len({t for names in at(rows, source)["tasks"] for t in names.split("; ")}) for source in datasets(rows)
    }
    lines = lines_of(dict(sorted(sizes.items(), key=lambda item: item[1])))
    figure = figures.new_figure(13.0, 1.9 + 3.7 * len(lines))
    parts = figure.subfigures(len(lines), 1, squeeze=False)[:, 0] if len(lines) > 1 else [figure]
    for part, sources in zip(parts, lines, strict=True):
        grid = part.subplots(1, len(sources), squeeze=False, width_ratios=[sizes[source] for source in sources])
        for axes, source in zip(grid[0], sources, strict=True):
            own = at(rows, source)
            draw_panel(axes, own, small=sizes[source] > PER_LINE)
            title = f"{dataset_title(rows, source)}, seed {own['seed'].iloc[0]}"
            axes.set_title(title, loc="left", fontsize=11.5, pad=58 if sizes[source] > PER_LINE else 12)
    handles = {
        "head of a task": Line2D([], [], ls="", marker="v", color=figures.BLACK, ms=6),
        "branch, with the CKA of what merged above it": Line2D(
            [], [], marker="o", lw=1.8, color=figures.VERMILION, ms=6
        ),
        "shared by all": Line2D([], [], marker="s", lw=2.4, color=figures.BLUE, ms=7),
    }
    note = "Copies of a layer start identical, so their CKA is near 1 whatever was learned."
    note += " One seed is drawn; no intervals."
    figures.footer(figure, f"{note} {data_note(frames['facts'], datasets(rows), rows[['seed']])}")
    titled(figure, finding(rows, frames["branchings"]), handles)
    return figure, rows
