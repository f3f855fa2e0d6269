"""Numba functions kept on disk: one cache for all studies, filled by each study's rule `X_compile`.

The cache is numba's: `NUMBA_CACHE_DIR` if that is set, else `__pycache__` beside the source, else the user's cache
folder where that is read-only. A process that compiles may end with other last digits than those that read the code
from the disk, so every fit waits for the rule that compiles.
"""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from numbers import Number
from pathlib import Path
from types import FunctionType, ModuleType

from numba import njit

from scripts.common.files import atomic_path


def kept_on_disk(signature: str, **options) -> Callable:
    """Return a decorator that compiles a function for one signature, on import, and keeps the code on disk.

    Numba compiles anew when the function's own file has changed; what it calls in other files is not looked at. So the
    name under which the code is kept ends in `digest_of` the function. `options` are those of `numba.njit`.
    """

    def decorate(function: Callable) -> Callable:
        digest = digest_of(function)
        function.__qualname__ += f"_{digest}"
        kernel = njit(signature, cache=True, **options)(function)
        kernel.kept_as = function.__qualname__
        return kernel

    return decorate


def digest_of(function: Callable) -> str:
    """Return 12 hexadecimal digits of the source files of a function and of all compiled ones that it calls.

    The values of numbers that they take from their modules count too, since they are compiled in.
    """
    files, numbers, waiting, seen = set(), {}, [function], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        files.add(current.__code__.co_filename)
        for name in current.__code__.co_names:
            value = current.__globals__.get(name)
            if isinstance(value, Number):
                numbers[f"{current.__module__}.{name}"] = repr(value)
            # a function of a module, as in `piece.scaled`
            used = [vars(value).get(other) for other in current.__code__.co_names] if is_own(value) else [value]
            waiting += [one.py_func for one in used if isinstance(getattr(one, "py_func", None), FunctionType)]
    hashed = hashlib.sha256(json.dumps(sorted(numbers.items())).encode())
    for content in sorted(Path(path).read_bytes() for path in files):
        hashed.update(content)
    return hashed.hexdigest()[:12]


def is_own(value: object) -> bool:
    """Return whether a value is a module that is no installed package, whose functions may be compiled ones."""
    path = getattr(value, "__file__", None) or "site-packages"
    return isinstance(value, ModuleType) and "site-packages" not in Path(path).parts


def write_note(kernels: list[Callable], output: str) -> None:
    """Write what was compiled, under which names, and the versions of the compiler, as JSON.

    Raises:
        ValueError: a kernel was not compiled by `kept_on_disk`.
    """
    if missing := [kernel for kernel in kernels if not hasattr(kernel, "kept_as")]:
        raise ValueError(f"{missing[0]} is not kept on disk")
    names = sorted(f"{kernel.py_func.__module__}.{kernel.kept_as}" for kernel in kernels)
    note = {"kernels": names} | {package: version(package) for package in ("numba", "llvmlite")}
    with atomic_path(output) as temporary:
        temporary.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
