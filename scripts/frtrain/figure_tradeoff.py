"""FR-Train's trade-off: accuracy against disparate impact along lambda_f, the first seed and all others."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.published import values
from scripts.common.schemas.metrics import select_metric
from scripts.frtrain.points import ACCURACY, DI, FLOOR, LABELS, require_rows

PUBLISHED = Path(__file__).with_name("published.yaml")
COLUMNS = ["labels", "layer", "seed", "lambda_f", "disparate_impact", "accuracy"]


def grid_points(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return labels, seed, lambda_f, disparate_impact and accuracy (test rows) of FR-Train as published."""
    own = metrics[(metrics.dataset == "synthetic") & (metrics.method == "FR-Train") & (metrics.split == "test")]
    own = own[(own.notion == "parity") & (own.variant == "standard") & (own.rule == "targeted")]
    own = own[(own.clean_rows == 200) & (own.subgroup == "all") & own.metric.isin([ACCURACY, DI])]
    own = own[(own.labels == "clean") | (own.rate == 0.1)]
    wide = require_rows(own, "FR-Train").pivot(index=["labels", "seed", "knob"], columns="metric", values="value")
    return wide.reset_index().rename(columns={"knob": "lambda_f", DI: "disparate_impact"})


def draw(metrics: pd.DataFrame, lambdas: dict) -> tuple[Figure, pd.DataFrame]:
    """Draw both kinds of labels side by side; call it inside `figures.style()`.

    Returns:
        The figure and the numbers drawn: labels, layer (first seed, other seeds, notebook), seed, lambda_f,
        disparate impact and accuracy.

    Raises:
        UserError: there are no runs of FR-Train.
    """
    points = grid_points(metrics)
    first_seed = metrics.seed[metrics.protocol == "as_published"].min()
    figure = figures.new_figure(10.5, 5.6)
    drawn, handles, first = [], {}, None
    for place, (labels, words) in enumerate(LABELS.items()):
        axes = figure.add_subplot(1, 2, place + 1, title=words, sharex=first, sharey=first)
        first = first or axes
        own, grids = points[points.labels == labels], lambdas[labels]
        axes.axvline(FLOOR, color="#808080", lw=1.0, ls="--", zorder=1)
        others = own[own.lambda_f.isin(grids["all_seeds"]) & (own.seed != first_seed)]
        shades = [figures.SKY, figures.GREEN, figures.ORANGE, figures.PURPLE, figures.BLUE]
        for shade, (value, cloud) in zip(shades * 3, others.groupby("lambda_f"), strict=False):
            look = {"s": 22, "color": shade, "alpha": 0.75, "linewidths": 0, "zorder": 2}
            axes.scatter(cloud.disparate_impact, cloud.accuracy, label=f"$\\lambda_f$ = {value:g}", **look)
        if len(others):  # the values differ between the panels, so each has a legend of its own
            axes.legend(title="other seeds", loc="center left")
        line = own[(own.seed == first_seed) & own.lambda_f.isin(grids["published"])].sort_values("lambda_f")
        (handles[f"seed {first_seed}, published grid"],) = axes.plot(
            line.disparate_impact, line.accuracy, color=figures.VERMILION, marker="s", ms=5, lw=1.8, zorder=4
        )
        for value in (line.lambda_f.min(), line.lambda_f.max()):
            row = line[line.lambda_f == value].iloc[0]
            axes.annotate(
                f"$\\lambda_f$ = {value:g}",
                (row.disparate_impact, row.accuracy),
                xytext=(6, 8),
                textcoords="offset points",
                zorder=6,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7},
            )
        stated = pd.DataFrame(
            [(knob, di, accuracy) for knob, accuracy, di in values(PUBLISHED, "notebooks")[labels]],
            columns=["lambda_f", "disparate_impact", "accuracy"],
        )
        look = {"marker": "o", "s": 95, "facecolors": "none", "edgecolors": figures.BLACK, "zorder": 5}
        handles["released notebook"] = axes.scatter(stated.disparate_impact, stated.accuracy, **look)
        axes.set(xlabel="disparate impact (1 = equal acceptance)", ylabel="accuracy on the test rows")
        for layer, rows in (("first seed", line), ("other seeds", others), ("notebook", stated)):
            drawn.append(rows.assign(layer=layer, labels=labels))
    figures.legend_above(figure, handles, columns=3)
    chosen = select_metric(metrics[(metrics.dataset == "synthetic") & (metrics.method == "FR-Train")], ACCURACY)
    figures.footer(
        figure,
        f"synthetic data; n = {int(chosen.n.max()):,} test rows; {points.seed.nunique()} seeds of the initial weights; "
        "the data are the same in all. Dashed: disparate impact 0.8. Circles: the released notebooks, seed 1.",
    )
    return figure, figures.stack(drawn, COLUMNS)
