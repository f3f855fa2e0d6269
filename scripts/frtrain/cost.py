"""Work that the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py)."""

from scripts.frtrain.plan import Plan, cells

SYNTHETIC_ROWS = 2000


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many models are fitted, and on how many rows in all: every method walks over all its rows.

    Args:
        rows: the number of rows of every prepared table.
    """
    plan, models, total = Plan(study), 0, 0.0
    for batch in plan.batches:
        fitted = len(cells(batch, study))
        size = SYNTHETIC_ROWS
        if batch in plan.real:
            size = min(rows[plan.real[batch]["table"]], study["real"]["train_rows"] or float("inf"))
        models, total = models + fitted, total + fitted * size
    return models, total
