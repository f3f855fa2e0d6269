"""Rule `encrypted_tfhe_gather`: the measurements under TFHE as one frame, and the cost that larger images would have.

A predicted cost is the compiler's complexity over complexity per CPU second, as measured on executed networks; it
stands in a column of its own and never where a measured one does.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.encrypted.tfhe.nets import LAYOUTS

EXECUTED, PREDICTED = "executed", "predicted"
TFHE = pa.schema(
    [
        ("net", pa.string()),
        ("key", pa.string()),
        ("part", pa.string()),  # net, sweep (of p_error, executed), p_error or size (of images), both predicted
        ("side", pa.int64()),
        ("transform", pa.string()),
        ("coefficients", pa.int64()),  # channels of the grid
        ("enlarged_to", pa.int64()),  # side before the transform, 0 where images keep theirs
        ("bits", pa.int64()),  # of the widest sum that a look-up reads
        ("p_error", pa.float64()),
        ("bootstraps", pa.int64()),
        ("complexity", pa.float64()),
        ("security_bits", pa.int64()),
        ("keygen_seconds", pa.float64()),  # CPU
        ("key_bytes", pa.int64()),  # of the server's keys
        ("images", pa.int64()),  # decrypted
        ("cpu_seconds", pa.float64()),  # per image, median, with least and greatest
        ("cpu_low", pa.float64()),
        ("cpu_high", pa.float64()),
        ("wall_seconds", pa.float64()),
        ("bytes_up", pa.float64()),
        ("bytes_down", pa.float64()),
        ("wrong_values", pa.int64()),  # decrypted logits that differ from the exact ones
        ("values", pa.int64()),
        ("wrong_images", pa.int64()),
        ("flips", pa.int64()),
        ("accuracy_clear", pa.float64()),  # of all test images
        ("test_rows", pa.int64()),
        ("accuracy_simulated", pa.float64()),
        ("simulated", pa.int64()),
        ("wrong_simulated", pa.int64()),
        ("accuracy_encrypted", pa.float64()),
        ("first_relu", pa.bool_()),
        ("free_widths", pa.bool_()),
        ("mode", pa.string()),
        ("finished", pa.bool_()),
        ("reason", pa.string()),  # why it is not finished, else empty
        ("limit_seconds", pa.float64()),
        ("complexity_per_second", pa.float64()),
        ("predicted_cpu_seconds", pa.float64()),
    ]
)
COUNTS = [field.name for field in TFHE if field.type == pa.int64()]


def row_of(result: dict, trained: dict) -> dict:
    """Return the row of one measurement; what was not reached before the limit is missing."""
    layout, mode = LAYOUTS[result["key"]], result["mode"]
    widths = layout.widths if "side" in result else trained["widths"]
    row = {
        "net": layout.name,
        "key": result["key"],
        "part": result.get("of", "net"),
        "side": result.get("side", layout.side),
        "transform": layout.transform,
        "coefficients": layout.channels,
        "enlarged_to": layout.enlarged_to,
        "bits": max(widths if layout.first_relu else widths[1:]),
        "first_relu": layout.first_relu,
        "free_widths": not any(layout.widths),
        "mode": mode,
        "finished": not result["reason"],
        "reason": result["reason"],
        "limit_seconds": result["seconds"],
        "accuracy_clear": None if mode == PREDICTED else trained["accuracy_clear"],
        "test_rows": None if mode == PREDICTED else trained["test_rows"],
    }
    if "side" in result:
        row["net"] = f"{result['side']}x{result['side']} {layout.name.split(' ', 1)[1]}"
    same = ("p_error", "bootstraps", "complexity", "security_bits", "keygen_seconds", "key_bytes")
    simulated = ("simulated", "accuracy_simulated", "wrong_simulated")
    # `simulated` of an entry is what was asked for; only with an accuracy was it done.
    row |= {name: result.get(name) for name in same + (simulated if "accuracy_simulated" in result else ())}
    runs = pd.DataFrame(result.get("runs", []))
    row["images"] = len(runs)
    if len(runs):
        row |= {
            "cpu_seconds": runs["cpu_seconds"].median(),
            "cpu_low": runs["cpu_seconds"].min(),
            "cpu_high": runs["cpu_seconds"].max(),
            "wall_seconds": runs["wall_seconds"].median(),
            "bytes_up": runs["bytes_up"].mean(),
            "bytes_down": runs["bytes_down"].mean(),
            "wrong_values": runs["wrong_values"].sum(),
            "values": runs["values"].sum(),
            "wrong_images": (runs["wrong_values"] > 0).sum(),
            "flips": runs["flipped"].sum(),
            "accuracy_encrypted": runs["right"].mean(),
        }
    return row


def rate(complexities: Sequence[float], seconds: Sequence[float]) -> float:
    """Return complexity per CPU second, the median over networks; NaN without any."""
    return float(np.median(np.divide(complexities, seconds))) if len(complexities) else float("nan")


def with_predictions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the rate and predicted CPU seconds.

    An executed row is predicted from the other networks alone, so that its error is an honest one.
    """
    known = frame[(frame["part"] == "net") & frame["cpu_seconds"].notna()]
    rates = []
    for row in frame.itertuples():
        others = known[known["key"] != row.key] if row.mode == EXECUTED else known
        rates.append(rate(others["complexity"].to_numpy(float), others["cpu_seconds"].to_numpy(float)))
    rates = np.array(rates)
    complexity = frame["complexity"].to_numpy(float)
    return frame.assign(complexity_per_second=rates, predicted_cpu_seconds=complexity / rates)


def frame_of(content: dict | None) -> pd.DataFrame:
    """Return one row per measurement with the columns of `TFHE`; no row where nothing was run (None)."""
    if content is None:
        return TFHE.empty_table().to_pandas()
    trained = {net["key"]: net for net in content["trained"]["nets"]}
    rows = [row_of(result, trained[result["key"]]) for result in content["results"]]
    frame = pd.DataFrame(rows).reindex(columns=TFHE.names)
    frame = with_predictions(frame.astype({"complexity": float, "cpu_seconds": float}))
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))


def gather(result: str | Path | None, output: str | Path) -> None:
    """Write the frame of a JSON of `encrypted_tfhe_infer`, or an empty one without it.

    Raises:
        UserError: the JSON is damaged, or the frame cannot be written.
    """
    content = None
    if result is not None:
        try:
            content = json.loads(Path(result).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{result}: missing or damaged ({error}); delete it and run the workflow") from error
    frame = frame_of(content)
    log.info(
        "%d rows, %d of them executed to the end",
        len(frame),
        int((frame["finished"] & (frame["mode"] == EXECUTED)).sum()),
    )
    parquet.write(frame, output, TFHE)


if "snakemake" in globals():
    with job(snakemake):
        gather(snakemake.input.result if snakemake.params.run else None, snakemake.output[0])
