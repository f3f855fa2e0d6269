"""Work that the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py)."""

from itertools import pairwise

from scripts.multitask.methods import METHODS
from scripts.multitask.plan import Plan, seeds_of

PASSES = {  # backward passes through the shared layers of a step, of T tasks; what is not listed takes one
    "pcgrad": lambda tasks: tasks,
    "l2t_fmt": lambda tasks: 4 * tasks,
    "shared": lambda tasks: 1,
    "branching": lambda tasks: 1 + tasks / 2,
    "recon": lambda tasks: 1 + 0.3 * tasks,
    "tag": lambda tasks: 2 + tasks / 5,
}
TASKS = {"celeba": 17, "acs": 5, "faces": 17, "folktables": 5, "table": 5}
ROWS = {"celeba": 162_770, "acs": 21_417, "faces": 4_000, "folktables": 1_500_000}  # training rows, as far as known


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many networks are trained, and the multiply-adds of their backward passes.

    Args:
        rows: the number of rows of every prepared table.
    """
    plan, models, total = Plan(study), 0, 0.0
    for job in plan.jobs.values():
        entry, training = plan.datasets[job.dataset], plan.training(job.dataset)
        listed = entry.get("tasks")
        tasks = listed if isinstance(listed, int) else len(listed or ()) or TASKS[entry["source"]]
        size = _train_rows(entry, rows)
        widths = [40, *training["widths"]]
        weights = sum(a * b for a, b in pairwise(widths))
        for name in job.methods:
            passes = PASSES.get(METHODS[name].function.split(":")[0], lambda tasks: 1)(tasks)
            copies = tasks if METHODS[name].options.get("separate") else 1
            seeds = len(seeds_of(name, entry))
            models += seeds
            total += seeds * training["epochs"] * size * weights * passes * copies
    return models, total


def _train_rows(entry: dict, rows: dict[str, int]) -> float:
    """Return the training rows of a dataset, 7/15 of those of a table and of generated people."""
    most = entry.get("most_rows")
    most = most.get("train") if isinstance(most, dict) else most
    fraction = 7 / 15
    if entry["source"] == "generated":
        return fraction * entry["rows"]
    known = rows.get(entry["table"], 0) * fraction if entry["source"] == "table" else ROWS[entry["source"]]
    return min(known, most or float("inf"))
