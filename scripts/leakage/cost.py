"""Work that the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py)."""


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many models are fitted, and on how many rows; the reduction `egd` fits once per iteration.

    Args:
        rows: the number of rows of every prepared table.
    """
    training, models, total = study["training"], 0, 0.0
    for batch in study["models"].values():
        size = min(rows[batch["table"]], training["rows"] or float("inf"))
        for method in batch["methods"]:
            fits = len(batch["seeds"]) * (training["iterations"] if "_egd" in method else 1)
            models, total = models + fits, total + fits * size * (training["epochs"] if "mlp" in method else 1)
    return models, total
