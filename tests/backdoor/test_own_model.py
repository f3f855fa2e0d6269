"""A user's model: names as other tools save them, and what is said before a verdict on one that does not fit."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from scripts.backdoor.backdoor_gather import with_remarks
from scripts.backdoor.clean_check import SCALES, check_on_clean_digits, clearly_more
from scripts.backdoor.clean_remark import remark
from scripts.backdoor.digits import Pool, accuracy
from scripts.backdoor.network import DigitNet, frozen
from scripts.backdoor.outliers import Rule, anomaly_index, log_norms, verdict
from scripts.backdoor.weights import read_own_model
from scripts.common.errors import UserError
from scripts.common.logs import log
from tests.backdoor.made_up import digits, trained


@pytest.fixture(scope="module")
def model() -> DigitNet:
    return trained(digits(500), updates=50)


@pytest.fixture(scope="module")
def judge() -> Pool:
    return digits(400, seed=5)


@pytest.fixture
def said(caplog):
    """What the log of a job would hold, as one text."""
    log.addHandler(caplog.handler)
    caplog.set_level("INFO", "counterweight")
    yield lambda: "\n".join(record.getMessage() for record in caplog.records)
    log.removeHandler(caplog.handler)


def saved(state: dict, path):
    save_file({name: value.clone().contiguous() for name, value in state.items()}, path)
    return path


NAMES = {  # our name -> the name in the file
    "DataParallel": lambda name: f"module.{name}",
    "torch.compile": lambda name: f"_orig_mod.{name}",
    "both": lambda name: f"_orig_mod.module.{name}",
    "Lightning": lambda name: f"model.{name}",
    "the course's containers": lambda name: (
        f"module.{name.replace('conv1.', 'conv1.0.').replace('conv2.', 'conv2.0.')}"
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_prefixes_of_other_tools_are_taken_off_and_named(model, case, tmp_path, said):
    state = model.state_dict()
    path = saved({NAMES[case](name): value for name, value in state.items()}, tmp_path / "own.safetensors")
    found = read_own_model(path).state_dict()
    assert all(torch.equal(found[name], value) for name, value in state.items())
    assert "the prefix" in said() and NAMES[case]("")[:4] in said()


def test_counters_are_left_out_with_a_line_and_half_precision_is_read(model, tmp_path, said):
    state = {name: value.half() for name, value in model.state_dict().items()}
    path = saved(state | {"epoch": torch.tensor([9]), "step": torch.tensor(3)}, tmp_path / "own.safetensors")
    found = read_own_model(path).state_dict()
    assert all(torch.equal(found[name], value.float()) for name, value in state.items())
    assert "epoch, step: no weights, left out" in said()


def test_what_is_no_weight_of_the_network_is_named(model, tmp_path):
    state, path = model.state_dict(), tmp_path / "own.safetensors"
    wrong = {
        "holds 2 networks .*'module.conv1.weight'": state | {f"module.{name}": value for name, value in state.items()},
        r"has the unknown layer 'ema' \(it holds": state | {"ema": torch.ones(7)},
        r"lacks layer 'conv1.bias' \(it holds features.0.weight": {"features.0.weight": torch.ones(3)},
        "fc1.weight holds int8; .* before it is quantised": state | {"fc1.weight": state["fc1.weight"].to(torch.int8)},
    }
    for words, tensors in wrong.items():
        with pytest.raises(UserError, match=words):
            read_own_model(saved(tensors, path))
    path.write_bytes(b"PK pickle")
    with pytest.raises(UserError, match=r"safetensors.torch.save_file\(model.state_dict"):
        read_own_model(path)


def for_scale(model: DigitNet, scale) -> DigitNet:
    """The same function for pixels of another scale: f(x) = g((x - mean) / deviation)."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    state["conv1.bias"] += scale.mean * state["conv1.weight"].sum((1, 2, 3))
    state["conv1.weight"] *= scale.deviation
    other = DigitNet()
    other.load_state_dict(state)
    return other.eval()


def test_a_model_that_is_right_is_let_pass_with_its_accuracy_in_the_log(model, judge, said):
    right, of = accuracy(frozen(model), judge)
    assert right / of > 0.95, "the fixture is no good model"
    check_on_clean_digits(frozen(model), judge, "own")
    assert f"own: is right on {right / of:.1%} of 400 clean digits" in said()


@pytest.mark.parametrize("scale", [SCALES[0], SCALES[3]], ids=lambda scale: scale.words)
def test_a_model_for_pixels_of_another_scale_is_refused_with_the_way_out(model, judge, scale):
    with pytest.raises(UserError, match=r"is right on \d+\.\d% of 400 clean digits, but on (9.|100)") as error:
        check_on_clean_digits(frozen(for_scale(model, scale)), judge, "own")
    line = str(error.value)
    assert scale.words in line and scale.change in line and "[0, 1], 28x28, white digits on black" in line
    assert "\n" not in line


def changed(model: DigitNet, words: str) -> DigitNet:
    """Carry out what a refusal tells a user to do, step by step."""
    import re

    state = {name: value.clone() for name, value in model.state_dict().items()}
    sums, number = state["conv1.weight"].sum((1, 2, 3)), r"(-?[\d.]+)"
    if found := re.search(f"take {number} times each filter's sum of conv1.weight off conv1.bias", words):
        state["conv1.bias"] -= float(found[1]) * sums
    if "add each filter's sum of conv1.weight to conv1.bias" in words:
        state["conv1.bias"] += sums
    if found := re.search(f"(multiply|divide) conv1.weight by {number}", words):
        state["conv1.weight"] *= float(found[2]) if found[1] == "multiply" else 1 / float(found[2])
    if "then negate it" in words:
        state["conv1.weight"] *= -1
    other = DigitNet()
    other.load_state_dict(state)
    return other.eval()


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.words)
def test_the_way_out_makes_the_model_that_it_was(model, judge, scale):
    with torch.no_grad():
        back = changed(for_scale(model, scale), scale.change)(judge.images)
        torch.testing.assert_close(back, model(judge.images), atol=2e-2, rtol=1e-2)


def test_a_model_at_chance_is_refused_and_a_weak_one_named(model, judge, said):
    def weak(share):
        wrong = (torch.arange(len(judge)) < share * len(judge)).long()
        return lambda images: torch.nn.functional.one_hot((judge.labels + wrong) % 10, 10).float()[: len(images)]

    with pytest.raises(UserError, match=r"is right on 44\.0% .* so a verdict would say nothing; .*labels are 0 to 9"):
        check_on_clean_digits(weak(0.56), judge, "own")
    check_on_clean_digits(weak(0.3), judge, "own")
    assert "own: is right on 70.0% of 400 clean digits: its verdict says little" in said()


def test_one_way_is_better_only_beyond_chance():
    right = np.zeros(1000, bool)
    right[:960] = True
    lucky, better = right.copy(), right.copy()
    lucky[960:966] = True
    assert not clearly_more(lucky, right) and not clearly_more(right, right)
    better[960:975] = True
    assert clearly_more(better, right) and not clearly_more(right, better)


def test_the_accuracy_of_a_weak_model_stands_beside_its_verdict_and_no_other_verdict_changes():
    models = pd.DataFrame({"run": ["clean.seed1", "own.seed0"], "verdict": ["clean", "undecided"]})
    rows = {"run": ["clean.seed1", "own.seed0"], "kind": ["clean", "own"], "hits": [10, 70], "n": [100, 100]}
    counts = pd.DataFrame(rows).assign(method="before", metric="accuracy", condition="")
    found = with_remarks(models, counts, {"clean": {}})["verdict"].tolist()
    assert found == ["clean", "undecided, but right on 70% of the clean digits only"]
    assert remark(90, 100) == "" and with_remarks(models, counts.head(1), {"clean": {}}).equals(models)


def test_a_label_that_needs_no_trigger_has_a_verdict_and_no_warning(recwarn):
    norms, success = np.array([0.0, *np.linspace(20, 40, 9)]), np.ones(10)
    assert verdict(norms, success, Rule(2, 3, 0.9))[0] == "infected label 0"
    assert log_norms([0.0])[0] == np.log(1 / 255) and log_norms([7.0])[0] == np.log(7.0) and not len(recwarn)
    with pytest.raises(UserError, match=r"1 are NaN or infinite: the search diverged; lower .*learning_rate"):
        anomaly_index([np.nan, 1.0])
