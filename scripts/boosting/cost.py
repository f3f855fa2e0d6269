"""How much work the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py).

In trees of xgboost per row. What else is fitted is counted as so many trees, as measured on Adult with one thread.
"""

from scripts.boosting.plan import Plan

STUMP, LIBRARY_STUMP, ITERATION = 0.1, 4.0, 80.0  # of our boosters, of scikit-learn's, of exponentiated gradient
ONE, SEVERAL = 8, 4  # boosters of stumps with one attribute; with several, beside one per attribute
PEERS = 2  # by fairlearn; scikit-learn's booster runs with one attribute only


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many models are fitted, and on how many rows, counted once per tree.

    Args:
        rows: the number of rows of every prepared table; data sets without a file do not take part.
    """
    gradient, peers = study["gradient"], study["peers"]
    boosted = 1 + len(gradient["notions"]) * len(gradient["weights"])
    models, total = 0, 0.0
    for entry in Plan(study).cells.values():
        if entry["table"] in rows:
            several = len(entry["attributes"]) > 1
            stumps = SEVERAL + len(entry["attributes"]) if several else ONE
            trees = boosted * gradient["rounds"] + STUMP * stumps * study["rounds"] + ITERATION * peers["iterations"]
            trees += 0 if several else LIBRARY_STUMP * peers["adaboost_rounds"]
            models += len(study["seeds"]) * (boosted + stumps + PEERS + (not several))
            total += len(study["seeds"]) * trees * min(rows[entry["table"]], entry["most_rows"] or float("inf"))
    return models, total
