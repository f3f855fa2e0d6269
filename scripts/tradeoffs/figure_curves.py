"""The training curves of every model: loss and accuracy over epochs, by protocol and arm."""

from pathlib import Path

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from scripts.common import figures, parquet
from scripts.common.data_notes import span
from scripts.common.errors import UserError
from scripts.common.schemas.curves import CURVES
from scripts.tradeoffs.looks import ARMS
from scripts.tradeoffs.model_points import PROTOCOLS

NAME = "training_curves"
KINDS = {  # panel: its quantities, each with words and line style
    "loss": {"train_loss": ("training loss", "-"), "valid_objective": ("the same loss on the validation part", "--")},
    "accuracy": {
        "valid_accuracy": ("validation accuracy", "-"),
        "valid_half_attacked_accuracy": ("validation accuracy, half of the images attacked", "--"),
    },
}
STRENGTH = {"plain": None, "adversarial": "train_eps", "fair": "fairness_weight", "fair_adversarial": "train_eps"}
SYMBOL = {"train_eps": "ε", "fairness_weight": "weight"}


def strengths(own: pd.DataFrame, arm: str) -> dict[float, str]:
    """Return a colour for each strength of an arm, from dark (weakest) to light."""
    if STRENGTH[arm] is None:
        return {0.0: figures.GREY}
    values = sorted(own[STRENGTH[arm]].unique())
    shades = colormaps["viridis"]
    return {value: to_hex(shades(0.85 * place / max(len(values) - 1, 1))) for place, value in enumerate(values)}


def draw_panel(axes: Axes, own: pd.DataFrame, arm: str, kind: str) -> None:
    """Draw the curves of one arm; a dot marks the epoch whose weights were kept."""
    colours = strengths(own, arm)
    for (_, quantity), curve in own.groupby(["run", "quantity"]):
        strength = float(curve[STRENGTH[arm]].iloc[0]) if STRENGTH[arm] else 0.0
        look = {"color": colours[strength], "ls": KINDS[kind][quantity][1], "lw": 1.2, "alpha": 0.8}
        axes.plot(curve.epoch, curve.value, **look)
        kept = curve[curve.epoch == curve.selected_epoch]
        axes.scatter(kept.epoch, kept.value, s=12, color=colours[strength], zorder=3)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if STRENGTH[arm] and kind == "loss":
        ends = sorted({min(colours), max(colours)})
        words = [f"{SYMBOL[STRENGTH[arm]]} {value:g}" for value in ends]
        marks = [Line2D([], [], color=colours[value], lw=2) for value in ends]
        axes.legend(marks, words, loc="upper right", fontsize=8, handlelength=1.2)


def draw(curves: pd.DataFrame, runs: pd.DataFrame, dataset: str) -> tuple[Figure, pd.DataFrame]:
    """Draw rows of loss and accuracy per protocol, a column per arm; call it inside `figures.style()`.

    Args:
        dataset: what the images are, e.g. "rendered faces".

    Returns:
        The figure and the numbers drawn: run, protocol, arm, strengths, seed, epoch, quantity, value.

    Raises:
        UserError: there is no curve of a quantity that is drawn.
    """
    known = [quantity for kind in KINDS.values() for quantity in kind]
    settings = runs[["run", "protocol", "arm", "train_eps", "fairness_weight", "seed", "selected_epoch"]]
    plotted = curves[curves.quantity.isin(known)].merge(settings, on="run").reset_index(drop=True)
    if plotted.empty:
        raise UserError(f"curves: no rows of {', '.join(known)} for a listed run; train the models again")
    arms = [arm for arm in ARMS if (plotted.arm == arm).any()]
    rows = [(protocol, kind) for protocol in PROTOCOLS for kind in KINDS]
    figure = figures.new_figure(1.8 + 2.1 * len(arms), 8.4)
    grid = figure.subplots(len(rows), len(arms), squeeze=False, sharex=True, sharey="row")
    for (protocol, kind), line in zip(rows, grid, strict=True):
        for arm, axes in zip(arms, line, strict=True):
            own = plotted[(plotted.protocol == protocol) & (plotted.arm == arm) & plotted.quantity.isin(KINDS[kind])]
            if len(own):
                draw_panel(axes, own, arm, kind)
            else:
                axes.text(
                    0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", va="center", color=figures.GREY
                )
        line[0].set_ylabel(f"{PROTOCOLS[protocol]}\n{kind}")
    for arm, top, bottom in zip(arms, grid[0], grid[-1], strict=True):
        top.set_title(ARMS[arm][0].replace(" (", "\n("), fontsize=10)
        bottom.set_xlabel("epoch")
    handles = {
        words: Line2D([], [], color=figures.BLACK, ls=style)
        for kind in KINDS.values()
        for quantity, (words, style) in kind.items()
        if (plotted.quantity == quantity).any()
    }
    handles = {f"{words} ({'loss' if 'loss' in words else 'accuracy'} panels)": mark for words, mark in handles.items()}
    figures.legend_above(figure, handles, columns=2)
    seeds = plotted.groupby(["protocol", "arm", "train_eps", "fairness_weight"]).seed.nunique()
    figures.footer(
        figure,
        f"{dataset}; {plotted.run.nunique()} models; {span(int(seeds.min()), int(seeds.max()))} seeds per "
        "setting, one line each; dark to light: weak to strong; a dot marks the epoch that was kept.",
    )
    return figure, plotted


def draw_all(curves_path: str, runs_path: str, metrics_path: str, folder: str | Path) -> None:
    """Write `training_curves.{png,pdf,parquet}` into `folder`; the metrics say what the images are."""
    curves, runs = parquet.read(curves_path, CURVES), parquet.read(runs_path)
    dataset = ", ".join(sorted(parquet.read(metrics_path, columns=["dataset"]).dataset.unique()))
    with figures.style():
        figures.save(*draw(curves, runs, dataset), Path(folder) / NAME)
