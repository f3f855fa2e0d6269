"""Learning rates over a training: functions (epoch, share of the epoch done) -> rate of the step."""

import math
from collections.abc import Callable, Sequence

Rate = Callable[[int, float], float]

RISE = 0.3  # share of a one-cycle training in which the rate rises


def constant(highest: float) -> Rate:
    """Return one rate for all steps."""
    return lambda epoch, share: highest


def one_cycle(highest: float, epochs: int) -> Rate:
    """Return a linear rise over the first 30 % of the training and a cosine fall to zero."""

    def rate(epoch: int, share: float) -> float:
        done = (epoch + share) / epochs
        if done < RISE:
            return highest * (max(done, 1e-3) / RISE)
        return highest * ((1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2)

    return rate


def steps(highest: float, epochs: int, drops: Sequence[float]) -> Rate:
    """Return a rate that falls to a tenth after each drop; drops are shares of all epochs, rounded to whole ones."""
    after = [round(share * epochs) for share in drops]
    return lambda epoch, share: highest * 0.1 ** sum(epoch >= drop for drop in after)
