"""Generated people in whose data the tasks of two clusters conflict by construction.

With s = +1 for one group and -1 for the other, u_0 and u_1 two orthogonal unit vectors, and c(t) the cluster of task t:

    x = z + proxy * s * e,                                     z ~ N(0, I)
    w_t = sqrt(1 - unlike^2) * u_c(t) + unlike * v_t           v_t a unit vector of the task alone
    logit_t = signal * x.w_t + effect * s * (+1 in cluster 0, -1 in cluster 1)
    label_t ~ Bernoulli(sigmoid(logit_t))

u_c and v_t are orthogonal to the unit vector e, so x tells the group along e and nowhere else: a fit that uses e helps
the tasks of one cluster with the weight with which it harms those of the other. s itself is no feature.
"""

from collections.abc import Mapping

import numpy as np

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from
from scripts.multitask.people import People
from scripts.multitask.sources.rows import drawn, standardised

GROUPS = ("group A", "group B")
DEFAULTS = {
    "seed": 0,
    "features": 16,
    "signal": 1.5,  # deviation of the part of a logit that is x.w
    "effect": 1.0,  # of the group on a logit
    "unlike": 0.4,  # how far the tasks of a cluster differ, 0 to 1
    "proxy": 1.0,  # how far the groups' means lie from 0, in deviations of a feature
    "share": 0.5,  # of group B
}


def people(name: str, entry: Mapping, _places: Mapping[str, str]) -> People:
    """Return generated people; the first half of the tasks is cluster 0, the others are cluster 1.

    Args:
        entry: rows, tasks (their number); as far as given what DEFAULTS names.

    Raises:
        UserError: there are fewer than four tasks or features, too few for two clusters.
    """
    where = f"config: multitask.datasets.{name}"
    about = DEFAULTS | dict(entry)
    rows, tasks, features = about["rows"], about["tasks"], about["features"]
    if tasks < 4:
        raise UserError(f"{where}.tasks: {tasks}, but two clusters of at least two tasks need 4")
    if features < 4:
        raise UserError(f"{where}.features: {features}, but the groups' and the tasks' directions need 4")
    clusters = tuple(int(task >= tasks - tasks // 2) for task in range(tasks))
    weights, group_direction = directions(clusters, features, about["unlike"], about["seed"])
    rng = np.random.default_rng(seed_from("multitask", "generated", about["seed"]))
    groups = (rng.random(rows) < about["share"]).astype(np.int8)
    sign = 2.0 * groups - 1
    x = rng.standard_normal((rows, features)) + about["proxy"] * sign[:, None] * group_direction
    logits = about["signal"] * x @ weights.T + about["effect"] * sign[:, None] * (1 - 2 * np.array(clusters))
    labels = (rng.random((rows, tasks)) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    split = drawn(rows, "generated", about["seed"])
    return People(
        f"generated, {tasks} tasks in two clusters",
        tuple(f"{'ab'[cluster]}{task + 1}" for task, cluster in enumerate(clusters)),
        "group",
        GROUPS,
        tuple(f"x{place + 1}" for place in range(features)),
        np.arange(rows, dtype=np.int64),
        split,
        groups,
        labels,
        standardised(x, split),
        clusters,
    )


def directions(clusters: tuple[int, ...], features: int, unlike: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the tasks' directions w_t, float64 [T, d] of unit length, and that of the groups, e, float64 [d].

    v_t is orthogonal to e, u_0 and u_1, and w_t of unlike clusters are orthogonal but for their v_t.
    """
    rng = np.random.default_rng(seed_from("multitask", "directions", seed))
    axes = np.linalg.qr(rng.standard_normal((features, 3)))[0].T
    group_direction, shared = axes[0], axes[1:]
    private = rng.standard_normal((len(clusters), features))
    private -= private @ axes.T @ axes
    private /= np.linalg.norm(private, axis=1, keepdims=True)
    return np.sqrt(1 - unlike**2) * shared[list(clusters)] + unlike * private, group_direction
