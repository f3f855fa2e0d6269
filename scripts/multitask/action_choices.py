"""Who says which loss a task takes in a step of L2T-FMT: the teacher, or a control in its place."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.multitask.teacher import Teacher

Choice = Callable[[Tensor], Tensor]  # states of the tasks [T, s] -> their actions [T], 1 is fairness


def learned(teacher: Teacher) -> Choice:
    """Return the teacher's choice."""
    return teacher.actions


def swapped(teacher: Teacher) -> Choice:
    """Return a control that gives task i what the teacher chose for task i + 1, and the last one the first one's."""
    return lambda states: teacher.actions(states).roll(-1)


def always(action: int) -> Choice:
    """Return a control that takes the same action for every task in every step."""
    return lambda states: torch.full((len(states),), action)


def scheduled(actions: Tensor) -> Choice:
    """Return a control that plays a schedule [steps, T] from its first step on."""
    steps = iter(actions)
    return lambda states: next(steps)


def random_schedule(shares: Sequence[Sequence[float]], steps: int, generator: torch.Generator) -> Tensor:
    """Return actions [epochs x steps, T] in random order, with the share of fairness that is asked for, rounded.

    Args:
        shares: of fairness in the steps of every epoch and task [epochs, T].
        steps: per epoch.
        generator: of the orders, which differ by epoch and task.
    """
    wanted = torch.tensor(np.asarray(shares, dtype=float))
    counts = (wanted * steps).round()[:, None]
    places = torch.rand(len(wanted), steps, wanted.shape[1], generator=generator).argsort(1).argsort(1)
    return (places < counts).long().flatten(0, 1)


def fairness_shares(curve: Sequence[dict[str, Any]], tasks: Sequence[str]) -> np.ndarray:
    """Return the share of fairness by epoch and task [epochs, T] from the records of a fit."""
    found = {(row["epoch"], row["task"]): row["value"] for row in curve if row["quantity"] == "fairness_share"}
    epochs = range(1, max(epoch for epoch, _ in found) + 1)
    return np.array([[found[epoch, task] for task in tasks] for epoch in epochs])


def evened(shares: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Return shares [epochs, T] replaced by their means over epochs (0), tasks (1) or both.

    A greedy teacher that learns once per epoch mostly takes one action for a task all epoch. Its shares by epoch and
    task are then 0 or 1, and a random teacher that has the same ones repeats it step by step: no control.
    """
    return np.broadcast_to(shares.mean(axis, keepdims=True), shares.shape)
