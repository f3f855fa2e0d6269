"""The pictures of rates: before and after each mitigation, and the ROC of detection."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scripts.backdoor.words import (
    ATTACK,
    CLEAN,
    COLOURS,
    INDEX_WORDS,
    MARKERS,
    METHOD_WORDS,
    STAMPED,
    in_kind_order,
    keys_of,
    kind_words,
)
from scripts.common import figures
from scripts.common.aggregate import aggregate
from scripts.common.data_notes import span
from scripts.common.interval_kinds import RANGE, in_words

PANELS = {
    ATTACK: "attack success, true trigger",
    CLEAN: "clean accuracy",
    STAMPED: "stamped images, true label",
}


def mitigated(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the corrected rates of poisoned models on the judge's images, over seeds."""
    own = metrics[(metrics["protocol"] == "corrected") & (metrics["split"] == "test")]
    own = own[own["method"].isin(list(METHOD_WORDS))]
    poisoned = own.loc[keys_of(own) == ATTACK, "kind"].unique()
    own = own[own["kind"].isin(poisoned) & keys_of(own).isin(list(PANELS))]
    return aggregate(own, ["kind", "method", "metric", "condition"], RANGE)


def draw_mitigations(metrics: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw one row per method and one mark per kind of model, for three rates."""
    table = mitigated(metrics)
    kinds, methods = in_kind_order(table["kind"]), [name for name in METHOD_WORDS if name in set(table["method"])]
    canvas = figures.new_figure(12.0, 0.72 * len(methods) + 1.9)
    handles = {}
    keys = keys_of(table)
    for axes, (key, words) in zip(canvas.subplots(1, len(PANELS), sharey=True), PANELS.items(), strict=True):
        for place, kind in enumerate(kinds):
            rows = table[(table["kind"] == kind) & (keys == key)]
            heights = rows["method"].map(methods.index) + 0.15 * (place - (len(kinds) - 1) / 2)
            bars = figures.offsets(rows["value"], rows["ci_low"], rows["ci_high"])
            colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
            axes.errorbar(rows["value"], heights, xerr=bars, fmt=marker, color=colour, ms=6, ls="none", capsize=2)
            handles[kind_words(kind)] = axes.scatter([], [], marker=marker, color=colour)
        low = min(1.0, float(table.loc[keys == key, "ci_low"].min()))
        axes.set(title=words, xlabel="share of images", xlim=(-0.03 if key != CLEAN else low - 0.01, 1.03))
    first = canvas.axes[0]
    first.set_yticks(range(len(methods)), [METHOD_WORDS[name] for name in methods])
    first.set_ylim(len(methods) - 0.5, -0.5)
    canvas.axes[1].set_xlim(right=1.0)
    figures.legend_above(canvas, handles, columns=max(1, len(handles)))
    seeds, n = (span(int(table[name].min()), int(table[name].max())) for name in ("seeds", "n"))
    words = f"{', '.join(sorted(metrics['dataset'].unique()))}; n = {n} test images; seeds per kind: {seeds}; "
    figures.footer(
        canvas,
        words + f"mean over seeds; bars: {in_words(RANGE)} (Wilson); the middle axis is cut.",
    )
    return canvas, table


def draw_roc(roc: pd.DataFrame, models: pd.DataFrame, threshold: float, dataset: str) -> tuple[Figure, pd.DataFrame]:
    """Draw true against false positives over all thresholds, per protocol; false ones counted and simulated."""
    titles = {"corrected": "corrected", "as_published": "as published"}
    measures = {"corrected": {"index": figures.BLUE, "index_log": figures.VERMILION}}
    measures["as_published"] = {"index_lower": figures.GREEN}
    protocols = [name for name in titles if name in set(roc["protocol"])]
    canvas = figures.new_figure(5.6 * max(1, len(protocols)), 5.0)
    panels = canvas.subplots(1, max(1, len(protocols)), squeeze=False)[0]
    if not protocols:
        figures.empty_note(panels[0], "an ROC needs infected and clean models")
    handles = {}
    for axes, protocol in zip(panels, protocols, strict=False):
        for measure, colour in measures[protocol].items():
            rows = roc[(roc["protocol"] == protocol) & (roc["measure"] == measure)]
            x, y = (np.append(0.0, rows[name]) for name in ("false_positives", "true_positives"))
            words = INDEX_WORDS[measure]
            handles[f"{words}: control models"] = axes.plot(x, y, drawstyle="steps-post", color=colour, lw=2.2)[0]
            drawn = {"color": colour, "ls": "--", "marker": "."}
            handles[f"{words}: simulated"] = axes.plot(rows["simulated"], rows["true_positives"], **drawn)[0]
            if measure != "index_log":  # the published threshold is one on norms
                at = rows[rows["threshold"] == threshold]
                axes.plot(at["simulated"], at["true_positives"], "*", ms=14, color=colour, zorder=5)
        many = models[models["protocol"] == protocol]["many_true"].value_counts()
        axes.plot([0, 1], [0, 1], color=figures.GREY, ls=":")
        counts = f"{many.get(1, 0)} infected, {many.get(0, 0)} clean"
        axes.set(title=f"{titles[protocol]}: {counts}", xlabel="false positives", ylabel="infected models found")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    if handles:
        figures.legend_above(canvas, handles, columns=3)
    words = (
        f"{dataset}; models with one or no infected label; thresholds on the index of the smallest norm; star: above "
    )
    figures.footer(canvas, words + f"{threshold:g}, with the false positives of simulated models.")
    return canvas, roc
