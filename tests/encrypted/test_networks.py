"""Networks and numbers on disk: they come back as they were, and damaged or foreign files are one line."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from scripts.common.errors import UserError
from scripts.encrypted import networks
from scripts.encrypted.network import SMALLEST, Network, check_network
from scripts.encrypted.parcels import networks_of
from tests.encrypted.small import network

ABOUT = {"names": ["a", "b", "c"], "side": 8, "settings": ["dct-5", "dct-7"], "seeds": [1, 2]}


@pytest.fixture
def known():
    return {
        networks.name_of(f"dct-{k}", seed): network(seed + k, k, hidden=3 + seed) for k in (5, 7) for seed in (1, 2)
    }


@pytest.fixture
def path(tmp_path, known):
    networks.write(known, tmp_path / "networks.safetensors", ABOUT)
    return tmp_path / "networks.safetensors"


def same(first, second):
    pairs = zip((*first.matrices, first.bias), (*second.matrices, second.bias), strict=True)
    return all(a.dtype == b.dtype == np.float64 and (a == b).all() for a, b in pairs)


def test_networks_come_back_as_they_were(path, known):
    assert networks.about(path) == ABOUT
    found = networks.read(path)
    assert found.keys() == known.keys() and all(same(found[name], own) for name, own in known.items())
    assert [*networks.read(path, ["dct-7.seed2"])] == ["dct-7.seed2"]
    chosen = networks_of(path, ["dct-7", "dct-5"], 2)
    assert [*chosen] == ["dct-7", "dct-5"] and same(chosen["dct-7"], known["dct-7.seed2"])


def test_a_deep_network_keeps_the_order_of_its_layers(tmp_path):
    widths = [3, *range(2, 14)]  # more than ten layers, whose places are no single digits
    matrices = tuple(np.random.default_rng(k).normal(size=(widths[k], widths[k + 1])) for k in range(12))
    deep = Network(matrices, np.ones(13))
    networks.write({"deep": deep}, tmp_path / "x.safetensors", ABOUT)
    assert same(networks.read(tmp_path / "x.safetensors")["deep"], deep)


def test_names_of_runs_are_those_of_predictions():
    assert networks.run_name("digits", "dct-16", 3) == "digits.dct-16.seed3"
    assert networks.run_name("digits", "dct-16", 3, quantised=True) == "digits.dct-16.quantised.seed3"


def test_a_missing_network_is_named_with_those_there_are(path):
    with pytest.raises(UserError, match=r"holds no network dct-5.seed9; there are dct-5.seed1, dct-5.seed2, dct-7"):
        networks_of(path, ["dct-5"], 9)


@pytest.mark.parametrize("read", [networks.read, networks.about])
@pytest.mark.parametrize("kept", [0, 4, 60, 0.9])
def test_a_truncated_file_is_one_line(path, read, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.9 else kept])
    with pytest.raises(UserError, match=r"no networks in safetensors, or damaged .*; train them again"):
        read(path)


@pytest.mark.parametrize("read", [networks.read, networks.about])
def test_a_missing_or_foreign_file_is_one_line(tmp_path, read):
    with pytest.raises(UserError, match=r"none.safetensors: no such file; it holds the networks"):
        read(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="no networks in safetensors, or damaged"):
        read(tmp_path / "text.safetensors")
    with pytest.raises(UserError, match="no networks in safetensors, or damaged"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "no networks in safetensors"),
        ({"other": "x"}, "no networks in safetensors"),
        ({"about": "{"}, "no networks in safetensors"),
        ({"about": "[]"}, "no networks in safetensors"),
        ({"about": json.dumps(ABOUT | {"seeds": []})}, "no seeds in its header"),
        ({"about": json.dumps(ABOUT | {"side": "8"})}, "no side in its header"),
        ({"about": json.dumps({**ABOUT, "names": "abc"})}, "no names in its header"),
    ],
)
def test_a_header_without_what_both_sides_need_is_one_line(tmp_path, header, words):
    save_file({"x/0": np.ones((2, 2))}, tmp_path / "x.safetensors", header)
    with pytest.raises(UserError, match=words):
        networks.about(tmp_path / "x.safetensors")


def test_zeros_of_a_foreign_file_are_moved_from_zero(tmp_path):
    tensors = {"x/0": np.array([[0.0, -0.0], [1e-30, -2.0]]), "x/1": np.ones((2, 2)), "x/bias": np.zeros(2)}
    save_file(tensors, tmp_path / "x.safetensors")
    (first, _), bias = (own := networks.read(tmp_path / "x.safetensors")["x"]).matrices, own.bias
    assert first.tolist() == [[SMALLEST, SMALLEST], [SMALLEST, -2.0]] and not bias.any()


BROKEN = {
    "nan": (lambda m, n, b: ((m * np.nan, n), b), "x: a weight is not finite; train again, with a smaller"),
    "infinite": (lambda m, n, b: ((m, n), b / 0.0), "x: a weight is not finite"),
    "unlike layers": (lambda m, n, b: ((m, n[:-1]), b), "do not fit one another"),
    "unlike bias": (lambda m, n, b: ((m, n), b[:-1]), "do not fit one another"),
    "no outputs": (lambda m, n, b: ((m[:, :0], n[:0]), b), "do not fit one another"),
    "a vector": (lambda m, n, b: ((m[0], n), b), "do not fit one another"),
    "no layer": (lambda m, n, b: ((), b), r"layers of shape \[\] and \(3,\) do not fit one another"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_network_that_cannot_be_run_is_refused_when_written_and_when_read(tmp_path, kind):
    whole, (change, words) = network(), BROKEN[kind]
    check_network(whole, "x")
    matrices, bias = change(*whole.matrices, whole.bias)
    with pytest.raises(UserError, match=words):
        check_network(Network(matrices, bias), "x")
    with pytest.raises(UserError, match=words):
        networks.write({"x": Network(matrices, bias)}, tmp_path / "x.safetensors", ABOUT)
    tensors = {f"x/{place}": np.ascontiguousarray(matrix) for place, matrix in enumerate(matrices)}
    save_file(tensors | {"x/bias": np.ascontiguousarray(bias)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match=words):
        networks.read(tmp_path / "x.safetensors")


def test_a_layer_that_is_missing_is_one_line(tmp_path):
    save_file({"x/1": np.ones((2, 2)), "x/bias": np.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="no networks in safetensors, or damaged"):
        networks.read(tmp_path / "x.safetensors")
