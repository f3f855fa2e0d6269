"""From a cell and its data to a fitted model, with what several cells share computed once."""

from functools import cached_property

import numpy as np

from scripts.common.seeds import seed_from
from scripts.frtrain.adversarial import fit_adversarial
from scripts.frtrain.covariance import NO_PENALTY, fit_covariance
from scripts.frtrain.datasets import FR_TRAIN_ROWS, Data
from scripts.frtrain.fr_train import LOOPS, drawn_initial, fit_fr_train, published_initial
from scripts.frtrain.label_bias import label_bias_path
from scripts.frtrain.logistic import fit_logistic, with_constant
from scripts.frtrain.plan import Cell
from scripts.frtrain.reweight import HANDOVERS, Reweighted, fit_reweighted, handed_over


class Fitter:
    """Fits any method on one data set at one seed.

    Args:
        data: the data set.
        seed: of everything random in a method.
        initial: file with the published initial weights of FR-Train; None draws others (real data).
    """

    def __init__(self, data: Data, seed: int, initial: str | None) -> None:
        self.data, self.seed, self.initial = data, seed, initial
        x, self.y, self.z = data.part("train")
        self.x, self.y, self.z = with_constant(x), self.y.astype(float), self.z.astype(float)
        self.paths: dict[tuple, np.ndarray] = {}

    @cached_property
    def reweighted(self) -> Reweighted:
        """RML's classifier and row weights."""
        x_clean, y_clean, _ = self.data.part("clean")
        return fit_reweighted(self.x, self.y, with_constant(x_clean), y_clean, seed_from("frtrain rml", self.seed))

    def row_weights(self, cell: Cell) -> dict[str, np.ndarray | None]:
        """Return the weights that a two-step method's second step takes from RML, and where it uses them.

        Whether a group is accepted equally often does not depend on labels, so for parity every row counts in the
        fairness term alike, unless the variant is "everywhere"; for odds it does, so flipped rows shall not count.
        """
        if not cell.method.startswith("rml_"):
            return {"weights": None, "fair_weights": None}
        how = cell.variant if cell.variant in HANDOVERS else "average"
        weights = handed_over(self.reweighted, how)
        everywhere = cell.variant == "everywhere" or cell.notion == "odds"
        return {"weights": weights, "fair_weights": weights if everywhere else None}

    def label_bias(self, cell: Cell, rounds: int) -> np.ndarray:
        """Return LBC after some rounds; the rounds before are kept for other cells."""
        key = (cell.method, cell.variant, cell.notion)
        if len(self.paths.get(key, ())) < rounds:
            own = self.row_weights(cell)
            self.paths[key] = label_bias_path(self.x, self.y, self.z, rounds, odds=cell.notion == "odds", **own)
        return self.paths[key][rounds - 1]

    def fr_train(self, cell: Cell) -> dict[str, np.ndarray]:
        """Return all weights of FR-Train; `classifier` is [d + 1]."""
        # on the published data the loop trains on fewer rows than the other methods
        rows = FR_TRAIN_ROWS if self.initial and cell.variant != "all_rows" else None
        loop = LOOPS[cell.labels]
        switches = {"no_gradient": False, "attached": True}
        loop = loop._replace(push=switches.get(cell.variant, loop.push))
        x_clean, y_clean, _ = self.data.part("clean")
        initial = (
            published_initial(self.initial, self.seed) if self.initial else drawn_initial(self.seed, x_clean.shape[1])
        )
        found = fit_fr_train(
            *self.data.part("train", rows),
            x_clean,
            y_clean,
            initial,
            loop,
            cell.knob,
            odds=cell.notion == "odds",
            reweight=cell.variant != "no_weights",
        )
        return {name: value for name, value in found._asdict().items() if name != "row_weights"}

    def fit(self, cell: Cell) -> dict[str, np.ndarray]:
        """Return the weights of a cell; `classifier` float64 [d + 1] is what predicts."""
        odds, own = cell.notion == "odds", self.row_weights(cell)
        second = cell.method.removeprefix("rml_")
        if second == "fr_train":
            return self.fr_train(cell)
        if second == "lr":
            rows = FR_TRAIN_ROWS if cell.variant == "fr_train_rows" else None
            theta = fit_logistic(self.x[:rows], self.y[:rows])
        elif second == "rml":
            return {"classifier": self.reweighted.theta, "row_weights": self.reweighted.average}
        elif second == "fc":
            own |= {"penalty": NO_PENALTY if cell.dataset == "synthetic" else 1.0}  # see covariance.py
            theta = fit_covariance(self.x, self.y, self.z, cell.knob, odds=odds, **own)
        elif second == "lbc":
            theta = self.label_bias(cell, int(cell.knob))
        elif second == "ad":
            seed, projection = seed_from("frtrain ad", self.seed), cell.variant != "no_projection"
            theta = fit_adversarial(self.x, self.y, self.z, cell.knob, seed, odds=odds, projection=projection, **own)
        else:
            raise ValueError(f"no method {cell.method!r}")
        return {"classifier": theta}


def scores(classifier: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return log-odds float32 [n] of rows [n, d]."""
    return (x.astype(float) @ classifier[:-1] + classifier[-1]).astype(np.float32)
