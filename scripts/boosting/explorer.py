"""The Pareto explorer: a page on which a reader weighs error, balance and fairness and sees which model that chooses.

Candidates are the rounds of all boosters on the first split. What no other one beats is found, and chosen from, on
every other test row; the numbers shown for the chosen model are those of the remaining test rows, which chose nothing.
"""

from pathlib import Path

import pandas as pd

from scripts.boosting import names
from scripts.boosting.looks import cells, labelled
from scripts.common import html
from scripts.common.files import atomic_path
from scripts.common.pareto import pareto_mask

OBJECTIVES = {  # column: short words, what it says in a sentence
    "error": ("error", "people judged wrongly"),
    "balance": ("balance", "difference between the shares of positives and of negatives judged rightly"),
    "SP": ("equal acceptance", "largest gap between groups in the share accepted (SP)"),
    "EOpp": ("equal opportunity", "largest gap between groups in the share of positives accepted (EOpp)"),
    "EOdds_max": (
        "equal errors",
        "largest gap between groups in the share of positives or of negatives judged rightly",
    ),
}
DIGITS = 5
PAGES = Path(__file__).parent / "html"


def candidates(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the models that no other one beats on the choosing rows, with their numbers on both halves.

    Args:
        rounds: all rounds of one cell. AdaFair with held-out rows is left out: it was fitted on fewer rows.

    Returns:
        arm, round, theta, and `choice_X` and `report_X` for every objective X. A round that accepts everybody or nobody
        is none.
    """
    keys = ["arm", "round", "theta"]
    rounds = labelled(rounds[rounds["method"] != names.ADAFAIR_HELD]).drop_duplicates(["arm", "round", "part"])
    halves = {}
    for part in ("choice", "report"):
        own = rounds[rounds["part"] == part].set_index(keys)
        halves[part] = own[(own["rate"] > 0) & (own["rate"] < 1)][list(OBJECTIVES)].add_prefix(f"{part}_")
    joined = halves["choice"].join(halves["report"], how="inner").dropna().reset_index()
    points = joined[[f"choice_{name}" for name in OBJECTIVES]].round(DIGITS)
    joined = joined[pareto_mask(points) & ~points.duplicated()]
    return joined.round(DIGITS).reset_index(drop=True)


def content(rounds: pd.DataFrame, facts: pd.DataFrame) -> dict:
    """Return what the page holds: objectives, and of every cell its candidates."""
    found = []
    for dataset, attributes in cells(rounds):
        own = candidates(rounds[(rounds["dataset"] == dataset) & (rounds["attributes"] == attributes)])
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


def write_explorer(rounds: pd.DataFrame, facts: pd.DataFrame, path: str | Path) -> None:
    """Write the page, whole or not at all; it needs no network."""
    held = content(rounds, facts)
    page = html.page(
        html.environment(PAGES),
        "explorer.html.jinja",
        title="Weigh error, balance and fairness, and see which model that chooses",
        styles=["explorer.css"],
        scripts=["base.js", "explorer.js"],
        data=held,
        **held,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
