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
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.common.errors import UserError
from scripts.common.optimizers import Adam
from scripts.common.schedules import one_cycle
from scripts.common.table_encoding import Layout
from scripts.common.table_vae_step import LEAST_LOG_VARIANCE, Step, activations, probabilities, views
from scripts.common.weights import read_state, save_settings, save_state

CPU = torch.device("cpu")
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
    first = _first_weights(layout, conditions, settings, rows[:, : layout.width].mean(0), generator)
    flat = torch.cat([weight.flatten() for weight in first.values()])
    weights = views(flat, {name: weight.shape for name, weight in first.items()})
    step = Step(layout, settings.latent, settings.kl_weight, weights, flat)
    optimizer = Adam([flat], lr=settings.learning_rate, fused=True)
    rate, losses = one_cycle(settings.learning_rate, 1), []
    for number, (index, noise) in enumerate(batches(condition, conditions, settings, generator)):
        optimizer.param_groups[0]["lr"] = rate(0, number / settings.steps)
        losses.append(step(rows.index_select(0, index), noise))
        optimizer.step()
    curve = torch.stack(losses).cpu().numpy()
    if not np.isfinite(curve).all():
        raise UserError(f"table VAE: the loss of step {np.isfinite(curve).argmin()} is not finite; lower learning_rate")
    own = {name: weight.clone() for name, weight in weights.items()}  # no longer parts of one vector
    return TableVae(layout, conditions, settings, own, curve)


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
        output = activations(model.weights, "decoder", rows)[-1]
        deviation = (0.5 * model.weights["log_variance"].clamp(min=LEAST_LOG_VARIANCE)).exp()
        noise = torch.randn(len(condition), layout.scores, generator=generator, device=device)
        scores = output[:, : layout.scores] + deviation * noise
        return torch.cat([scores, probabilities(output, layout)], 1).cpu().numpy()


def save(model: TableVae, path: str | Path) -> None:
    """Write weights and losses to `path`, and settings and layout as JSON beside it, with the suffix .json."""
    record = {"settings": asdict(model.settings), "layout": asdict(model.layout), "conditions": model.conditions}
    save_state({**model.weights, "losses": torch.as_tensor(model.losses)}, path)
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
        for layer, (inputs, outputs) in enumerate(pairwise(units)):
            bound = math.sqrt(6 / inputs) * (0.1 if layer == len(inner) else 1)
            uniform = torch.rand(outputs, inputs, generator=generator, device=mean.device)
            weights[f"{side}.weight{layer}"] = (2 * uniform - 1) * bound
            weights[f"{side}.bias{layer}"] = torch.zeros(outputs, device=mean.device)
    bias = weights[f"decoder.bias{len(inner)}"]
    bias[: layout.scores] = mean[: layout.scores]
    bias[layout.scores :] = mean[layout.scores :].clamp(min=1e-5).log()
    return weights


def batches(
    condition: Tensor, conditions: int, settings: VaeSettings, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield per step the positions of its rows, int64 [batch], and its noise, [batch, latent]."""
    device, shape = condition.device, (STEPS_DRAWN, settings.batch)
    order = condition.argsort(stable=True)
    counts = torch.bincount(condition, minlength=conditions)
    first = counts.cumsum(0) - counts
    weights = SAMPLING[settings.sampling](counts.double())  # 0 for a condition without rows
    for start in range(0, settings.steps, STEPS_DRAWN):
        drawn = torch.multinomial(weights, math.prod(shape), replacement=True, generator=generator).reshape(shape)
        place = torch.rand(shape, generator=generator, dtype=torch.float64, device=device) * counts[drawn]
        index = order[first[drawn] + place.long()]
        noise = torch.randn(*shape, settings.latent, generator=generator, device=device)
        yield from zip(index[: settings.steps - start], noise, strict=False)
