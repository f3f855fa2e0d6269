"""A small perceptron with weights per row, taken properly or as the package under study takes them."""

from itertools import pairwise

import numpy as np

from scripts.common.batches import in_batches

HIDDEN = (10, 5)  # of the package's network
LEARNING_RATE = 0.01
BATCH = 100


class Perceptron:
    """Two hidden layers with ReLU and one logit, trained by Adam on the logistic loss; scikit-learn's interface.

    With `batch_mean_weight` the loss is averaged over the batch first and multiplied by the rows' weights after, so
    that only the mean weight of a batch remains: the package's fault, which leaves a reduction almost without effect.
    """

    def __init__(self, epochs: int, seed: int, batch_mean_weight: bool = False) -> None:
        self.epochs, self.seed, self.batch_mean_weight = epochs, seed, batch_mean_weight

    def get_params(self, deep: bool = True) -> dict:
        """Return the settings, as scikit-learn's `clone` wants them."""
        return {"epochs": self.epochs, "seed": self.seed, "batch_mean_weight": self.batch_mean_weight}

    def set_params(self, **settings) -> "Perceptron":
        """Change settings."""
        vars(self).update(settings)
        return self

    def fit(self, features: np.ndarray, labels: np.ndarray, sample_weight: np.ndarray | None = None) -> "Perceptron":
        """Train on features [n, d] and labels 0 or 1; weights [n] are scaled to mean 1."""
        features, labels = np.asarray(features, np.float64), np.asarray(labels, np.float64)
        weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        weights = weights / max(weights.mean(), 1e-12)
        random = np.random.default_rng(self.seed)
        sizes = [features.shape[1], *HIDDEN, 1]
        self.layers = [
            [random.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)), np.zeros(fan_out)]
            for fan_in, fan_out in pairwise(sizes)
        ]
        moments = [[np.zeros_like(part), np.zeros_like(part)] for layer in self.layers for part in layer]
        step = 0
        for _ in range(self.epochs):
            for rows in in_batches(random.permutation(len(labels)), BATCH):
                step += 1
                used = weights[rows]
                if self.batch_mean_weight:
                    used = np.full(len(rows), used.mean())
                self._adam(self._gradients(features[rows], labels[rows], used), moments, step)
        return self

    def _gradients(self, features: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
        """Return the gradient of the weighted mean loss for every part of every layer, in their order."""
        values = [features]
        for number, (slope, shift) in enumerate(self.layers):
            out = values[-1] @ slope + shift
            values.append(np.maximum(out, 0) if number < len(self.layers) - 1 else out)
        back = (weights * (sigmoid(values[-1][:, 0]) - labels) / len(labels))[:, None]
        gradients: list[np.ndarray] = []
        for number in range(len(self.layers) - 1, -1, -1):
            gradients = [values[number].T @ back, back.sum(0), *gradients]
            back = (back @ self.layers[number][0].T) * (values[number] > 0)
        return gradients

    def _adam(self, gradients: list[np.ndarray], moments: list[list[np.ndarray]], step: int) -> None:
        """Take one step (Kingma and Ba 2015) in place."""
        parts = [part for layer in self.layers for part in layer]
        for part, gradient, moment in zip(parts, gradients, moments, strict=True):
            moment[0] += 0.1 * (gradient - moment[0])
            moment[1] += 0.001 * (gradient**2 - moment[1])
            first, second = moment[0] / (1 - 0.9**step), moment[1] / (1 - 0.999**step)
            part -= LEARNING_RATE * first / (np.sqrt(second) + 1e-8)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the log-odds, float64 [n]."""
        values = np.asarray(features, np.float64)
        for number, (slope, shift) in enumerate(self.layers):
            values = values @ slope + shift
            values = np.maximum(values, 0) if number < len(self.layers) - 1 else values
        return values[:, 0]

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return the probabilities of both labels, float64 [n, 2]."""
        one = sigmoid(self.logits(features))
        return np.column_stack([1 - one, one])

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the labels, int64 [n]."""
        return (self.logits(features) > 0).astype(np.int64)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(values / 2))
