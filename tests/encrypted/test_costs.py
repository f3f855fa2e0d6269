"""Seconds and bytes per image, and ratios of costs, on frames whose numbers are known."""

import json

import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.encrypted import costs
from scripts.encrypted.parcels import write_costs
from tests.encrypted.test_plan import DEEP, PLAIN

SETTINGS = {"dct-16": ("dct", 16), "dct-28": ("dct", 28), "pooling-16": ("pooling", 16), "pixels-64": ("pixels", 64)}


def settings(source="digits", names=SETTINGS):
    rows = [
        {"source": source, "dataset": f"all {source}", "setting": name, "transform": kind, "k": k, "network": "plain"}
        for name, (kind, k) in SETTINGS.items()
        if name in names
    ]
    return pd.DataFrame(rows).assign(plain_products=lambda frame: frame["k"] * 10)


def metrics(**accuracies):
    rows = [
        {
            "source": "digits",
            "setting": name.replace("_", "-"),
            "metric": "accuracy",
            "condition": "mode=clear",
            "seed": seed,
        }
        | {"value": value + (seed - 2) * 0.01}
        for name, value in accuracies.items()
        for seed in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def row(setting, operation, cpu, images=100, packing="slots", **changes):
    about = {"source": "digits", "dataset": None, "setting": setting, "network": "plain", "packing": packing, "key": 1}
    about |= {"operation": operation, "images": images, "cpu_seconds": cpu, "wall_seconds": 2 * cpu, "bytes": 5000}
    return about | {"k": SETTINGS[setting][1]} | changes


def seconds(*extra):
    rows = [
        own for name, (_, k) in SETTINGS.items() for own in (row(name, "encrypt", 1.0), row(name, "infer", k * 0.1))
    ]
    return pd.DataFrame([*rows, *extra])


@pytest.fixture
def accurate():
    return metrics(dct_16=0.95, dct_28=0.96, pooling_16=0.9, pixels_64=0.96)


def values(frame, metric, setting=None):
    own = frame[frame["metric"] == metric]
    own = own if setting is None else own[own["setting"] == setting]
    return own.set_index(["setting", "packing"])["value"].to_dict()


def test_costs_of_one_batch_are_shared_by_its_images(accurate):
    found = costs.efficiency(seconds(), settings(), accurate)
    expected = {"cpu_ms_per_image": 16.0, "wall_ms_per_image": 32.0, "latency_s": 3.2, "images_per_second": 100 / 3.2}
    expected |= {"bytes_up_per_image": 50, "bytes_down_per_image": 50, "encrypt_ms_per_image": 10}
    for metric, value in expected.items():
        own = found[(found["metric"] == metric) & (found["setting"] == "dct-16")].iloc[0]
        assert own["value"] == pytest.approx(value) and own["n"] == 1 and pd.isna(own["ci_low"])
        assert own["dataset"] == "all digits"


def test_several_images_have_a_median_and_quartiles(accurate):
    alone = [row("dct-16", "infer", cpu, 1, "image") for cpu in (0.1, 0.2, 0.3, 0.4, 9.9)]
    alone.append(row("dct-16", "encrypt", 0.05, 5, "image"))
    found = costs.efficiency(seconds(*alone), settings(), accurate)
    own = found[(found["metric"] == "wall_ms_per_image") & (found["packing"] == "image")].iloc[0]
    assert (own["value"], own["ci_low"], own["ci_high"], own["n"]) == pytest.approx((600, 400, 800, 5))
    assert values(found, "bytes_up_per_image", "dct-16")["dct-16", "image"] == 1000
    ratio = values(found, "throughput_ratio")
    assert ratio == {("dct-16", "both"): pytest.approx((100 / 3.2) / (1 / 0.6))}


def test_two_batches_have_a_median(accurate):
    found = costs.efficiency(seconds(row("dct-16", "infer", 0.5, 10)), settings(), accurate)
    assert values(found, "cpu_ms_per_image", "dct-16")["dct-16", "slots"] == pytest.approx((16 + 50) / 2)


def test_other_keys_do_not_count(accurate):
    found = costs.efficiency(seconds(row("dct-16", "infer", 999.0, key=2)), settings(), accurate)
    assert values(found, "cpu_ms_per_image", "dct-16")["dct-16", "slots"] == pytest.approx(16)


@pytest.mark.parametrize(
    ("dct_16", "dct_28", "other", "ratio"),
    [
        (0.95, 0.96, "dct-16", 4.0),  # 1.0 points below
        (0.948, 0.96, "dct-28", 64 / 28),  # 1.2 points below
        (0.9, 0.94, "pixels-64", 1.0),  # none will do
    ],
)
def test_the_ratio_is_that_to_the_fewest_frequencies_that_are_as_accurate(dct_16, dct_28, other, ratio):
    accuracies = metrics(dct_16=dct_16, dct_28=dct_28, pooling_16=0.9, pixels_64=0.96)
    found = costs.efficiency(seconds(), settings(), accuracies)
    own = found[found["metric"] == "cost_ratio"].iloc[0]
    assert (own["other"], own["setting"]) == (other, "pixels/dct") and own["value"] == pytest.approx(ratio)


def test_without_pixels_or_both_packings_there_is_no_ratio(accurate):
    names = ["dct-16", "pooling-16"]
    own = seconds().query("setting in @names")
    found = costs.efficiency(own, settings(names=names), accurate)
    assert not {"cost_ratio", "throughput_ratio", "cost_spread"} & {*found["metric"]}


def test_the_spread_is_that_of_seconds_per_product(accurate):
    layers = [row(name, "linear_1", k * 0.1) for name, (_, k) in SETTINGS.items()]
    layers += [row("dct-16", "linear_2", 0.8), row("dct-16", "square", 99.0)]
    found = costs.efficiency(seconds(*layers), settings(), accurate)
    own = found[found["metric"] == "cost_spread"].iloc[0]
    assert own["value"] == pytest.approx(0.5) and (own["setting"], own["n"]) == ("all", 4)


ABOUT = {"digits.plain.slots.key1": {"dataset": "digits", "network": "plain", "packing": "slots", "key": 1}}


def written(folder):
    for step in costs.STEPS:
        shared = {"operation": step, "cpu_seconds": 1.0, "wall_seconds": 2.0}
        rows = [shared | {"bytes": 7}] if step == "keys" else [shared | {"name": "dct-16", "images": 3}]
        write_costs(rows, folder / f"{step}.json")
    return [str(folder / f"{step}.json") for step in costs.STEPS]


def test_rows_of_all_steps_are_gathered(tmp_path):
    frame = costs.gathered(written(tmp_path), ABOUT)
    assert [*frame] == costs.COLUMNS and [*frame["operation"]] == [*costs.STEPS]
    assert frame["setting"].isna().tolist() == frame["k"].isna().tolist() == [True, False, False, False]
    assert frame["k"].dropna().tolist() == [16, 16, 16] and frame["bytes"].dropna().tolist() == [7]


def test_a_missing_or_damaged_file_is_one_line(tmp_path):
    paths = written(tmp_path)
    with pytest.raises(ValueError, match="shorter"):
        costs.gathered(paths[:-1], ABOUT)
    for content in ("", "[1", '{"a": 1}', json.dumps([3])):
        (tmp_path / "infer.json").write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=r"infer.json: no rows of seconds and bytes"):
            costs.gathered(paths, ABOUT)
    (tmp_path / "infer.json").unlink()
    with pytest.raises(UserError, match=r"infer.json: no rows of seconds and bytes"):
        costs.gathered(paths, ABOUT)


def test_security_is_stated_for_every_network():
    frame = costs.security([PLAIN, DEEP]).set_index("network")
    assert frame.loc["plain", ["bits", "most_bits_128", "security_bits", "products", "levels", "slots"]].tolist() == [
        190, 218, 128, 3, 3, 4096,
    ]  # fmt: skip
    assert frame.loc["deep", ["hidden", "moduli", "products"]].tolist() == ["8+8", "50+30+30+30+30+30+50", 5]
