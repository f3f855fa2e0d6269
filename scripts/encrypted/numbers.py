"""The numbers that settings keep of images, on disk: safetensors, float32 [n, k] by transform and k."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.encrypted.settings import Setting


def write(arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    """Write arrays by name (`dct-49`).

    Raises:
        UserError: the disk is full or the folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        save_file({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}, temporary)


def read(path: str | Path, setting: Setting, rows: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers of a setting, float32 [n, k]; with `rows`, those of some images.

    Raises:
        UserError: the file is missing, damaged, or holds no such setting.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            found = file.get_tensor(f"{setting.transform}-{setting.k}")
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path}: no numbers of {setting.name}, or damaged ({error}); delete it and run again"
        ) from error
    return found if rows is None else found[rows]
