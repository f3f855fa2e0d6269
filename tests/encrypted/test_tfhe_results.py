"""What is measured under TFHE in which order, what an over-long network leaves, and the frame of it all."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.encrypted import tfhe_gather, tfhe_infer
from scripts.encrypted.tfhe import children, nets
from scripts.encrypted.tfhe_gather import TFHE, frame_of, gather, rate
from scripts.encrypted.tfhe_infer import entries_of, infer

SWEEP = {"net": "mnist_dct", "p_errors": [1e-4, 0.1], "images": 5}
SETTINGS = {
    "p_error": 0.01,
    "images": 2,
    "simulated": 4,
    "seconds_per_net": 9,
    "sweep": SWEEP,
    "predicted_sides": [16, 64],
}
KEYS = ["mnist_pixels", "mnist_dct", "digits_dct_pruned"]
SLOW = "digits_dct_pruned"  # does not finish here


def trained():
    known = {"accuracy_clear": 0.9, "test_rows": 100, "widths": [5, 6], "images": "digits"}
    return {"weights_sha256": "aa", "nets": [{"key": key, "net": nets.LAYOUTS[key].name, **known} for key in KEYS]}


def answer(entry):
    """What the child reports: one CPU second per 1e9 of complexity."""
    layout = nets.LAYOUTS[entry["key"]]
    complexity = layout.bootstraps * 1e7 * (entry["grid"] / layout.grid) ** 2
    found = {"bootstraps": layout.bootstraps, "complexity": complexity, "bits": 8, "security_bits": 128}
    if entry["mode"] == "predicted":
        return found | {"stage": "compiled"}
    found |= {"simulated": 4, "accuracy_simulated": 0.5, "wrong_simulated": 3, "keygen_seconds": 3.0, "key_bytes": 500}
    if entry["key"] == SLOW:
        return found | {"stage": "keys"}
    run = {"wall_seconds": 2.0, "bytes_up": 20, "bytes_down": 10, "values": 10, "right": True, "row_id": 1}
    times = [complexity / 1e9 * share for share in (0.9, 1, 1.1)]
    wrong = [0, 3, 0] if entry["p_error"] > 0.05 else [0, 0, 0]
    runs = [
        run | {"cpu_seconds": seconds, "wrong_values": count, "flipped": count > 2}
        for seconds, count in zip(times, wrong, strict=True)
    ]
    return found | {"runs": runs, "stage": "finished"}


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Run `infer` with a child that answers at once; returns the function and the entries that were measured."""
    (tmp_path / "about.json").write_text(json.dumps(trained()), encoding="utf-8")
    (tmp_path / "environment.json").write_text(json.dumps({"lock_sha256": "bb"}), encoding="utf-8")
    seen = []

    def run(command, seconds=None, environment=None):
        options = dict(zip(command[-6::2], command[-5::2], strict=True))
        entry = json.loads(options["--entry"])
        if len(seen) == run.stop_at:
            raise KeyboardInterrupt
        seen.append(entry)
        assert seconds == entry["seconds"] and (Path(environment["PYTHONPATH"]) / "scripts").is_dir()
        Path(options["--out"]).write_text(json.dumps(answer(entry)), encoding="utf-8")
        return children.Ended(None if entry["key"] == SLOW else 0, "")

    run.stop_at = None
    monkeypatch.setattr(tfhe_infer.children, "run", run)

    def start(settings=SETTINGS):
        files = [tmp_path / name for name in ("about.json", "nets.npz", "environment.json", "result.json")]
        infer(settings, *files)
        return json.loads(files[-1].read_text(encoding="utf-8"))

    return start, seen, run


def test_networks_come_first_then_the_sweep_then_predictions():
    entries = entries_of(SETTINGS, KEYS)
    assert [entry["key"] for entry in entries[:3]] == KEYS
    assert [(entry["p_error"], entry["images"]) for entry in entries[3:5]] == [(1e-4, 5), (0.1, 5)]
    assert [(entry["key"], entry["p_error"]) for entry in entries[5:11]] == [
        (key, p) for p in (1e-4, 0.1) for key in KEYS
    ]
    assert {entry["mode"] for entry in entries[5:]} == {"predicted"}
    assert [(entry["mode"], entry["side"], entry["grid"]) for entry in entries[11:]] == [
        ("predicted", 16, 16),
        ("predicted", 16, 4),
        ("predicted", 64, 64),
        ("predicted", 64, 16),
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"predicted_sides": [10]}, "no prediction for side 10; take multiples of 4"),
        ({"sweep": SWEEP | {"net": "digits_dct"}}, "nets lacks digits_dct"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(changed, message):
    with pytest.raises(UserError, match=message):
        entries_of(SETTINGS | changed, KEYS)


def test_an_over_long_network_is_recorded_with_its_limit(measured):
    start, seen, _ = measured
    frame = frame_of(start())
    assert len(seen) == len(frame) == 15
    slow = frame[frame["key"] == SLOW].iloc[0]  # executed; the others are predictions
    assert not slow["finished"] and slow["reason"] == "not finished after 9 s" and slow["limit_seconds"] == 9
    assert slow["bootstraps"] == 128 and slow["keygen_seconds"] == 3 and slow["images"] == 0
    assert slow[["cpu_seconds", "wrong_values", "accuracy_encrypted"]].isna().all()
    assert slow["predicted_cpu_seconds"] == pytest.approx(1.28) and not slow["first_relu"]


def test_a_child_s_error_is_recorded(measured, monkeypatch):
    start, _, _ = measured
    monkeypatch.setattr(tfhe_infer.children, "run", lambda *_: children.Ended(1, "Traceback\nRuntimeError: too wide\n"))
    frame = frame_of(start(SETTINGS | {"predicted_sides": []}))
    assert set(frame["reason"]) == {"RuntimeError: too wide"} and not frame["finished"].any()
    assert frame["complexity"].isna().all() and frame["predicted_cpu_seconds"].isna().all()
    monkeypatch.setattr(tfhe_infer.children, "run", lambda *_: children.Ended(-9, ""))
    assert "memory" in frame_of(start())["reason"][0]


def test_an_interrupted_run_goes_on_where_it_was(measured, tmp_path):
    start, seen, run = measured
    run.stop_at = 4
    with pytest.raises(KeyboardInterrupt):
        start()
    assert not (tmp_path / "result.json").exists()
    run.stop_at = None
    start()
    assert len(seen) == 15 and not (tmp_path / "result.parts").exists()


def test_a_prediction_never_stands_in_a_measured_column(measured):
    frame = frame_of(measured[0]())
    predicted = frame[frame["mode"] == "predicted"]
    columns = ["cpu_seconds", "wall_seconds", "keygen_seconds", "key_bytes", "wrong_values", "values"]
    columns += ["accuracy_clear", "accuracy_simulated", "accuracy_encrypted", "simulated"]
    assert len(predicted) == 10 and predicted[columns].isna().all(axis=None)
    assert (predicted["predicted_cpu_seconds"] == predicted["complexity"] / 1e9).all()
    assert predicted["net"].tolist()[-2:] == ["64x64 pixels", "64x64 DCT 8 coefficients"]


def test_wrong_values_are_counted_by_p_error(measured):
    frame = frame_of(measured[0]()).query("part == 'sweep'").set_index("p_error")
    assert frame["wrong_values"].to_dict() == {1e-4: 0, 0.1: 3} and frame["values"].tolist() == [30, 30]
    assert frame.loc[0.1, "wrong_images"] == 1 == frame.loc[0.1, "flips"]
    assert frame.loc[0.1, ["cpu_low", "cpu_seconds", "cpu_high"]].tolist() == pytest.approx([2.304, 2.56, 2.816])


def test_an_executed_network_is_predicted_from_the_others():
    content = {"trained": trained(), "results": []}
    for key, slower in (("mnist_pixels", 1), ("mnist_dct", 2)):
        entry = entries_of(SETTINGS, KEYS)[KEYS.index(key)]
        found = entry | answer(entry) | {"reason": ""}
        found["runs"] = [run | {"cpu_seconds": run["cpu_seconds"] * slower} for run in found["runs"]]
        content["results"].append(found)
    frame = frame_of(content).set_index("key")
    assert frame["complexity_per_second"].to_dict() == pytest.approx({"mnist_pixels": 5e8, "mnist_dct": 1e9})


def test_files_hold_the_schema_with_and_without_a_run(measured, tmp_path):
    gather(None, tmp_path / "empty.parquet")
    assert parquet.read(tmp_path / "empty.parquet", TFHE).empty
    measured[0]()
    gather(tmp_path / "result.json", tmp_path / "full.parquet")
    frame = parquet.read(tmp_path / "full.parquet", TFHE)
    assert list(frame) == TFHE.names and len(frame) == 15 and frame["bits"].unique().tolist() == [6]
    (tmp_path / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"result\.json: missing or damaged"):
        gather(tmp_path / "result.json", tmp_path / "full.parquet")


def test_the_rate_of_nothing_is_unknown():
    assert np.isnan(rate([], [])) and tfhe_gather.rate([2.0, 6.0, 12.0], [1.0, 2.0, 3.0]) == 3
