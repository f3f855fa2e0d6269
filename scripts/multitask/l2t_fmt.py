"""L2T-FMT: a teacher chooses in every step and for every task between the accuracy loss and the fairness loss.

Roy, Ntoutsi, "Learning to Teach Fairness-aware Deep Multi-task Learning", ECML-PKDD 2022 (arXiv 2206.08403).
The student makes a step on sum_t w_t (L_t or F_t). Then every task looks ahead: what one step on either loss would do
to its accuracy and fairness on the same rows. From this the teacher learns once per epoch, against the best validation
values up to and with that epoch. Controls put something else in the teacher's place and leave the rest as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.common.errors import UserError
from scripts.multitask.action_choices import Choice, always, learned, random_schedule, scheduled, swapped
from scripts.multitask.batch import Batch
from scripts.multitask.look_ahead import look_ahead
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.per_task import ForwardPass, both_losses
from scripts.multitask.rewards import Best, accuracies, equalized_odds, rewards
from scripts.multitask.simple import FrozenTrunk
from scripts.multitask.task_weights import TaskWeights
from scripts.multitask.teacher import WIDTHS, QNetwork, Teacher
from scripts.multitask.training import Fit, Problem, fit

TEACHERS = ("learned", "swapped", "random", "accuracy", "fairness")
WEIGHTS = ("learned", "fixed")


@dataclass(frozen=True)
class Options:
    """Options of L2T-FMT; the published faults are among them, each off by default.

    One fault has no option: the published notebook for tables uses names that it does not define, so it does not run.

    `teacher`: one of TEACHERS; "random" draws as many fairness steps as `shares` [epochs, T] says, "accuracy" and
    "fairness" always take that loss. `weights`: of the tasks, for student and teacher.
    """

    teacher: str = "learned"
    weights: str = "learned"
    shares: Sequence[Sequence[float]] | None = None
    teacher_widths: Sequence[int] = WIDTHS
    frozen_trunk: bool = False
    aliased_gradients: bool = False
    star_as_eo: bool = False
    evaluate_in_training_mode: bool = False


class L2TFMT:
    """The method; `actions` has those of this epoch's steps, [T] each, 1 for fairness.

    The look-ahead needs the student after its step, so it waits for the next step or the end of the epoch.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        _refuse_unknown(options)
        self.problem, self.options = problem, options
        fixed = options.weights == "fixed"
        self.weights, self.best = TaskWeights(problem.tasks, fixed), Best(problem.tasks, options.star_as_eo)
        self.first: Tensor | None = None  # both losses of the first step [2, T]
        self.teacher: Teacher | None = None
        self.choose = self._choice()
        self.batch_statistics = options.evaluate_in_training_mode
        self.actions: list[Tensor] = []
        self.waiting: Batch | None = None
        self.memory: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []  # states, next states, accuracy, fairness

    def _choice(self) -> Choice:
        options, problem = self.options, self.problem
        if options.teacher in ("learned", "swapped"):
            state = 2 * problem.settings.widths[-1]
            network = QNetwork(state, problem.tasks, options.teacher_widths, problem.generator("teacher"))
            self.teacher = Teacher(network, options.weights == "fixed", options.aliased_gradients)
            return (learned if options.teacher == "learned" else swapped)(self.teacher)
        if options.teacher == "random":
            steps = len(problem.batches(1))
            return scheduled(random_schedule(_shares(problem, options), steps, problem.generator("random teacher")))
        return always(int(options.teacher == "fairness"))

    def gradients(self, network: BranchedNetwork, batch: Batch) -> Tensor:
        """Fill the gradients of one step and return the loss that was chosen for every task [T]."""
        self._look_ahead(network)
        actions = self.choose(states_of(network))
        losses = self._summed(network, batch, actions) if self.weights.fixed else self._apart(network, batch, actions)
        self.actions.append(actions)
        self.waiting = batch if self.teacher else None
        return losses

    def _summed(self, network: BranchedNetwork, batch: Batch, actions: Tensor) -> Tensor:
        """Fill the gradients by one backward pass of the weighted sum."""
        entropies = cross_entropies(network(batch.features), batch.labels)
        fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
        losses = torch.where(actions > 0, fair, accuracy_losses(entropies))
        (self.weights.values * losses).sum().backward()
        return losses.detach()

    @torch.no_grad()
    def _apart(self, network: BranchedNetwork, batch: Batch, actions: Tensor) -> Tensor:
        """Fill the gradients task by task, and move the weights of the tasks by their norms."""
        forward, tasks = ForwardPass(network, batch.features, observe=True), torch.arange(network.tasks)
        both, signals = both_losses(forward.logits, batch)
        chosen = signals[actions, tasks] * self.weights.values[:, None, None]
        shared = forward.shared_gradients(chosen, network.head_weight)
        for parameter, gradient in zip(network.shared_parameters(), shared, strict=True):
            parameter.grad = gradient.sum(0, keepdim=True)
        network.head_weight.grad, network.head_bias.grad = forward.head_gradients(chosen)
        norms = torch.cat([gradient.flatten(1) for gradient in shared], dim=1).norm(dim=1)
        self.first = both if self.first is None else self.first
        losses = both[actions, tasks]
        self.weights.update(norms, losses, self.first[actions, tasks])  # a loss is compared with its kind
        return losses

    @torch.no_grad()
    def _look_ahead(self, network: BranchedNetwork) -> None:
        """Remember what both losses would have done after the last step."""
        batch, self.waiting = self.waiting, None
        if batch is None:
            return
        seen = look_ahead(network, batch, self.problem.settings.learning_rate)
        margins, labels = seen.margins.flatten(0, 1), batch.labels.repeat(1, 2)
        accuracy = accuracies(margins, labels).unflatten(0, (2, -1))
        fairness = 1 - equalized_odds(margins, labels, batch.groups, batch.group_count).unflatten(0, (2, -1))
        self.memory.append((states_of(network), seen.heads, accuracy, fairness))

    def after_epoch(self, epoch: int, network: BranchedNetwork, optimizer: torch.optim.Optimizer) -> list[dict]:
        """Let the teacher learn from the epoch, and return records of actions, weights and the teacher's error."""
        self._look_ahead(network)
        records = self._by_task("fairness_share", torch.stack(self.actions).float().mean(0))
        self.actions = []
        records += self._by_task("task_weight", self.weights.values)
        if self.teacher is None:
            return records
        self._measure(network)
        states, next_states, accuracy, fairness = map(torch.stack, zip(*self.memory, strict=True))
        reward = rewards(accuracy, fairness, self.best.accuracy, self.best.fairness)
        self.memory = []
        error = self.teacher.learn(states, reward, next_states)
        records += self._by_task("teacher_weight", self.teacher.weights.values)
        return [*records, {"quantity": "q_loss", "value": error}]

    @torch.no_grad()
    def _measure(self, network: BranchedNetwork) -> None:
        """Compare the validation rows of this epoch with the best values so far."""
        valid = self.problem.valid
        network.eval()
        logits = network(valid.features, self.batch_statistics or None)
        network.train()
        margins = logits[..., 1] - logits[..., 0]
        odds = equalized_odds(margins, valid.labels, valid.groups, valid.group_count)
        self.best.see(accuracies(margins, valid.labels), odds)

    def _by_task(self, quantity: str, values: Tensor) -> list[dict]:
        names = self.problem.people.tasks
        return [{"quantity": quantity, "task": t, "value": v} for t, v in zip(names, values.tolist(), strict=True)]


def states_of(network: BranchedNetwork) -> Tensor:
    """Return the flattened weights of every task's head, the teacher's states [T, 2 width]."""
    return network.head_weight.detach().flatten(1).clone()


def l2t_fmt(problem: Problem, sample: Batch | None = None, **options: Any) -> Fit:
    """Return a network trained by L2T-FMT, or by a control in its teacher's place.

    Args:
        sample: rows on which conflicts of gradients are counted.
        options: fields of `Options`.

    Raises:
        UserError: an option has no such value, or the shares do not fit the epochs and tasks.
    """
    method = L2TFMT(problem, Options(**options))
    trained = FrozenTrunk(method) if method.options.frozen_trunk else method
    return fit(problem, problem.network(), trained, sample=sample)


def _refuse_unknown(options: Options) -> None:
    for name, value, known in (("teacher", options.teacher, TEACHERS), ("weights", options.weights, WEIGHTS)):
        if value not in known:
            raise UserError(f"multitask: l2t_fmt: {name} is {value!r}; take one of {', '.join(known)}")


def _shares(problem: Problem, options: Options) -> np.ndarray:
    """Return the shares of fairness of a random teacher [epochs, T], or refuse them."""
    shares = np.asarray([] if options.shares is None else options.shares, dtype=float)
    wanted = (problem.settings.epochs, problem.tasks)
    if shares.shape != wanted or not ((shares >= 0) & (shares <= 1)).all():
        raise UserError(
            f"multitask: l2t_fmt: a random teacher needs shares of fairness, 0 to 1, for {wanted[0]} epochs and "
            f"{wanted[1]} tasks; those that were given have the shape {shares.shape}"
        )
    return shares
