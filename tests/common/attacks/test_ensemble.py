import copy

import pandas as pd
import pytest
import torch

from scripts.common.attacks import AttackCheckError, apgd, attack_ensemble, check_plan, fab, published_measure, square
from scripts.common.attacks.norms import NORMS
from scripts.common.errors import UserError
from tests.common.attacks.models import Counting, exact_margin, images, linear, predicted, small_net

PLAN = [
    {"attack": "apgd", "iterations": 10, "restarts": 1},
    {"attack": "fab", "iterations": 10},
    {"attack": "square", "queries": 30},
]
EPS = {"linf": 0.02, "l2": 0.2, "l1": 1.0}


def problem(count=40):
    model = small_net().eval()
    x = images(count, (3, 8, 8))
    y = predicted(model, x)
    y[::5] = 1 - y[::5]
    return model, x, y


@pytest.mark.parametrize("norm", NORMS)
def test_every_image_has_one_story(norm):
    model, x, y = problem()
    table = attack_ensemble(model, x, y, norm, EPS[norm], PLAN, batch_size=16)
    names = ["broken_by_apgd", "broken_by_fab", "broken_by_square"]
    assert list(table.columns) == ["clean_correct", *names, "robust", "clean_margin", "margin"]
    assert table.clean_correct.tolist() == (predicted(model, x) == y).tolist()
    assert table.clean_correct.dtype == bool and table.robust.dtype == bool
    assert all(table[name].dtype == "boolean" for name in names)
    surviving = table.clean_correct
    for name in names:
        assert table[name].isna().equals(~surviving)  # attacked exactly while surviving
        surviving = surviving & ~table[name].fillna(True).astype(bool)
    assert table.robust.equals(surviving)  # the worst case
    assert 0 < table.robust.sum() < table.clean_correct.sum()
    assert (table.margin <= table.clean_margin).all()
    assert ((table.margin > 0) == table.robust).all()


def test_the_worst_case_is_the_minimum_over_the_attacks_alone():
    model, x, y = problem()
    together = attack_ensemble(model, x, y, "l2", 0.2, PLAN)
    alone = [attack_ensemble(model, x, y, "l2", 0.2, [entry]) for entry in PLAN]
    assert (together.robust == alone[0].robust & alone[1].robust & alone[2].robust).all()
    left = together.robust
    lowest = pd.concat([table.margin for table in alone], axis=1).min(axis=1)
    assert (together.margin - lowest)[left].abs().max() < 1e-3


def test_broken_images_are_not_attacked_again():
    inner, x, y = problem()
    model = Counting(inner).eval()
    attack_ensemble(model, x, y, "linf", 0.02, [])
    assert model.images == 40  # the clean pass
    easy = attack_ensemble(model, x, y, "linf", 1.0, [{"attack": "apgd", "iterations": 50}])
    assert not easy.robust.any()
    model.images = 0
    attack_ensemble(
        model, x, y, "linf", 1.0, [{"attack": "apgd", "iterations": 50}, {"attack": "square", "queries": 5000}]
    )
    assert model.images < 40 + 32 * 20
    # A radius at which nothing breaks: the clean pass, then per attack its passes and one to confirm.
    model.images = 0
    attack_ensemble(
        model, x, y, "linf", 1e-9, [{"attack": "apgd", "iterations": 5}, {"attack": "square", "queries": 7}]
    )
    assert model.images == 40 + 32 * (6 + 1) + 32 * (7 + 1)


def test_batches_and_order_do_not_matter():
    model, x, y = problem()
    row_ids = torch.arange(1000, 1040)
    whole = attack_ensemble(model, x, y, "linf", 0.02, PLAN, seed=5, ids=row_ids)
    small = attack_ensemble(model, x, y, "linf", 0.02, PLAN, seed=5, ids=row_ids, batch_size=7)
    # a batch of another size rounds differently, which may turn an image that lies on the boundary before any attack
    decided = whole.clean_margin.abs() > 1e-5
    assert decided.sum() >= 38
    verdicts = [table[decided].drop(columns=["margin", "clean_margin"]) for table in (whole, small)]
    assert verdicts[0].equals(verdicts[1])
    order = torch.arange(39, -1, -1)
    turned = attack_ensemble(model, x[order], y[order], "linf", 0.02, PLAN, seed=5, ids=row_ids[order])
    assert whole.robust[decided].tolist() == turned.robust[::-1].set_axis(whole.index)[decided].tolist()
    again = attack_ensemble(model, x, y, "linf", 0.02, PLAN, seed=5, ids=row_ids)
    pd.testing.assert_frame_equal(whole, again, check_exact=True)


def test_the_model_comes_out_as_it_went_in():
    model, x, y = problem(10)
    before = copy.deepcopy(model.state_dict())
    attack_ensemble(model, x, y, "linf", 0.02, PLAN)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_plain_function_will_do_and_progress_wraps_the_batches():
    model, x, y = problem(10)
    seen = []

    def progress(batches, label):
        seen.append((label, len(batches)))
        return batches

    with_function = attack_ensemble(lambda z: model(z), x, y, "linf", 0.02, PLAN[:1], batch_size=4, progress=progress)
    assert seen == [("apgd linf 0.02", 2)]
    pd.testing.assert_frame_equal(with_function, attack_ensemble(model, x, y, "linf", 0.02, PLAN[:1], batch_size=4))


def test_nothing_to_attack():
    model, x, y = problem(5)
    wrong = attack_ensemble(model, x, 1 - predicted(model, x), "linf", 0.02, PLAN)
    assert not wrong.robust.any() and wrong.broken_by_apgd.isna().all()
    assert len(attack_ensemble(model, x[:0], y[:0], "linf", 0.02, PLAN)) == 0


def test_constant_classifiers_are_robust_where_they_are_right():
    x, y = images(6), torch.tensor([0, 1, 0, 1, 0, 0])
    reject = lambda z: z.flatten(1).sum(1, keepdim=True) * 0 + torch.tensor([1.0, -1.0])  # noqa: E731
    table = attack_ensemble(reject, x, y, "linf", 0.1, PLAN)
    assert table.robust.tolist() == (y == 0).tolist() == table.clean_correct.tolist()


def test_published_measure_stands_alone_and_uses_the_cross_entropy():
    """On a confident linear classifier the cross-entropy misses images that the margin finds."""
    model, x = linear(scale=200.0), images(30, low=0.3, high=0.7)
    y = predicted(model, x)
    a = model.a.detach().double().numpy()
    exact = [
        exact_margin(a, model.b, z.flatten().double().numpy(), int(t), "linf", 0.02) > 0
        for z, t in zip(x, y, strict=True)
    ]
    assert attack_ensemble(model, x, y, "linf", 0.02, PLAN).robust.tolist() == exact
    measure = published_measure(model, x, y, 0.02, iterations=20)
    assert "broken_by_apgd_ce" in measure and measure.robust.sum() > sum(exact)
    calm = linear()
    y = predicted(calm, x)
    assert published_measure(calm, x, y, 0.02).robust.equals(attack_ensemble(calm, x, y, "linf", 0.02, PLAN).robust)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([{"attack": "pgd"}], "unknown attack 'pgd'; choose one of apgd, fab, square"),
        ([{"iterations": 5}], "unknown attack None"),
        ([{"attack": "square", "iterations": 5}], "square has no option 'iterations'; it has p_init, queries"),
        ([{"attack": "apgd"}, {"attack": "apgd"}], "two attacks are called 'apgd'"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(plan, message):
    model, x, y = problem(4)
    with pytest.raises(UserError, match=message) as error:
        attack_ensemble(model, x, y, "linf", 0.02, plan)
    assert "\n" not in str(error.value)


def test_a_name_tells_two_attacks_of_a_kind_apart():
    assert check_plan([{"attack": "apgd"}, {"attack": "apgd", "name": "apgd_ce", "loss": "cross_entropy"}]) == [
        "apgd",
        "apgd_ce",
    ]


def test_a_model_in_train_mode_is_refused():
    model, x, y = problem(4)
    with pytest.raises(AttackCheckError, match="train mode"):
        attack_ensemble(model.train(), x, y, "linf", 0.02, PLAN)


def test_masked_gradients_are_found_by_square():
    """Rounding the input kills the gradient; Square does not need it and the ensemble says so."""
    inner = linear()

    class Rounded(torch.nn.Module):
        def forward(self, z):
            return inner((z * 16).round() / 16)

    model, x = Rounded().eval(), images(30)
    y = predicted(model, x)
    plan = [
        {"attack": "apgd", "iterations": 5},
        {"attack": "fab", "iterations": 5},
        {"attack": "square", "queries": 200},
    ]
    with pytest.raises(AttackCheckError, match="gradients are masked"):
        attack_ensemble(model, x, y, "linf", 0.1, plan)
    table = attack_ensemble(model, x, y, "linf", 0.1, plan, black_box_allowed=None)
    assert table.broken_by_square.sum() > 2
    attack_ensemble(model, x, y, "linf", 0.1, plan[2:])  # nothing to compare with


def test_an_attack_that_leaves_the_ball_is_caught(monkeypatch):
    from scripts.common.attacks import ensemble

    model, x, y = problem(4)
    monkeypatch.setitem(
        ensemble.ATTACKS, "apgd", (lambda model, x, *_, **__: (x + 0.04).clamp(0, 1), {"iterations", "restarts"})
    )
    with pytest.raises(AttackCheckError, match="leave the linf ball"):
        attack_ensemble(model, x, y, "linf", 0.02, PLAN[:1])


def test_a_claimed_success_must_stand_up_alone():
    """The verdict comes from a separate pass, so it agrees with the points the attacks return."""
    model, x, y = problem()
    right = predicted(model, x) == y
    for entry, points in (
        (PLAN[0], apgd(model, x[right], y[right], "linf", 0.02, 10, ids=torch.arange(40)[right])),
        (PLAN[1], fab(model, x[right], y[right], "linf", 0.02, 10, ids=torch.arange(40)[right])),
        (PLAN[2], square(model, x[right], y[right], "linf", 0.02, 30, ids=torch.arange(40)[right])),
    ):
        table = attack_ensemble(model, x, y, "linf", 0.02, [entry])
        assert table.robust[right.numpy()].tolist() == (predicted(model, points) == y[right]).tolist()  # a tie as well
