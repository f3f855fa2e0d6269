"""What the rules of client and server share: the networks of a parcel's settings, and seconds and bytes as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.encrypted import networks
from scripts.encrypted.ckks import Parameters
from scripts.encrypted.network import Network


def parameters_of(entry: Mapping) -> Parameters:
    """Return the parameters of an entry with ring, moduli and scale."""
    return Parameters(entry["ring"], tuple(entry["moduli"]), entry["scale"])


def networks_of(path: str | Path, settings: Sequence[str], seed: int) -> dict[str, Network]:
    """Return the network of each setting, by its name, as trained with a seed."""
    names = {setting: networks.name_of(setting, seed) for setting in settings}
    found = networks.read(path, names.values())
    return {setting: found[name] for setting, name in names.items()}


def write_costs(rows: Sequence[Mapping], path: str | Path) -> None:
    """Write rows of operation, seconds and bytes as JSON: no Parquet, whose bytes are the same in every run."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def read_costs(path: str | Path) -> list[dict]:
    """Return the rows of `write_costs`.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("no list of rows")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no rows of seconds and bytes ({error}); delete it and run the workflow") from error
    return rows
