"""How much work the study's settings ask for, to extrapolate the cost of a larger run (scripts/report/paper_cost.py).

In forward passes of one image: a training step 3, a step of a search 2, since it needs no gradient of the weights.
"""

from scripts.backdoor.network import CLASSES

TRAINED = {"package": 5_000, "official": 60_000}  # images that the pools are drawn from, evaluation among them or not
UNLEARNED = 3  # mitigations that train: with the reversed trigger, with the true one, on clean images


def work(study: dict, rows: dict[str, int]) -> tuple[int, float]:
    """Return how many models are trained and searched, and the forward passes of that: at most, as searches end early.

    Args:
        rows: the number of rows of every prepared table; none of them is read here.
    """
    pools, source = study["pools"], study["data"]["source"]
    training, search, notebook = study["training"], study["search"], study["notebook"]
    held = pools["evaluation"] if source == "package" else 0  # the official data has a test part of its own
    images = TRAINED[source] - held - pools["reverse"]
    models = {kind: len(entry["seeds"]) for kind, entry in study["models"].items()}
    steps = search["steps"] * search["batches_per_step"] * search["batch_size"]
    seen = min(images, notebook["images"] or images) * notebook["epochs"]
    unlearning = UNLEARNED * study["mitigation"]["epochs"] * pools["unlearning_share"] * images
    passes = sum(models.values()) * (3 * training["epochs"] * images + 2 * CLASSES * steps)
    passes += sum(many for kind, many in models.items() if kind in notebook["kinds"]) * 2 * CLASSES * seen
    passes += sum(many for kind, many in models.items() if study["models"][kind]["triggers"]) * 3 * unlearning
    return sum(models.values()), float(passes)
