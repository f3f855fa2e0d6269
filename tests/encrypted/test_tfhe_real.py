"""One encrypted image with the real concrete-python, where the environment exists."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from scripts.encrypted.tfhe import nets
from scripts.encrypted.tfhe_environment import python_of
from scripts.encrypted.tfhe_infer import CHILD, ROOT
from scripts.encrypted.tfhe_train import train

FOLDER = Path(os.environ.get("COUNTERWEIGHT_TFHE", ROOT / "results/encrypted/tfhe/environment"))


@pytest.mark.slow
@pytest.mark.skipif(not (FOLDER / "finished.json").exists(), reason=f"no TFHE environment in {FOLDER}")
@pytest.mark.parametrize("key", ["digits_dct"])
def test_decrypted_logits_are_the_exact_ones(tmp_path, key):
    train([key], {}, 3, 2, tmp_path / "nets.npz", tmp_path / "nets.json")
    shared = {"key": key, "grid": 4, "seconds": 300, "simulated": 2}
    found = []
    for further in (
        {"mode": "executed", "p_error": 1e-4, "images": 1},
        {"mode": "predicted", "p_error": 1e-4, "images": 0},
    ):
        out = tmp_path / "out.json"
        command = [str(python_of(FOLDER)), "-P", "-W", "ignore", str(CHILD), "--entry", json.dumps(shared | further)]
        command += ["--weights", str(tmp_path / "nets.npz"), "--out", str(out)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path)
        found.append(json.loads(out.read_text(encoding="utf-8")))
    executed, predicted = found
    assert executed["bootstraps"] == nets.LAYOUTS[key].bootstraps == predicted["bootstraps"]
    assert executed["stage"] == "finished" and predicted["stage"] == "compiled" and "runs" not in predicted
    run = executed["runs"][0]
    assert run["wrong_values"] == 0 and run["values"] == 10 and run["bytes_up"] > 10_000
    assert executed["key_bytes"] > 1e8 and executed["security_bits"] == 128
    assert np.isfinite(executed["complexity"] / run["cpu_seconds"])
