"""Environment of a job: state of the code, packages and machine."""

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path


def state_of_code(root: str | Path, paths: Iterable[str] = ()) -> dict:
    """Return {commit, dirty} of the project at `root`; "unknown (why)" and None without git or a repository.

    With `paths`, the last commit that changed one of them, and whether one of them differs from it: changes elsewhere
    in the project affect neither.
    """
    paths = list(paths)
    try:
        if (top := _git(root, "rev-parse", "--show-toplevel")) and Path(top) != Path(root).resolve():
            return {"commit": "unknown (the project lies inside another repository)", "dirty": None}
        commit = _git(root, "log", "-1", "--format=%H", "--", *paths) or "unknown (never committed)"
        return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--", *paths))}
    except FileNotFoundError:
        return {"commit": "unknown (git is not installed)", "dirty": None}
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip().splitlines() or ["git failed"])[0]
        return {"commit": f"unknown ({why})", "dirty": None}


def _git(root: str | Path, *arguments: str) -> str:
    """Run git on the project's repository, without the GIT_ variables of the calling process."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=plain).stdout.strip()


def package_versions(requirements: str | Path) -> dict[str, str | None]:
    """Return the versions of the packages that a requirements file names; None where this environment lacks one."""
    lines = Path(requirements).read_text(encoding="utf-8").splitlines()
    names = [match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))]
    return {name: _version(name) for name in sorted(names)}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def hardware() -> dict:
    """Return the processor, its cores, the memory and the GPUs; never imports torch."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {"cpu": _cpu(), "cores": os.cpu_count(), "memory_mb": memory, "gpus": gpus()}


def _cpu(info: str | Path = "/proc/cpuinfo") -> str:
    """Return the name of the processor's model; only Linux has the file."""
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path(info).read_text(encoding="utf-8"), re.M)
    except OSError:
        match = None
    return match[1] if match else platform.processor() or platform.machine()


def gpus(program: str = "nvidia-smi") -> list[dict[str, str]]:
    """Return the name and driver of every NVIDIA GPU; none where its program is missing or fails."""
    command = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        listed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.rsplit(", ", 1) for line in listed.splitlines() if ", " in line]
    return [{"name": name, "driver": driver} for name, driver in rows]
