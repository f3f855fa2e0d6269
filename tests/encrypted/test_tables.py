"""Tables hold what the frames hold, beside the printed numbers, and survive missing parts."""

import pandas as pd
import pytest
import yaml

from scripts.common.published import values as published_values
from scripts.common.tables import format_interval
from scripts.encrypted import published_table, tables
from scripts.encrypted.labels import PUBLISHED_NUMBERS, at, told_apart
from tests.encrypted.frames import NETWORKS, frames, only
from tests.workflow.conftest import ROOT

NAMES = ("equal_cost", "packings", "reliability", "published", "security", "tfhe")
MNIST = "MNIST, 5,000 of its images, 28x28"
BOUNDS = ["value", "ci_low", "ci_high"]


@pytest.fixture(scope="module")
def held():
    return told_apart(frames())


@pytest.fixture(scope="module")
def equal_cost(held):
    return tables.equal_cost_table(held)


def of(table: pd.DataFrame, **wanted) -> pd.DataFrame:
    for column, value in wanted.items():
        table = table[table[column.replace("_", " ")] == value]
    return table


def test_every_promised_table_is_made(held, tmp_path):
    tables.write_tables(held, tmp_path)
    part = yaml.safe_load((ROOT / "scripts/encrypted/study.yaml").read_text(encoding="utf-8"))
    assert set(part["tables"]) == set(NAMES)
    for name in NAMES:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 100 for kind in ("csv", "md", "tex"))
        found = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(found) and "nan" not in (tmp_path / f"{name}.md").read_text(encoding="utf-8")
    text = (tmp_path / "equal_cost.md").read_text(encoding="utf-8")
    assert "95 % Wilson intervals" in text and "95 % normal intervals" in text


def test_tables_of_nothing_are_empty(held, tmp_path):
    tables.write_tables({name: frame.head(0) for name, frame in held.items()}, tmp_path)
    for name in NAMES:
        assert pd.read_csv(tmp_path / f"{name}.csv").empty


@pytest.mark.parametrize(
    "case",
    [
        {"sources": ("digits",)},
        {"key": 1},
        {"transform": ("pixels", "dct")},
        {"packing": ("image",)},
        {"packing": ("slots",)},
    ],
)
def test_parts_may_be_missing(held, case, tmp_path):
    less = only(held, **case) | {"tfhe": held["tfhe"].head(0)}
    tables.write_tables(less, tmp_path)
    for name in NAMES:
        assert "nan" not in (tmp_path / f"{name}.csv").read_text(encoding="utf-8")
    assert pd.read_csv(tmp_path / "tfhe.csv").empty


def test_transforms_of_one_cost_stand_together(equal_cost):
    own = of(equal_cost, data=MNIST)
    assert own["k"].tolist()[:6] == ["16"] * 5 + ["49"] and own["k"].tolist()[-1] == "784"
    near = own[own["k"].isin(["48", "49"])]
    first = ["DCT of the whole image", "DCT of the whole image, deep network", "DCT of blocks"]
    assert near["transform"].tolist() == [*first, "mean pooling", "sub-sampling", "centre crop"]


def test_equal_cost_holds_accuracies_differences_and_costs(equal_cost, held):
    row = of(equal_cost, data=MNIST, k="48", transform="DCT of blocks").iloc[0]
    own = at(held["metrics"], "mnist", setting="block_dct-48", metric="accuracy", protocol="corrected")
    clear = own[own["condition"] == "mode=clear"]["value"]
    assert row["clear"] == f"{clear.mean():.3f} ± {clear.std(ddof=1):.3f}" and row["seeds"] == "3"
    encrypted = own[own["condition"] == "mode=encrypted"].iloc[0]
    assert row["encrypted"] == format_interval(*encrypted[BOUNDS])
    test = at(held["comparisons"], "mnist", first="dct-49", second="block_dct-48").iloc[0]
    turned = format_interval(-test["value"], -test["ci_high"], -test["ci_low"])
    assert row["minus DCT"] == turned and row["minus pixels"] == "–"  # that of the blocks was not measured
    spent = at(held["efficiency"], "mnist", setting="block_dct-48", packing="slots").set_index("metric")["value"]
    assert row["server CPU, ms"] == f"{spent['cpu_ms_per_image']:.2f}"
    assert row["kB to the server"] == f"{spent['bytes_up_per_image'] / 1000:,.1f}"
    known = at(held["settings"], "mnist", setting="block_dct-48").iloc[0]
    assert row["kept energy"] == f"{known['kept_energy']:.3f}"
    pixels = at(held["comparisons"], "mnist", first="pooling-49", second="pixels-784").iloc[0]
    pooled = of(equal_cost, data=MNIST, k="49", transform="mean pooling").iloc[0]
    assert pooled["minus pixels"] == format_interval(*pixels[BOUNDS])
    assert of(equal_cost, data=MNIST, transform="DCT of the whole image")["minus DCT"].tolist() == ["–"] * 3


def test_packings_hold_quartiles_gains_and_keys(held):
    table = tables.packings_table(held["costs"], held["settings"])
    own = of(table, data=MNIST, setting="DCT 49").set_index("packing")
    infer = at(held["costs"], "mnist", setting="dct-49", operation="infer")
    alone, batch = infer[infer["packing"] == "image"], infer[(infer["packing"] == "slots") & (infer["key"] == 1)]
    wall = alone["wall_seconds"]
    single = own.loc["one image per ciphertext"]
    assert single["latency, s"] == format_interval(wall.median(), *wall.quantile([0.25, 0.75]))
    gain = 1000 / batch["wall_seconds"].item() * wall.sum() / len(wall)
    along = own.loc["images along the slots"]
    assert along["times one per ciphertext"] == f"{gain:,.0f}" and single["times one per ciphertext"] == "–"
    assert (along["images at once"], along["server's keys, MB"], single["server's keys, MB"]) == (
        "1,000",
        "2.3",
        "46.4",
    )
    assert along["kB up"] == "17.0" and single["kB up"] == "339.0" and single["kB down"] == "118.0"
    assert of(table, data=MNIST, setting="pooling 49")["times one per ciphertext"].tolist() == ["–"]


def test_reliability_holds_every_key_with_its_test(held):
    table = tables.reliability_table(held)
    own = of(table, data=MNIST, setting="pixels 784", packing="images along the slots").set_index("key")
    assert own["flips"].to_dict() == {"1": "0", "2": "1", "3": "0"}
    assert own.loc["2", "right only encrypted / clear"] == "0 / 1" and own.loc["2", "McNemar p"] == "1.000"
    test = at(held["comparisons"], "mnist", first="encrypted", setting="pixels-784", key=2).iloc[0]
    assert own.loc["2", "encrypted minus clear"] == format_interval(*test[BOUNDS])
    noise = at(held["noise"], "mnist", setting="pixels-784", packing="slots", key=2).iloc[0]
    assert own.loc["2", "largest error"] == f"{noise['max_error']:.2g}"
    assert own.loc["2", "bits of precision"] == f"{noise['precision_bits']:.1f}"
    single = of(table, packing="one image per ciphertext")
    assert set(single["n"]) == {"10"} and set(single["McNemar p"]) == {"–"}


def test_printed_ratios_stand_above_ours(held):
    table = published_table.published_table(held)
    assert table["printed ratio"].tolist()[:4] == ["2.37", "1.74", "1.88", "5.26"]
    rivals = table[table["comparison"].str.contains("CKKS")]
    numbers = published_values(PUBLISHED_NUMBERS, "ckks_rivals").values()
    assert [float(text) for text in rivals["printed ratio"]] == pytest.approx(
        [other["latency"] / 565 for other in numbers], abs=0.006
    )
    assert (rivals["printed ratio"].astype(float) < 1).sum() == 3  # faster than the DCT network
    ours = table[table["measured ratio"] != "–"]
    ratios = held["efficiency"][held["efficiency"]["metric"] == "cost_ratio"]
    assert ours["measured ratio"].tolist() == [f"{value:.2f}" for value in ratios["value"]]
    assert ours["comparison"].iloc[0] == f"{MNIST}: pixels 784 over DCT 49"
    test = at(held["comparisons"], "mnist", first="dct-49", second="pixels-784").iloc[0]
    assert ours["measured accuracy"].iloc[0] == format_interval(*test[BOUNDS])
    assert set(ours["printed ratio"]) == {"–"}
    none = held["efficiency"].assign(other=held["efficiency"]["other"].replace("dct-49", "pixels-784"))
    line = published_table.measured_ratios(held | {"efficiency": none})[0]
    assert line["comparison"] == f"{MNIST}: pixels 784 over DCT" and line["note"].startswith("no DCT comes within 1.1")


def test_security_lists_the_standard_with_the_networks(held):
    table = tables.security_table(held["security"])
    assert table["ring"].tolist() == ["1,024", "2,048", "4,096", "8,192", "16,384", "32,768"]
    used = of(table, network="plain").iloc[0]
    assert (used["most bits, 128"], used["bits"], used["security"], used["levels"]) == ("218", "190", "128", "3")
    assert used["moduli"] == "+".join(map(str, NETWORKS[0]["moduli"]))
    twice = held["security"].assign(ring=8192)
    assert tables.security_table(twice)["ring"].tolist().count("8,192") == 2


def test_tfhe_never_shows_a_prediction_as_executed(held):
    table = tables.tfhe_table(held["tfhe"])
    predicted = of(table, cost_is="predicted")
    assert len(predicted) == 8 and set(predicted["CPU s per image"]) == {"–"} == set(predicted["encrypted"])
    row = of(table, net="16x16 pixels", cost_is="executed").iloc[0]
    assert row["wrong values"] == "30 of 3,000" and row["bootstraps"] == "2,560" and row["CPU s per image"] != "–"
    assert of(table, net="16x16 DCT 8 coefficients")["p_error"].tolist() == [
        "0.01",
        "1e-12",
        "0.0001",
        "0.01",
        "0.1",
        "0.01",
    ]
