"""Work that the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py)."""

TREES = 100  # of an ordinary fit


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many boosted models are fitted, and on how many rows, counted once per hundred trees.

    Args:
        rows: the number of rows of every prepared table; data sets without a file do not take part.
    """
    gradient = study["exponentiated_gradient"]
    ordinary = 1 + len(study["swap_shares"])
    models, total = 0, 0.0
    for entry in study["datasets"]:
        if entry["table"] in rows:
            fits = len(study["seeds"]) * len(entry["protocols"])
            size = min(rows[entry["table"]], entry["most_rows"] or float("inf"))
            models += fits * (ordinary + gradient["iterations"])
            total += fits * size * (ordinary + gradient["iterations"] * gradient["trees"] / TREES)
    return models, total
