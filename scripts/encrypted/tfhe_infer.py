"""Rule `encrypted_tfhe_infer`: the networks of `encrypted_tfhe_train` compiled and run under TFHE.

Started by `shell:` with the Python of `encrypted_tfhe_environment`, since that of the workflow lacks concrete-python:
`PYTHONPATH=. DIR/bin/python -P scripts/encrypted/tfhe_infer.py ...`. Without -P the folder of this file would come
first on the search path, and its modules would hide others of the same name.
"""

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import job, log
from scripts.encrypted.tfhe import children
from scripts.encrypted.tfhe.nets import LAYOUTS

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "scripts/encrypted/tfhe/measure.py"
PREDICTED_FROM = {"pixels": "mnist_pixels", "dct": "mnist_dct"}  # networks whose convolutions other sizes take
PREDICTED_SECONDS = 600
THREADS = "1"  # CPU seconds of one thread compare between machines; more threads cost more of them


def entries_of(settings: dict, keys: list[str]) -> list[dict]:
    """Return what is to be measured, in order: every network, the sweep of p_error, predictions by p_error and by size.

    Args:
        settings: `p_error`, `images`, `simulated`, `seconds_per_net`; `sweep` with `net`, `p_errors`, `images`;
            `predicted_sides`.
        keys: of the networks that were trained.

    Raises:
        UserError: the sweep or a prediction needs a network that is not among them.
    """
    shared = {"simulated": settings["simulated"], "seconds": settings["seconds_per_net"], "mode": "executed"}
    entries = [
        {**shared, "key": key, "p_error": settings["p_error"], "images": settings["images"], "grid": LAYOUTS[key].grid}
        for key in keys
    ]
    sweep = settings["sweep"]
    for p_error in sweep["p_errors"]:
        entry = {**shared, "key": sweep["net"], "p_error": p_error, "images": sweep["images"]}
        entries.append(entry | {"grid": LAYOUTS[sweep["net"]].grid, "of": "sweep"})
    predicted = {"images": 0, "simulated": 0, "mode": "predicted", "seconds": PREDICTED_SECONDS}
    for p_error in sweep["p_errors"]:
        for key in keys:
            entries.append(predicted | {"key": key, "p_error": p_error, "grid": LAYOUTS[key].grid, "of": "p_error"})
    for side in settings["predicted_sides"]:
        for key in PREDICTED_FROM.values():
            layout = LAYOUTS[key]
            if side * layout.grid % layout.side:
                raise UserError(f"encrypted: tfhe: no prediction for side {side}; take multiples of 4")
            grid = side * layout.grid // layout.side
            entry = predicted | {"key": key, "p_error": settings["p_error"], "grid": grid}
            entries.append(entry | {"side": side, "of": "size"})
    missing = sorted({entry["key"] for entry in entries} - set(keys))
    if missing:
        raise UserError(f"encrypted: tfhe: nets lacks {', '.join(missing)}, which the sweep or a prediction needs")
    return entries


def measured(entry: dict, weights: Path, part: Path) -> dict:
    """Return the entry with all that its child found before it ended, and how it ended."""
    command = [sys.executable, "-P", "-W", "ignore", str(CHILD)]
    command += ["--entry", json.dumps(entry), "--weights", str(weights), "--out", str(part)]
    environment = dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS"), THREADS)
    part.unlink(missing_ok=True)
    ended = children.run(command, entry["seconds"], environment | {"PYTHONPATH": str(ROOT)})
    found = json.loads(part.read_text(encoding="utf-8")) if part.exists() else {"stage": "begun"}
    reason = ""
    if ended.status is None:
        reason = f"not finished after {entry['seconds']:g} s"
    elif ended.status < 0:
        reason = f"ended by signal {-ended.status}, as when memory runs out"
    elif ended.status:
        reason = ended.last_line[:300] or "ended with an error"
    return {**entry, **found, "reason": reason}


def infer(settings: dict, about: str | Path, weights: str | Path, environment: str | Path, output: str | Path) -> None:
    """Write the measurements of all entries as JSON; entries measured by an interrupted run are kept.

    Args:
        settings: as `entries_of` takes them.
        about: JSON of `encrypted_tfhe_train`.
        weights: archive of `encrypted_tfhe_train`.
        environment: JSON of `encrypted_tfhe_environment`.
        output: JSON.

    Raises:
        UserError: a network is missing, or a file cannot be read or written.
    """
    trained = json.loads(Path(about).read_text(encoding="utf-8"))
    built = json.loads(Path(environment).read_text(encoding="utf-8"))
    entries = entries_of(settings, [net["key"] for net in trained["nets"]])
    parts = Path(output).with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    results = []
    for entry in entries:
        made_by = json.dumps([entry, trained["weights_sha256"], built["lock_sha256"]], sort_keys=True)
        kept = parts / f"{hashlib.sha256(made_by.encode()).hexdigest()[:24]}.json"
        if not kept.exists():
            found = measured(entry, Path(weights), parts / "running.json")
            with atomic_path(kept) as temporary:
                temporary.write_text(json.dumps(found), encoding="utf-8")
        results.append(json.loads(kept.read_text(encoding="utf-8")))
        last = results[-1]
        stage = f"{last['stage']} {last['reason']}"
        log.info("%s, p_error %.3g, grid %d: %s", entry["key"], entry["p_error"], entry["grid"], stage)
    content = {"settings": settings, "environment": built, "trained": trained, "results": results}
    with atomic_path(output) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(parts)


def main() -> None:
    """Measure what the command line says; a user's mistake ends in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="JSON of the config's block tfhe")
    parser.add_argument("--in", required=True, dest="about", help="JSON of the trained networks")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args()
    with job(SimpleNamespace(log=[options.log])):
        infer(json.loads(options.settings), options.about, options.weights, options.environment, options.out)


if __name__ == "__main__":
    main()
