"""All three costs at once: error, error under attack and the gap between the sexes, as a turning picture and a page."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection
from PIL import Image

from scripts.common import figures, parquet
from scripts.common.data_notes import data_note
from scripts.common.files import atomic_path
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.logs import job, progress
from scripts.common.pareto import pareto_mask
from scripts.common.schemas.metrics import METRICS
from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.looks import CONSTANT_NAMES, threat_words
from scripts.tradeoffs.model_points import PROTOCOLS, SETTINGS, THREAT, model_points, trained
from scripts.tradeoffs.three_way_page import page

LEAST_ACCURACY = 0.6  # models below, and so both constants, are left out of the original's plot
NAME = "three_way"
ELEVATION, AZIMUTH, STILL_AZIMUTH = 20, 180, 35  # degrees; 20 and 180 are where the original's animation starts
GIF_DPI, FRAME_MILLISECONDS = 80, 80
MEASURE = {"as_published": "published_error", "corrected": "adversarial_error"}
COSTS = ["error", "under_attack", "gap"]
ENDS = ("", "_low", "_high", "_n")
COLUMNS = [*SETTINGS, *(cost + end for cost in COSTS for end in ENDS), "pareto"]


def three_costs(metrics: pd.DataFrame, runs: pd.DataFrame, threat: str = THREAT) -> pd.DataFrame:
    """Return one row per model: its settings, `error`, `under_attack`, `gap` with bounds and n, and `pareto`.

    `under_attack` is the measure of the model's protocol: APGD-CE alone as published, else the worst
    case. A model is Pareto-efficient if no other of its protocol, constants included, is at least as
    good in all three and better in one.

    Raises:
        UserError: one of the three was not measured.
    """
    points = model_points(metrics, runs, "test", threat)
    published = points.protocol == "as_published"
    for end in ENDS:
        points[f"under_attack{end}"] = points[f"published_error{end}"].where(
            published, points[f"adversarial_error{end}"]
        )
    points = points.dropna(subset=COSTS).reset_index(drop=True).assign(pareto=False)
    for _, own in points.groupby("protocol"):
        points.loc[own.index, "pareto"] = pareto_mask(own[COSTS].to_numpy())
    return points[COLUMNS]


def draw_panel(axes: Axes, own: pd.DataFrame, top: float) -> dict[str, object]:
    """Draw one protocol's models into a 3-D panel; return the handles of the legend."""
    models, constants = trained(own), own[own.arm == "constant_reject"]
    kinds = {
        "dominated": (models[~models.pareto], figures.BLUE, "^", 26),
        "Pareto-efficient": (models[models.pareto], figures.ORANGE, "o", 42),
        CONSTANT_NAMES["constant_reject"]: (constants, figures.BLACK, "*", 90),
    }
    handles = {}
    for label, (part, colour, marker, size) in kinds.items():
        if len(part):
            feet = part.assign(gap=0.0)[COSTS].to_numpy()
            stems = np.stack([feet, part[COSTS].to_numpy()], axis=1)  # they show where on the floor a mark stands
            axes.add_collection3d(Line3DCollection(stems, colors=colour, linewidths=0.7, alpha=0.4))
            look = {"s": size, "marker": marker, "color": colour, "edgecolor": "#303030", "linewidth": 0.4}
            handles[label] = axes.scatter(part.error, part.under_attack, part.gap, depthshade=False, **look)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_pane_color("#F7F7F7")
    axes.tick_params(labelsize=8, pad=0)
    axes.set_xlabel("error", fontsize=10)
    axes.set_ylabel("error under attack", fontsize=10)
    axes.set_zlabel("|FNR gap|", fontsize=10)
    axes.set_zlim(0, top)
    axes.set_box_aspect((1, 1, 0.75), zoom=0.9)
    axes.view_init(elev=ELEVATION, azim=STILL_AZIMUTH)
    return handles


def draw(points: pd.DataFrame, note: str) -> Figure:
    """Draw both protocols side by side; call it inside `figures.style()`.

    The constant "accept" is not drawn: it lies so far out that it would press all others together.
    """
    figure = figures.new_figure(9.0, 5.0)
    handles, top = {}, points.gap.max() * 1.08
    for place, (protocol, words) in enumerate(PROTOCOLS.items()):
        own = points[points.protocol == protocol]
        if trained(own).empty:
            axes = figure.add_subplot(1, 2, place + 1, title=words)
            figures.empty_note(axes, f'no models of the protocol "{words}" in these results')
            continue
        axes = figure.add_subplot(1, 2, place + 1, projection="3d")
        axes.set_title(words, y=0.93)
        handles |= draw_panel(axes, own, top)
    figures.legend_above(figure, handles, columns=3)
    figures.footer(figure, note)
    return figure


def gif_palette() -> Image.Image:
    """Return a picture whose palette holds the colours drawn, greys and the shades between: few, for a small file."""
    inks = (figures.ORANGE, figures.BLUE, figures.BLACK, "#F7F7F7", "#E4E4E4")
    shades = np.linspace(0.0, 1.0, 8)[:, None]
    ramps = [255 * (shades + (1 - shades) * to_rgb(ink)) for ink in inks]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.unique(np.concatenate(ramps).round().astype(np.uint8), axis=0).ravel().tolist())
    return palette


def save_gif(figure: Figure, frames: int, path: str | Path) -> None:
    """Turn every 3-D panel once around in `frames` frames and write them as an endless GIF."""
    figure.set_dpi(GIF_DPI)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # the parts keep the places they have: nothing trembles
    turning = [axes for axes in figure.axes if axes.name == "3d"]
    palette, pictures = gif_palette(), []
    for number in progress(range(frames), "frames"):
        for axes in turning:
            axes.view_init(elev=ELEVATION, azim=AZIMUTH + 360 * number / frames)
        figure.canvas.draw()
        picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
        pictures.append(picture.quantize(palette=palette, dither=Image.Dither.NONE))
    with atomic_path(path) as temporary:
        pictures[0].save(
            temporary, save_all=True, append_images=pictures[1:], duration=FRAME_MILLISECONDS, loop=0, optimize=False
        )


def note_of(points: pd.DataFrame, metrics: pd.DataFrame, threat: str, attack: str, budget: str) -> str:
    """Say what the data is; `attack` is the threat model in the words of the medium."""
    measures = {
        "images": {"metric": "zero_one_loss"},
        "under attack": {"metric": "robust_accuracy", "condition": under(threat)},
        "with a positive label": {"metric": "false_negative_rate"},
    }
    parts = [
        data_note(metrics[metrics.run.isin(trained(points).run)], measures, BOOTSTRAP),
        budget,
        f"under attack ({attack}): APGD-CE alone (as published), worst case of all attacks (corrected)",
        f"the original leaves out models of accuracy up to {LEAST_ACCURACY:g}, and so the constants",
    ]
    return "; ".join(part for part in parts if part) + "."


def draw_all(
    metrics_path: str, runs_path: str, folder: str | Path, frames: int, threat: str = THREAT, budget: str = ""
) -> None:
    """Write `three_way.{png,pdf,parquet,gif,html}` into `folder`; the animation has `frames` frames."""
    metrics, runs = parquet.read(metrics_path, METRICS), parquet.read(runs_path)
    points, path = three_costs(metrics, runs, threat), Path(folder) / NAME
    with figures.style():
        figure = draw(points, note_of(points, metrics, threat, threat_words(threat), budget))
        figures.save(figure, points, path)
        save_gif(figure, frames, path.with_suffix(".gif"))
    note = note_of(points, metrics, threat, threat.replace("_", " "), budget)
    with atomic_path(path.with_suffix(".html")) as temporary:
        temporary.write_text(page(points, metrics, runs, note, threat), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        files, params = snakemake.input, snakemake.params
        folder = Path(snakemake.output[0]).parent
        draw_all(files.metrics, files.runs, folder, params.frames, params.threat, params.budget)
