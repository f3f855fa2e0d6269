"""The environment of concrete-python: what is refused, what is removed, and what is kept.

pip and venv are replaced by a script that acts as they do, except where the real pip is to fail.
"""

import json
import os
import re
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.common.files import checksum
from scripts.encrypted import tfhe_environment
from scripts.encrypted.tfhe import children
from scripts.encrypted.tfhe_environment import MARK, build

LOCK = Path(__file__).parents[2] / "envs/tfhe.txt"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text("nothing==1.0 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    return path


@pytest.fixture
def installed(monkeypatch):
    """Environments are made by this test; returns the commands that were run, and a switch for pip's answer."""
    commands, answer = [], {"pip": children.Ended(0, ""), "import": None}

    def run(command, seconds=None, environment=None):
        commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            (Path(command[3]) / "lib").mkdir()
            return children.Ended(0, "")
        if command[1:3] == ["-m", "pip"]:
            return answer["pip"]
        folder = Path(command[0]).parents[1]
        found = {"versions": {"concrete-python": "2.11.0"}, "numpy": str(folder / "numpy/__init__.py")}
        return answer["import"] or children.Ended(0, "a warning\n" + json.dumps(found) + "\n")

    monkeypatch.setattr(tfhe_environment.children, "run", run)
    monkeypatch.setattr(tfhe_environment, "_borrow_torch", lambda folder: None)
    return commands, answer


def test_an_environment_is_made_once_for_a_lock(tmp_path, lock, installed):
    commands, _ = installed
    folder = tmp_path / "environment"
    build(folder, lock, tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert written["lock_sha256"] == checksum(lock) and written["versions"] == {"concrete-python": "2.11.0"}
    pip = next(command for command in commands if "pip" in command)
    assert {"--no-deps", "--require-hashes", str(lock)} <= set(pip)
    made = len(commands)
    build(folder, lock, tmp_path / "out.json")
    assert len(commands) == made + 1, "an environment of the same lock is imported again, not made again"
    lock.write_text(lock.read_text(encoding="utf-8") + "# another\n", encoding="utf-8")
    build(folder, lock, tmp_path / "out.json")
    assert len(commands) == 2 * made + 1


def test_an_environment_that_no_longer_imports_is_made_again(tmp_path, lock, installed):
    commands, answer = installed
    folder = tmp_path / "environment"
    build(folder, lock, tmp_path / "out.json")
    answer["import"] = children.Ended(1, "ModuleNotFoundError: No module named 'torch'")
    with pytest.raises(UserError, match=r"cannot be imported there.*No module named 'torch'"):
        build(folder, lock, tmp_path / "out.json")
    assert not folder.exists() and sum("venv" in command for command in commands) == 2


def test_an_unfinished_environment_is_removed_first(tmp_path, lock, installed):
    folder = tmp_path / "environment"
    folder.mkdir()
    (folder / MARK).touch()
    (folder / "half").touch()
    (folder / "link").symlink_to(tmp_path)
    build(folder, lock, tmp_path / "out.json")
    assert not (folder / "half").exists() and (folder / "finished.json").exists() and lock.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_build_leaves_nothing(tmp_path, lock, installed, monkeypatch, error):
    def stop(folder):
        raise error

    monkeypatch.setattr(tfhe_environment, "imported", stop)
    with pytest.raises(error):
        build(tmp_path / "environment", lock, tmp_path / "out.json")
    assert not (tmp_path / "environment").exists() and not (tmp_path / "out.json").exists()


def test_a_folder_with_files_of_the_user_is_left_alone(tmp_path, lock, installed):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UserError, match=r"mine: holds other files; name a new folder"):
        build(folder, lock, tmp_path / "out.json")
    assert (folder / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    (tmp_path / "link").symlink_to(folder)
    for place in ("link", "lock.txt"):
        with pytest.raises(UserError, match="is no folder"):
            build(tmp_path / place, lock, tmp_path / "out.json")
    assert lock.exists() and (folder / "thesis.txt").exists()


def test_too_little_disk_is_refused_before_anything_is_made(tmp_path, lock, installed, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or Usage(9e9, 8e9, 1.2e9))
    folder = tmp_path / "deep" / "environment"
    with pytest.raises(UserError, match=r"environment: 1\.2 GB are free on its disk, .* needs 1\.5 GB; free some"):
        build(folder, lock, tmp_path / "out.json")
    assert asked == [tmp_path] and not installed[0] and not folder.parent.exists()


@pytest.mark.parametrize("version", [(3, 10), (3, 13)])
def test_a_python_without_a_wheel_is_refused(tmp_path, lock, monkeypatch, version):
    monkeypatch.setattr(tfhe_environment.sys, "version_info", (*version, 0, "final", 0))
    with pytest.raises(UserError, match=rf"no wheel for Python 3\.{version[1]}; run .* 3\.11 or 3\.12"):
        build(tmp_path / "environment", lock, tmp_path / "out.json")


def test_numpy_of_another_environment_is_noticed(tmp_path, lock, installed):
    found = {"versions": {}, "numpy": "/elsewhere/numpy/__init__.py"}
    installed[1]["import"] = children.Ended(0, json.dumps(found))
    with pytest.raises(UserError, match="imports NumPy of another environment"):
        build(tmp_path / "environment", lock, tmp_path / "out.json")


def test_without_network_pip_s_own_line_is_passed_on(tmp_path, lock, monkeypatch):
    """The real pip, with an index that is not there."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as caught:
        build(tmp_path / "environment", lock, tmp_path / "out.json")
    assert re.search(r"check the network .* pip: No matching distribution found for nothing==1\.0", str(caught.value))
    assert not (tmp_path / "environment").exists()


def test_a_package_with_another_hash_is_refused(tmp_path, monkeypatch):
    """The real pip, with a wheel in a folder."""
    import zipfile

    wheel = tmp_path / "nothing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        archive.writestr("nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("nothing-1.0.dist-info/RECORD", "")
    lock = tmp_path / "lock.txt"
    lock.write_text(
        f"--no-index\n--find-links {tmp_path}\nnothing==1.0 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8"
    )
    with pytest.raises(UserError, match="pip: THESE PACKAGES DO NOT MATCH THE HASHES"):
        build(tmp_path / "environment", lock, tmp_path / "out.json")
    assert not (tmp_path / "environment").exists()


def test_the_lock_names_every_package_with_hashes():
    stated = re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    needed = ["concrete-python", "numpy", "scipy", "networkx", "jsonpickle", "z3-solver", "setuptools"]
    assert set(needed) <= set(stated) and "torch" not in stated
    entries = re.split(r"^(?=[a-z])", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


def test_a_child_ends_at_its_limit():
    assert children.run(["sh", "-c", "echo begun; sleep 60"], 0.3).status is None
    ended = children.run(["sh", "-c", "echo one; echo; echo last >&2; exit 3"])
    assert (ended.status, ended.last_line) == (3, "last")
