"""The published schedule of Neural Cleanse: how the mask's cost moves, which mask is kept, and when to stop."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ScheduleSettings:
    """The published numbers (gtsrb_visualize_example.py of the authors)."""

    success: float = 0.99  # the gate: share of a step's images that must become the label
    patience: int = 5  # steps in a row before the cost changes
    first_cost: float = 1e-3
    multiplier: float = 2.0  # the cost rises by it, and falls by its 1.5th power
    stop_patience: int = 25  # steps without a smaller mask before a label is done
    stop_ratio: float = 1.0  # a mask is smaller if below this times the smallest so far
    early_stop: bool = True


class Schedule:
    """The state of L labels, each a row of every tensor: no label's row depends on another's."""

    def __init__(self, labels: int, settings: ScheduleSettings, device: torch.device | str = "cpu") -> None:
        self.settings = settings
        self.cost = torch.zeros(labels, device=device)
        self.smallest = torch.full((labels,), torch.inf, device=device)
        self.set_count, self.up_count, self.down_count, self.stale = (
            torch.zeros(labels, dtype=torch.long, device=device) for _ in range(4)
        )
        self.went_up, self.went_down = (torch.zeros(labels, dtype=torch.bool, device=device) for _ in range(2))

    @property
    def found(self) -> Tensor:
        """Return for which labels a mask ever passed the gate, bool [L]."""
        return self.smallest.isfinite()

    def after_step(self, rows: Tensor, success: Tensor, norm: Tensor) -> tuple[Tensor, Tensor]:
        """Take in a step of some labels.

        Args:
            rows: which labels, [A]; success and norm: their means over the step, [A].

        Returns:
            For each of them whether its mask is the smallest that passed the gate, and whether it is done. bool [A].
        """
        own = self.settings
        passed = success >= own.success
        before = self.smallest[rows]
        better = passed & (norm < before)
        smallest = torch.where(better, norm, before)
        stale = torch.where(smallest >= own.stop_ratio * before, self.stale[rows] + 1, 0)
        stale = torch.where(smallest.isfinite(), stale, self.stale[rows])
        over = self.went_up[rows] & self.went_down[rows] & (stale >= own.stop_patience) & own.early_stop
        self.smallest[rows], self.stale[rows] = smallest, stale
        self._change_cost(rows, passed)
        return better, over

    def _change_cost(self, rows: Tensor, passed: Tensor) -> None:
        """Set the cost for the first time, or raise or lower it."""
        own, cost = self.settings, self.cost[rows]
        waiting = (cost == 0) & passed
        set_count = torch.where(waiting, self.set_count[rows] + 1, 0)
        starts = set_count >= own.patience
        up = torch.where(starts, 0, self.up_count[rows])
        down = torch.where(starts, 0, self.down_count[rows])
        went_up, went_down = self.went_up[rows] & ~starts, self.went_down[rows] & ~starts
        cost = torch.where(starts, own.first_cost, cost)
        up, down = torch.where(passed, up + 1, 0), torch.where(passed, 0, down + 1)
        rises, falls = up >= own.patience, down >= own.patience
        cost = torch.where(rises, cost * own.multiplier, cost)
        cost = torch.where(falls, cost / own.multiplier**1.5, cost)
        self.cost[rows], self.set_count[rows] = cost, set_count
        self.up_count[rows], self.down_count[rows] = torch.where(rises, 0, up), torch.where(falls, 0, down)
        self.went_up[rows], self.went_down[rows] = went_up | rises, went_down | falls
