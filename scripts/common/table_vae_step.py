"""One training step of the table VAE: its loss and the gradient, written out by hand.

The networks are so small that autograd's bookkeeping takes longer than the arithmetic: by hand a step takes less than
half of the time. The tests compare the gradient with autograd's.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from scripts.common.table_encoding import ALWAYS, Layout

LEAST_LOG_VARIANCE = -9.0  # of a score: a column that is a function of others would have a density without bound
TINY = 1e-30  # float32; a probability below it counts as it


class Step:
    """Buffers and constants of a training.

    Args:
        weights: by name, views of `flat`; `flat` is updated by an optimizer that reads the gradient from `flat.grad`.
    """

    def __init__(
        self, layout: Layout, latent: int, kl_weight: float, weights: Mapping[str, Tensor], flat: Tensor
    ) -> None:
        self.layout, self.latent, self.kl_weight, self.weights = layout, latent, kl_weight, weights
        flat.grad = torch.zeros_like(flat)
        self.gradients = views(flat.grad, {name: weight.shape for name, weight in weights.items()})
        self.gates = [(place, gate) for place, gate in enumerate(layout.gates) if gate != ALWAYS]

    @torch.no_grad()
    def __call__(self, batch: Tensor, noise: Tensor) -> Tensor:
        """Return the mean loss of a batch, in nats, and write its gradient.

        Args:
            batch: encoded rows, each followed by its one-hot condition, [n, layout.width + conditions].
            noise: standard normal, [n, latent].
        """
        latent, rows = self.latent, len(batch)
        encoded = activations(self.weights, "encoder", batch)
        mean, log_variance = encoded[-1].split(latent, 1)
        deviation = (0.5 * log_variance).exp()
        drawn = torch.cat([torch.addcmul(mean, noise, deviation), batch[:, self.layout.width :]], 1)
        decoded = activations(self.weights, "decoder", drawn)
        gradient = torch.empty_like(decoded[-1])
        loss = self._reconstruction(decoded[-1], batch, gradient)
        loss += self.kl_weight * divergence(mean, log_variance)
        gradient /= rows
        gradient = self._back("decoder", decoded, gradient)[:, :latent]
        weight = self.kl_weight / rows
        to_log_variance = 0.5 * (gradient * noise * deviation + weight * (deviation.square() - 1))
        self._back("encoder", encoded, torch.cat([gradient + weight * mean, to_log_variance], 1), first=False)
        return loss / rows

    def _reconstruction(self, output: Tensor, batch: Tensor, gradient: Tensor) -> Tensor:
        """Return -log p(batch | output), summed over rows; write its gradients."""
        scores, width = self.layout.scores, self.layout.width
        loss = output.new_zeros(())
        if scores:
            loss += self._scores(output[:, :scores], batch, gradient[:, :scores])
        if width > scores:
            target, probability = batch[:, scores:width], probabilities(output, self.layout)
            loss -= (probability.clamp(min=TINY).log_() * target).sum()
            torch.sub(probability, target, out=gradient[:, scores:])
        return loss

    def _scores(self, mean: Tensor, batch: Tensor, gradient: Tensor) -> Tensor:
        """Return minus the log-density of the scores, summed over the rows that have them; write its gradients."""
        log_variance = self.weights["log_variance"].clamp(min=LEAST_LOG_VARIANCE)
        precision = (-log_variance).exp()
        present = torch.ones_like(mean)
        for place, gate in self.gates:
            present[:, place] = batch[:, gate]
        difference = (mean - batch[:, : self.layout.scores]) * present
        squares, counts = difference.square().sum(0), present.sum(0)
        torch.mul(difference, precision, out=gradient)
        inside = self.weights["log_variance"] > LEAST_LOG_VARIANCE
        self.gradients["log_variance"].copy_(0.5 * (counts - squares * precision) * inside / len(batch))
        return 0.5 * (squares * precision + counts * (log_variance + math.log(2 * math.pi))).sum()

    def _back(self, side: str, values: Sequence[Tensor], gradient: Tensor, first: bool = True) -> Tensor:
        """Write the gradients of a perceptron's weights; return that of its input, if the first layer passes it on."""
        for layer in reversed(range(len(values) - 1)):
            torch.mm(gradient.t(), values[layer], out=self.gradients[f"{side}.weight{layer}"])
            torch.sum(gradient, 0, out=self.gradients[f"{side}.bias{layer}"])
            if layer or first:
                gradient = gradient @ self.weights[f"{side}.weight{layer}"]
            if layer:
                gradient *= values[layer].sign()  # ReLU left values of at least 0
        return gradient


def activations(weights: Mapping[str, Tensor], side: str, rows: Tensor) -> list[Tensor]:
    """Return input, hidden layers (after ReLU) and output of the "encoder" or "decoder"."""
    values, layers = [rows], sum(name.startswith(f"{side}.weight") for name in weights)
    for layer in range(layers):
        rows = torch.addmm(weights[f"{side}.bias{layer}"], rows, weights[f"{side}.weight{layer}"].t())
        values.append(rows.relu_() if layer < layers - 1 else rows)
        rows = values[-1]
    return values


def probabilities(output: Tensor, layout: Layout) -> Tensor:
    """Return the softmax of each block of an output, side by side, [n, width - scores]."""
    if not layout.sizes:
        return output[:, layout.scores :]
    columns = output[:, layout.scores :].t().contiguous()  # so that the softmax of a block runs along its rows, faster
    return torch.cat([block.softmax(0) for block in columns.split(layout.sizes)]).t().contiguous()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)), summed over rows and dimensions, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()


def views(flat: Tensor, shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Return parts of a flat vector as tensors of the given shapes, which share its memory."""
    parts = flat.split([math.prod(shape) for shape in shapes.values()])
    return {name: part.view(*shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
