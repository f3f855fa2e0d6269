"""Synthetic rows of some splits as one Parquet file, categories as codes of the schema in its metadata."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.mixed_table import MixedSchema, MixedTable
from scripts.imbalance.augmentation import Synthetic

KEYS = ["plan", "generator", "split", "draw"]
SCHEMA = "mixed_schema"  # the key of the metadata
NUMBER, CODE = "number_", "code_"  # prefixes of the features' columns, so that none is named like a key


def write(parts: Sequence[Synthetic], schema: MixedSchema, path: str | Path) -> None:
    """Write the rows of all plans, generators, splits and draws."""
    frames = []
    for part in parts:
        columns = {f"{NUMBER}{place}": part.table.numeric[:, place] for place in range(len(schema.numeric))}
        codes = {f"{CODE}{place}": part.table.codes[:, place] for place in range(len(schema.categorical))}
        keys = {name: getattr(part, name) for name in KEYS}
        frames.append(pd.DataFrame({"group": part.group, "label": part.label, **columns, **codes}).assign(**keys))
    frame = pd.concat(frames, ignore_index=True).astype({"plan": "category", "generator": "category"})
    about = [{name: getattr(part, name) for name in KEYS} for part in parts]  # a plan may add no rows
    metadata = {SCHEMA: json.dumps(asdict(schema)), "parts": json.dumps(about)}
    parquet.write(frame, path, metadata=metadata)


def read(path: str | Path) -> list[Synthetic]:
    """Return the rows, one entry per plan, generator, split and draw, in the order in which they were written.

    Raises:
        UserError: the file is missing or damaged.
    """
    frame = parquet.read(path)
    try:
        metadata = pq.read_schema(path).metadata
        stored, parts = json.loads(metadata[SCHEMA.encode()]), json.loads(metadata[b"parts"])
        tuples = {name: tuple(tuple(v) if isinstance(v, list) else v for v in value) for name, value in stored.items()}
        schema = MixedSchema(**tuples)
        numeric = frame[[f"{NUMBER}{place}" for place in range(len(schema.numeric))]].to_numpy(float)
        codes = frame[[f"{CODE}{place}" for place in range(len(schema.categorical))]].to_numpy(np.int32)
        places = frame.groupby(KEYS, observed=True, sort=False).indices
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise UserError(f"{path}: no file of synthetic rows ({error}); delete it and run the workflow") from error
    found = []
    for part in parts:
        rows = places.get(tuple(part[name] for name in KEYS), np.empty(0, np.int64))
        table = MixedTable(schema, numeric[rows], codes[rows])
        group, label = (frame[name].to_numpy()[rows] for name in ("group", "label"))
        found.append(Synthetic(**part, group=group.astype(np.int16), label=label.astype(np.int8), table=table))
    return found
