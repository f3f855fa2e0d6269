"""Accuracy against disparate impact of all methods, on clean and on poisoned labels."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.data_notes import span
from scripts.common.interval_kinds import BOOTSTRAP, in_words
from scripts.common.published import values
from scripts.frtrain.points import ACCURACY, DI, FLOOR, LABELS, METHODS, require_rows, spread, wide

PUBLISHED = Path(__file__).with_name("published.yaml")
LOWEST = 0.69  # a printed accuracy below this is pointed to
COLUMNS = ["labels", "method", "layer", "seeds", "disparate_impact", "di_low", "di_high", "accuracy"]
COLUMNS += ["accuracy_low", "accuracy_high"]


def standard(choices: pd.DataFrame) -> pd.DataFrame:
    """Return the settings of the comparison: synthetic data, demographic parity, every method in its usual form."""
    rows = wide(spread(choices))
    own = (rows.dataset == "synthetic") & (rows.notion == "parity") & (rows.variant == "standard")
    return require_rows(rows[own], "the synthetic comparison")


def draw_panel(axes: Axes, rows: pd.DataFrame, labels: str) -> list[dict]:
    """Draw one panel; return the numbers drawn."""
    drawn, printed = [], values(PUBLISHED, "synthetic")
    axes.axvline(FLOOR, color="#808080", lw=1.0, ls="--", zorder=1)
    for method, (colour, marker) in METHODS.items():
        own = rows[(rows.method == method) & (rows.protocol == "corrected")]
        for row in own.to_dict("records"):
            one = pd.DataFrame([row])
            bars = {
                side: figures.offsets(one[metric], one[f"{metric}_low"], one[f"{metric}_high"])
                for side, metric in (("xerr", DI), ("yerr", ACCURACY))
            }
            look = {"color": colour, "marker": marker, "ms": 8, "elinewidth": 0.9, "capsize": 2, "zorder": 4}
            axes.errorbar(row[DI], row[ACCURACY], **bars, **look, ls="none", label=method, mec="white", mew=0.8)
            drawn.append(
                {"labels": labels, "method": method, "layer": "ours", "seeds": row["seeds"]}
                | {"disparate_impact": row[DI], "di_low": row[f"{DI}_low"], "di_high": row[f"{DI}_high"]}
                | {name: row[name] for name in (ACCURACY, "accuracy_low", "accuracy_high")}
            )
        if method in printed:
            di, accuracy = (printed[method][labels][name] for name in ("disparate_impact", "accuracy"))
            if accuracy >= LOWEST:
                axes.scatter(di, accuracy, marker="x", s=58, color=colour, linewidths=2.2, zorder=5)
            else:
                words = f"{method} printed: {accuracy:.3f}"
                arrow = {"arrowstyle": "-|>", "color": colour}
                place = {"xytext": (di - 0.02, LOWEST + 0.018), "ha": "right", "va": "center", "fontsize": 9.5}
                axes.annotate(words, (di, LOWEST), color=colour, arrowprops=arrow, zorder=6, **place)
            drawn.append(
                {"labels": labels, "method": method, "layer": "published", "disparate_impact": di, "accuracy": accuracy}
            )
    axes.set(ylim=(LOWEST, None), xlabel="disparate impact (1 = equal acceptance)", ylabel="accuracy on the test rows")
    return drawn


def draw(choices: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw both panels; call it inside `figures.style()`.

    Returns:
        The figure and the numbers drawn: labels, method, layer (ours, published), seeds, disparate impact and
        accuracy with their error bars.

    Raises:
        UserError: the choices hold no run of the comparison.
    """
    rows = standard(choices)
    figure = figures.new_figure(10.5, 5.8)
    drawn, handles, first = [], {}, None
    for place, (labels, words) in enumerate(LABELS.items()):
        axes = figure.add_subplot(1, 2, place + 1, title=words, sharex=first, sharey=first)
        first = first or axes
        drawn += draw_panel(axes, rows[rows.labels == labels], labels)
        handles |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    handles["printed in the study's slides"] = first.scatter([], [], marker="x", color=figures.BLACK)
    figures.legend_above(figure, handles, columns=6)
    seeds, n = rows[rows.protocol == "corrected"].seeds, int(rows.n.max())
    figures.footer(
        figure,
        f"synthetic data; n = {n:,} test rows; {span(int(seeds.min()), int(seeds.max()))} seeds per method "
        "(one where nothing in it is random). Hyperparameter chosen on the validation rows for a disparate impact of "
        f"at least 0.8 (dashed). Marks: means over seeds; bars: {in_words(BOOTSTRAP)}, of every method.",
    )
    return figure, pd.DataFrame(drawn).reindex(columns=COLUMNS)
