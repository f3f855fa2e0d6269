"""The robustness frontier: error on clean images against error under attack, per model."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from scripts.common import figures, parquet
from scripts.common.data_notes import data_note
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.published import values
from scripts.common.schemas.metrics import METRICS
from scripts.tradeoffs.attack_table import PUBLISHED as PUBLISHED_ATTACK
from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.looks import ARMS, CONSTANT_NAMES, threat_words
from scripts.tradeoffs.model_points import PROTOCOLS, SETTINGS, THREAT, hull_rows, model_points, trained

PUBLISHED = Path(__file__).with_name("published.yaml")
NAME = "robustness_frontier"
# The measure that each protocol draws filled and its line is made of; the other one stands beside it, hollow.
MEASURES = {
    "as_published": ("published_error", "adversarial_error"),
    "corrected": ("adversarial_error", "published_error"),
}
WORDS = {"published_error": "published measure (APGD-CE alone)", "adversarial_error": "worst case of all attacks"}
BOUNDS = ["error_low", "error_high", "adversarial_error_low", "adversarial_error_high"]
BOUNDS += ["published_error_low", "published_error_high"]
COLUMNS = ["layer", *SETTINGS, "measure", "chosen_on", "error", "adversarial_error", "published_error", *BOUNDS]


def pareto_line(points: pd.DataFrame, valid: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Return the vertices of the lower hull, in order, at their test values.

    The published protocol chooses them on the test part, the corrected one on the validation part
    if every model was attacked there, else on the test part too; `chosen_on` says which.
    """
    measure = MEASURES[protocol][0]
    on_valid = points[["run"]].merge(valid, on="run", how="left")
    if protocol == "corrected" and len(on_valid) and on_valid[["error", measure]].notna().all(axis=None):
        order = hull_rows(on_valid, "error", measure).run
        return points.set_index("run").loc[order].reset_index().assign(chosen_on="valid")
    return hull_rows(points, "error", measure).assign(chosen_on="test")


def draw_models(axes: Axes, points: pd.DataFrame, measure: str, other: str) -> None:
    """Draw each model with both intervals, filled by `measure`, and hollow by the `other` measure."""
    faint = 0.45 if len(points) < 30 else 0.2
    axes.vlines(points.error, points[measure], points[other], color="#A0A0A0", lw=0.8, zorder=2)
    for arm, (words, colour, marker) in ARMS.items():
        own = points[points.arm == arm]
        if own.empty:
            continue
        errors = {
            "xerr": figures.offsets(own.error, own.error_low, own.error_high),
            "yerr": figures.offsets(own[measure], own[f"{measure}_low"], own[f"{measure}_high"]),
        }
        axes.errorbar(
            own.error, own[measure], **errors, fmt="none", ecolor=colour, elinewidth=0.8, alpha=faint, zorder=2
        )
        axes.scatter(own.error, own[measure], s=36, marker=marker, color=colour, label=words, zorder=4, gid=arm)
        axes.scatter(own.error, own[other], s=26, marker=marker, facecolor="white", edgecolor=colour, zorder=3.8)


def draw_line(axes: Axes, line: pd.DataFrame, measure: str) -> None:
    """Draw the Pareto line and write each vertex's strength of training on its empty side, where there is room."""
    look = {"color": figures.BLUE, "lw": 2.2, "zorder": 3.5}
    axes.plot(line.error, line[measure], label="Pareto line (lower convex hull)", gid="hull", **look)
    halo, last = withStroke(linewidth=2.5, foreground="white"), None
    for row in line.itertuples():
        height = axes.transAxes.inverted().transform(axes.transData.transform((row.error, getattr(row, measure))))[1]
        if last is None or abs(height - last) > 0.05:
            text = "plain" if row.arm == "plain" else f"ε {row.train_eps:g}" if row.train_eps else "fair"
            place = {"xytext": (-8, -4), "textcoords": "offset points", "ha": "right", "va": "top", "fontsize": 9}
            axes.annotate(
                text, (row.error, getattr(row, measure)), color=figures.BLUE, zorder=3.7, path_effects=[halo], **place
            )
            last = height


def draw_constants(axes: Axes, constants: pd.DataFrame, points: pd.DataFrame, measure: str) -> None:
    """Draw the classifiers that look at nothing, and say how many trained models are less robust."""
    lines = []
    for row in constants.sort_values("error").itertuples():
        value, name = getattr(row, measure), CONSTANT_NAMES[row.arm]
        beaten = int((points[measure] > value).sum())
        lines.append(f"{name}: error {row.error:.2f}, under attack {value:.2f},")
        lines.append(f"more robust than {beaten} of {len(points)} trained models")
        if row.error > axes.get_xlim()[1]:
            continue  # off the axes: the words in the corner say where
        axes.scatter([row.error], [value], s=130, marker="*", color=figures.BLACK, zorder=5)
        place = {"xytext": (8, -17), "textcoords": "offset points", "ha": "right", "fontsize": 9}
        axes.annotate(
            name, (row.error, value), zorder=6, path_effects=[withStroke(linewidth=2.5, foreground="white")], **place
        )
    corner = {"transform": axes.transAxes, "ha": "right", "va": "bottom", "fontsize": 9, "zorder": 6}
    axes.text(0.98, 0.02, "\n".join(lines), **corner, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8})


def published_hull() -> list[list[float]]:
    """Return the vertices of the original's frontier as [error, error under attack]."""
    return values(PUBLISHED, "robustness_frontier")["hull"]


def limits(models: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the limits of both panels: all trained models, the constant "reject" and the published line."""
    shown = models[models.arm != "constant_accept"]
    published = np.array(published_hull())
    errors = np.concatenate([shown.error, published[:, 0]])
    robust = np.concatenate([shown.adversarial_error.dropna(), shown.published_error.dropna(), published[:, 1]])
    pad = 0.1 * np.ptp(errors)
    return {
        "xlim": (errors.min() - pad, errors.max() + pad),
        "ylim": (robust.min() - 0.5 * np.ptp(robust), 1.04 + 0.3 * np.ptp(robust)),
    }


def draw_panel(axes: Axes, own: pd.DataFrame, valid: pd.DataFrame, protocol: str, threat: str) -> pd.DataFrame:
    """Draw one protocol into a panel with its limits set; return the numbers drawn, one row per mark."""
    measure, other = MEASURES[protocol]
    points, constants = trained(own), own[own.arm.isin(CONSTANT_NAMES)]
    line = pareto_line(points, valid, protocol)
    draw_models(axes, points, measure, other)
    draw_line(axes, line, measure)
    published = pd.DataFrame(published_hull(), columns=["error", "published_error"])
    look = {"color": figures.BLACK, "lw": 1.1, "ls": ":", "zorder": 2, "label": "published line (CelebA)"}
    axes.plot(published.error, published.published_error, **look)
    axes.axline((0.4, 0.4), slope=1, color="#B0B0B0", lw=1.0, ls="--", zorder=1, label="attacks change nothing")
    draw_constants(axes, constants, points, measure)
    axes.set_yticks([tick for tick in axes.get_yticks() if axes.get_ylim()[0] <= tick <= 1])
    axes.set(xlabel="error on clean test images", ylabel=f"error under attack, {threat_words(threat)}")
    chosen_on = {"test": "test part", "valid": "validation part"}[line.chosen_on.iloc[0]]
    text = f"filled: {WORDS[measure]}\nhollow: {WORDS[other]}\nline chosen on the {chosen_on}"
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "#B0B0B0", "alpha": 0.85}
    axes.text(0.98, 0.97, text, transform=axes.transAxes, ha="right", va="top", fontsize=9, zorder=6, bbox=box)
    layers = {"model": points, "line": line, "constant": constants, "published": published}
    stacked = pd.concat([rows.assign(layer=layer) for layer, rows in layers.items() if len(rows)], ignore_index=True)
    return stacked.assign(protocol=protocol, measure=measure)


def draw(
    metrics: pd.DataFrame, runs: pd.DataFrame, threat: str = THREAT, budget: str = ""
) -> tuple[Figure, pd.DataFrame]:
    """Draw both protocols side by side; call it inside `figures.style()`.

    Args:
        threat: norm and size, such as linf_0.01.
        budget: what the attacks were allowed, for the footer (e.g. "APGD 20 steps, Square 100 queries").

    Returns:
        The figure and the numbers drawn (layer: model, line, constant, published).

    Raises:
        UserError: the error, a robust accuracy or the false-negative-rate difference was not measured.
    """
    models = model_points(metrics, runs, "test", threat)
    unattacked = trained(models).adversarial_error.isna() | trained(models).published_error.isna()
    models = models.dropna(subset=["adversarial_error", "published_error"])
    both = [under(threat), under(threat, PUBLISHED_ATTACK)]
    robust = metrics[(metrics.split == "valid") & (metrics.metric == "robust_accuracy")]
    valid = model_points(metrics, runs, "valid", threat) if set(both) <= set(robust.condition) else models.head(0)
    figure = figures.new_figure(10.5, 6.2)
    frame, plotted, handles = limits(models), [], {}
    for place, (protocol, words) in enumerate(PROTOCOLS.items()):
        axes = figure.add_subplot(1, 2, place + 1, title=words)
        own = models[models.protocol == protocol]
        if trained(own).empty:
            figures.empty_note(axes, f'no models of the protocol "{words}" in these results')
            continue
        axes.set(**frame)
        plotted.append(draw_panel(axes, own, valid, protocol, threat))
        handles |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figures.legend_above(figure, handles, columns=3)
    attacked = {"metric": "robust_accuracy", "condition": under(threat)}
    measures = {"images": {"metric": "zero_one_loss"}, "under attack": attacked}
    note = data_note(metrics[metrics.run.isin(trained(models).run)], measures, BOOTSTRAP)
    parts = [note, budget, "bars: intervals of the filled marks; one mark per trained model"]
    parts += [f"{unattacked.sum()} models that were not attacked are left out"] if unattacked.any() else []
    figures.footer(figure, "; ".join(part for part in parts if part) + ".")
    return figure, figures.stack(plotted, COLUMNS)


def draw_all(metrics_path: str, runs_path: str, folder: str | Path, threat: str = THREAT, budget: str = "") -> None:
    """Write `robustness_frontier.{png,pdf,parquet}` into `folder`."""
    metrics, runs = parquet.read(metrics_path, METRICS), parquet.read(runs_path)
    with figures.style():
        figures.save(*draw(metrics, runs, threat, budget), Path(folder) / NAME)
