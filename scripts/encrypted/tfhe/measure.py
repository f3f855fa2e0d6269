"""One network compiled, and run on encrypted images: what it costs and which values are wrong.

A process of its own per network, since one can take hours or all memory; the parent ends it after a limit. Everything
known so far is in the output at any time. Client and server are in one process here; the server's call is handed the
evaluation keys and the ciphertext alone.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from scripts.common.files import atomic_path
from scripts.common.parent_watchdog import end_with_the_run
from scripts.encrypted.tfhe import circuit as circuits
from scripts.encrypted.tfhe import nets

SHARE = 0.9  # of the time limit after which no further image begins, unless one as long as the last fits


def clocks() -> tuple[float, float]:
    """Return CPU seconds of this process, all threads, and wall seconds."""
    return time.process_time(), time.perf_counter()


def since(start: tuple[float, float]) -> dict[str, float]:
    """Return CPU and wall seconds since `start`."""
    cpu, wall = clocks()
    return {"cpu_seconds": cpu - start[0], "wall_seconds": wall - start[1]}


def facts_of(circuit) -> dict:
    """Return what the compiler says of a circuit before any key is made."""
    return {
        "bootstraps": int(circuit.programmable_bootstrap_count),
        "complexity": float(circuit.complexity),
        "bits": int(circuit.graph.maximum_integer_bit_width()),
        "security_bits": int(circuits.SECURITY),
    }


def measure(entry: dict, arrays: dict[str, np.ndarray], report: Callable[[dict], None]) -> None:
    """Compile a network and, unless only a prediction is wanted, run it on encrypted images.

    Args:
        entry: `key` of the network, `p_error`, `mode` (executed or predicted), `side` and `grid` of its inputs where
            these are of another size, numbers of
            `images` and of `simulated` images, `seconds` as the limit.
        arrays: of `nets.read`.
        report: called with all results so far after every step; `stage` says which was the last.
    """
    began = time.perf_counter()
    key, images = entry["key"], entry["images"]
    net, inputs = nets.from_arrays(arrays, key), arrays[f"{key}/inputs"].astype(np.int64)
    calibration = arrays[f"{key}/calibration"]
    if "side" in entry:
        net, inputs = nets.at_grid(net, inputs, entry["grid"])
        within = net.inside(inputs)
        calibration = inputs[within][net.extremes(inputs[within])] if within.any() else inputs[net.extremes(inputs)]
    start = clocks()
    circuit = circuits.compiled(net, calibration, entry["p_error"])
    found = facts_of(circuit) | {"compile_seconds": since(start)["cpu_seconds"], "stage": "compiled"}
    report(found)
    if entry["mode"] == "predicted":
        return
    expected = net.logits(inputs)
    labels = arrays[f"{key}/labels"]
    if entry["simulated"]:
        twin = circuits.compiled(net, calibration, entry["p_error"], simulated=True)
        guesses = np.array([twin.simulate(image) for image in inputs[: entry["simulated"]]])
        count = len(guesses)
        found |= {
            "simulated": count,
            "accuracy_simulated": float((guesses.argmax(1) == labels[:count]).mean()),
            "wrong_simulated": int((guesses != expected[:count]).sum()),
            "stage": "simulated",
        }
        report(found)
    start = clocks()
    circuit.client.keygen(force=True)
    spent = since(start)
    evaluation = circuit.client.evaluation_keys
    found |= {"keygen_seconds": spent["cpu_seconds"], "keygen_wall_seconds": spent["wall_seconds"], "stage": "keys"}
    report(found | {"key_bytes": circuit.size_of_bootstrap_keys + circuit.size_of_keyswitch_keys})
    found["key_bytes"] = len(evaluation.serialize())
    runs = []
    for place, image in enumerate(inputs[:images]):
        start = clocks()
        sent = circuit.client.encrypt(image)
        encrypt = since(start)["cpu_seconds"]
        start = clocks()
        reply = circuit.server.run(sent, evaluation_keys=evaluation)
        run = since(start)
        logits = np.asarray(circuit.client.decrypt(reply))
        wrong = int((logits != expected[place]).sum())
        runs.append(
            run
            | {
                "encrypt_cpu_seconds": encrypt,
                "bytes_up": len(sent.serialize()),
                "bytes_down": len(reply.serialize()),
                "wrong_values": wrong,
                "values": logits.size,
                "flipped": bool(logits.argmax() != expected[place].argmax()),
                "right": bool(logits.argmax() == labels[place]),
                "row_id": int(arrays[f"{key}/row_ids"][place]),
            }
        )
        report(found | {"runs": runs, "stage": f"{place + 1} of {images} images"})
        if time.perf_counter() - began + run["wall_seconds"] > SHARE * entry["seconds"]:
            break
    report(found | {"runs": runs, "stage": "finished"})


def main() -> None:
    """Measure the entry of the command line and write a JSON, which is renewed after every step."""
    end_with_the_run()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entry", required=True, help="JSON of the entry")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()

    def report(found: dict) -> None:
        with atomic_path(options.out) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")

    measure(json.loads(options.entry), nets.read(options.weights), report)


if __name__ == "__main__":
    main()
