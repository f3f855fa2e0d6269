"""Rule `bench_frtrain`: CPU seconds of a published fit, compiled and by plain autograd, in turns in one process."""

import numpy as np
import torch
from torch.nn import functional

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave
from scripts.frtrain.datasets import FR_TRAIN_ROWS, synthetic_data
from scripts.frtrain.fr_train import LOOPS, Loop, Networks, fit_fr_train
from scripts.frtrain.frtrain_initial import initial_weights
from scripts.frtrain.frtrain_synthetic import synthetic_table

PRINTED = {"clean": 0.85, "poisoned": 0.52}
REPEATS, SEED, FITS_AT_ONCE = 2, 1, 3


def fit_by_autograd(x, y, z, x_clean, y_clean, initial: dict, loop: Loop, fair_weight: float) -> Networks:
    """Fit FR-Train as `fit_fr_train` does, written with autograd and torch's optimizers: the way a reader would."""
    x, y, z, x_clean, y_clean = (torch.from_numpy(np.ascontiguousarray(v)) for v in (x, y, z, x_clean, y_clean))
    t = (y + 1) / 2
    g, gb = torch.tensor(initial["g"], requires_grad=True), torch.zeros(1, requires_grad=True)
    df, dfb = torch.tensor(initial["df"], requires_grad=True), torch.zeros(1, requires_grad=True)
    w1, w2 = (torch.tensor(initial[name], requires_grad=True) for name in ("w1", "w2"))
    b1, b2 = torch.zeros(len(w2), requires_grad=True), torch.zeros(1, requires_grad=True)
    adam = torch.optim.Adam([g, gb], lr=loop.rates[0])
    sgd_f = torch.optim.SGD([df, dfb], lr=loop.rates[1])
    sgd_r = torch.optim.SGD([w1, b1, w2, b2], lr=loop.rates[2])
    bce, weights, loss = functional.binary_cross_entropy_with_logits, torch.ones(len(y)), torch.tensor(0.0)
    lr = loop.robust_weight

    def robust(rows, label) -> torch.Tensor:
        hidden = torch.cat([rows, label[:, None]], 1) @ w1.T + b1
        return functional.leaky_relu(hidden, 0.2) @ w2 + b2

    for epoch in range(loop.epochs):
        logits = x @ g + gb
        held = logits.detach()
        sgd_f.zero_grad()
        bce(df * held + dfb, z).backward()
        sgd_f.step()
        sgd_r.zero_grad()
        real, fake = robust(x_clean, y_clean), robust(x, held)
        loss_r = 0.5 * (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake)))
        loss_r.backward()
        sgd_r.step()
        if epoch < loop.pretrain:
            loss = loop.scale * bce(2 * logits, t)
        elif epoch % loop.every:
            continue
        else:
            if epoch % 100 == 0:
                openness = torch.sigmoid(loss.detach() / loss_r.detach() - 3)
                weights = (openness * torch.sigmoid(robust(x, held)) + 1 - openness).detach()
            fake = robust(x, logits if loop.push else held)
            loss = (1 - fair_weight - lr) * bce(logits, t, weights) - lr * bce(fake, torch.zeros_like(fake))
            loss = loss - fair_weight * bce(df * logits + dfb, z, weights)
        adam.zero_grad()
        loss.backward()
        adam.step()
    found = (torch.cat([g, gb]), torch.cat([df, torch.zeros(1), dfb]), w1, b1, w2, b2, weights)
    return Networks(*(value.detach().numpy() for value in found))


def bench(output: str, table: str) -> None:
    """Time both kinds of loops and write the rows of the benchmark."""
    torch.set_num_threads(1)
    frame, initial, rows = synthetic_table(), initial_weights(SEED), []
    for labels, loop in LOOPS.items():
        data = synthetic_data(frame, 0.1 if labels == "poisoned" else 0.0)
        x_clean, y_clean, _ = data.part("clean")
        arguments = (*data.part("train", FR_TRAIN_ROWS), x_clean, y_clean, initial, loop, PRINTED[labels])
        works = {
            "ours": lambda arguments=arguments: [fit_fr_train(*arguments) for _ in range(FITS_AT_ONCE)],
            "autograd": lambda arguments=arguments: fit_by_autograd(*arguments),
        }
        fit_fr_train(*arguments)  # compiled or read from the cache
        costs = interleave(works, REPEATS, warm_up=False)
        ours = [type(cost)(cost.wall / FITS_AT_ONCE, cost.cpu / FITS_AT_ONCE) for cost in costs["ours"]]
        mine, other = fit_fr_train(*arguments).classifier, fit_by_autograd(*arguments).classifier
        remark = f"{loop.epochs:,} epochs; largest difference of a weight {np.abs(mine - other).max():.1e}"
        what = f"FR-Train, one published fit, {labels} labels"
        rows.append(compare(what, ours, costs["autograd"], "cpu", at_most=0.1, remark=remark))
    result = frame_of(rows)
    parquet.write(result, output)
    shown = result[["what", "unit", "ours", "reference", "ratio", "goal", "met", "remark"]]
    save_table(shown, table, "CPU seconds per fit: the compiled loop beside the same loop by autograd, one thread")


if "snakemake" in globals():
    with job(snakemake):
        bench(snakemake.output.parquet, snakemake.output.table[0].removesuffix(".csv"))
