"""The branched network against plain torch, before and after branching, and beside separately trained networks."""

import copy

import pytest
import torch
from torch import nn

from scripts.multitask.network import BranchedNetwork, joined
from scripts.multitask.simple import vanilla
from scripts.multitask.training import optimizer_of, split_layer
from tests.multitask.small import WIDTHS, batch, network, problem

TREE = [[[0, 1, 2, 3]], [[0, 1], [2, 3]], [[0], [1], [2, 3]]]
TASK_SPECIFIC = [[[0, 1, 2, 3]], [[0], [1], [2], [3]], [[0, 1, 2, 3]]]  # shared weights above layers of single tasks
SEPARATE = [[[0], [1], [2], [3]]] * 3
ALL_GROUPS = {"shared": None, "tree": TREE, "task-specific": TASK_SPECIFIC, "separate": SEPARATE}


def plain_of(net, task):
    """torch's layers with the weights of one task's path."""
    modules, path = [], int(net.head_parent[task])
    steps = []
    for layer in reversed(net.layers):
        steps.insert(0, (layer, path, int(layer.block[path])))
        path = int(layer.parent[path])
    for layer, path, block in steps:
        linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[2]).to(layer.weight)
        linear.weight.data, linear.bias.data = layer.weight.data[block].T.clone(), layer.bias.data[block].clone()
        modules.append(linear)
        if layer.normalised:
            norm = nn.BatchNorm1d(layer.weight.shape[2]).to(layer.weight)
            norm.weight.data, norm.bias.data = layer.scale.data[path].clone(), layer.shift.data[path].clone()
            norm.running_mean.copy_(layer.mean[path])
            norm.running_var.copy_(layer.variance[path])
            modules.append(norm)
        modules.append(nn.ReLU())
    head = nn.Linear(*net.head_weight.shape[1:]).to(net.head_weight)
    head.weight.data, head.bias.data = net.head_weight.data[task].T.clone(), net.head_bias.data[task].clone()
    return nn.Sequential(*modules, head)


def steps(net, count=5, tasks=4):
    """Train for some steps, so that no weight and no statistic is as it was made."""
    rows, method = batch(tasks=tasks), vanilla()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(count):
        net.train()
        optimizer.zero_grad()
        method.gradients(net, rows)
        optimizer.step()
    return net


@pytest.mark.parametrize("name", ALL_GROUPS)
def test_every_path_is_a_plain_network(name):
    net = network(4, ALL_GROUPS[name]).double()
    plain = [plain_of(net, task) for task in range(4)]
    x = torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for _ in range(2):  # the second time with running statistics that have moved
        net.train()
        found, expected = net(x), torch.stack([one.train()(x) for one in plain])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(net.eval()(x), torch.stack([one.eval()(x) for one in plain]), rtol=0, atol=1e-12)
    for task, one in enumerate(plain):
        again = plain_of(net, task)
        for key, value in one.state_dict().items():
            if "running" in key:
                torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=1e-12)


def test_gradients_are_those_of_plain_networks_added_up():
    net = network(4, TREE).double().train()
    plain = [plain_of(net, task) for task in range(4)]
    x = torch.randn(50, 6, dtype=torch.float64)
    net(x).square().sum().backward()
    for one in plain:
        one.train()(x).square().sum().backward()
    first = sum(one[0].weight.grad.T for one in plain)
    torch.testing.assert_close(net.layers[0].weight.grad[0], first, rtol=0, atol=1e-10)
    pair = plain[2][3].weight.grad.T + plain[3][3].weight.grad.T  # layer 2 of the branch of tasks 2 and 3
    torch.testing.assert_close(net.layers[1].weight.grad[1], pair, rtol=0, atol=1e-10)


@pytest.mark.parametrize("tasks", [2, 4, 5])
def test_branching_keeps_every_bit_and_grows_by_copies_of_the_layer(tasks):
    net = steps(network(tasks), tasks=tasks)
    x = torch.randn(40, 6)
    before = net.eval()(x)
    levels = [[[task] for task in range(tasks)], [[0, 1], *([task] for task in range(2, tasks))], [list(range(tasks))]]
    for place, groups in zip((2, 1, 0), levels, strict=True):
        layer = sum(p.numel() for p in net.layers[place].parameters())
        size = net.size()
        net.split(place, groups)
        assert torch.equal(net.eval()(x), before), f"level {place}"
        assert net.paths[place] == groups
        assert net.size() == size + (len(groups) - 1) * layer


def test_branches_go_their_ways_after_a_step():
    net = steps(network(4))
    net.split(2, [[0, 1], [2, 3]])
    steps(net, 1)
    assert not torch.equal(net.layers[2].weight[0], net.layers[2].weight[1])
    assert not torch.equal(net.layers[2].bias[0], net.layers[2].bias[1])


def test_a_branch_owns_its_statistics():
    net = steps(network(4))
    net.split(2, [[0, 1], [2, 3]])
    net.split(1, [[0, 1], [2, 3]])
    assert len(net.layers[1].mean) == len(net.layers[1].scale) == 2
    steps(net, 2)
    assert not torch.equal(net.layers[1].scale[0], net.layers[1].scale[1])
    assert not torch.equal(net.layers[1].mean[0], net.layers[1].mean[1])


def test_gradients_of_copies_add_up_to_that_of_the_layer():
    net, rows = network(4).double(), batch(tasks=4)
    x = rows.features.double()
    net.train()(x).square().sum().backward()
    before = net.layers[1].weight.grad.clone()
    net.split(2, [[0], [1], [2, 3]])
    net.split(1, [[0, 1], [2, 3]])
    net.zero_grad()
    net(x).square().sum().backward()
    torch.testing.assert_close(net.layers[1].weight.grad.sum(0, keepdim=True), before, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([(1, [[0, 1], [2, 3]]), (2, [[0, 1], [2, 3]])], "split already"),
        ([(2, [[0, 1], [2, 3]]), (2, [[0, 1], [2, 3]])], "split already"),
        ([(2, [[0, 1], [2, 3]]), (1, [[0, 2], [1, 3]])], "in no group"),
    ],
)
def test_impossible_splits_are_refused(splits, message):
    net = network(4)
    if splits[0][0] == 1:
        splits = [(2, [[0], [1], [2], [3]]), *splits]
    for place, groups in splits[:-1]:
        net.split(place, groups)
    with pytest.raises(ValueError, match=message):
        net.split(*splits[-1])


@pytest.mark.parametrize("name", ALL_GROUPS)
def test_a_row_does_not_depend_on_its_batch(name):
    net = steps(network(4, ALL_GROUPS[name])).eval()
    generator = torch.Generator().manual_seed(2)
    x, others = (torch.randn(30, 6, generator=generator) for _ in range(2))
    mixed = torch.cat([x[:15], 100 * others[15:]])
    assert torch.equal(net(mixed)[:, :15], net(x)[:, :15])
    torch.testing.assert_close(torch.cat([net(row[None]) for row in x], dim=1), net(x), rtol=0, atol=1e-5)
    by_batch = net(mixed, True)[:, :15] - net(x, True)[:, :15]
    assert by_batch.abs().max() > 0.1  # so the rows beside it could have been seen


def test_evaluation_leaves_the_statistics_alone():
    net = steps(network(4))
    before = copy.deepcopy(net.state_dict())
    net.eval()(torch.randn(30, 6))
    net.eval()(torch.randn(30, 6), True)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_numbers_of_parameters():
    net = BranchedNetwork(20, (1024, 128, 256, 512, 128), 5)
    linear = sum(layer.weight.numel() + layer.bias.numel() for layer in net.layers)
    norm = sum(layer.scale.numel() + layer.shift.numel() for layer in net.layers if layer.normalised)
    heads = net.head_weight.numel() + net.head_bias.numel()
    assert (linear, norm, heads, net.size()) == (382_976, 3_840, 1_290, 388_106)
    assert [layer.normalised for layer in net.layers] == [True] * 4 + [False]
    assert BranchedNetwork(20, (1024, 1024, 512, 128), 5).size() == 1_667_978


def test_shared_parameters_are_all_but_the_heads():
    net = network(4, TREE)
    shared = sum(parameter.numel() for parameter in net.shared_parameters())
    assert shared == net.size() - net.head_weight.numel() - net.head_bias.numel()


def test_heads_start_alike_only_if_asked():
    alike, apart = network(4, same_heads=True), network(4)
    assert all(torch.equal(alike.head_weight[0], weight) for weight in alike.head_weight)
    assert not torch.equal(apart.head_weight[0], apart.head_weight[1])
    assert torch.equal(alike.layers[0].weight, apart.layers[0].weight)


def test_initial_weights_are_those_of_torchs_linear_in_distribution():
    weight = BranchedNetwork(400, (300,), 1, generator=torch.Generator().manual_seed(0)).layers[0].weight.detach()
    bound = 1 / 20
    assert weight.abs().max() <= bound
    assert abs(float(weight.var()) - bound**2 / 3) < 0.02 * bound**2 / 3


def test_joined_groups():
    assert joined([[0, 1, 2], [3]], [[0, 3], [1, 2]]) == [[0], [1, 2], [3]]


def single_of(net, task):
    """The network of one task, cut out of stacked ones."""
    single = BranchedNetwork(net.layers[0].weight.shape[1], [layer.weight.shape[2] for layer in net.layers], 1)
    for own, layer in zip(single.layers, net.layers, strict=True):
        for name, parameter in own.named_parameters():
            parameter.data = getattr(layer, name).data[[task]].clone()
    single.head_weight.data, single.head_bias.data = net.head_weight.data[[task]], net.head_bias.data[[task]]
    return single


def test_stacked_networks_are_separately_trained_ones():
    what = problem(tasks=3, epochs=3)
    stacked = what.network(what.separate())
    singles = [single_of(stacked, task) for task in range(3)]
    before = stacked.eval()(what.valid.features)
    for net, tasks in [(stacked, [0, 1, 2]), *((single, [task]) for task, single in enumerate(singles))]:
        optimizer = optimizer_of(net, what.settings)
        for epoch in range(1, 4):
            for rows in what.batches(epoch):
                taken = what.train.take(rows)
                net.train()
                optimizer.zero_grad()
                vanilla().gradients(net, type(taken)(taken.features, taken.labels[:, tasks], taken.groups, 2))
                optimizer.step()
    found = stacked.eval()(what.valid.features)
    expected = torch.cat([single.eval()(what.valid.features) for single in singles])
    assert (found - before).abs().max() > 0.05
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("keep", [True, False])
def test_a_split_layer_keeps_the_state_of_the_optimizer(keep):
    what = problem(tasks=4)
    net = what.network()
    optimizer = optimizer_of(net, what.settings)
    for rows in what.batches(1):
        net.train()
        optimizer.zero_grad()
        vanilla().gradients(net, what.train.take(rows))
        optimizer.step()
    layer = net.layers[2]
    before = {name: dict(optimizer.state[parameter]) for name, parameter in layer.named_parameters()}
    split_layer(net, optimizer, 2, [[0, 2], [1], [3]], keep_state=keep)
    listed = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(listed) == sorted(map(id, net.parameters()))
    if not keep:
        assert not optimizer.state
        return
    assert set(optimizer.state) == set(net.parameters())
    for name, parameter in layer.named_parameters():
        state = optimizer.state[parameter]
        for key in ("exp_avg", "exp_avg_sq"):
            assert before[name][key].abs().max() > 0
            assert torch.equal(state[key], before[name][key].expand_as(parameter))
        assert state["step"] == before[name]["step"]


def test_a_split_into_one_group_changes_nothing_of_what_follows():
    ends = []
    for split in (False, True):
        what = problem(tasks=3, epochs=2)
        net = what.network()
        optimizer = optimizer_of(net, what.settings)
        for epoch in (1, 2):
            for rows in what.batches(epoch):
                net.train()
                optimizer.zero_grad()
                vanilla().gradients(net, what.train.take(rows))
                optimizer.step()
            if split:
                split_layer(net, optimizer, 2, [[0, 1, 2]])
        ends.append(net.eval()(what.valid.features))
    assert torch.equal(*ends)


def test_a_bias_that_normalisation_takes_away_has_no_gradient():
    net = network(4, TREE)
    vanilla().gradients(net.train(), batch(tasks=4))
    assert [bool(layer.bias.grad.any()) for layer in net.layers] == [False, False, True]
    net.zero_grad()
    net(batch(tasks=4).features, False).sum().backward()  # running statistics do not take it away
    assert all(layer.bias.grad.any() for layer in net.layers)


def test_widths_of_the_tests_have_a_layer_without_normalisation():
    assert [layer.normalised for layer in network().layers] == [True] * (len(WIDTHS) - 1) + [False]
