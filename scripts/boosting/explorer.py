"""The Pareto explorer: a page on which a reader weighs error, balance and fairness and sees which model that chooses.

Candidates are the rounds of all boosters on the first split. What no other one beats is found, and chosen from, on
every other test row; the numbers shown for the chosen model are those of the remaining test rows, which chose nothing.
"""

from pathlib import Path

import pandas as pd

from scripts.boosting.looks import cells, labelled
from scripts.boosting.notions import ODDS, OPPORTUNITY, PARITY
from scripts.common import html

OBJECTIVES = {  # column: short words, what it says in a sentence
    "zero_one_loss": ("error", "people judged wrongly"),
    "balance": ("balance", "difference between the shares of positives and of negatives judged rightly"),
    PARITY: ("equal acceptance", "largest gap between groups in the share accepted"),
    OPPORTUNITY: ("equal opportunity", "largest gap between groups in the share of positives accepted"),
    ODDS: (
        "equal errors",
        "largest gap between groups in the share of positives or of negatives judged rightly",
    ),
}
PAGES = Path(__file__).parent / "html"


def content(candidates: pd.DataFrame, rounds: pd.DataFrame, facts: pd.DataFrame) -> dict:
    """Return what the page holds: objectives, and of every cell its candidates.

    Args:
        candidates: as `candidates.candidates` returns them, with dataset and attributes.
        rounds: every booster's rounds; an arm's name says its protocol where the cell has both.
        facts: groups and number of test rows of every cell.
    """
    found = []
    for dataset, attributes in cells(rounds):
        arms = rounds[(rounds["dataset"] == dataset) & (rounds["attributes"] == attributes)]
        arms = labelled(arms.drop_duplicates(["protocol", "method"]))[["protocol", "method", "arm"]]
        own = candidates[(candidates["dataset"] == dataset) & (candidates["attributes"] == attributes)]
        own = own.merge(arms, on=["protocol", "method"], how="left")
        about = facts[(facts["dataset"] == dataset) & (facts["attributes"] == attributes)].iloc[0]
        protected, others = (about[name].replace("; ", " and ") for name in ("group_0", "group_1"))
        models = [
            {
                "arm": row["arm"],
                "round": int(row["round"]),
                "kept": int(row["round"]) == int(row["theta"]),
                "choice": [float(row[f"choice_{name}"]) for name in OBJECTIVES],
                "report": [float(row[f"report_{name}"]) for name in OBJECTIVES],
            }
            for _, row in own.iterrows()
        ]
        found.append(
            {
                "name": f"{dataset}: {attributes}",
                "groups": f"protected {protected}, against {others}",
                "rows": int(about["test_rows"]) // 2,
                "models": models,
            }
        )
    words = [{"key": key, "name": short, "says": long} for key, (short, long) in OBJECTIVES.items()]
    return {"objectives": words, "cells": [cell for cell in found if cell["models"]]}


def write_explorer(candidates: pd.DataFrame, rounds: pd.DataFrame, facts: pd.DataFrame, path: str | Path) -> None:
    """Write the page, whole or not at all; it needs no network."""
    html.write_explorer(
        PAGES,
        "Weigh error, balance and fairness, and see which model that chooses",
        content(candidates, rounds, facts),
        path,
    )
