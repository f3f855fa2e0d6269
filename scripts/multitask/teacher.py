"""The teacher of L2T-FMT: a deep Q-network that says for every task which loss is worth more, accuracy or fairness.

Its state is the flattened head of the task, and its two actions are the losses of the task. Both actions are tried in
the look-ahead, so both values have a target, and nothing is gained by exploring.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from scripts.common.errors import UserError
from scripts.common.optimizers import AdamW
from scripts.multitask.gradients import gradients_of
from scripts.multitask.network import initialise
from scripts.multitask.task_weights import TaskWeights

WIDTHS = (512, 512, 256)
DISCOUNT = 0.9
ACTIONS = 2


class QNetwork(nn.Module):
    """Values of both actions [..., T, 2] for states [..., T, s]: a trunk that all tasks share, and a head for each.

    The trunk is linear, normalised by layer (all widths but the last), ReLU; a state of 256 and five tasks have 530,186
    parameters.

    Args:
        state: s, the numbers in a state.
        tasks: T.
        widths: of the trunk.
        generator: of the initial weights.
    """

    def __init__(
        self, state: int, tasks: int, widths: Sequence[int] = WIDTHS, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(zip([state, *widths], widths, strict=False)):
            linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
            initialise(linear.weight.data.T, linear.bias.data, generator)
            last = place + 1 == len(widths)
            layers += [linear, *([] if last else [nn.LayerNorm(outputs)]), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.head_weight = nn.Parameter(torch.empty(tasks, widths[-1], ACTIONS))
        self.head_bias = nn.Parameter(torch.empty(tasks, ACTIONS))
        for weight, bias in zip(self.head_weight.data, self.head_bias.data, strict=True):
            initialise(weight, bias, generator)

    def forward(self, states: Tensor) -> Tensor:
        """Return the values of both actions for the states of all tasks."""
        return (self.trunk(states)[..., None, :] @ self.head_weight)[..., 0, :] + self.head_bias


def targets(rewards: Tensor, next_values: Tensor, discount: float = DISCOUNT) -> Tensor:
    """Return r_a + discount max_a' Q(next state after a) from rewards [...] and next values [..., 2]."""
    return rewards + discount * next_values.amax(-1)


class Teacher:
    """A Q-network with its optimiser (AdamW, defaults) and the weights of its tasks.

    Args:
        fixed_weights: the tasks weigh the same.
        aliased_gradients: a published fault: the stored gradients of all tasks are one tensor that accumulates, so the
            norm of every task is that of their sum.
    """

    def __init__(self, network: QNetwork, fixed_weights: bool = False, aliased_gradients: bool = False) -> None:
        self.network, self.aliased = network, aliased_gradients
        self.optimizer = AdamW(network.parameters())
        self.weights = TaskWeights(len(network.head_weight), fixed_weights)
        self.first: Tensor | None = None

    @torch.no_grad()
    def actions(self, states: Tensor) -> Tensor:
        """Return the action of the larger value for every task [T] from their states [T, s]; 1 is fairness."""
        return self.network(states).argmax(-1)

    def learn(self, states: Tensor, rewards: Tensor, next_states: Tensor) -> float:
        """Make one step on the mean squared error of all transitions and return it, the mean over tasks.

        Args:
            states: [m, T, s].
            rewards: of both actions [m, 2, T].
            next_states: after both actions [m, 2, T, s].

        Raises:
            UserError: the error is not finite.
        """
        with torch.no_grad():
            wanted = targets(rewards, self.network(next_states)).mT  # [m, T, 2]
        losses = (self.network(states) - wanted).square().mean((0, 2))
        error = float(losses.detach().mean())
        if not torch.isfinite(losses).all():
            raise UserError("multitask: l2t_fmt: the teacher's error is not finite; lower the learning rate")
        self.first = losses.detach() if self.first is None else self.first
        parameters = [*self.network.trunk.parameters(), self.network.head_weight, self.network.head_bias]
        apart = gradients_of(list(self.weights.values * losses), parameters)
        for parameter, *own in zip(parameters, *apart, strict=True):
            parameter.grad = torch.stack(own).sum(0)
        self.optimizer.step()
        self.weights.update(self._norms(apart), losses.detach(), self.first)
        return error

    def _norms(self, apart: list[list[Tensor]]) -> Tensor:
        """Return the norm of every task's gradient on the trunk [T]."""
        vectors = [torch.cat([gradient.flatten() for gradient in own[:-2]]) for own in apart]  # without the heads
        if self.aliased:
            vectors = [torch.stack(vectors).sum(0)] * len(vectors)
        return torch.stack([vector.norm() for vector in vectors])
