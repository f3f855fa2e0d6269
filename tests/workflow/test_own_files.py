"""Files that the config names: each is an input of what reads it and of the manifest, and what it contains decides."""

import os
import re
import zipfile
from pathlib import Path

import yaml

from tests.common.test_config import merged
from tests.workflow.conftest import new_folder, snakemake
from tests.workflow.faults.broken_files import jpeg

# Every key of config.yaml that is "" names a file or folder of the user; `released` replaces the whole run.
NAMES = {
    "faces.celeba": "faces [1], of O'Brien.zip",
    "backdoor.own": "own model.safetensors",
    "backdoor.data.folder": "digits",
    "income.files.bank": "bank.zip",
    "boosting.files.bank": "bank.zip",
    "frtrain.real.datasets.0.crowd": "compas crowd.csv",
    "frtrain.real.datasets.1.crowd": "adult crowd.csv",
    "encrypted.data.folder": "digits",
    "encrypted.folder": "own images",
    "multitask.acs": "excerpts",
    "multitask.folktables": "folktables",
}
DIGITS = ["train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"]
FOLDERS = {  # keys that name a folder, and the files that are read from it
    "backdoor.data.folder": DIGITS,
    "encrypted.data.folder": DIGITS,
    "encrypted.folder": ["cats/one.png", "dogs/two.png"],
    "multitask.acs": [f"{place}{year}.csv" for place in ("national", "ma", "tx") for year in (2018, 2019)],
    "multitask.folktables": [f"{year}/1-Year/psam_p06.csv" for year in (2018, 2019)],
}
PARTS = [16879, 162771, 182638]  # an image of the published test part, of the official valid and test parts


def empty_keys(value: object, place: str = "") -> set[str]:
    """Return the dotted places of a config that hold "": no file is named."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = {found for key, item in items for found in empty_keys(item, f"{place}.{key}" if place else str(key))}
    return {place} if value == "" else inner


def put(config: dict, place: str, value: object) -> None:
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for key in path:
        config = config[key]
    config[last] = value


def blocks(said: str) -> dict[str, str]:
    """Return the text that a dry run says of each job, by rule and outputs."""
    parts = re.split(r"\n(?=(?:local)?rule \w+:)", said)[1:]
    return {f"{number} {re.match(r'(?:local)?rule (.+):', part)[1]}": part for number, part in enumerate(parts)}


def test_every_file_that_a_config_names_is_an_input_and_stands_in_the_manifest(tmp_path_factory):
    config = merged()
    assert empty_keys(config) - {"released"} == NAMES.keys(), "a new key for a user's file needs a row here"
    folder = new_folder(tmp_path_factory, "named")
    files = {key: folder / "mine" / name for key, name in NAMES.items()}
    for key, path in files.items():
        for file in [path / name for name in FOLDERS[key]] if key in FOLDERS else [path]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
        put(config, key, str(path))
    config["faces"] |= {"source": "celeba", "accept_terms": True}
    for study in ("backdoor", "encrypted"):
        config[study]["data"]["source"] = "official"
    (folder / "named.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    result = snakemake(folder, "results/manifest.json", "--dry-run", config=str(folder / "named.yaml"))
    assert result.returncode == 0, result.stdout[-3000:]
    jobs = blocks(result.stdout)
    (manifest,) = [said for name, said in jobs.items() if name.endswith(" manifest")]
    for key, path in files.items():
        for file in [path / name for name in FOLDERS[key]] if key in FOLDERS else [path]:
            readers = [
                name for name, said in jobs.items() if str(file) in re.search(r"input: (.*)", said + "\ninput: ")[1]
            ]
            assert len(readers) >= 2, f"{key}: {file.name} is an input of {readers or 'nothing'}"
            assert str(file) in manifest, key


def archive(path: Path, seeds: list[int], time: float) -> None:
    with zipfile.ZipFile(path, "w") as opened:
        for number in seeds:
            opened.writestr(f"img_align_celeba/{number:06d}.jpg", jpeg())
    os.utime(path, (time, time))


def test_a_replaced_file_is_read_again_though_its_date_is_older(tmp_path_factory):
    folder = new_folder(tmp_path_factory, "replaced")
    rows = dict.fromkeys(("published_test", "train", "valid", "test"))
    faces = {"source": "celeba", "celeba": "faces.zip", "accept_terms": True, "rows": rows}
    (folder / "own.yaml").write_text(yaml.safe_dump({"faces": faces}), encoding="utf-8")
    archive(folder / "faces.zip", [1, *PARTS], 2_000_000)
    target = "results/data/faces/dataset.json"
    result = snakemake(folder, target, config=str(folder / "own.yaml"))
    assert result.returncode == 0, result.stdout[-3000:]

    def planned() -> set[str]:
        result = snakemake(folder, target, "--dry-run", config=str(folder / "own.yaml"))
        assert result.returncode == 0, result.stdout[-3000:]
        return {name.split()[1] for name in blocks(result.stdout)}

    assert planned() == set()
    archive(folder / "faces.zip", [2, *PARTS], 1_000_000)
    assert planned() == {"choose_rows", "downscale_faces"}
