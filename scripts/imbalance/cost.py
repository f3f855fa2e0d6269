"""Work that the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py)."""

from scripts.imbalance.names import WEIGHTS
from scripts.imbalance.plan import Plan

GENERATING = {"bootstrap": 0.0, "copula": 0.2, "cart": 0.8, "smote_nc": 1.0, "vae": 2.0}  # in fits, per plan


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many classifiers are fitted, and on how many rows; generators count as so many fits, as measured.

    Args:
        rows: the number of rows of every prepared table; datasets without a file do not take part.
    """
    models, total = 0, 0.0
    for entry in Plan(study).datasets.values():
        if entry["table"] in rows:
            plans = len(entry["plans"])
            controls = 1 + sum(plans if name == WEIGHTS else 1 for name in entry["controls"])
            augmented = plans * len(entry["generators"]) * entry["draws"]
            doses = sum(len(fractions) for fractions in entry["doses"].values())
            checks = (len(entry["variants"]) + len(entry["without"])) * (
                1 + plans
            )  # real rows, and copies of each plan
            fits = controls + augmented + doses + checks
            generating = plans * entry["draws"] * sum(GENERATING[name] for name in entry["generators"])
            size = min(rows[entry["table"]], entry["most_rows"] or float("inf"))
            models += entry["splits"] * fits
            total += entry["splits"] * (fits + generating) * size
    return models, total
