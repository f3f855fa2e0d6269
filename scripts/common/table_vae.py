"""A conditional variational autoencoder for encoded tables (Kingma and Welling 2014; Sohn, Lee and Yan 2015).

Encoder and decoder are multilayer perceptrons that also see a one-hot condition, such as the group and label of a row.
With x a row, c its condition and z its latent vector, the loss of a row is, in nats,

    -log p(x | z, c) + kl_weight * KL(q(z | x, c) || N(0, I)),  z drawn from q(z | x, c),

where log p adds up a cross-entropy per one-hot block and, per score that the row has, the log-density of a Gaussian
with a learned variance, one per score, as in TVAE (Xu, Skoularidou, Cuesta-Infante and Veeramachaneni 2019).
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.common.errors import UserError
from scripts.common.optimizers import Adam
from scripts.common.schedules import one_cycle
from scripts.common.table_encoding import ALWAYS, Layout
from scripts.common.weights import read_state, save_settings, save_state

CPU = torch.device("cpu")
LEAST_LOG_VARIANCE = -9.0  # of a score: a column that is a function of others would have a density without bound
STEPS_DRAWN = 100  # steps whose rows and noise are drawn at once

# Probability that a row of a batch is of a condition with n rows, up to a factor: as they occur; as CTGAN draws its
# conditions, so that rare ones are seen often enough (Xu et al. 2019); all equally often.
SAMPLING = {"rows": lambda n: n, "log_frequency": torch.log1p, "balanced": lambda n: (n > 0).double()}


@dataclass(frozen=True)
class VaeSettings:
    """Hyperparameters: `layers` hidden layers of `hidden` units on both sides; a step sees `batch` rows."""

    hidden: int = 128
    layers: int = 1
    latent: int = 8
    steps: int = 1000
    batch: int = 256
    learning_rate: float = 0.01  # the highest of a one-cycle schedule
    kl_weight: float = 1.0
    sampling: str = "log_frequency"


@dataclass(frozen=True)
class TableVae:
    """A trained model: weights by name, and the loss of every step, float32 [steps], in nats per row."""

    layout: Layout
    conditions: int
    settings: VaeSettings
    weights: dict[str, Tensor]
    losses: np.ndarray


def fit(
    matrix: np.ndarray,
    layout: Layout,
    condition: np.ndarray,
    conditions: int,
    settings: VaeSettings,
    seed: int,
    device: torch.device = CPU,
) -> TableVae:
    """Return a model trained on encoded rows; on a CPU with one thread the same arguments give the same bits.

    Args:
        matrix: rows as `TableEncoding.encode` gives them, float32 [n, layout.width].
        condition: the condition of each row, int [n], 0 to `conditions` - 1; one without rows is allowed.
        seed: of the generator of all draws: first weights, batches, noise.

    Raises:
        UserError: the sampling is unknown, or the loss is not finite.
    """
    if settings.sampling not in SAMPLING:
        raise UserError(f"sampling of a table VAE: {settings.sampling!r} is none of {', '.join(SAMPLING)}")
    generator = torch.Generator(device).manual_seed(seed)
    rows = torch.as_tensor(matrix, device=device)
    condition = torch.as_tensor(condition, dtype=torch.int64, device=device)
    rows = torch.cat([rows, functional.one_hot(condition, conditions)], dim=1)  # to float32
    weights = _first_weights(layout, conditions, settings, rows[:, : layout.width].mean(0), generator)
    parameters = [weight.requires_grad_() for weight in weights.values()]
    optimizer = Adam(parameters, lr=settings.learning_rate, fused=True)
    rate, losses = one_cycle(settings.learning_rate, 1), []
    for step, (index, noise) in enumerate(_batches(condition, conditions, settings, generator)):
        optimizer.param_groups[0]["lr"] = rate(0, step / settings.steps)
        batch = rows.index_select(0, index)
        loss = batch_loss(weights, batch, layout, settings, noise)
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = gradient
        optimizer.step()
        losses.append(loss.detach())
    curve = torch.stack(losses).cpu().numpy()
    if not np.isfinite(curve).all():
        step = int(np.isfinite(curve).argmin())
        raise UserError(f"table VAE: the loss of step {step} is not finite; lower its learning_rate")
    return TableVae(layout, conditions, settings, {name: w.detach() for name, w in weights.items()}, curve)


def batch_loss(weights: dict[str, Tensor], batch: Tensor, layout: Layout, settings: VaeSettings, noise: Tensor) -> Tensor:
    """Return the mean loss of a batch.

    Args:
        batch: encoded rows, each followed by its one-hot condition, [n, layout.width + conditions].
        noise: standard normal, [n, latent].
    """
    output = _perceptron(weights, "encoder", batch)
    mean, log_variance = output[:, : settings.latent], output[:, settings.latent :]
    latent = mean + noise * (0.5 * log_variance).exp()
    output = _perceptron(weights, "decoder", torch.cat([latent, batch[:, layout.width :]], 1))
    return (
        score_loss(output, batch, weights["log_variance"], layout)
        + BlockCrossEntropy.apply(output, batch, layout)
        + settings.kl_weight * divergence(mean, log_variance)
    ) / len(batch)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence KL(N(mean, variance) || N(0, I)), summed over rows and dimensions, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()


def score_loss(output: Tensor, batch: Tensor, log_variance: Tensor, layout: Layout) -> Tensor:
    """Return minus the log-density of the scores, summed over the rows that have them, in nats."""
    if not layout.scores:
        return output.new_zeros(())
    log_variance = log_variance.clamp(min=LEAST_LOG_VARIANCE)
    squares = (batch[:, : layout.scores] - output[:, : layout.scores]).square()
    losses = 0.5 * (squares * (-log_variance).exp() + log_variance + math.log(2 * math.pi))
    gated = [place for place, gate in enumerate(layout.gates) if gate != ALWAYS]
    if not gated:
        return losses.sum()
    present = torch.ones_like(losses)
    present[:, gated] = batch[:, [layout.gates[place] for place in gated]]
    return (losses * present).sum()


class BlockCrossEntropy(torch.autograd.Function):
    """Cross-entropy of logits with one-hot blocks, summed over rows and blocks, in nats.

    One function for all blocks, whose gradient, softmax - target, costs two operations instead of several per block.
    """

    @staticmethod
    def forward(ctx, output: Tensor, batch: Tensor, layout: Layout) -> Tensor:
        """Return the sum."""
        target = batch[:, layout.scores : layout.width]
        log_probability = log_softmax(output, layout)
        ctx.save_for_backward(log_probability, target)
        ctx.scores = layout.scores
        return -(log_probability * target).sum()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the logits; scores have none."""
        log_probability, target = ctx.saved_tensors
        return functional.pad((log_probability.exp() - target) * gradient, (ctx.scores, 0)), None, None


def log_softmax(output: Tensor, layout: Layout) -> Tensor:
    """Return the logarithms of the probabilities of all blocks, side by side, [n, width - scores]."""
    if not layout.sizes:
        return output[:, layout.scores :]
    return torch.cat([block.log_softmax(1) for block in output[:, layout.scores :].split(layout.sizes, 1)], 1)


def sample(model: TableVae, condition: np.ndarray, seed: int) -> np.ndarray:
    """Return one row per condition, float32 [n, layout.width]: drawn scores, and blocks of probabilities.

    `TableEncoding.decode` draws the categories.
    """
    device = model.weights["log_variance"].device
    generator, layout = torch.Generator(device).manual_seed(seed), model.layout
    condition = torch.as_tensor(condition, dtype=torch.int64, device=device)
    latent = torch.randn(len(condition), model.settings.latent, generator=generator, device=device)
    with torch.no_grad():
        rows = torch.cat([latent, functional.one_hot(condition, model.conditions)], 1)
        output = _perceptron(model.weights, "decoder", rows)
        deviation = (0.5 * model.weights["log_variance"].clamp(min=LEAST_LOG_VARIANCE)).exp()
        noise = torch.randn(len(condition), layout.scores, generator=generator, device=device)
        scores = output[:, : layout.scores] + deviation * noise
        return torch.cat([scores, log_softmax(output, layout).exp()], 1).cpu().numpy()


def save(model: TableVae, path: str | Path) -> None:
    """Write the weights to `path`, and settings, layout and losses as JSON beside it, with the suffix .json."""
    save_state({**model.weights, "losses": torch.as_tensor(model.losses)}, path)
    record = {"settings": asdict(model.settings), "layout": asdict(model.layout), "conditions": model.conditions}
    save_settings(record, Path(path).with_suffix(".json"))


def load(path: str | Path) -> TableVae:
    """Return a saved model, on the CPU.

    Raises:
        FileNotFoundError, SafetensorError, OSError: there is no such file, or it is damaged.
    """
    weights, _ = read_state(path)
    record = json.loads(Path(path).with_suffix(".json").read_text(encoding="utf-8"))
    layout = Layout(**{key: tuple(v) if isinstance(v, list) else v for key, v in record["layout"].items()})
    losses = weights.pop("losses").numpy()
    return TableVae(layout, record["conditions"], VaeSettings(**record["settings"]), weights, losses)


def _perceptron(weights: dict[str, Tensor], side: str, rows: Tensor) -> Tensor:
    """Return the output of the encoder or decoder: ReLU after each layer but the last."""
    layers = sum(name.startswith(f"{side}.weight") for name in weights)
    for layer in range(layers):
        rows = functional.linear(rows, weights[f"{side}.weight{layer}"], weights[f"{side}.bias{layer}"])
        rows = rows.relu() if layer < layers - 1 else rows
    return rows


def _first_weights(
    layout: Layout, conditions: int, settings: VaeSettings, mean: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return weights before training: uniform as He et al. (2015), so that activations keep their variance.

    The last layer of the decoder starts small and with the columns' means as bias, log-frequencies for categories, so
    a category without rows starts rare instead of as likely as others. `mean` is that of the encoded rows, [width].
    """
    inner = [settings.hidden] * settings.layers
    sizes = {
        "encoder": [layout.width + conditions, *inner, 2 * settings.latent],
        "decoder": [settings.latent + conditions, *inner, layout.width],
    }
    weights = {"log_variance": torch.zeros(layout.scores, device=mean.device)}
    for side, units in sizes.items():
        for layer, (inputs, outputs) in enumerate(zip(units[:-1], units[1:], strict=True)):
            bound = math.sqrt(6 / inputs) * (0.1 if layer == len(inner) else 1)
            uniform = torch.rand(outputs, inputs, generator=generator, device=mean.device)
            weights[f"{side}.weight{layer}"] = (2 * uniform - 1) * bound
            weights[f"{side}.bias{layer}"] = torch.zeros(outputs, device=mean.device)
    bias = weights[f"decoder.bias{len(inner)}"]
    bias[: layout.scores] = mean[: layout.scores]
    bias[layout.scores :] = mean[layout.scores :].clamp(min=1e-5).log()
    return weights


def _batches(
    condition: Tensor, conditions: int, settings: VaeSettings, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield per step the positions of its rows, int64 [batch], and its noise, [batch, latent]."""
    device, shape = condition.device, (STEPS_DRAWN, settings.batch)
    order = condition.argsort(stable=True)
    counts = torch.bincount(condition, minlength=conditions)
    first = counts.cumsum(0) - counts
    weights = SAMPLING[settings.sampling](counts.double())
    for start in range(0, settings.steps, STEPS_DRAWN):
        drawn = torch.multinomial(weights, math.prod(shape), replacement=True, generator=generator).reshape(shape)
        place = torch.rand(shape, generator=generator, dtype=torch.float64, device=device) * counts[drawn]
        index = order[first[drawn] + place.long()]
        noise = torch.randn(*shape, settings.latent, generator=generator, device=device)
        yield from zip(index[: settings.steps - start], noise, strict=False)
