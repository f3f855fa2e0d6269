"""Whether a user's model works on these images at all: a verdict on one that does not says nothing.

Images come as [0, 1], 28x28, white on black. A network without a normalisation of its own was trained on whatever its
loader gave, and nothing in its weights says what that was; how many clean digits it gets right does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from scripts.backdoor.clean_remark import USUAL
from scripts.backdoor.digits import Pool, predict
from scripts.common.errors import UserError
from scripts.common.logs import log

LEAST = 0.5  # wrong more often than right: the way to a label is not that of a classifier of digits
IMAGES = "images come as [0, 1], 28x28, white digits on black"


@dataclass(frozen=True)
class Scale:
    """How other loaders give pixels x of [0, 1]: (x - mean) / deviation; in words, and how to change a model for it.

    The change makes a model of these pixels one of [0, 1], without training.
    """

    words: str
    mean: float
    deviation: float
    change: str


def _standardised(mean: float, deviation: float) -> str:
    taken = f"take {mean / deviation:.4g} times each filter's sum of conv1.weight off conv1.bias"
    return f"{taken}, then divide conv1.weight by {deviation:g}"


SCALES = (
    Scale("pixels of 0 to 255", 0.0, 1 / 255, "multiply conv1.weight by 255"),
    Scale("pixels with mean 0.1307 and deviation 0.3081 taken out", 0.1307, 0.3081, _standardised(0.1307, 0.3081)),
    Scale("pixels of -1 to 1", 0.5, 0.5, _standardised(0.5, 0.5)),
    Scale("black digits on white", 1.0, -1.0, "add each filter's sum of conv1.weight to conv1.bias, then negate it"),
)


def check_on_clean_digits(logits_of: Callable[[Tensor], Tensor], judge: Pool, what: str) -> None:
    """Measure a user's model on clean digits before anything is sought in it; the log has the accuracy.

    Args:
        judge: clean images of [0, 1].
        what: how a refusal calls the model.

    Raises:
        UserError: the model is right on fewer than 90 % and works on pixels of another scale, or it is wrong more often
            than right.
    """
    right = (predict(logits_of, judge.images) == judge.labels).cpu().numpy()
    told = f"is right on {right.mean():.1%} of {len(judge):,} clean digits"
    others = {scale: _right(logits_of, judge, scale) for scale in SCALES}
    scale, best = max(others.items(), key=lambda item: item[1].mean())
    if right.mean() >= USUAL:
        log.info("%s: %s", what, told)
        for scale in (scale for scale, other in others.items() if clearly_more(other, right)):
            share = others[scale].mean()
            log.warning(
                "%s: %s, and on %.1f %% of them as %s: if it was trained on those, %s", what, told, 100 * share,
                scale.words, scale.change,
            )  # fmt: skip
        return
    if best.mean() >= USUAL:
        raise UserError(
            f"{what}: {told}, but on {best.mean():.1%} of them as {scale.words}, so a verdict would say nothing; "
            f"{IMAGES}; {scale.change}, or train on such images"
        )
    if right.mean() < LEAST:
        raise UserError(
            f"{what}: {told}, so a verdict would say nothing; {IMAGES}; train the model on such images, or check that "
            "its labels are 0 to 9 in this order and that these are the weights after training"
        )
    log.warning("%s: %s: its verdict says little; %s", what, told, IMAGES)


def clearly_more(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether one way is right on more of the same digits than another, beyond 2.5 standard errors (McNemar)."""
    gained, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return gained - lost > 2.5 * np.sqrt(gained + lost)


def _right(logits_of: Callable[[Tensor], Tensor], judge: Pool, scale: Scale) -> np.ndarray:
    """Return which digits a model gets right as pixels of another scale, bool [N]."""
    scaled = (judge.images - scale.mean) / scale.deviation
    return (predict(logits_of, scaled) == judge.labels).cpu().numpy()
