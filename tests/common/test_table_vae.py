"""The conditional VAE for tables: its gradient against autograd's, and what it learns of small tables."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import distributions

from scripts.common.errors import UserError
from scripts.common.mixed_table import MixedTable
from scripts.common.table_encoding import ALWAYS, Layout, TableEncoding
from scripts.common.table_vae import VaeSettings, batches, fit, load, sample, save
from scripts.common.table_vae_step import LEAST_LOG_VARIANCE, Step, activations, divergence, probabilities, views
from tests.workflow.conftest import ROOT

SMALL = VaeSettings(hidden=32, latent=4, steps=300, batch=128)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(frame, numeric, categorical, rows=4000, settings=SMALL, part=None, wanted=0):
    """Synthetic rows of a part, as a frame."""
    table = MixedTable.from_frame(frame, numeric, categorical)
    encoding = TableEncoding.fit(table)
    part = np.zeros(len(table), int) if part is None else part
    model = fit(encoding.encode(table), encoding.layout, part, int(part.max()) + 1, settings, 5)
    matrix = sample(model, np.full(rows, wanted), 6)
    assert np.isfinite(matrix).all() and np.isfinite(model.losses).all() and len(model.losses) == settings.steps
    return encoding.decode(matrix, np.random.default_rng(7)).frame()


# ---- the loss and its gradient

LAYOUTS = [Layout(3, (2, 4, 3), (4, ALWAYS, 8)), Layout(2, (), (ALWAYS, ALWAYS)), Layout(0, (3, 2), ())]


def random_weights(layout, layers, conditions=2, hidden=5, latent=3):
    shapes = {"log_variance": (layout.scores,)}
    inner = [hidden] * layers
    for side, units in (
        ("encoder", [layout.width + conditions, *inner, 2 * latent]),
        ("decoder", [latent + conditions, *inner, layout.width]),
    ):
        for layer, (inputs, outputs) in enumerate(pairwise(units)):
            shapes |= {f"{side}.weight{layer}": (outputs, inputs), f"{side}.bias{layer}": (outputs,)}
    size = sum(int(np.prod(shape)) for shape in shapes.values())
    return torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 0.4, shapes


def random_rows(layout, rows=17, conditions=2):
    rng = np.random.default_rng(2)
    matrix = np.zeros((rows, layout.width + conditions))
    matrix[:, : layout.scores] = rng.normal(size=(rows, layout.scores))
    for block in [*layout.blocks, slice(layout.width, layout.width + conditions)]:
        matrix[np.arange(rows), rng.integers(block.start, block.stop, rows)] = 1
    return torch.tensor(matrix)


def plain_loss(weights, batch, noise, layout, kl_weight, latent=3):
    """The loss by torch.distributions and torch.nn, row by row."""

    def network(side, values):
        layers = [torch.nn.functional.linear] * sum(name.startswith(f"{side}.weight") for name in weights)
        for layer, linear in enumerate(layers):
            values = linear(values, weights[f"{side}.weight{layer}"], weights[f"{side}.bias{layer}"])
            values = torch.relu(values) if layer + 1 < len(layers) else values
        return values

    mean, log_variance = network("encoder", batch).chunk(2, 1)
    posterior = distributions.Normal(mean, (log_variance / 2).exp())
    prior = distributions.Normal(torch.zeros(latent), torch.ones(latent))
    output = network("decoder", torch.cat([mean + noise * posterior.scale, batch[:, layout.width :]], 1))
    deviation = (weights["log_variance"].clamp(min=LEAST_LOG_VARIANCE) / 2).exp()
    total = kl_weight * distributions.kl_divergence(posterior, prior).sum()
    for row in range(len(batch)):
        for score, gate in enumerate(layout.gates):
            if gate == ALWAYS or batch[row, gate] == 1:
                total = total - distributions.Normal(output[row, score], deviation[score]).log_prob(batch[row, score])
        for block in layout.blocks:
            total = total + torch.nn.functional.cross_entropy(output[row, block], batch[row, block].argmax())
    return total / len(batch)


@pytest.mark.parametrize("kl_weight", [0, 0.7])
@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_loss_and_gradient_are_those_of_the_plain_formula(layout, layers, kl_weight):
    flat, shapes = random_weights(layout, layers)
    batch = random_rows(layout)
    noise = torch.randn(len(batch), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    if layout.scores:
        flat[0] = LEAST_LOG_VARIANCE - 1  # below the bound a variance has no gradient
    step = Step(layout, 3, kl_weight, views(flat, shapes), flat)
    loss = step(batch, noise)
    again = step(batch, noise)  # gradients are written, not added up
    leaf = flat.clone().requires_grad_()
    expected = plain_loss(views(leaf, shapes), batch, noise, layout, kl_weight)
    expected.backward()
    assert loss.item() == again.item() == pytest.approx(expected.item(), rel=1e-9)
    assert torch.allclose(flat.grad, leaf.grad, rtol=1e-6, atol=1e-9) and flat.grad.abs().max() > 0.01
    assert not layout.scores or flat.grad[0] == 0


def test_the_divergence_is_that_of_torch_distributions():
    mean, log_variance = torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    normal = distributions.Normal(mean, (log_variance / 2).exp())
    standard = distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = distributions.kl_divergence(normal, standard).sum()
    assert divergence(mean, log_variance).item() == pytest.approx(expected.item())
    assert divergence(torch.zeros(2, 2), torch.zeros(2, 2)) == 0


@pytest.mark.parametrize("scale", [1, 1e4])
def test_each_block_is_a_distribution_even_where_logits_are_huge(scale):
    layout = LAYOUTS[0]
    output = torch.randn(50, layout.width, generator=torch.Generator().manual_seed(0)) * scale
    both = probabilities(output, layout)
    for block in layout.blocks:
        part = both[:, block.start - layout.scores : block.stop - layout.scores]
        assert torch.allclose(part, output[:, block].softmax(1)) and torch.allclose(part.sum(1), torch.ones(50))


# ---- batches


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [("rows", [900, 99, 0, 1]), ("balanced", [1, 1, 0, 1]), ("log_frequency", np.log([901, 100, 1, 2]))],
)
def test_conditions_are_drawn_as_often_as_asked_and_their_rows_equally_often(sampling, expected):
    condition = torch.tensor(np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [900, 99, 1])))
    settings = VaeSettings(steps=250, batch=400, latent=2, sampling=sampling)
    found = [*batches(condition, 4, settings, torch.Generator().manual_seed(0))]
    assert len(found) == 250 and all(len(index) == 400 and noise.shape == (400, 2) for index, noise in found)
    rows = torch.cat([index for index, _ in found])
    fractions = torch.bincount(condition[rows], minlength=4).numpy() / len(rows)
    assert fractions == pytest.approx(np.array(expected) / np.sum(expected), abs=0.006)
    times = torch.bincount(rows, minlength=1000)[condition == 1].double()
    assert times.min() > 0.4 * times.mean() or sampling == "rows"
    assert torch.cat([noise for _, noise in found]).std().item() == pytest.approx(1, abs=0.01)


def test_an_unknown_sampling_and_a_loss_that_explodes_are_answered_in_one_line():
    matrix, layout = np.eye(2, dtype=np.float32), Layout(0, (2,), ())
    with pytest.raises(UserError, match="'random' is none of rows, log_frequency, balanced"):
        fit(matrix, layout, np.zeros(2, int), 1, replace(SMALL, sampling="random"), 0)
    with pytest.raises(UserError, match=r"the loss of step \d+ is not finite; lower learning_rate"):
        fit(matrix, layout, np.zeros(2, int), 1, replace(SMALL, learning_rate=1e9), 0)


# ---- what is learnt


def test_a_column_that_is_a_function_of_another_stays_one():
    rng = np.random.default_rng(0)
    x = rng.integers(5, size=3000)
    frame = pd.DataFrame({"x": [*map("abcde".__getitem__, x)], "y": [*map("qprqp".__getitem__, x)]})
    rows = drawn(frame, [], ["x", "y"], settings=replace(SMALL, steps=600))
    correct = (rows["y"].astype(str) == rows["x"].astype(str).map(dict(zip("abcde", "qprqp", strict=True)))).mean()
    assert correct > 0.75  # 0.36 by chance
    assert rows["x"].value_counts(normalize=True).between(0.13, 0.27).all()


def test_numbers_that_depend_on_each_other_and_on_a_category_keep_their_dependence():
    rng = np.random.default_rng(0)
    kind, z = rng.integers(2, size=3000), rng.normal(size=3000)
    frame = pd.DataFrame({"a": z, "b": np.exp(z + rng.normal(size=3000) * 0.3), "kind": np.where(kind, "x", "y")})
    frame["c"] = np.where(kind, 0, 50 + 10 * rng.normal(size=3000)).round()  # a spike at 0, exactly where kind is x
    rows = drawn(frame, ["a", "b", "c"], ["kind"], settings=replace(SMALL, steps=600))
    ranks = rows[["a", "b"]].rank().corr().iloc[0, 1]
    assert ranks == pytest.approx(frame[["a", "b"]].rank().corr().iloc[0, 1], abs=0.1) and ranks > 0.8
    assert ((rows["c"] == 0) == (rows["kind"] == "x")).mean() > 0.8  # 0.5 by chance
    assert all(rows[name].between(frame[name].min(), frame[name].max()).all() for name in "abc")
    assert rows.loc[rows["c"] > 0, "c"].mean() == pytest.approx(50, abs=2) and rows["c"].dtype == np.int64


@pytest.mark.parametrize("sampling", ["rows", "log_frequency", "balanced"])
def test_each_part_has_frequencies_of_its_own(sampling):
    rng = np.random.default_rng(0)
    part = (rng.random(4000) < 0.1).astype(int)
    frame = pd.DataFrame({"kind": np.where(rng.random(4000) < np.where(part, 0.85, 0.2), "yes", "no")})
    frame["size"] = rng.normal(size=4000) + 3 * part
    table = MixedTable.from_frame(frame, ["size"], ["kind"])
    encoding = TableEncoding.fit(table)
    model = fit(encoding.encode(table), encoding.layout, part, 2, replace(SMALL, steps=800, sampling=sampling), 5)
    for wanted in (0, 1):
        real = frame[part == wanted]
        rows = encoding.decode(sample(model, np.full(4000, wanted), 6), np.random.default_rng(7)).frame()
        assert (rows["kind"] == "yes").mean() == pytest.approx((real["kind"] == "yes").mean(), abs=0.06)
        # A variance for all parts and a jump between them in the scores: not exact, and 0.87 for the wrong part.
        assert stats.ks_2samp(rows["size"], real["size"]).statistic < 0.15


def test_a_part_with_one_row_is_learnt_without_touching_the_others():
    frame = pd.DataFrame({"kind": ["a", "b"] * 200 + ["c"], "size": [*np.random.default_rng(0).normal(size=400), 9]})
    part = np.repeat([0, 1], [400, 1])
    common, rare = (Counter(drawn(frame, ["size"], ["kind"], part=part, wanted=wanted)["kind"]) for wanted in (0, 1))
    assert common["c"] < 40 and min(common["a"], common["b"]) > 1600
    assert rare["c"] > 3600


def test_constant_columns_stay_constant_and_a_category_without_rows_stays_rare():
    table = MixedTable.from_frame(pd.DataFrame({"flat": [2.5] * 90, "one": "x"}), ["flat"], ["one"])
    table = table.with_category("city", np.arange(90) % 2 * 2, ["a", "b", "c"])
    encoding = TableEncoding.fit(table)
    part = np.arange(90) % 3 // 2 * 2  # no row is of part 1 either
    model = fit(encoding.encode(table), encoding.layout, part, 3, SMALL, 0)
    matrix = sample(model, np.repeat([0, 1, 2], 500), 0)
    rows = encoding.decode(matrix, np.random.default_rng(0))
    assert all(weight.isfinite().all() for weight in model.weights.values())
    assert np.isfinite(matrix).all() and (rows.numeric == 2.5).all() and (rows.codes[:, 0] == 0).all()
    counts = np.bincount(rows.codes[:, 1], minlength=3)
    assert counts[1] < 15 and min(counts[0], counts[2]) > 400


@pytest.mark.parametrize("columns", [(["a", "b"], []), ([], ["c", "d"]), (["a"], ["c"])])
@pytest.mark.parametrize("layers", [0, 2])
def test_tables_without_numbers_or_without_categories(columns, layers):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(60), "b": rng.integers(3, size=60), "c": rng.choice(["x", "y"], 60)})
    frame["d"] = "same"
    rows = drawn(frame, *columns, rows=50, settings=replace(SMALL, steps=20, layers=layers))
    assert rows.shape == (50, len(columns[0]) + len(columns[1]))
    assert drawn(frame.head(1), *columns, rows=3, settings=replace(SMALL, steps=5)).nunique().max() == 1
    assert len(drawn(frame, *columns, rows=0, settings=replace(SMALL, steps=5))) == 0


# ---- the same bytes


def fitted(seed=0, steps=40):
    layout = LAYOUTS[0]
    matrix = random_rows(layout, 200).numpy()[:, : layout.width].astype(np.float32)
    return fit(matrix, layout, np.arange(200) % 2, 2, replace(SMALL, steps=steps), seed)


def test_the_seed_alone_decides():
    state = torch.get_rng_state()
    one, two, other = fitted(), fitted(), fitted(1)
    assert all(torch.equal(weight, two.weights[name]) for name, weight in one.weights.items())
    assert one.losses.tobytes() == two.losses.tobytes() != other.losses.tobytes()
    condition = np.zeros(30, int)
    assert sample(one, condition, 0).tobytes() == sample(two, condition, 0).tobytes()
    assert not np.array_equal(sample(one, condition, 0), sample(one, condition, 1))
    assert torch.equal(state, torch.get_rng_state())  # the global generator is not used
    assert one.losses[-5:].mean() < one.losses[:5].mean()


def test_a_saved_model_gives_the_same_rows(tmp_path):
    model = fitted()
    save(model, tmp_path / "table.safetensors")
    again = load(tmp_path / "table.safetensors")
    assert (again.layout, again.conditions, again.settings) == (model.layout, model.conditions, model.settings)
    assert again.losses.tobytes() == model.losses.tobytes() and again.weights.keys() == model.weights.keys()
    condition = np.array([0, 1, 1])
    assert sample(again, condition, 3).tobytes() == sample(model, condition, 3).tobytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["table.json", "table.safetensors"]


def test_training_works_where_the_workflow_forbids_what_is_not_deterministic_and_imports_no_compiler():
    code = """
import sys
import numpy as np
from scripts.common.device import choose_device
from scripts.common.table_encoding import Layout
from scripts.common.table_vae import VaeSettings, fit, sample
device = choose_device(0, 1)
matrix = np.eye(3, dtype=np.float32)
model = fit(matrix, Layout(1, (2,), (2,)), np.array([0, 1, 0]), 2, VaeSettings(steps=3), 0, device)
sample(model, np.array([0, 1]), 0)
print(*(name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == ""


def test_the_output_of_a_network_without_hidden_layers_is_linear():
    weights = {"decoder.weight0": torch.tensor([[2.0, -1.0]]), "decoder.bias0": torch.tensor([0.5])}
    values = activations(weights, "decoder", torch.tensor([[1.0, 4.0]]))
    assert [value.tolist() for value in values] == [[[1, 4]], [[-1.5]]]
