"""What happens round by round on the first split: error, balance and gap, and who has the weight."""

import pandas as pd
from matplotlib.figure import Figure

from scripts.boosting import names
from scripts.boosting.looks import cells, is_single, need, rows_note
from scripts.boosting.notions import ODDS_SUM
from scripts.common import figures

LOOKS = (("AdaBoost", figures.GREY), ("AdaFair", figures.BLUE), ("AdaFair, not cumulative", figures.ORANGE))
LOOKS += (("AdaFair, corrected costs", figures.SKY),)
SHOWN = dict(zip(names.FOLLOWED, LOOKS, strict=True))  # (protocol, method): words, colour
LINES = {"zero_one_loss": "error", "balanced_error": "balanced error", ODDS_SUM: "equalized odds gap, sum"}
PARTS = {"test": "-", "watched": ":"}
CELLS = {  # cell of one attribute and label: words, colour, line
    ("0", 1): ("protected, label 1", figures.VERMILION, "-"),
    ("1", 1): ("others, label 1", figures.BLUE, "-"),
    ("0", 0): ("protected, label 0", figures.VERMILION, "--"),
    ("1", 0): ("others, label 0", figures.BLUE, "--"),
}


def draw_rounds(rounds: pd.DataFrame, facts: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw error, balanced error and gap by round, with the chosen round; call it inside `figures.style()`."""
    shown = rounds[is_single(rounds["attributes"])]
    key = pd.Series(list(zip(shown["protocol"], shown["method"], strict=True)), index=shown.index)
    shown = need(shown[key.isin(list(SHOWN))], "boosters with one attribute")
    places = cells(shown)
    figure = figures.new_figure(2.2 + 4.2 * len(places), 9.0)
    grid, handles = figure.subplots(len(LINES), len(places), squeeze=False, sharex="col"), {}
    for column, (dataset, attribute) in enumerate(places):
        cell = shown[(shown["dataset"] == dataset) & (shown["attributes"] == attribute)]
        for row, (metric, words) in enumerate(LINES.items()):
            axes = grid[row, column]
            for (protocol, method), (arm, colour) in SHOWN.items():
                own = cell[(cell["protocol"] == protocol) & (cell["method"] == method)]
                for part, line in PARTS.items():
                    rows = own[own["part"] == part].sort_values("round")
                    drawn = axes.plot(rows["round"], rows[metric], color=colour, ls=line, lw=1.4)[0]
                    if part == "test":
                        handles[arm] = drawn
                chosen = own[(own["part"] == "test") & (own["round"] == own["theta"])]
                dot = axes.scatter(chosen["round"], chosen[metric], s=60, color=colour, edgecolor="black", zorder=4)
                handles["chosen round"] = dot
            axes.set_ylabel(words if column == 0 else "")
            axes.set_ylim(bottom=0 if metric == ODDS_SUM else None)
        grid[0, column].set_title(f"{dataset}, {attribute}")
        grid[-1, column].set_xlabel("round")
    handles["chosen round"] = handles.pop("chosen round")  # last
    figures.legend_above(figure, handles, columns=len(handles))
    note = "First split only. Solid: test part; dotted: training part, on which the round is chosen."
    figures.footer(figure, f"{note} {rows_note(facts, places)}.")
    return figure, shown


def draw_weights(masses: pd.DataFrame, facts: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of weight of every group and label by round; call it inside `figures.style()`."""
    shown = masses[is_single(masses["attributes"])]
    places = cells(need(shown, "weights with one attribute"))
    key = pd.Series(list(zip(shown["protocol"], shown["method"], strict=True)), index=shown.index)
    shown = shown[key.isin(names.WEIGHED)]
    figure = figures.new_figure(3.0 + 3.4 * len(names.WEIGHED), 1.7 + 3.0 * len(places))
    grid, handles = figure.subplots(len(places), len(names.WEIGHED), squeeze=False, sharey="row", sharex=True), {}
    for row, (dataset, attribute) in enumerate(places):
        cell = shown[(shown["dataset"] == dataset) & (shown["attributes"] == attribute)]
        for column, (protocol, method) in enumerate(names.WEIGHED):
            axes = grid[row, column]
            own = cell[(cell["protocol"] == protocol) & (cell["method"] == method)]
            for (group, y), (words, colour, line) in CELLS.items():
                rows = own[(own["cell"] == group) & (own["label"] == y)].sort_values("round")
                handles[words] = axes.plot(rows["round"], rows["share"], color=colour, ls=line, lw=1.5)[0]
            axes.set_title(f"{method}\n{dataset}, {attribute}", fontsize=10.5)
        grid[row, 0].set_ylim(0, 1.05 * cell["share"].max())
        grid[row, 0].set_ylabel("share of the weight")
    for axes in grid[-1]:
        axes.set_xlabel("round")
    figures.legend_above(figure, handles, columns=4)
    figures.footer(figure, f"First split only. {rows_note(facts, places)}.")
    return figure, shown
