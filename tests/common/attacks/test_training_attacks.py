import copy

import pytest
import torch
from torch import nn

from scripts.common.attacks import apgd, fgsm_random_start, frozen, pgd, published_apgd
from tests.common.attacks.models import Counting, images, inside, linear, predicted, small_net

SHAPE = (3, 8, 8)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(model, count=16):
    x = images(count, SHAPE)
    model.eval()
    return x, predicted(model, x)


@pytest.mark.parametrize("attack", [fgsm_random_start, lambda m, x, y, e, g: pgd(m, x, y, e, 3, g)])
def test_training_attacks_stay_inside_and_leave_no_trace(attack):
    model = small_net().train()
    x, y = images(16, SHAPE), torch.randint(0, 2, (16,), generator=generator())
    before, state = x.clone(), torch.random.get_rng_state()
    adversarial = attack(model, x, y, 0.05, generator())
    assert inside(adversarial, x, "linf", 0.05)
    assert not adversarial.requires_grad and adversarial.dtype == torch.float32
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training and torch.equal(x, before)
    assert torch.equal(torch.random.get_rng_state(), state)  # the global generator is not touched


def test_training_attacks_follow_their_generator():
    model = small_net().eval()
    x, y = batch(model)
    first, again, other = (fgsm_random_start(model, x, y, 0.05, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    running = generator(1)
    fgsm_random_start(model, x, y, 0.05, running)
    assert not torch.equal(fgsm_random_start(model, x, y, 0.05, running), first)


def test_fgsm_is_one_signed_step_from_the_random_start():
    model = linear(SHAPE)
    x = images(4, SHAPE, low=0.3, high=0.7)
    y = predicted(model, x)
    noise = torch.rand(x.shape, generator=generator()) * 2 - 1
    signs = model.a.sign().view(1, *SHAPE) * torch.where(y == 1, -1, 1).view(-1, 1, 1, 1)
    expected = x + (0.1 * noise + 0.125 * signs).clamp(-0.1, 0.1)
    assert torch.allclose(fgsm_random_start(model, x, y, 0.1, generator()), expected, atol=1e-6)


def test_pgd_reaches_the_exact_worst_point_of_a_linear_model():
    model = linear(SHAPE)
    x = images(8, SHAPE)
    y = predicted(model, x)
    signs = model.a.sign().view(1, *SHAPE) * torch.where(y == 1, -1, 1).view(-1, 1, 1, 1)
    assert torch.allclose(pgd(model, x, y, 0.1, 4, generator()), (x + 0.1 * signs).clamp(0, 1), atol=1e-6)


def test_costs_are_one_pass_per_step():
    model = Counting(small_net().eval())
    x, y = batch(model)
    model.images = 0
    fgsm_random_start(model, x, y, 0.05, generator())
    assert model.images == len(x)
    pgd(model, x, y, 0.05, 3, generator())
    assert model.images == 4 * len(x)


def test_pgd_refuses_zero_steps():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        pgd(linear(), images(1), torch.zeros(1), 0.1, 0, generator())


def test_a_network_that_has_become_nan_is_left_to_the_training_loop():
    model = linear(scale=float("nan"))
    for result in (
        fgsm_random_start(model, images(2), torch.zeros(2), 0.1, generator()),
        published_apgd(model, images(2), torch.zeros(2), 0.1),
    ):
        assert result.shape == (2, 3, 4, 4) and model(result).isnan().all()


def test_evaluation_attacks_run_in_float32_under_autocast_and_training_attacks_in_the_callers_precision():
    model = small_net().eval()
    x, y = batch(model)
    seen = []
    model.register_forward_hook(lambda *call: seen.append(call[2].dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        apgd(model, x, y, "linf", 0.05, 2)
        assert set(seen) == {torch.float32}
        fgsm_random_start(model, x, y, 0.05, generator())
        assert seen[-1] == torch.bfloat16


def test_frozen_stills_batchnorm_and_parameters_and_restores_both():
    model = small_net().train()
    model[1].eval(), model[0].weight.requires_grad_(False)
    model.append(nn.BatchNorm1d(2))
    modes = [module.training for module in model.modules()]
    flags = [parameter.requires_grad for parameter in model.parameters()]
    buffers = copy.deepcopy(dict(model.named_buffers()))
    x = images(16, SHAPE)
    with pytest.raises(KeyError), frozen(model) as inner:
        assert inner is model and model.training
        assert not any(module.training for module in (model[1], model[-1]))
        assert not any(parameter.requires_grad for parameter in model.parameters())
        fgsm_random_start(model, x, torch.zeros(16), 0.05, generator())
        raise KeyError
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert all(torch.equal(value, buffers[name]) for name, value in model.named_buffers())


class TestPublished:
    """The faults that the replicated study's attack has, one by one."""

    def setup_method(self):
        self.model = small_net().train()
        self.x = images(64, SHAPE)
        # Labels by the train-mode prediction, every fourth one wrong.
        with torch.no_grad():
            self.y = copy.deepcopy(self.model)(self.x).argmax(1)
        self.y[::4] = 1 - self.y[::4]

    def attack(self, eps=0.03, model=None):
        return published_apgd(model or copy.deepcopy(self.model), self.x, self.y, eps)

    def test_only_flipped_images_come_back_perturbed(self):
        result = self.attack()
        moved = (result != self.x).flatten(1).any(1)
        assert 0 < moved.sum() < 48  # some stay clean although a perturbation was found
        assert not moved[::4].any()  # wrong at the outset: not attacked
        assert inside(result, self.x, "linf", 0.03)
        assert torch.equal(self.attack(eps=1e-9), self.x)

    def test_it_moves_the_running_statistics_and_keeps_train_mode(self):
        model = copy.deepcopy(self.model)
        self.attack(model=model)
        assert model.training
        assert int(model[1].num_batches_tracked) == 1 + 8  # the clean pass, the start, seven iterations
        assert not torch.equal(model[1].running_mean, self.model[1].running_mean)
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_it_sees_only_the_correct_images(self):
        model = Counting(copy.deepcopy(self.model))
        self.attack(model=model)
        assert model.images == 64 + 8 * 48 and model.calls == 9

    def test_the_random_start_is_the_same_at_every_call(self):
        seen = []

        class Watching(nn.Module):
            def forward(inner, x):
                seen.append(x.detach().clone())
                return torch.stack([x.flatten(1).sum(1) * 0 + 1, x.flatten(1).sum(1) * 1e-9], 1)

        for _ in range(2):
            published_apgd(Watching(), self.x, torch.zeros(64), 0.03)
            torch.rand(1)  # the global generator has moved on
        first, second = seen[1], seen[len(seen) // 2 + 1]
        assert torch.equal(first, second) and not torch.equal(first, self.x)
        other = len(seen)
        published_apgd(Watching(), self.x, torch.zeros(64), 0.03, seed=1)
        assert not torch.equal(seen[other + 1], first)

    def test_it_uses_batch_statistics(self):
        """In train mode an image's result depends on its companions; with frozen BatchNorm it cannot."""
        eighth = published_apgd(copy.deepcopy(self.model), self.x[:8], self.y[:8], 0.03)
        assert not torch.allclose(eighth, self.attack()[:8])

    def test_a_batch_that_is_all_wrong_comes_back_clean(self):
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            y = 1 - copy.deepcopy(model)(self.x).argmax(1)
        assert torch.equal(published_apgd(model, self.x, y, 0.03), self.x)
