"""Training: what is kept, what is refused, and on what the order of the rows depends."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scripts.common.errors import UserError
from scripts.multitask import training
from scripts.multitask.shared import RULES, train
from scripts.multitask.simple import vanilla
from scripts.multitask.training import Problem, Settings, fit, optimizer_of, split_layer, validation_loss
from tests.multitask.small import WIDTHS, network, people, problem


def bytes_of(found):
    return b"".join(tensor.numpy(force=True).tobytes() for tensor in found.network.state_dict().values())


@pytest.mark.parametrize("rule", RULES)
def test_the_same_seed_gives_the_same_bytes_and_another_others(rule):
    weight = 1.0 if rule in ("fixed", "class_balanced") else None
    one, again, other = (train(problem(seed=seed), None, rule, weight) for seed in (0, 0, 1))
    assert bytes_of(one) == bytes_of(again) != bytes_of(other)
    assert one.curve == again.curve and one.best_epoch == again.best_epoch


def test_methods_of_one_seed_begin_alike_and_see_the_same_rows():
    first, second = problem(seed=3), problem(seed=3)
    torch.rand(5)  # the global generator plays no part
    for one, other in zip(first.network().parameters(), second.network().parameters(), strict=True):
        assert torch.equal(one, other)
    assert all(torch.equal(a, b) for a, b in zip(first.batches(2), second.batches(2), strict=True))


def test_batches_are_named_by_dataset_seed_and_epoch():
    def orders(what):
        return [torch.cat(what.batches(epoch)).tolist() for epoch in (1, 2)]

    base = problem(seed=0)
    found = [*orders(base), *orders(problem(seed=1)), *orders(Problem(base.people, base.settings, "other", 0))]
    assert len(set(map(tuple, found))) == 6
    assert all(sorted(order) == [*range(len(base.train))] for order in found)
    wider = Problem(base.people, replace(base.settings, widths=(3,), epochs=9), "small", 0)
    assert orders(wider) == orders(base)  # a setting that does not bear on the rows


@pytest.mark.parametrize(("size", "sizes"), [(64, [64, 64, 22]), (149, [149]), (75, [75, 75]), (500, [150])])
def test_every_row_is_in_one_batch_but_one_that_would_be_alone(size, sizes):
    assert [len(rows) for rows in problem(rows=300, batch_size=size).batches(1)] == sizes


def test_a_single_row_is_a_batch_if_there_is_no_other():
    few = people(rows=300).take(np.r_[0, 150:300])
    assert [len(rows) for rows in Problem(few, Settings(WIDTHS, 1, 8), "small", 0).batches(1)] == [1]


class Scripted:
    """A method that puts a given bias on the heads after each epoch, so that the validation loss is known."""

    def __init__(self, biases):
        self.biases = biases

    def gradients(self, net, rows):
        for parameter in net.parameters():
            parameter.grad = torch.zeros_like(parameter)
        return torch.zeros(net.tasks)

    def after_epoch(self, epoch, net, optimizer):
        with torch.no_grad():
            net.head_bias[:, 1] = self.biases[epoch - 1]
        return [{"quantity": "biases", "value": self.biases[epoch - 1]}]


@pytest.mark.parametrize(("biases", "best"), [([9.0, 0.0, 3.0], 2), ([0.0, 5.0, 9.0], 1), ([9.0, 5.0, 1.0], 3)])
def test_the_epoch_with_the_lowest_validation_loss_is_kept(biases, best):
    what = problem(epochs=3)
    found = fit(what, what.network(), Scripted(biases))
    losses = [row["value"] for row in found.curve if row["quantity"] == "valid_loss"]
    assert found.best_epoch == best == 1 + int(np.argmin(losses))
    assert (found.network.head_bias[:, 1] == biases[best - 1]).all() and not found.network.training
    assert validation_loss(found.network, what.valid) == losses[best - 1]


def test_of_equal_epochs_the_first_is_kept_and_an_objective_takes_the_place_of_the_loss():
    what = problem(epochs=3)
    assert fit(what, what.network(), Scripted([1.0, 1.0, 1.0])).best_epoch == 1
    largest = fit(what, what.network(), Scripted([0.0, 1.0, 9.0]), objective=lambda rows: -rows[0]["value"])
    assert largest.best_epoch == 3


def test_validation_is_in_evaluation_mode_and_counts_all_tasks_alike():
    what = problem()
    net = what.network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    loss = validation_loss(net, what.valid)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    logits = net.eval()(what.valid.features).detach()
    own = [
        torch.nn.functional.cross_entropy(logits[task], what.valid.labels[:, task].long()) for task in range(what.tasks)
    ]
    assert loss == pytest.approx(float(sum(own)) / what.tasks, abs=1e-6)


def test_a_loss_that_is_not_finite_is_one_line():
    what = problem()
    for bad in (float("nan"), float("inf")):
        what.people.features[5, 2] = bad
        broken = Problem(what.people, what.settings, "small", 4)
        with pytest.raises(UserError, match="multitask: small, seed 4: the loss is not finite in epoch 1; lower") as no:
            train(broken, None, "vanilla")
        assert "\n" not in str(no.value)


def test_a_validation_loss_that_is_not_finite_is_refused_too():
    """Else the network of no epoch would be kept, that is the one before training."""
    what = problem(epochs=2)
    with pytest.raises(UserError, match="loss is not finite in epoch 2"):
        fit(what, what.network(), Scripted([0.0, float("nan")]))


def test_steps_curves_and_time_are_recorded():
    found = train(problem(epochs=3, batch_size=64), None, "vanilla")
    assert found.steps == 9 and found.seconds > 0
    assert {(row["epoch"], row["quantity"]) for row in found.curve} == {
        (epoch, quantity) for epoch in (1, 2, 3) for quantity in ("train_loss", "valid_loss")
    }


def test_predictions_are_log_odds_in_evaluation_mode():
    what = problem()
    found = train(what, None, "vanilla")
    scores = found.log_odds(what.valid)
    logits = found.network(what.valid.features).detach()
    probabilities = torch.softmax(logits, -1)[..., 1].T.numpy()
    assert scores.shape == (len(what.valid), what.tasks) and scores.dtype == np.float32
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), probabilities, atol=1e-6)
    np.testing.assert_array_equal(found.log_odds(what.valid.take(torch.arange(1))), scores[:1])


def test_settings_are_read_from_a_block():
    settings = Settings.of({"widths": [3, 4], "epochs": 2, "batch_size": 5, "learning_rate": 0.5})
    assert settings == Settings((3, 4), 2, 5, 0.5, 0.01)


def test_rate_and_decay_reach_the_optimiser():
    group = optimizer_of(network(), Settings(WIDTHS, 1, 8, 0.5, 0.25)).param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)


def test_a_split_layer_goes_on_as_before():
    """Two copies with the state of the one make the steps that it would have made, when their gradients are its own."""
    nets = []
    for split in (False, True):
        what, method = problem(epochs=1), vanilla()
        net = what.network()
        optimizer = optimizer_of(net, what.settings)
        for place, rows in enumerate([*what.batches(1), *what.batches(2)]):
            net.train()
            optimizer.zero_grad(set_to_none=True)
            method.gradients(net, what.train.take(rows))
            if split and place >= 3:  # every branch gets the gradient of the whole
                for parameter in net.layers[2].parameters():
                    parameter.grad = parameter.grad.sum(0, keepdim=True).expand_as(parameter).clone()
            optimizer.step()
            if split and place == 2:
                split_layer(net, optimizer, 2, [[0], [1, 2]])
        nets.append(net)
    torch.testing.assert_close(nets[1].layers[2].weight[0], nets[0].layers[2].weight[0], rtol=0, atol=1e-5)
    assert torch.equal(nets[1].layers[2].weight[0], nets[1].layers[2].weight[1])


def test_the_clock_is_that_of_the_processor(monkeypatch):
    ticks = iter([1.0, 3.5])
    monkeypatch.setattr(training.time, "process_time", lambda: next(ticks))
    assert train(problem(), None, "vanilla").seconds == 2.5
