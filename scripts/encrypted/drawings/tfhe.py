"""Cost of TFHE, pixels against DCT: executed nets, predictions by image size, and what fewer wrong values cost."""

import textwrap
from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scripts.common import figures
from scripts.common.layout import label_marks, titled, without_data
from scripts.encrypted.drawings.axes import log_axis, rows_axis
from scripts.encrypted.labels import DCT, PIXELS, colour_of, short_title, times

COLUMNS = ["part", "net", "side", "transform", "coefficients", "first_relu", "p_error", "mode", "bootstraps"]
COLUMNS += ["cpu_seconds", "predicted_cpu_seconds", "wrong_values", "values", "finished", "limit_seconds"]
NET, SIZE, SWEEP = "net", "size", "sweep"  # parts: executed nets, predictions by size, one net by p_error
DONE, AHEAD = "cpu_seconds", "predicted_cpu_seconds"
ABOVE = [(1, 1), (-1, 1), (0, 1)]  # of their marks, labels lie
PRUNED = ", no first ReLU"  # in the name of a net
OFF = "No TFHE in these results: it is off by default. Set run: true in tfhe under encrypted in the config, run again."


def tfhe_rows(tfhe: pd.DataFrame) -> pd.DataFrame:
    """Return what is drawn: executed nets, predictions by size, and one net by its probability of a wrong look-up."""
    rows = tfhe[tfhe["part"].isin([NET, SIZE, SWEEP])].reindex(columns=COLUMNS)
    numbers = dict.fromkeys(("side", "bootstraps", "p_error", DONE, AHEAD, "wrong_values", "values"), float)
    rows = rows.astype(numbers | {"first_relu": bool, "finished": bool})
    return rows.sort_values(["part", "transform", "side"], kind="stable").reset_index(drop=True)


def part(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of one part."""
    return rows[rows["part"] == name]


def ratios(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return by side the cost of pixels over that of the cheapest DCT, nets with their first ReLU."""
    kept = rows[rows["first_relu"]].dropna(subset=[column])
    wide = kept.pivot_table(index="side", columns="transform", values=column, aggfunc="min")
    return (wide[PIXELS] / wide[DCT]).dropna() if {DCT, PIXELS} <= set(wide.columns) else pd.Series(dtype=float)


def pruned(rows: pd.DataFrame) -> pd.Series:
    """Return by net its executed cost without the first ReLU over that with it."""
    costs = part(rows, NET).dropna(subset=[DONE]).drop_duplicates("net").set_index("net")[DONE]
    without = [net for net in costs.index if PRUNED in net and net.replace(PRUNED, "") in costs.index]
    return pd.Series(
        {net.replace(PRUNED, ""): costs[net] / costs[net.replace(PRUNED, "")] for net in without}, dtype=float
    )


def finding(rows: pd.DataFrame) -> list[str]:
    """Return what DCT saves, executed and by size; what a removed ReLU costs; how many values are wrong."""
    done, ahead, without = ratios(part(rows, NET), DONE), ratios(part(rows, SIZE), AHEAD), pruned(rows)
    sentences = [f"CPU of pixels over that of DCT, executed: {_by_side(done)}."] if len(done) else []
    if len(ahead) > 1:
        sentences.append(f"The same, predicted: {_by_side(ahead.iloc[[0, -1]])}.")
    if len(without):
        sentences.append(f"Without its first ReLU a net needs {_ends(without)} times its CPU.")
    known = part(rows, NET).dropna(subset=["values", "wrong_values"])
    texts = [f"{_wrong(own)} ({short_title(name)})" for name, own in known.groupby("transform", sort=False)]
    text = f"Values that decrypt wrongly: {', '.join(texts)}" if texts else ""
    sweep = part(rows, SWEEP).dropna(subset=[DONE, "values"]).sort_values("p_error")
    if len(sweep) > 1 and text:
        sure, near = sweep.iloc[0], sweep.iloc[(sweep["p_error"] - known["p_error"].median()).abs().argmin()]
        text += f"; {_wrong(sure)} with p_error {sure['p_error']:.2g}, at {times(sure[DONE] / near[DONE])} the CPU"
    return [*sentences, *([f"{text}."] if text else [])]


def _wrong(own: pd.DataFrame | pd.Series) -> str:
    wrong, values = (int(own[name].sum()) for name in ("wrong_values", "values"))
    return f"{wrong:,} of {values:,}"


def _by_side(values: pd.Series) -> str:
    return ", ".join(f"{times(value)} at {side:.0f}x{side:.0f}" for side, value in values.items())


def _ends(values: pd.Series) -> str:
    low, high = (f"{value:.2f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def costs_marks(axes: Axes, own: pd.DataFrame, along: bool, places: Iterable[float]) -> None:
    """Draw costs along one axis, predicted hollow and executed filled; squares are nets without their first ReLU."""
    for row, place in zip(own.itertuples(), places, strict=True):
        colour = colour_of(row.transform)
        shape = {"marker": "o" if row.first_relu else "s", "s": 58, "ec": colour, "lw": 1.4}
        for value, face, order in ((row.predicted_cpu_seconds, "white", 3), (row.cpu_seconds, colour, 4)):
            where = ([value], [place]) if along else ([place], [value])
            axes.scatter(*where, fc=face, zorder=order, **shape)


def draw_nets(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the nets that were executed, a line per net, with their bootstraps."""
    costs_marks(axes, rows, True, range(len(rows)))
    log_axis(axes)
    names = []
    for row in rows.itertuples():
        text = f"{row.net}: {row.bootstraps:,.0f} bootstraps"
        names.append(textwrap.fill(text if row.finished else f"{text}, not finished in {row.limit_seconds:,.0f} s", 36))
    rows_axis(axes, names)
    axes.tick_params(axis="y", labelsize=9)
    axes.set_title("nets, p_error " + "/".join(f"{value:.2g}" for value in rows["p_error"].unique()), loc="left")
    axes.set_xlabel("CPU per image, s")


def draw_sizes(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw predicted costs of pixels and DCT against the side of the image."""
    for transform, own in rows.groupby("transform", sort=False):
        line = own.dropna(subset=[AHEAD]).sort_values("side")
        axes.plot(line["side"], line[AHEAD], color=colour_of(transform), lw=1.2, ls="--", zorder=2)
        costs_marks(axes, own, False, own["side"])
    log_axis(axes)
    log_axis(axes, "y")
    sides = sorted(rows["side"].unique())
    axes.set_xticks(sides, [f"{side:.0f}x{side:.0f}" for side in sides])
    axes.set_xticks([], minor=True)
    axes.margins(0.12)
    axes.set_title("by size of the image", loc="left")
    axes.set_ylabel("CPU per image, s")


def draw_sweep(axes: Axes, rows: pd.DataFrame) -> list[tuple[float, float, str, str]]:
    """Draw wrong values against CPU of one net by p_error; return the labels of the marks."""
    own = rows.sort_values("p_error")
    colour, y = colour_of(own["transform"].iloc[0]), 100 * own["wrong_values"] / own["values"]
    axes.plot(own[DONE], y, color=colour, marker="o", ms=7, lw=1.2)
    axes.set_title("by p_error", loc="left")
    axes.set(xlabel="CPU per image, s", ylabel="wrong values, %")
    axes.margins(0.18, 0.12)
    return [(*mark, f"{value:.2g}", colour) for *mark, value in zip(own[DONE], y, own["p_error"], strict=True)]


def draw_tfhe(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw CPU seconds per image under TFHE: executed nets, predictions by size, wrong values by p_error."""
    if frames["tfhe"].empty:
        return without_data(OFF, COLUMNS)
    rows = tfhe_rows(frames["tfhe"])
    sweep = part(rows, SWEEP).dropna(subset=[DONE, "values"])
    panels = [(draw_nets, part(rows, NET)), (draw_sizes, part(rows, SIZE)), (draw_sweep, sweep)]
    panels = [(draw, own) for draw, own in panels if len(own)]
    figure = figures.new_figure(max(5.2 * len(panels), 9.0), max(5.4, 2.9 + 0.46 * len(part(rows, NET))))
    labels = {}
    for axes, (draw, own) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        labels[axes] = draw(axes, own)
    handles = {}
    for transform in dict.fromkeys(rows["transform"]):
        handles[short_title(transform)] = Line2D([], [], color=colour_of(transform), lw=2)
    mark = {"ls": "", "marker": "o", "mec": figures.BLACK, "ms": 7.5, "mew": 1.4}
    handles |= {"executed": Line2D([], [], mfc=figures.BLACK, **mark), "predicted": Line2D([], [], mfc="white", **mark)}
    if (~rows["first_relu"]).any():
        handles["without the first ReLU"] = Line2D([], [], mfc="white", **mark | {"marker": "s"})
    note = (
        "One thread. Predicted: the compiler's complexity at the CPU seconds per complexity of the other executed nets."
    )
    both = part(rows, NET).dropna(subset=[DONE, AHEAD])
    note += f" Predicted over executed: {_ends(both[AHEAD] / both[DONE])}." if len(both) else ""
    note += f" Right: {sweep['net'].iloc[0]}; labels are p_error, the allowed error of a look-up." if len(sweep) else ""
    figures.footer(figure, f"{note} Medians of a few images, no intervals.")
    titled(figure, finding(rows), handles)
    for axes, texts in labels.items():
        if texts:
            label_marks(axes, [text[:2] for text in texts], texts, ABOVE, halo=True)
    return figure, rows
