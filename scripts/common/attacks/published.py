"""The training attack of the replicated study, including its errors."""

import torch
from torch import Tensor, nn

from scripts.common.attacks.apgd import apgd_run
from scripts.common.attacks.classification import Classification, logits_of, misclassified
from scripts.common.attacks.norms import per_image


def published_apgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    eps: float,
    iterations: int = 7,
    n_iter_2: int = 4,
    n_iter_min: int = 2,
    seed: int = 0,
) -> Tensor:
    """Training images of the published half-batch attack: l_inf APGD on the cross-entropy.

    `x` is the half of the batch to attack. The original's errors are kept on purpose:
    - the model stays in the caller's mode (in the study: train), so BatchNorm uses the statistics of
      the attacked images, and every pass updates its running statistics;
    - only images that are currently classified correctly are attacked;
    - an image is returned perturbed only where the attack flipped its class, otherwise clean;
    - the random start is re-seeded with `seed` at every call, so it is the same each time (the original
      re-seeds the global generator; here the global generator is not touched).
    The step size is reviewed after n_iter_2 iterations, then at intervals one shorter each time, not
    below n_iter_min. Cost: one clean forward pass, then `iterations` input gradients and
    `iterations + 1` forward passes on the correct images.
    """
    with torch.no_grad():
        correct = ~misclassified(logits_of(model, x, strict=False), y)
    result = x.clone()
    if not correct.any():
        return result
    clean, label = x[correct], y[correct]
    draw = torch.rand(clean.shape, generator=torch.Generator().manual_seed(seed)).to(x.device) * 2 - 1
    draw = draw / per_image(draw.abs().flatten(1).amax(1))  # the furthest pixel starts on the ball's face
    start = (clean + eps * draw).clamp(0, 1)
    reviews, interval = [n_iter_2], n_iter_2
    while reviews[-1] < iterations:
        interval = max(interval - max(int(0.03 * iterations), 1), n_iter_min)
        reviews.append(reviews[-1] + interval)
    objective = Classification(model, label, "cross_entropy", strict=False)
    point, _, flipped = apgd_run(objective, clean, start, "linf", eps, iterations, reviews, stop_when_done=False)
    result[correct] = torch.where(per_image(flipped), point, clean)
    return result
