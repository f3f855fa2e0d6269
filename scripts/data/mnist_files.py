"""Search for MNIST's four idx files in a user's folder, packed or not, under their common names.

This module is imported by the Snakefile, so it imports nothing heavy.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

# train-images-idx3-ubyte.gz as published; with a dot (Kaggle, Keras' mirror); in capitals; unpacked.
NAME = re.compile(r"(train|t10k)[-_.](images|labels)[-_.](idx[13])[-_.]ubyte(\.gz)?", re.IGNORECASE)
DEEPEST = 2  # torchvision's root has MNIST/raw; unpackers make a folder for each file


def find_digits(folder: str | Path) -> dict[str, Path]:
    """Return official name -> path for each of the four files that is somewhere in a folder.

    The official name is preferred, then the higher folder, then the packed file.
    """
    best: dict[str, tuple[tuple, Path]] = {}
    for path, depth in _below(Path(folder), 0):
        if matched := NAME.fullmatch(path.name):
            part, kind, idx, packed = (text and text.lower() for text in matched.groups())
            name = f"{part}-{kind}-{idx}-ubyte.gz"
            rank = (depth, path.name != name, not packed, str(path))
            best[name] = min((rank, path), best.get(name, (rank, path)))
    return {name: path for name, (_, path) in sorted(best.items())}


def _below(folder: Path, depth: int) -> Iterator[tuple[Path, int]]:
    """Yield the files of a folder and its subfolders, each with its depth; a folder that cannot be read is skipped."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.is_file():
            yield Path(entry.path), depth
        elif entry.is_dir() and depth < DEEPEST:
            yield from _below(Path(entry.path), depth + 1)
