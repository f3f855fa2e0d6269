"""L2T-FMT and its controls in training, step by step against autograd and literal copies."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scripts.common.errors import UserError
from scripts.multitask import l2t_fmt as module
from scripts.multitask.action_choices import evened, fairness_shares, random_schedule
from scripts.multitask.gradients import gradients_of
from scripts.multitask.l2t_fmt import L2TFMT, Options, l2t_fmt, states_of
from scripts.multitask.look_ahead_bench import literal
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.network import BranchedNetwork
from scripts.multitask.people import People
from scripts.multitask.rewards import accuracies, equalized_odds
from scripts.multitask.task_weights import relative_rates, updated
from scripts.multitask.training import Problem, Settings, optimizer_of

TASKS = ("a", "b", "c")
SMALL = {"teacher_widths": (32, 32, 16)}


def make(epochs=2, rows=320, batch=64, seed=0):
    rng = np.random.default_rng(5)
    features = rng.standard_normal((rows, 6)).astype(np.float32)
    groups = rng.integers(0, 2, rows).astype(np.int8)
    scores = features @ rng.standard_normal((6, 3)) + groups[:, None] + rng.standard_normal((rows, 3))
    split = np.repeat([0, 1, 2], [rows // 2, rows // 4, rows // 4]).astype(np.int8)
    names = tuple(f"x{place}" for place in range(6))
    labels = (scores > 0).astype(np.int8)
    people = People("made up", TASKS, "group", ("f", "m"), names, np.arange(rows), split, groups, labels, features)
    return Problem(people, Settings((16, 16, 8), epochs, batch), "made up", seed)


def values_of(found, quantity):
    return [row["value"] for row in found.curve if row["quantity"] == quantity]


def test_published_number_of_parameters():
    assert BranchedNetwork(20, (1024, 1024, 512, 128), 5).size() == 1_667_978


HALF = {"teacher": "random", "shares": np.full((2, 3), 0.5)}
VARIANTS = [
    {}, {"weights": "fixed"}, {"teacher": "swapped"}, {"teacher": "accuracy"}, {"teacher": "fairness"}, HALF,
    {"teacher": "fairness", "weights": "fixed"}, {"aliased_gradients": True}, {"star_as_eo": True},
    {"evaluate_in_training_mode": True}, {"frozen_trunk": True}, {"frozen_trunk": True, "weights": "fixed"},
]  # fmt: skip


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_the_trunk_moves_unless_it_is_frozen(options):
    problem = make()
    start, found = problem.network(), l2t_fmt(problem, **SMALL, **options)
    moved = [
        bool((a - b).abs().max() > 0)
        for a, b in zip(start.shared_parameters(), found.network.shared_parameters(), strict=True)
    ]
    assert moved == [not options.get("frozen_trunk", False)] * len(moved)
    assert (start.head_weight - found.network.head_weight).abs().amax((1, 2)).min() > 0
    assert found.steps == 6 and np.isfinite(found.log_odds(problem.valid)).all()


def both(network, batch):
    entropies = cross_entropies(network(batch.features), batch.labels)
    fair = fairness_losses(entropies, batch.labels, batch.groups, batch.group_count)
    return torch.stack([accuracy_losses(entropies), fair])


def test_a_step_with_learned_weights_equals_autograd():
    problem = make()
    method, network = L2TFMT(problem, Options(**SMALL)), problem.network()
    actions, weights, first = torch.tensor([1, 0, 1]), torch.full((3,), 1 / 3), None
    method.choose = lambda states: actions
    for _ in range(3):
        copy, batch = network.clone(), problem.train.take(problem.batches(1)[0])
        losses = both(copy, batch)[actions, torch.arange(3)]
        first = losses if first is None else first
        parameters = [*copy.shared_parameters(), copy.head_weight, copy.head_bias]
        own = gradients_of(list(weights * losses), parameters)
        norms = torch.stack([torch.cat([g.flatten() for g in part[:-2]]).norm() for part in own])
        found = method.gradients(network, batch)
        assert torch.allclose(found, losses.detach(), atol=1e-6)
        names = [*network.shared_parameters(), network.head_weight, network.head_bias]
        for parameter, *parts in zip(names, *own, strict=True):
            assert torch.allclose(parameter.grad, sum(parts), atol=1e-6)
        weights = updated(weights, norms, relative_rates(losses.detach(), first.detach()))
        assert torch.allclose(method.weights.values, weights, atol=1e-6)
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(network.buffers(), copy.buffers(), strict=True))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter -= 0.05 * parameter.grad


def test_a_step_with_fixed_weights_equals_autograd():
    problem = make()
    network, batch = problem.network(), problem.train
    for teacher, action in (("accuracy", 0), ("fairness", 1)):
        copy, own = network.clone(), network.clone()
        (both(copy, batch)[action].sum() / 3).backward()
        L2TFMT(problem, Options(teacher=teacher, weights="fixed")).gradients(own, batch)
        for ours, theirs in zip(own.parameters(), copy.parameters(), strict=True):
            assert torch.allclose(ours.grad, theirs.grad, atol=1e-7)


def test_looks_ahead_from_the_student_after_its_step():
    problem = make()
    method, network = L2TFMT(problem, Options(**SMALL)), problem.network()
    optimizer, batch = optimizer_of(network, problem.settings), problem.train.take(problem.batches(1)[0])
    method.gradients(network, batch)
    optimizer.step()
    expected, states = literal(network, batch, problem.settings.learning_rate)[0], states_of(network)
    method._look_ahead(network)
    ((state, heads, accuracy, fairness),) = method.memory
    assert torch.equal(state, states)
    assert torch.allclose(heads, expected.heads, atol=1e-6)
    for action in range(2):
        margins = expected.margins[action].detach()
        assert torch.allclose(accuracy[action], accuracies(margins, batch.labels))
        odds = equalized_odds(margins, batch.labels, batch.groups, 2)
        assert torch.allclose(fairness[action], 1 - odds, atol=1e-6)
    method._look_ahead(network)
    assert len(method.memory) == 1  # a step is looked at once


def test_every_step_is_a_transition_and_the_memory_ends_with_the_epoch(monkeypatch):
    seen = []
    learn = module.Teacher.learn
    monkeypatch.setattr(module.Teacher, "learn", lambda own, *data: seen.append(data) or learn(own, *data))
    l2t_fmt(make(), **SMALL)
    assert [tuple(part.shape for part in data) for data in seen] == [((3, 3, 16), (3, 2, 3), (3, 2, 3, 16))] * 2


@pytest.mark.parametrize("better", [0, 1])
def test_takes_the_action_that_is_always_better(monkeypatch, better):
    def rigged(accuracy, fairness, *best):
        found = torch.zeros_like(accuracy)
        found[:, better] = 0.3
        return found

    monkeypatch.setattr(module, "rewards", rigged)
    shares = []
    for seed in range(3):
        problem = make(epochs=25, seed=seed)
        shares.append(fairness_shares(l2t_fmt(problem, **SMALL).curve, TASKS))
    by_epoch = np.mean(shares, axis=(0, 2))
    chosen = by_epoch if better else 1 - by_epoch
    assert chosen[0] < 0.95 and chosen[-5:].mean() > 0.9, by_epoch


def test_controls_take_their_actions():
    always = {name: fairness_shares(l2t_fmt(make(), teacher=name).curve, TASKS) for name in ("accuracy", "fairness")}
    assert not always["accuracy"].any() and always["fairness"].all()
    shares = np.array([[0, 1 / 3, 1], [2 / 3, 2 / 3, 0]])
    found = l2t_fmt(make(), teacher="random", shares=shares)
    assert fairness_shares(found.curve, TASKS) == pytest.approx(shares)
    assert not values_of(found, "q_loss")


def test_random_actions_have_the_shares_and_no_order():
    shares = [[0.25, 0.5], [1.0, 0.0]]
    drawn = random_schedule(shares, 200, torch.Generator().manual_seed(0)).view(2, 200, 2).float()
    assert torch.equal(drawn.mean(1), torch.tensor(shares))
    assert abs(torch.corrcoef(drawn[0].T)[0, 1]) < 0.2 and drawn[0, :100, 1].mean().item() == pytest.approx(
        0.5, abs=0.12
    )


def test_evened_shares_keep_their_mean():
    shares = np.array([[0, 1, 1], [0, 0, 1.0]])
    assert evened(shares, 0).tolist() == [[0, 0.5, 1]] * 2
    assert evened(shares, (0, 1)) == pytest.approx(np.full((2, 3), 0.5))


def test_a_swapped_teacher_gives_each_task_the_choice_for_the_next():
    problem = make()
    network = problem.network()
    learned, swapped = (L2TFMT(problem, Options(teacher=name, **SMALL)) for name in ("learned", "swapped"))
    for seed in range(20):
        with torch.no_grad():
            network.head_weight.normal_(generator=torch.Generator().manual_seed(seed))
        own, other = (method.choose(states_of(network)) for method in (learned, swapped))
        assert other.tolist() == [own[1], own[2], own[0]]
    assert len(values_of(l2t_fmt(problem, teacher="swapped", **SMALL), "q_loss")) == 2


def test_only_a_teacher_looks_ahead(monkeypatch):
    calls = []
    look_ahead = module.look_ahead
    monkeypatch.setattr(module, "look_ahead", lambda *given: calls.append(1) or look_ahead(*given))
    for teacher in ("accuracy", "fairness"):
        l2t_fmt(make(), teacher=teacher)
    l2t_fmt(make(), **HALF)
    assert not calls
    l2t_fmt(make(), **SMALL)
    assert len(calls) == 6


def test_records():
    found = l2t_fmt(make(), **SMALL)
    for quantity in ("task_weight", "teacher_weight"):
        assert np.reshape(values_of(found, quantity), (2, 3)).sum(1) == pytest.approx([1, 1], abs=1e-6)
    assert len(values_of(found, "q_loss")) == 2 and np.isfinite(values_of(found, "q_loss")).all()
    assert {row["task"] for row in found.curve if row["quantity"] == "fairness_share"} == set(TASKS)
    fixed = l2t_fmt(make(), weights="fixed", **SMALL)
    assert values_of(fixed, "task_weight") + values_of(fixed, "teacher_weight") == pytest.approx([1 / 3] * 12)


def test_a_frozen_trunk_leaves_the_rest_of_the_method_as_it_is():
    found = l2t_fmt(make(), frozen_trunk=True, evaluate_in_training_mode=True, **SMALL)
    assert len(values_of(found, "q_loss")) == 2 and found.batch_statistics


def test_a_second_fit_is_the_same():
    first, again = (l2t_fmt(make(), **SMALL) for _ in range(2))
    assert first.curve == again.curve
    other = l2t_fmt(make(seed=1), **SMALL)
    assert first.curve != other.curve


def test_published_evaluation_depends_on_the_batch():
    rows = make().valid
    for fault in (False, True):
        found = l2t_fmt(make(), evaluate_in_training_mode=fault, **SMALL)
        assert found.batch_statistics is fault
        alone, among = found.log_odds(rows.take(torch.arange(20))), found.log_odds(rows)[:20]
        assert np.allclose(alone, among, atol=1e-5) is not fault


def seen_rewards(monkeypatch, **options):
    seen = []
    rewards = module.rewards
    monkeypatch.setattr(module, "rewards", lambda *given: seen.append(given) or rewards(*given))
    l2t_fmt(make(), **SMALL, **options)
    monkeypatch.undo()
    return [SimpleNamespace(best_accuracy=given[2], best_fairness=given[3]) for given in seen]


def test_published_star_is_eo_in_the_first_epoch(monkeypatch):
    plain, fault = (seen_rewards(monkeypatch, star_as_eo=fault) for fault in (False, True))
    assert torch.allclose(fault[0].best_fairness, 1 - plain[0].best_fairness, atol=1e-6)
    assert (fault[1].best_fairness > fault[0].best_fairness).all()
    assert torch.equal(fault[0].best_accuracy, plain[0].best_accuracy)


def test_aliased_gradients_change_the_weights_of_the_teacher_alone():
    plain, fault = (l2t_fmt(make(epochs=1), aliased_gradients=fault, **SMALL) for fault in (False, True))
    assert values_of(plain, "teacher_weight") != values_of(fault, "teacher_weight")
    assert values_of(plain, "task_weight") == values_of(fault, "task_weight")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"teacher": "oracle"}, "teacher is 'oracle'; take one of learned, swapped"),
        ({"weights": "free"}, "weights is 'free'"),
        ({"teacher": "random"}, "needs shares of fairness, 0 to 1, for 2 epochs and 3 tasks"),
        ({"teacher": "random", "shares": np.full((1, 3), 0.5)}, r"have the shape \(1, 3\)"),
        ({"teacher": "random", "shares": np.full((2, 3), 1.5)}, "0 to 1"),
    ],
)
def test_mistakes_are_one_line(options, message):
    with pytest.raises(UserError, match=message):
        l2t_fmt(make(), **options)
