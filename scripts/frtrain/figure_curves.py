"""How accuracy and disparate impact change with the poisoning rate and with the size of the validation set."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.common import figures
from scripts.common.aggregate import aggregate
from scripts.common.interval_kinds import RANGE
from scripts.frtrain.points import ACCURACY, DI, METHODS, require_rows

SHOWN = ("LR", "RML", "FR-Train")
RULES = {"targeted": "one group, largest margin", "both": "both groups, largest margin", "random": "random rows"}
AXES = {ACCURACY: "accuracy on the test rows", DI: "disparate impact"}
COLUMNS = ["rule", "method", "metric", "x", "value", "low", "high", "seeds"]


def curve_rows(metrics: pd.DataFrame, printed: float, seeds: list[int]) -> pd.DataFrame:
    """Return the test metrics of the runs that make the curves: the printed lambda, the seeds of the curves."""
    own = metrics[(metrics.dataset == "synthetic") & (metrics.split == "test") & (metrics.subgroup == "all")]
    own = own[(own.notion == "parity") & (own.variant == "standard") & own.method.isin(SHOWN)]
    own = own[(own.labels == "poisoned") & (own.method.ne("FR-Train") | own.knob.eq(printed))]
    return require_rows(own[own.metric.isin(AXES) & (own.seed.isin(seeds) | own.method.eq("LR"))], "the curves")


def lines(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return mean, lowest and highest value over seeds per method, metric and x."""
    values = rows.sort_values(["method", "metric", x], kind="stable").assign(
        ci_low=rows["value"], ci_high=rows["value"]
    )
    means = aggregate(values, ["method", "metric", x], RANGE)
    return means.rename(columns={x: "x", "ci_low": "low", "ci_high": "high"})[COLUMNS[1:]]


def draw_lines(axes: Axes, table: pd.DataFrame, metric: str) -> dict:
    """Draw one metric's lines with their bands; return the legend's handles."""
    handles = {}
    for method in SHOWN:
        own = table[(table.method == method) & (table.metric == metric)].sort_values("x")
        if own.empty:
            continue
        colour, marker = METHODS[method]
        axes.fill_between(own.x, own.low, own.high, color=colour, alpha=0.18, lw=0)
        (handles[method],) = axes.plot(own.x, own.value, color=colour, marker=marker, ms=5, lw=1.8)
    return handles


def note(rows: pd.DataFrame, printed: float) -> str:
    """Return the words that both figures share in their footers."""
    seeds = rows[rows.method == "FR-Train"].seed.nunique()
    fixed = " (LR has no randomness)" if (rows.method == "LR").any() else ""
    return (
        f"synthetic data; n = {int(rows.n.max()):,} test rows; FR-Train at the printed lambda_f = {printed:g}; lines: "
        f"mean over {seeds} seeds{fixed}, bands: lowest to highest seed"
    )


def draw_rates(rows: pd.DataFrame, printed: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the poisoning-rate curves, a column per rule; call it inside `figures.style()`."""
    rows = rows[rows.clean_rows == 200]
    rules = [rule for rule in RULES if (rows.rule == rule).any()]
    figure = figures.new_figure(3.6 * max(len(rules), 2), 6.4)
    drawn, handles, firsts = [], {}, {}
    for column, rule in enumerate(rules):
        own = lines(rows[(rows.rule == rule) | (rows.rate == 0)], "rate")
        for line, (metric, words) in enumerate(AXES.items()):
            place = line * len(rules) + column + 1
            axes = figure.add_subplot(2, len(rules), place, sharey=firsts.get(metric))
            firsts.setdefault(metric, axes)
            handles |= draw_lines(axes, own.assign(x=100 * own.x), metric)
            axes.set(ylabel=words if not column else "", title="" if line else RULES[rule])
            axes.set(xlabel="flipped training labels (%)" if line else "")
        drawn.append(own.assign(rule=rule))
    figures.legend_above(figure, handles, columns=3)
    figures.footer(figure, note(rows, printed) + ".")
    return figure, figures.stack(drawn, COLUMNS)


def draw_sizes(rows: pd.DataFrame, printed: float) -> tuple[Figure, pd.DataFrame]:
    """Draw the validation-size curves; call it inside `figures.style()`."""
    rows = rows[(rows.rule == "targeted") & (rows.rate == 0.1) & (rows.method != "LR")]
    table = lines(require_rows(rows, "the validation sizes"), "clean_rows").assign(rule="targeted")
    figure = figures.new_figure(9.5, 4.6)
    handles = {}
    sizes = sorted(table.x.unique())
    for place, (metric, words) in enumerate(AXES.items()):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.set_xscale("log")
        handles |= draw_lines(axes, table, metric)
        axes.set_xticks(sizes, [f"{int(size)}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="clean validation rows (log scale)", ylabel=words)
    figures.legend_above(figure, handles, columns=3)
    figures.footer(figure, note(rows, printed) + "; 10 % of the training labels flipped; the paper uses 200 rows.")
    return figure, table.reindex(columns=COLUMNS)
