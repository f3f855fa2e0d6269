"""The digit network: the regrouped way of running it against the layers written down one by one; weights on disk."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from scripts.backdoor.backdoor_scan import refuse_probabilities
from scripts.backdoor.network import build, frozen
from scripts.backdoor.weights import load_models, read_own_model, save_models
from scripts.common.errors import UserError
from tests.backdoor.made_up import digits


def plain(model) -> nn.Module:
    """Return the course's layers in their order, with the same weights."""
    pool = lambda: [nn.ReLU(), nn.AvgPool2d(2)]  # noqa: E731
    layers = [model.conv1, *pool(), model.conv2, *pool(), nn.Flatten(), model.fc1, nn.ReLU(), model.fc2]
    return nn.Sequential(*layers)


def test_the_network_is_the_courses_layers():
    model, images = build(3), digits(8).images
    reference = plain(model)
    assert torch.allclose(model(images), reference(images), atol=1e-6)
    mine, other = (
        torch.autograd.grad(net(images).square().sum(), list(model.parameters())) for net in (model, reference)
    )
    for a, b in zip(mine, other, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_frozen_network_has_the_same_outputs_and_input_gradients():
    model, images = build(3), digits(4).images
    x, y = images.clone().requires_grad_(), images.clone().requires_grad_()
    (mine,) = torch.autograd.grad(frozen(model)(x).square().sum(), x)
    (other,) = torch.autograd.grad(plain(model)(y).square().sum(), y)
    assert torch.allclose(mine, other, rtol=1e-4, atol=1e-7) and mine.abs().max() > 0


def test_frozen_keeps_the_weights_of_its_time():
    model, images = build(3), digits(4).images
    network = frozen(model)
    before = network(images)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(network(images), before)


def test_initial_weights_depend_on_the_seed_alone_and_leave_torchs_state():
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    a, b = build(1), build(2)
    assert torch.equal(torch.rand(1), first)
    assert torch.equal(a.fc1.weight, build(1).fc1.weight) and not torch.equal(a.fc1.weight, b.fc1.weight)


def test_models_come_back_from_disk(tmp_path):
    models = {seed: build(seed) for seed in (1, 12)}
    runs = {f"patch.seed{seed}": model for seed, model in models.items()} | {"pat.seed1": build(3)}
    save_models(runs, tmp_path / "m.safetensors")
    back = load_models(tmp_path / "m.safetensors", "patch", torch.device("cpu"))
    assert list(back) == [1, 12] and torch.equal(back[12].conv2.weight, models[12].conv2.weight)


def test_a_model_in_the_courses_containers_is_read_and_its_softmax_stripped(tmp_path, caplog):
    model = build(1)
    state = {name.replace(".", ".0.", 1): tensor for name, tensor in model.state_dict().items()}
    save_file(state, tmp_path / "own.safetensors", {"output": "softmax"})
    own = read_own_model(tmp_path / "own.safetensors")
    assert torch.equal(own(digits(4).images), model(digits(4).images)) and not own.training


BROKEN = {
    "other shape": ({"fc2.weight": torch.zeros(12, 512)}, [], {}, r"fc2.weight has the shape \(12, 512\)"),
    "missing layer": ({}, ["fc1.bias"], {}, "lacks layer 'fc1.bias'"),
    "unknown layer": ({"fc3.weight": torch.zeros(1)}, [], {}, "unknown layer 'fc3.weight'"),
    "not finite": ({"conv1.bias": torch.full((16,), float("nan"))}, [], {}, "NaN or infinite"),
    "odd output": ({}, [], {"output": "hinge"}, "output 'hinge'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_model_is_refused_in_one_line(tmp_path, case):
    changes, gone, metadata, words = BROKEN[case]
    state = {name: tensor for name, tensor in (build(1).state_dict() | changes).items() if name not in gone}
    save_file(state, tmp_path / "own.safetensors", metadata)
    with pytest.raises(UserError, match=words) as error:
        read_own_model(tmp_path / "own.safetensors")
    assert "\n" not in str(error.value)


def test_a_pickle_or_a_missing_file_is_refused(tmp_path):
    torch.save(build(1).state_dict(), tmp_path / "model.pth")
    with pytest.raises(UserError, match="pickles are never opened"):
        read_own_model(tmp_path / "model.pth")
    with pytest.raises(UserError, match="no such file"):
        read_own_model(tmp_path / "none.safetensors")


def test_probabilities_are_recognised():
    model, images = build(1), digits(20).images
    refuse_probabilities(model, images, "x")
    with pytest.raises(UserError, match="softmax"):
        refuse_probabilities(lambda x: model(x).softmax(1), images, "x")
    with pytest.raises(UserError, match="NaN"):
        refuse_probabilities(lambda x: model(x) * float("nan"), images, "x")
