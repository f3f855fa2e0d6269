"""The fairness frontier, error against the gap between the sexes, plain and in its two published variants."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.common import figures, parquet
from scripts.common.data_notes import data_note
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.published import values
from scripts.common.schemas.metrics import METRICS
from scripts.tradeoffs.fairness_price import (
    best_weighted,
    cheapest_within,
    frontier_hull,
    operating_points,
    price_of_fairness,
    spread,
)
from scripts.tradeoffs.looks import ARMS, CONSTANT_NAMES
from scripts.tradeoffs.model_points import GAP, PROTOCOLS, column, trained
from scripts.tradeoffs.thresholds import ERROR_WEIGHT, GAP_WEIGHT

GAP_LIMIT = 0.15  # the original leaves larger gaps out
PUBLISHED = Path(__file__).with_name("published.yaml")
VARIANTS = ("plain", "threshold", "weight")
COLUMNS = ["protocol", "layer", "run", "arm", "error", "error_low", "error_high", "gap", "gap_low", "gap_high"]
MOST_INTERVALS = 6
CHOSEN = ["error_chosen", "gap_chosen"]


def draw_cloud(axes: Axes, points: pd.DataFrame) -> None:
    """Draw every efficient operating point, faintly, in its arm's colour and marker."""
    for arm, (words, colour, marker) in ARMS.items():
        own = points[points.arm == arm]
        if len(own):
            look = {"s": 13, "marker": marker, "color": colour, "alpha": 0.35, "linewidths": 0}
            axes.scatter(own.error, own.gap, label=words, rasterized=True, zorder=2, **look)


def draw_hull(axes: Axes, hull: pd.DataFrame) -> pd.DataFrame:
    """Draw the Pareto line at its test values, with intervals at some vertices; return the vertices of the line.

    A line chosen on the validation part goes through some of its vertices only: neighbours differ by
    less than their noise on the test part.
    """
    shown = spread(hull, MOST_INTERVALS)
    honest = np.array_equal(hull[["error", "gap"]], hull[CHOSEN])
    line = hull if honest else shown
    errors = {
        "xerr": figures.offsets(shown.error, shown.error_low, shown.error_high),
        "yerr": figures.offsets(shown.gap, shown.gap_low, shown.gap_high),
    }
    bars = {"fmt": "none", "ecolor": figures.BLUE, "elinewidth": 1.0, "capsize": 2.5, "alpha": 0.55, "zorder": 3}
    axes.errorbar(shown.error, shown.gap, **errors, **bars)
    look = {"color": figures.BLUE, "lw": 2.2, "marker": "o", "ms": 4, "zorder": 4}
    words = "Pareto line (lower convex hull)" if honest else "line chosen on the validation part, at its test values"
    axes.plot(line.error, line.gap, label=words, gid="hull", **look)
    if not honest:
        look = {"color": figures.BLUE, "lw": 1.2, "ls": (0, (4, 2)), "zorder": 3}
        axes.plot(
            hull.error_chosen, hull.gap_chosen, label="lower convex hull on the validation part, as promised", **look
        )
    return line


def draw_variant(axes: Axes, points: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Draw the excluded region or the tangent, and the red x at the optimum; return the optimum's row."""
    if variant == "plain":
        return points.head(0)
    if variant == "threshold":
        best, words = cheapest_within(points, GAP_LIMIT), f"least error with a gap of at most {GAP_LIMIT:g}"
        axes.axhspan(GAP_LIMIT, 2, facecolor="none", edgecolor="#A0A0A0", hatch="///", lw=0, zorder=1)
        axes.axhline(GAP_LIMIT, color="#808080", lw=1.0, zorder=1)
    else:
        best, words = best_weighted(points), f"least {ERROR_WEIGHT:.1f} error + {GAP_WEIGHT:.1f} gap, with its tangent"
        error, gap = best[["error", "gap"]].iloc[0]
        axes.axline((error, gap), slope=-ERROR_WEIGHT / GAP_WEIGHT, color=figures.BLACK, lw=1.1, ls="-.", zorder=3)
    axes.scatter(best.error, best.gap, marker="x", s=110, color=figures.RED, linewidths=2.8, zorder=7, label=words)
    return best


def published_hull() -> list[list[float]]:
    """Return the vertices of the original's frontier as [error, gap]."""
    return values(PUBLISHED, "fairness_frontier")["hull"]


def limits(hulls: list[pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Return the limits of both panels: the hulls with what they promised, and the published one."""
    published = np.array(published_hull())
    errors = np.concatenate([published[:, 0], *(hull[name] for hull in hulls for name in ("error", "error_chosen"))])
    gaps = np.concatenate([published[:, 1], *(hull[name] for hull in hulls for name in ("gap", "gap_chosen"))])
    pad = 0.12 * np.ptp(errors)
    return {"xlim": (errors.min() - pad, errors.max() + 2 * pad), "ylim": (-0.012, gaps.max() * 1.75)}


def draw_constants(axes: Axes, constants: pd.DataFrame) -> None:
    """Draw the constant classifiers, or point to where they lie."""
    for place, row in enumerate(constants.sort_values("error").itertuples()):
        words = f"{CONSTANT_NAMES[row.arm]}: error {row.error:.2f}, gap {row.gap:.2f}"
        if row.error <= axes.get_xlim()[1]:
            axes.scatter([row.error], [row.gap], marker="*", s=90, color=figures.BLACK, zorder=6)
            place = {"xytext": (6, 46), "textcoords": "offset points", "ha": "right", "fontsize": 9}
            arrow = {"arrowstyle": "-", "color": figures.GREY, "lw": 0.8}
            axes.annotate(words, (row.error, row.gap), arrowprops=arrow, zorder=6, **place)
        else:
            figures.edge_arrow(axes, words, 0.76 - 0.09 * place)


def draw_panel(axes: Axes, points: pd.DataFrame, constants: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Draw one protocol into a panel with its limits set; return the numbers drawn, one row per mark."""
    hull = frontier_hull(points)
    draw_cloud(axes, points)
    line = draw_hull(axes, hull)
    axes.plot(
        *zip(*published_hull(), strict=True),
        color=figures.BLACK,
        lw=1.1,
        ls=":",
        zorder=2,
        label="published line (CelebA)",
    )
    best = draw_variant(axes, points, variant)
    draw_constants(axes, constants)
    price = price_of_fairness(hull)
    axes.text(
        0.98,
        0.98,
        f"gap {price.gap_from:.3f} → {price.gap_to:.3f} costs\n{100 * price.error_paid:.2f} points of error\n"
        f"[{100 * price.error_paid_low:.2f}, {100 * price.error_paid_high:.2f}]",
        transform=axes.transAxes,
        ha="right",
        va="top",
        zorder=6,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "#B0B0B0"},
    )
    axes.set(xlabel="error on the test part (share of images)", ylabel="|FNR men − FNR women|")
    published = pd.DataFrame(published_hull(), columns=["error", "gap"])
    layers = {
        "point": points,
        "hull": hull,
        "line": line,
        "optimum": best,
        "constant": constants,
        "published": published,
    }
    return pd.concat([rows.assign(layer=layer) for layer, rows in layers.items() if len(rows)], ignore_index=True)


def draw(
    metrics: pd.DataFrame, runs: pd.DataFrame, frontiers: pd.DataFrame, variant: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw one variant for both protocols side by side; call it inside `figures.style()`.

    Returns:
        The figure and the numbers drawn: protocol, layer (point, hull, line, optimum, constant, published),
        run, arm, error and gap on the test part with bounds, and as chosen.

    Raises:
        UserError: the metrics lack the error or the false-negative-rate difference.
    """
    gaps = column(metrics, "gap", "test", **GAP).abs()
    errors = column(metrics, "error", "test", metric="zero_one_loss")
    models = runs.merge(errors.join(gaps), left_on="run", right_index=True)
    figure = figures.new_figure(10.5, 6.0)
    clouds = {protocol: operating_points(frontiers, runs, protocol) for protocol in PROTOCOLS}
    frame = limits([frontier_hull(points) for points in clouds.values() if len(points)])
    plotted, handles = [], {}
    for place, (protocol, points) in enumerate(clouds.items()):
        axes = figure.add_subplot(1, 2, place + 1, title=PROTOCOLS[protocol])
        if points.empty:
            figures.empty_note(axes, f'no models of the protocol "{PROTOCOLS[protocol]}" in these results')
            continue
        axes.set(**frame)
        constants = models[(models.protocol == protocol) & models.arm.isin(CONSTANT_NAMES)]
        plotted.append(draw_panel(axes, points, constants, variant).assign(protocol=protocol))
        handles |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figures.legend_above(figure, handles, columns=2)
    measured = metrics[metrics.run.isin(trained(runs).run)]
    measures = {
        "images": {"metric": "zero_one_loss"},
        "images with a positive label": {"metric": "false_negative_rate"},
    }
    note = data_note(measured, measures, BOOTSTRAP)
    figures.footer(
        figure,
        f"{note}; all models pooled, each with a threshold per sex chosen on the test part (as published) or on the "
        "validation part (corrected); bars are those intervals. Price: from the least error to the cheapest point that "
        "was chosen for a gap of at most 0.01, with an interval for unpaired errors, rather too wide. "
        "Dotted: the original on CelebA, read off its picture.",
    )
    return figure, figures.stack(plotted, COLUMNS + CHOSEN)


def draw_all(metrics_path: str, runs_path: str, frontiers_path: str, folder: str | Path) -> None:
    """Write `fairness_frontier_VARIANT.{png,pdf,parquet}` for the three variants into `folder`."""
    metrics = parquet.read(metrics_path, METRICS)
    runs, frontiers = parquet.read(runs_path), parquet.read(frontiers_path)
    for variant in VARIANTS:
        with figures.style():
            figures.save(*draw(metrics, runs, frontiers, variant), Path(folder) / f"fairness_frontier_{variant}")
