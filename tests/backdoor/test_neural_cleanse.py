"""Reverse engineering: all labels at once against one after the other, Adam, schedule, gate and early stop."""

import numpy as np
import pytest
import torch

from scripts.backdoor.network import frozen
from scripts.backdoor.neural_cleanse import Adam, Search, from_unit, reverse_engineer, stamped, step_batches, to_unit
from scripts.backdoor.schedule import Schedule, ScheduleSettings
from scripts.common.errors import UserError
from tests.backdoor.made_up import digits, trained

FAST = ScheduleSettings(success=0.9, patience=2, stop_patience=3, first_cost=0.01)
PUBLISHED = ScheduleSettings()
SEARCH = Search(steps=14, batches_per_step=3, batch_size=16, schedule=FAST)


@pytest.fixture(scope="module")
def scene():
    pool = digits(400)
    return frozen(trained(pool)), pool.images[:120]


def test_all_labels_at_once_equal_one_label_after_the_other(scene):
    network, images = scene
    together = reverse_engineer(network, images, range(10), SEARCH, seed=1)
    for label in range(10):
        alone = reverse_engineer(network, images, [label], SEARCH, seed=1)
        assert torch.allclose(alone.mask[0], together.mask[label], atol=2e-4), label
        assert torch.allclose(alone.pattern[0], together.pattern[label], atol=2e-3), label
        mine, other = together.summary.iloc[label], alone.summary.iloc[0]
        assert mine["norm"] == pytest.approx(other["norm"], rel=1e-4)
        assert mine.drop("norm").equals(other.drop("norm"))
        of = together.trace[together.trace["label"] == label]
        assert np.allclose(of[["success", "norm", "cost"]], alone.trace[["success", "norm", "cost"]], rtol=1e-4)


def test_labels_stop_one_by_one_and_a_stopped_one_leaves_the_others_alone(scene):
    network, images = scene
    found = reverse_engineer(network, images, range(10), Search(40, 3, 16, schedule=FAST), seed=1)
    assert found.summary["steps"].nunique() > 1 and (found.summary["stopped"] == "early").any()
    counts = found.trace.groupby("label")["step"].max()
    assert counts.tolist() == found.summary["steps"].tolist()
    assert (found.summary["updates"] == 3 * found.summary["steps"]).all()


def test_the_mask_kept_is_the_smallest_that_passed_the_gate(scene):
    network, images = scene
    found = reverse_engineer(network, images, [0, 4], SEARCH, seed=2)
    for own in found.summary.itertuples():
        of = found.trace[(found.trace["label"] == own.label) & (found.trace["success"] >= FAST.success)]
        assert own.found and len(of)
        best = of["norm"].min()  # a mean over the step; the mask is that of its end
        assert own.norm == pytest.approx(best, rel=0.15)


def test_where_nothing_passes_the_gate_the_last_mask_counts(scene):
    network, images = scene
    hard = Search(4, 2, 16, schedule=ScheduleSettings(success=1.1))
    found = reverse_engineer(network, images, [0], hard, seed=1)
    longer = reverse_engineer(network, images, [0], Search(5, 2, 16, schedule=ScheduleSettings(success=1.1)), seed=1)
    assert not found.summary["found"].any() and not torch.equal(found.mask, longer.mask)
    assert (found.trace["cost"] == 0).all()


def test_a_network_without_numbers_ends_in_one_line(scene):
    _, images = scene
    with pytest.raises(UserError, match="not finite in step 1"):
        reverse_engineer(lambda x: x.flatten(1)[:, :10] * float("nan"), images, [0], SEARCH, seed=1)


def test_adam_is_torchs_adam():
    random = torch.Generator().manual_seed(0)
    start, gradients = torch.randn(3, 4, generator=random), torch.randn(20, 3, 4, generator=random)
    mine, other = Adam(start.clone(), 0.1), start.clone().requires_grad_()
    reference = torch.optim.Adam([other], lr=0.1, betas=(0.5, 0.9))
    for gradient in gradients:
        mine.update(gradient)
        other.grad = gradient.clone()
        reference.step()
    assert torch.allclose(mine.theta, other, atol=1e-5)


def test_stamping_is_the_blend_in_pixels():
    images = torch.rand(5, 1, 28, 28)
    mask, pattern = torch.rand(28, 28), torch.rand(28, 28)
    expected = (1 - mask) * images + mask * pattern
    assert torch.allclose(stamped(images, mask, pattern), expected, atol=1e-6)
    many = stamped(images, torch.stack([mask, mask * 0]), torch.stack([pattern, pattern]))
    assert many.shape == (2, 5, 1, 28, 28) and torch.allclose(many[0], expected, atol=1e-6)
    assert torch.equal(many[1], images)


def test_unit_values_come_back():
    values = torch.linspace(0.001, 0.999, 50)
    assert torch.allclose(to_unit(from_unit(values)), values, atol=1e-5)


def test_batches_depend_on_seed_and_step_and_use_a_small_pool_evenly():
    search = Search(batches_per_step=5, batch_size=32)
    one, two = step_batches(40, search, 1, 0), step_batches(40, search, 1, 0)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True)) and [len(b) for b in one] == [32] * 5
    counts = torch.cat(one).bincount(minlength=40)
    assert counts.min() == counts.max() == 4
    assert not torch.equal(torch.cat(one), torch.cat(step_batches(40, search, 1, 1)))


def costs_of(successes: list[float], settings: ScheduleSettings = PUBLISHED) -> list[float]:
    """Return the cost after every step for one label."""
    schedule, rows, costs = Schedule(1, settings), torch.tensor([0]), []
    for step, success in enumerate(successes):
        schedule.after_step(rows, torch.tensor([success]), torch.tensor([100.0 - step]))
        costs.append(float(schedule.cost))
    return costs


def test_the_cost_starts_after_five_successes_doubles_and_falls_faster():
    good, bad = 1.0, 0.5
    costs = costs_of([good] * 14 + [bad] * 5)
    assert costs[:4] == [0] * 4 and costs[4] == pytest.approx(1e-3)
    assert costs[8] == pytest.approx(2e-3)  # the step that sets it is the first of the next five
    assert costs[13] == pytest.approx(4e-3)
    assert costs[-2] == pytest.approx(4e-3) and costs[-1] == pytest.approx(4e-3 / 2**1.5)


def test_one_failure_starts_the_count_again():
    assert costs_of([1.0] * 4 + [0.5] + [1.0] * 4)[-1] == 0
    assert costs_of([1.0] * 4 + [0.5] + [1.0] * 5)[-1] == pytest.approx(1e-3)


def test_a_label_is_done_only_after_the_cost_went_both_ways_and_the_mask_stood_still():
    settings = ScheduleSettings(patience=1, stop_patience=3)
    schedule, rows = Schedule(1, settings), torch.tensor([0])

    def step(success: float, norm: float) -> tuple[bool, bool]:
        better, over = schedule.after_step(rows, torch.tensor([success]), torch.tensor([norm]))
        return bool(better), bool(over)

    assert step(1.0, 50.0) == (True, False) and step(1.0, 40.0) == (True, False)
    assert [step(1.0, 60.0) for _ in range(5)] == [(False, False)] * 5  # never went down
    assert step(0.5, 30.0) == (False, False)  # small, but does not pass the gate; the fall counts from the next step on
    assert step(1.0, 60.0) == (False, True)


def test_rows_of_the_schedule_never_meet():
    random = np.random.default_rng(0)
    success, norm = random.choice([0.5, 1.0], (60, 3)), random.random((60, 3)) * 50
    settings = ScheduleSettings(patience=2)
    together, alone = Schedule(3, settings), [Schedule(1, settings) for _ in range(3)]
    for s, n in zip(torch.from_numpy(success).float(), torch.from_numpy(norm).float(), strict=True):
        together.after_step(torch.arange(3), s, n)
        for place, own in enumerate(alone):
            own.after_step(torch.tensor([0]), s[place : place + 1], n[place : place + 1])
    assert torch.equal(together.cost, torch.cat([own.cost for own in alone]))
    assert torch.equal(together.smallest, torch.cat([own.smallest for own in alone]))
