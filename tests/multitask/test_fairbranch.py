"""FairBranch's step and its branching against literal forms of the paper's equations."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from scripts.common.errors import UserError
from scripts.multitask import branching
from scripts.multitask.batch import Batch
from scripts.multitask.conflicts import conflict_count
from scripts.multitask.fairbranch import FairBranch, Options
from scripts.multitask.fbgrad import fairness_passes, first_branched
from scripts.multitask.losses import accuracy_losses, cross_entropies, fairness_losses
from scripts.multitask.similarity import cka
from scripts.multitask.training import fit, optimizer_of
from tests.multitask.small import batch, network, problem

FOUR_LAYERS = (12, 10, 8, 6)
NAMES = tuple(f"task {place}" for place in range(6))


def double(rows: Batch) -> Batch:
    return replace(rows, features=rows.features.double())


def opposed(tasks=5, rows=300, **options):
    """Rows whose tasks come in opposites, so that fairness gradients conflict."""

    def labels(score):
        y = (score[:, :1] + 0.3 * score > 0).astype(np.int8)
        y[:, 1::2] = 1 - y[:, 1::2]
        return y

    return double(batch(tasks=tasks, rows=rows, labels=labels, **options))


def method_of(net, **options):
    return FairBranch(net, Options(**options), torch.Generator().manual_seed(0), NAMES[: net.tasks])


def losses_of(net, rows, by_batch=None):
    entropies = cross_entropies(net(rows.features, by_batch), rows.labels)
    return accuracy_losses(entropies), fairness_losses(entropies, rows.labels, rows.groups, rows.group_count)


def of_each(losses, parameters):
    """Autograd's gradient of every loss, one at a time: [T][parameters]."""
    found = []
    for loss in losses:
        parts = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        found.append([torch.zeros_like(p) if g is None else g for p, g in zip(parameters, parts, strict=True)])
    return found


def branched(levels, tasks=5, widths=FOUR_LAYERS, **options):
    """A network and its method after branchings into some groups; parameters then differ between branches."""
    net = network(tasks, widths=widths).double().train()
    method, place = method_of(net, **options), len(widths) - 1
    for groups in levels:
        net.split(place, groups)
        place -= 1
    method.depth = place
    method.branchings = [{}] * len(levels)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return net, method


def literal_step(net, rows, weights, first):
    """The sum of all gradients, where fairness gradients of pairs of one branch from layer `first` on are projected."""
    accuracy, fair = losses_of(net, rows)
    parameters = list(net.parameters())
    plain, own = of_each(accuracy, parameters), of_each(fair, parameters)
    for t, weight in enumerate(weights):
        own[t] = [weight * gradient for gradient in own[t]]
    total = {id(p): sum(parts) for p, *parts in zip(parameters, *plain, strict=True)}
    for place, parameter in enumerate(parameters):
        total[id(parameter)] = total[id(parameter)] + sum(own[t][place] for t in range(net.tasks))
    places = {id(parameter): place for place, parameter in enumerate(parameters)}
    projections = 0
    for layer, paths in list(zip(net.layers, net.paths, strict=True))[first:]:
        inside = [places[id(p)] for p in layer.parameters()]
        for block, tasks in enumerate(paths):
            flat = {t: torch.cat([own[t][place][block].flatten() for place in inside]) for t in tasks}
            changed = {t: vector.clone() for t, vector in flat.items()}
            for a, b in itertools.combinations(tasks, 2):
                if flat[a] @ flat[b] < 0:
                    projections += 1
                    changed[a] -= (flat[a] @ flat[b]) / (flat[b] @ flat[b]) * flat[b]
                    changed[b] -= (flat[a] @ flat[b]) / (flat[a] @ flat[a]) * flat[a]
            delta = sum(changed[t] - flat[t] for t in tasks)
            for place in inside:
                parameter = parameters[place]
                size = parameter[block].numel()
                total[id(parameter)][block] += delta[:size].view_as(parameter[block])
                delta = delta[size:]
    return [total[id(p)] for p in parameters], projections


# --- lambda


def test_the_gradient_on_a_head_is_residual_times_features():
    """(p - y) x features / n, and the same weighted by group for F; a task's losses move its head alone."""
    net, rows = network(3).double().train(), double(batch(tasks=3))
    accuracy, fair = losses_of(net, rows)
    features = net.features(rows.features)[0].detach()
    probabilities = torch.softmax(net.heads(features[None]).detach(), -1)[..., 1]
    heads = [net.head_weight, net.head_bias]
    for t in range(3):
        y, residual = rows.labels[:, t], probabilities[t] - rows.labels[:, t]
        by_row = torch.zeros(len(rows), dtype=torch.float64)
        entropy = -torch.where(y > 0, probabilities[t].log(), (1 - probabilities[t]).log())
        for label in (0, 1):
            masks = [(y == label) & (rows.groups == group) for group in range(2)]
            worst = max(masks, key=lambda mask: entropy[mask].mean())
            by_row += worst.double() / worst.sum()
        for loss, row_weight in ((accuracy[t], torch.full_like(by_row, 1 / len(rows))), (fair[t], by_row)):
            weight, bias = torch.autograd.grad(loss, heads, retain_graph=True)
            signal = row_weight * residual
            closed = torch.stack([-(signal @ features), signal @ features], 1)
            torch.testing.assert_close(weight[t], closed, rtol=0, atol=1e-12)
            torch.testing.assert_close(bias[t], torch.stack([-signal.sum(), signal.sum()]), rtol=0, atol=1e-12)
            others = [place for place in range(3) if place != t]
            assert not weight[others].any() and not bias[others].any()


def test_lambda_is_one_where_both_gradients_of_the_head_agree():
    seen = set()
    for seed in range(12):
        net, rows = network(5, seed=seed).double().train(), opposed(seed=seed, rows=40)
        method, parts = method_of(net), losses_of(net, rows)
        expected = []
        for loss, fair in zip(*parts, strict=True):
            first, second = of_each([loss, fair], [net.head_weight, net.head_bias])
            expected.append(float(sum((a * b).sum() for a, b in zip(first, second, strict=True)) >= 0))
        assert method._weights(net, *parts).tolist() == expected
        seen |= set(expected)
    assert seen == {0.0, 1.0}


def test_lambda_by_all_parameters():
    seen = set()
    for seed in range(12):
        net, rows = network(5, seed=seed).double().train(), opposed(seed=seed, rows=40)
        method, parts = method_of(net, weights="all"), losses_of(net, rows)
        pairs = zip(*(of_each(losses, list(net.parameters())) for losses in parts), strict=True)
        expected = [float(sum((a * b).sum() for a, b in zip(*pair, strict=True)) >= 0) for pair in pairs]
        assert method._weights(net, *parts).tolist() == expected and method.passes == 10
        seen |= {tuple(expected) == tuple(method_of(net)._weights(net, *parts).tolist())}
    assert seen == {True, False}  # not always those of the heads


@pytest.mark.parametrize("rule", ["zero", "one", "head"])
def test_before_branching_a_step_is_one_backward_pass_of_the_sum(rule):
    net, rows = network(5, seed=4).double().train(), opposed(rows=40, seed=1)
    method = method_of(net, weights=rule)
    returned = method.gradients(net, rows)
    found = [p.grad.clone() for p in net.parameters()]
    accuracy, fair = losses_of(net, rows)
    weights = {"zero": torch.zeros(5), "one": torch.ones(5)}.get(rule, method.weights[0])
    expected = torch.autograd.grad((accuracy + weights * fair).sum(), list(net.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    torch.testing.assert_close(returned, (accuracy + weights * fair).detach())
    assert method.passes == 1


# --- FBGrad


LEVELS = {
    "heads": [[[0, 1], [2, 3], [4]]],
    "two levels": [[[0, 1], [2, 3], [4]], [[0, 1, 2, 3], [4]]],
    "joined again": [[[0, 1], [2, 3], [4]], [[0, 1, 2, 3], [4]], [[0, 1, 2, 3, 4]]],
    "one group": [[[0, 1, 2, 3, 4]]],
    "all apart": [[[0], [1], [2], [3], [4]]],
}


@pytest.mark.parametrize(
    ("name", "passes"), [("heads", 3), ("two levels", 5), ("joined again", 5), ("one group", 1), ("all apart", 1)]
)
def test_fbgrad_in_a_step_is_the_literal_one(name, passes):
    """Passes: one of all losses, and one of F_t for each task of the largest branch, unless all are alone."""
    net, method = branched(LEVELS[name], weights="one")
    rows = opposed(rows=80)
    method.gradients(net, rows)
    found = [p.grad.clone() for p in net.parameters()]
    expected, projections = literal_step(net, rows, [1.0] * 5, first_branched(net))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    assert method.passes == passes
    assert (projections > 0) == (name not in ("one group", "all apart"))


def test_fbgrad_weighs_before_it_projects():
    """A task whose lambda is 0 has no fairness gradient, so none is projected on it."""
    net, method = branched(LEVELS["two levels"])
    rows = next(
        rows
        for rows in (opposed(rows=40, seed=seed) for seed in range(50))
        if 0 < method._weights(net, *losses_of(net, rows)).mean() < 1
    )
    method.gradients(net, rows)
    expected, _ = literal_step(net, rows, method.weights[0], first_branched(net))
    for parameter, other in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, other, rtol=0, atol=1e-12)


def test_fbgrad_in_all_layers_is_the_literal_one_and_takes_all_passes():
    for levels in ([], LEVELS["heads"]):
        net, method = branched(levels, weights="one", projection="all_layers")
        method.gradients(net, opposed(rows=80))
        expected, projections = literal_step(net, opposed(rows=80), [1.0] * 5, 0)
        for parameter, other in zip(net.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, other, rtol=0, atol=1e-12)
        assert method.passes == 6 and projections > 0


def test_without_fbgrad_a_branched_step_is_one_backward_pass_of_the_sum():
    net, method = branched(LEVELS["heads"], weights="one", projection="off")
    method.gradients(net, opposed(rows=80))
    accuracy, fair = losses_of(net, opposed(rows=80))
    for parameter, other in zip(
        net.parameters(), torch.autograd.grad((accuracy + fair).sum(), [*net.parameters()]), strict=True
    ):
        torch.testing.assert_close(parameter.grad, other, rtol=0, atol=1e-12)
    assert method.passes == 1


def test_tasks_of_one_pass_are_in_different_branches_and_one_that_is_alone_needs_none():
    assert fairness_passes([[0, 3], [1], [2, 4, 5]]) == [[0, 2], [3, 4], [5]]
    assert fairness_passes([[0], [1], []]) == [] == fairness_passes([])


def test_a_task_without_fairness_gradient_needs_no_pass():
    net, method = branched(LEVELS["two levels"])
    for weights, groups in (
        ([1, 1, 1, 1, 1], [[0], [1], [2], [3]]),
        ([1, 0, 1, 0, 1], [[0], [2]]),
        ([0, 0, 1, 0, 1], []),
    ):
        assert method._together(net, torch.tensor(weights)) == (2, groups)


def test_siblings_as_published():
    """The summed gradients of the heads (or branches) above one branch, in place of those of tasks in a branch."""
    levels = LEVELS["two levels"]
    net, method = branched(levels, weights="one", projection="siblings")
    rows = opposed(rows=80)
    method.gradients(net, rows)
    found = {name: p.grad.clone() for name, p in net.named_parameters()}
    accuracy, fair = losses_of(net, rows)
    names = dict(net.named_parameters())
    total = dict(zip(names, torch.autograd.grad(fair.sum(), [*names.values()], retain_graph=True), strict=True))
    plain = dict(zip(names, torch.autograd.grad(accuracy.sum(), [*names.values()]), strict=True))
    heads, upper = ["head_weight", "head_bias"], ["layers.3.weight", "layers.3.bias"]
    projected = 0
    for above, (a, b) in [(heads, (0, 1)), (heads, (2, 3)), (upper, (0, 1))]:
        one, other = (torch.cat([total[name][child].flatten() for name in above]) for child in (a, b))
        product = one @ other
        if product < 0:
            projected += 1
            pair = (a, one - product / (other @ other) * other), (b, other - product / (one @ one) * one)
            for child, vector in pair:
                for name in above:
                    size = total[name][child].numel()
                    total[name][child] = vector[:size].view_as(total[name][child])
                    vector = vector[size:]
    assert projected and method.passes == 2
    for name in names:
        torch.testing.assert_close(found[name], plain[name] + total[name], rtol=0, atol=1e-12)


# --- branching


def set_heads(net, vectors):
    """Heads with one column of two that vary: cka of two is the squared correlation of those columns."""
    with torch.no_grad():
        net.head_weight.zero_()
        for task, vector in enumerate(vectors):
            net.head_weight[task, :, 1] = torch.tensor(vector)


A, B, C = [1.0, -1, 0, 0, 0, 0], [0.0, 0, 1, -1, 0, 0], [0.0, 0, 0, 0, 1, -1]
NEAR_A = [1.0, -1, 0.5, -0.5, 0, 0]  # squared correlation with A: (2 / sqrt(2 * 2.5)) ** 2 = .8


def branch(net, method, epoch=2):
    optimizer = optimizer_of(net, problem().settings)
    method.branch(epoch, net, optimizer)
    return optimizer


@pytest.mark.parametrize(("tau", "groups"), [(0.79, [[0, 3], [1], [2]]), (0.81, [[0], [1], [2], [3]])])
def test_pairs_above_tau_share_a_branch(tau, groups):
    net = network(4, widths=FOUR_LAYERS)
    set_heads(net, [A, B, C, NEAR_A])
    method = method_of(net, tau=tau)
    branch(net, method)
    assert net.paths[-1] == groups and [len(paths) for paths in net.paths[:-1]] == [1, 1, 1]
    record = method.branchings[0]
    assert (record["epoch"], record["layer"], record["groups"]) == (2, 4, groups)
    assert record["similarity"][0, 3] == pytest.approx(0.8, abs=1e-6) and record["of"] == [[0], [1], [2], [3]]


def test_the_best_pair_is_taken_first_and_groups_are_pairs_at_most():
    """0 and 3 are nearer than 0 and 1, so 1 is left with 2 although it is nearer to 0."""
    net = network(4, widths=FOUR_LAYERS)
    close, less = [1.0, -1, 0.1, -0.1, 0, 0], [1.0, -1, 0, 0, 0.6, -0.6]
    set_heads(net, [A, less, C, close])
    method = method_of(net, tau=0.2)
    branch(net, method)
    assert net.paths[-1] == [[0, 3], [1, 2]]


def test_a_sign_does_not_matter_to_cka_but_to_the_cosine():
    for similarity, groups in (("cka", [[0, 1]]), ("cosine", [[0], [1]])):
        net = network(2, widths=FOUR_LAYERS)
        set_heads(net, [A, [-value for value in A]])
        branch(net, method_of(net, similarity=similarity))
        assert net.paths[-1] == groups


def test_the_first_level_compares_heads_and_the_next_the_layer_above():
    net = network(4, widths=FOUR_LAYERS)
    set_heads(net, [A, A, B, B])
    method = method_of(net, tau=0.9)
    optimizer = optimizer_of(net, problem().settings)
    method.branch(2, net, optimizer)
    assert net.paths[-1] == [[0, 1], [2, 3]] and first_branched(net) == 3
    with torch.no_grad():  # the branches drift apart although the heads stay alike
        net.layers[3].weight[1] = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))
    method.branch(4, net, optimizer)
    expected = cka(*(block.numpy(force=True) for block in net.layers[3].weight))
    assert method.branchings[1]["similarity"][0, 1] == expected < 0.9
    assert net.paths[2] == [[0, 1], [2, 3]] and first_branched(net) == 2
    method.branch(6, net, optimizer)  # copies of one layer: similarity 1
    assert method.branchings[2]["similarity"][0, 1] == pytest.approx(1, abs=1e-12)
    assert net.paths[1] == [[0, 1, 2, 3]] and net.paths[0] == [[0, 1, 2, 3]]
    before = len(method.branchings)
    method.branch(8, net, optimizer)
    assert len(method.branchings) == before  # one group is left, and the first layer is never split


def test_it_stops_at_the_first_layer():
    net = network(3, widths=FOUR_LAYERS)
    set_heads(net, [A, B, C])
    method = method_of(net, tau=0.9)
    optimizer = optimizer_of(net, problem().settings)
    generator = torch.Generator().manual_seed(1)
    for epoch in range(1, 7):
        with torch.no_grad():
            for layer in net.layers:
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
        method.branch(epoch, net, optimizer)
    assert [record["layer"] for record in method.branchings] == [4, 3, 2]
    assert [len(layer.weight) for layer in net.layers] == [1, 3, 3, 3]


def test_it_branches_every_some_epochs_and_says_how_often_lambda_was_one():
    net = network(3, widths=FOUR_LAYERS)
    set_heads(net, [A, B, C])
    method = method_of(net, tau=0.9, branch_every=2)
    optimizer = optimizer_of(net, problem().settings)
    for epoch in range(1, 5):
        method.weights = [torch.tensor([1.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])]
        records = method.after_epoch(epoch, net, optimizer)
        assert [record["value"] for record in records] == [1.0, 0.0, 0.5] and method.weights == []
        assert [record["task"] for record in records] == [*NAMES[:3]]
    assert [record["epoch"] for record in method.branchings] == [2, 4]


def trained(net, method, rows, steps=4):
    optimizer = optimizer_of(net, problem().settings)
    for _ in range(steps):
        net.train()
        optimizer.zero_grad()
        method.gradients(net, rows)
        optimizer.step()
    return optimizer


def test_a_branching_leaves_outputs_and_copies_the_optimisers_state():
    net, rows = network(4, widths=FOUR_LAYERS), batch(tasks=4)
    method = method_of(net, tau=1.0)
    optimizer = trained(net, method, rows)
    for place in (3, 2, 1):
        before, layer = net.eval()(rows.features), net.layers[place]
        state = {name: optimizer.state[p]["exp_avg"].clone() for name, p in layer.named_parameters()}
        size, own = net.size(), sum(p.numel() for p in layer.parameters())
        method.branch(1, net, optimizer)
        groups = len(net.paths[place])
        assert groups > 1 and torch.equal(net.eval()(rows.features), before)
        assert net.size() == size + (groups - 1) * own
        for name, parameter in layer.named_parameters():
            copied = optimizer.state[parameter]["exp_avg"]
            assert copied.shape == parameter.shape and copied.any() == state[name].any()
            assert all(torch.equal(copied[block], state[name][0]) for block in range(groups))
            assert any(parameter is p for p in optimizer.param_groups[0]["params"])
        trained(net, method, rows, 1)
        with torch.no_grad():  # far from copies, so that no pair is merged at tau 1
            layer.weight.add_(torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(place)))


# --- published faults


def test_second_nearest_merges_by_rank_whatever_the_similarity():
    """Nearest pairs are 0-1 and 2-3, of similarity 1; mutual second nearest are others, far below tau."""
    net = network(4, widths=FOUR_LAYERS)
    half = [1.0, -1, 1, -1, 0, 0]  # squared correlation .5 with A and B
    set_heads(net, [A, A, half, half])
    plain, faulty = method_of(net, tau=0.9), method_of(net.clone(), tau=0.9, second_nearest=True)
    parameters = [block.numpy(force=True) for block in net.head_weight]
    assert plain._pairs(parameters)[1] == [[0, 1], [2, 3]]
    found, pairs = faulty._pairs(parameters)
    assert pairs == [[0, 2], [1], [3]] and found[0, 2] == pytest.approx(0.5)


def test_mean_threshold_takes_the_mean_similarity_for_tau():
    net = network(5, widths=FOUR_LAYERS)
    set_heads(net, [A, B, C, NEAR_A, [0.7, -0.7, 0, 0, 1, -1]])  # .8 with A, and .67 with C, both above the mean
    parameters = [block.numpy(force=True) for block in net.head_weight]
    found, pairs = method_of(net, tau=0.9, mean_threshold=True)._pairs(parameters)
    assert np.nanmean(found) < 0.4 and found[2, 4] == pytest.approx(2 / 2.98) and pairs == [[0, 3], [1], [2, 4]]
    assert method_of(net, tau=0.9)._pairs(parameters)[1] == [[0], [1], [2], [3], [4]]


def test_late_fairness_uses_the_weights_of_the_step_before():
    rows = [opposed(rows=40, seed=seed) for seed in range(8)]
    net, method = branched([], late_fairness=True)
    for own in rows[:2]:
        method.gradients(net, own)
    assert not torch.stack(method.weights).any()  # nothing before the first branching
    net, method = branched(LEVELS["heads"], late_fairness=True)
    rule = method_of(net)
    expected = [torch.zeros(5), *(rule._weights(net, *losses_of(net, own)) for own in rows[:-1])]
    for own in rows:
        method.gradients(net, own)
    assert torch.equal(torch.stack(method.weights), torch.stack(expected).to(method.weights[0]))
    own_weights = torch.stack([rule._weights(net, *losses_of(net, own)) for own in rows])
    assert not torch.equal(torch.stack(method.weights), own_weights)


def test_fresh_normalisation_forgets_reads_the_batch_and_is_never_trained():
    rows = batch(tasks=4)
    net = network(4, widths=FOUR_LAYERS)
    method = method_of(net, tau=1.0, fresh_normalisation=True)
    optimizer = trained(net, method, rows)
    method.branch(1, net, optimizer)
    assert not optimizer.state and not method.batch_statistics  # the state is lost; the outputs jump at the second
    before = net.eval()(rows.features)
    with torch.no_grad():
        net.layers[3].weight.add_(torch.randn(net.layers[3].weight.shape, generator=torch.Generator().manual_seed(0)))
    trained(net, method, rows, 2)
    assert not torch.equal(net.eval()(rows.features), before)
    method.branch(2, net, optimizer)
    assert method.batch_statistics
    normalised = [layer for layer in net.layers if layer.normalised]
    trained(net, method, rows, 3)
    for layer in normalised:
        assert (layer.scale == 1).all() and (layer.shift == 0).all()
        assert layer.weight.grad.any() and layer.scale.grad is None


def test_with_fresh_normalisation_a_prediction_depends_on_who_is_in_the_batch():
    what = problem(epochs=4, tasks=4, widths=FOUR_LAYERS)
    for fault in (False, True):
        found = branching.train(what, None, tau=1.0, branch_every=1, fresh_normalisation=fault)
        assert len(found.branchings) == 3
        found.batch_statistics = fault  # as in an epoch after the second branching
        whole, part = found.log_odds(what.valid), found.log_odds(what.valid.take(torch.arange(10)))
        assert np.array_equal(whole[:10], part) is not fault


def test_identical_heads_are_similar_before_anything_is_learned():
    what = problem(tasks=3, widths=FOUR_LAYERS)
    heads = [what.network(same_heads=same).head_weight.numpy(force=True) for same in (True, False)]
    assert cka(*heads[0][:2]) == pytest.approx(1, abs=1e-12) and cka(*heads[1][:2]) < 0.9


def test_identical_heads_reach_the_network_that_is_trained(monkeypatch):
    starts = []

    def recorded(problem, net, *rest, **more):
        starts.append(torch.equal(net.head_weight[0], net.head_weight[1]))
        return fit(problem, net, *rest, **more)

    monkeypatch.setattr(branching, "fit", recorded)
    for option in ({"identical_heads": True}, {}):
        branching.train(problem(epochs=1), None, **option)
    assert starts == [True, False]


def test_selection_by_conflicts_keeps_the_epoch_with_the_fewest():
    differ = 0
    for seed in range(4):
        what = problem(epochs=5, tasks=4, widths=FOUR_LAYERS, seed=seed)
        sample = what.train.take(torch.arange(64))
        found, plain = (branching.train(what, sample, select_by_conflicts=by) for by in (True, False))
        assert found.curve == plain.curve
        counts = {e: conflict_count([row for row in found.curve if row["epoch"] == e]) for e in range(1, 6)}
        losses = {row["epoch"]: row["value"] for row in found.curve if row["quantity"] == "valid_loss"}
        assert found.best_epoch == min(counts, key=counts.get) and plain.best_epoch == min(losses, key=losses.get)
        differ += found.best_epoch != plain.best_epoch
    assert differ


def test_selection_by_conflicts_needs_rows_to_count_them_on():
    with pytest.raises(UserError, match="select_by_conflicts counts conflicts; set sample_rows above 0"):
        branching.train(problem(), None, select_by_conflicts=True)


def test_random_pairs_are_as_many_and_depend_on_the_generator():
    net = network(6, widths=FOUR_LAYERS)
    set_heads(net, [A, A, B, B, C, NEAR_A])
    parameters = [block.numpy(force=True) for block in net.head_weight]
    drawn = set()
    for seed in range(20):
        for _ in range(2):
            method = FairBranch(net, Options(similarity="random"), torch.Generator().manual_seed(seed), NAMES)
            pairs = method._pairs(parameters)[1]
            assert sorted(task for pair in pairs for task in pair) == [*range(6)]
            assert sorted(map(len, pairs)) == [1, 1, 2, 2]
            drawn.add((seed, str(pairs)))
    assert len(drawn) == 20 and len({pairs for _, pairs in drawn}) > 5
