"""All pictures of the study, from released numbers alone."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scripts.common import figures, parquet
from scripts.common.aggregate import aggregate
from scripts.common.conditions import condition_value
from scripts.common.data_notes import span
from scripts.common.interval_kinds import NEWCOMBE, RANGE, in_words
from scripts.common.leakage.bounds import rows_needed
from scripts.common.pareto import pareto_mask
from scripts.common.schemas.metrics import METRICS
from scripts.leakage.numbers import ATTACK, BEST, BOUND, LABEL, MEMBER_MEAN, SCORE, VECTOR
from scripts.leakage.theory_samples import HALVES, repeated_best
from scripts.leakage.words import METHOD_WORDS, OUTPUT_WORDS

COLOURS = (figures.BLUE, figures.VERMILION, figures.GREEN, figures.PURPLE, figures.ORANGE, figures.SKY, figures.BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "*")
OUTPUT_LOOKS = {  # condition of the attack: words, colour, marker, shift within the row
    LABEL: (OUTPUT_WORDS["y_pred"], figures.BLUE, "o", -0.24),
    SCORE: (OUTPUT_WORDS["score"], figures.VERMILION, "^", -0.08),
    MEMBER_MEAN: (OUTPUT_WORDS["score_member_mean"], figures.GREEN, "s", 0.08),
    VECTOR: (OUTPUT_WORDS["vector"], figures.PURPLE, "D", 0.24),
}
CERTIFICATES = {  # method of `rows_needed`: words, colour, marker, start of upper_method
    "labels": ("labels (McDiarmid)", figures.BLUE, "o", "McDiarmid"),
    "thresholds": ("single thresholds on a score (DKW)", figures.VERMILION, "^", "DKW"),
    "bins": ("five declared bins of a score (Weissman)", figures.GREEN, "s", "none"),
}
PANELS = ("from one label", "from scores and vectors")
TABLE, ATTRIBUTE = "AdultCensus", "sex"


def of_attribute(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of methods on Adult and sex, with `what` as the method's own name."""
    own = metrics[(metrics["dataset"] == TABLE) & metrics["method"].str.startswith(f"{ATTRIBUTE}.")]
    own = own.assign(what=own["method"].str.split(".").str[1])
    return own[own["what"].isin(list(METHOD_WORDS))]


def seeds_note(table: pd.DataFrame) -> str:
    """Say what the marks of methods rest on: data, rows, seeds and bars."""
    seeds = span(int(table["seeds"].min()), int(table["seeds"].max()))
    rows = span(int(table["n"].min()), int(table["n"].max()))
    words = f"{TABLE}, {ATTRIBUTE}; n = {rows} judging rows; seeds per method: {seeds}; mean over seeds, "
    return f"{words}{in_words(table['interval'])}."


def draw_bound(audit: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the leak of every attack over the gap of the label, labels and scores apart."""
    told = audit[audit["attack_ba"].notna() & audit["dpd"].notna()].copy()
    for name, column in (("leak", "attack_ba"), ("leak_low", "ba_lo"), ("leak_high", "ba_hi")):
        told[name] = told["k"] * told[column] - 1
    told["panel"] = np.where(told["exposure"] == "label", *PANELS)
    figure = figures.new_figure(11.0, 5.6)
    most = max(0.05, float(told["leak_high"].max()), float(told["dpd"].max()))
    least = min(0.0, float(told["leak_low"].min()))
    handles = {}
    for place, (axes, panel) in enumerate(zip(figure.subplots(1, 2, sharex=True, sharey=True), PANELS, strict=True)):
        own = told[told["panel"] == panel]
        axes.plot([0, most], [0, most], color=figures.BLACK, lw=1.2, zorder=1)
        axes.axhline(0, color=figures.GREY, ls=":", lw=1)
        for study, colour, marker in zip(sorted(told["study"].unique()), COLOURS * 3, MARKERS * 2, strict=False):
            rows = own[own["study"] == study]
            if rows.empty:
                continue
            axes.errorbar(
                rows["dpd"],
                rows["leak"],
                yerr=figures.offsets(rows["leak"], rows["leak_low"], rows["leak_high"]),
                fmt=marker,
                ms=5,
                color=colour,
                alpha=0.75,
                elinewidth=0.8,
            )
            handles[study] = axes.scatter([], [], marker=marker, color=colour)
        axes.set(
            title=panel,
            xlabel="gap of the label between groups",
            xlim=(-0.02, most + 0.02),
            ylim=(least - 0.02, most + 0.02),
        )
        if place == 0:
            axes.set_ylabel("leak of the attack: k × balanced accuracy − 1")
            axes.annotate(
                "the most that\none label allows",
                (most * 0.78, most * 0.78),
                (most * 0.52, most * 0.9),
                fontsize=9,
                ha="right",
                arrowprops={"arrowstyle": "-", "color": figures.GREY},
            )
    figures.legend_above(figure, handles, columns=max(1, len(handles)))
    many = told.groupby("study")["run"].nunique()
    words = ", ".join(f"{count} models of {study}" for study, count in many.items())
    sizes = span(int(told["n_test"].min()), int(told["n_test"].max()))
    figures.footer(figure, f"{words}; n = {sizes} judging rows each; {in_words(NEWCOMBE)}; dotted: guessing.")
    columns = [
        "panel",
        "study",
        "run",
        "attribute",
        "output",
        "k",
        "dpd",
        "leak",
        "leak_low",
        "leak_high",
        "attack_name",
        "n_test",
    ]
    return figure, told[columns].reset_index(drop=True)


def draw_exposures(metrics: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the strongest attack on every output of every method on Adult and sex."""
    own = of_attribute(metrics)
    attacks = own[(own["metric"] == ATTACK) & own["condition"].isin(list(OUTPUT_LOOKS))]
    table = aggregate(attacks, ["what", "condition"], RANGE)
    order = [name for name in METHOD_WORDS if name in set(table["what"])]
    figure = figures.new_figure(9.5, 2.2 + 0.55 * len(order))
    axes, handles = figure.add_subplot(), {}
    for seen, (words, colour, marker, shift) in OUTPUT_LOOKS.items():
        rows = table[table["condition"] == seen]
        if rows.empty:
            continue
        bars = figures.offsets(rows["value"], rows["ci_low"], rows["ci_high"])
        heights = rows["what"].map(order.index) + shift
        axes.errorbar(rows["value"], heights, xerr=bars, fmt=marker, color=colour, ms=6, ls="none", capsize=2)
        handles[words] = axes.scatter([], [], marker=marker, color=colour)
    axes.axvline(0.5, color=figures.GREY, ls=":")
    axes.set_yticks(range(len(order)), [METHOD_WORDS[name] for name in order])
    axes.set(ylim=(len(order) - 0.5, -0.5), xlabel="balanced accuracy of the strongest attack (0.5 is guessing)")
    figures.legend_above(figure, handles, columns=4)
    note = seeds_note(table)
    figures.footer(figure, note)
    return figure, table


def draw_pareto(metrics: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw error against leakage, from the label alone and from everything exposed; efficient methods are joined."""
    own, parts = of_attribute(metrics), []
    right = aggregate(own[(own["metric"] == "accuracy")], ["what"], RANGE).set_index("what")
    for panel, seen in (("what one label allows", BOUND), ("strongest attack on any output", BEST)):
        leak = aggregate(own[(own["metric"] == ATTACK) & (own["condition"] == seen)], ["what"], RANGE)
        error, low, high = (1 - leak["what"].map(right[name]) for name in ("value", "ci_high", "ci_low"))
        efficient = pareto_mask(np.column_stack([error, leak["value"]]))
        parts.append(leak.assign(panel=panel, error=error, error_low=low, error_high=high, efficient=efficient))
    table, handles = pd.concat(parts, ignore_index=True), {}
    figure = figures.new_figure(11.0, 6.4)
    order = [name for name in METHOD_WORDS if name in set(table["what"])]
    for axes, panel in zip(figure.subplots(1, 2, sharey=True), table["panel"].unique(), strict=True):
        rows = table[table["panel"] == panel]
        front = rows[rows["efficient"]].sort_values("error")
        axes.plot(front["error"], front["value"], color=figures.GREY, lw=1.4, zorder=1)
        for number, name in enumerate(order):
            one, colour, marker = rows[rows["what"] == name], COLOURS[number % len(COLOURS)], MARKERS[number]
            bars = {
                "yerr": figures.offsets(one["value"], one["ci_low"], one["ci_high"]),
                "xerr": figures.offsets(one["error"], one["error_low"], one["error_high"]),
            }
            axes.errorbar(one["error"], one["value"], **bars, fmt=marker, color=colour, ms=7, elinewidth=0.8)
            handles[METHOD_WORDS[name]] = axes.scatter([], [], marker=marker, color=colour)
        axes.axhline(0.5, color=figures.GREY, ls=":")
        axes.set(title=panel, xlabel="error of the model")
    figure.axes[0].set_ylabel("balanced accuracy of guessing the sex")
    figures.legend_above(figure, handles, columns=3)
    note = seeds_note(table)
    figures.footer(figure, note)
    return figure, table


def draw_queries(metrics: pd.DataFrame, queries: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the attack's accuracy over the number of queries, and the exact example."""
    own = of_attribute(metrics)
    asked = own.assign(queries=own["condition"].map(lambda text: condition_value(text, "queries")))
    asked = asked[(asked["metric"] == ATTACK) & asked["queries"].notna()].astype({"queries": int})
    table = aggregate(asked, ["what", "queries"], RANGE)
    counts = sorted(table["queries"].unique()) or sorted(queries["queries"].unique())
    exact = pd.DataFrame(
        {"what": "exact", "queries": counts, "value": [float(repeated_best(HALVES, int(count))) for count in counts]}
    )
    figure = figures.new_figure(8.5, 5.6)
    axes, handles = figure.add_subplot(), {}
    for number, name in enumerate([name for name in METHOD_WORDS if name in set(table["what"])]):
        rows, colour, marker = table[table["what"] == name].sort_values("queries"), COLOURS[number], MARKERS[number]
        bars = figures.offsets(rows["value"], rows["ci_low"], rows["ci_high"])
        axes.errorbar(rows["queries"], rows["value"], yerr=bars, fmt=marker, ls="-", color=colour, capsize=2)
        handles[METHOD_WORDS[name]] = axes.scatter([], [], marker=marker, color=colour)
    handles["exact example X9, no gap"] = axes.plot(exact["queries"], exact["value"], color=figures.BLACK, ls="--")[0]
    axes.axhline(0.5, color=figures.GREY, ls=":")
    axes.set(xscale="log", xlabel="queries per person", ylabel="balanced accuracy of guessing the sex")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    figures.legend_above(figure, handles, columns=2)
    note = "the exact example alone: no model here draws its labels"
    if len(table):
        note = seeds_note(table)
    figures.footer(figure, note)
    return figure, pd.concat([table, exact], ignore_index=True)


def draw_certified(audit: pd.DataFrame, certify: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the certified epsilon over the rows of the smallest group, and what the error term alone allows."""
    marks = audit[audit["certified_epsilon"].notna()]
    figure = figures.new_figure(9.0, 6.0)
    axes, handles, lines = figure.add_subplot(), {}, []
    grid = np.geomspace(0.004, 1.0, 60)
    for method, (words, colour, marker, start) in CERTIFICATES.items():
        line = pd.DataFrame({"method": method, "rows": [rows_needed(method, value) for value in grid], "epsilon": grid})
        handles[words] = axes.plot(line["rows"], line["epsilon"], color=colour, lw=1.5)[0]
        own = marks[marks["upper_method"].str.startswith(start)]
        axes.scatter(own["n_test_min_group"], own["certified_epsilon"], color=colour, marker=marker, s=26, alpha=0.6)
        lines.append(line.assign(kind="error term"))
        lines.append(
            pd.DataFrame(
                {
                    "method": method,
                    "rows": own["n_test_min_group"],
                    "epsilon": own["certified_epsilon"],
                    "study": own["study"],
                    "run": own["run"],
                    "kind": "audited row",
                }
            )
        )
    axes.axhline(certify, color=figures.GREY, ls=":")
    axes.text(
        0.99,
        certify,
        f"counts as certified below {certify:g}",
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=9,
        color=figures.GREY,
    )
    smallest = max(30, int(marks["n_test_min_group"].min()) // 2) if len(marks) else 100
    axes.set(xscale="log", yscale="log", xlim=(smallest, 100_000), ylim=(0.005, 1.2))
    for axis, form in ((axes.xaxis, "{x:,.0f}"), (axes.yaxis, "{x:g}")):
        axis.set_major_formatter(form)
    axes.set(xlabel="rows of the smallest group", ylabel="certified ε: k × upper bound − 1")
    figures.legend_above(figure, handles, columns=2)
    figures.footer(
        figure,
        f"lines: two groups of this size, confidence 0.95; marks: {len(marks)} rows of the audit, as in the table.",
    )
    return figure, figures.stack(lines, ["kind", "method", "study", "run", "rows", "epsilon"])


def draw_all(metrics_path: str, audit_path: str, queries_path: str, folder: Path, certify: float) -> None:
    """Write every figure of the study into a folder."""
    metrics = parquet.read(metrics_path, METRICS)
    audit, queries = parquet.read(audit_path), parquet.read(queries_path)
    drawings = {
        "bound_and_attack": lambda: draw_bound(audit),
        "exposures_by_defence": lambda: draw_exposures(metrics),
        "accuracy_and_leakage": lambda: draw_pareto(metrics),
        "repeated_queries": lambda: draw_queries(metrics, queries),
        "certified_by_rows": lambda: draw_certified(audit, certify),
    }
    for name, draw in drawings.items():
        with figures.style():
            figures.save(*draw(), folder / name)
