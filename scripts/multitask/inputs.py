"""Files that a dataset of the config is made from, by its source; this module is imported by the Snakefile."""

from collections.abc import Mapping
from pathlib import Path

from scripts.common import own_tables
from scripts.common.own_files import existing
from scripts.data.acs_files import FILES as ACS_FILES
from scripts.data.acs_files import FOLDER as ACS_FOLDER
from scripts.data.acs_files import find_acs_file
from scripts.multitask.sources.folktables_files import files_of

CELEBA, FACES = "results/data/celeba", "results/data/faces"
DOWNLOAD = "download"  # of `multitask.acs`


def is_given(entry: Mapping, study: Mapping) -> bool:
    """Return whether a dataset takes part: its files are made or fetched by the workflow, or the config names them."""
    source = entry["source"]
    if source == "table":
        return own_tables.is_given(entry["table"], {})
    return bool(study[source]) if source in ("acs", "folktables") else True


def places(entry: Mapping, study: Mapping) -> dict[str, str]:
    """Return the files or the folder that the source of a dataset reads, by what they are.

    Args:
        study: the block of the config; `acs` is "", "download" or a folder, `folktables` is "" or a folder.
    """
    source = entry["source"]
    celeba = {"attributes": f"{CELEBA}/attributes.parquet", "partitions": f"{CELEBA}/partitions.parquet"}
    faces = {"images": "images.npy", "index": "index.parquet", "dataset": "dataset.json"}
    return {
        "table": lambda: {"table": f"results/data/tabular/{entry['table']}.parquet"},
        "celeba": lambda: celeba,
        "acs": lambda: {"folder": ACS_FOLDER if study["acs"] == DOWNLOAD else study["acs"]},
        "folktables": lambda: {"folder": study["folktables"]},
        "faces": lambda: celeba | {key: f"{FACES}/{file}" for key, file in faces.items()},
        "generated": dict,
    }[source]()


def inputs(entry: Mapping, study: Mapping) -> list[str]:
    """Return the input files of the rule that makes a dataset; of a user's folder those that are there.

    The script reports a file that is missing in one line.
    """
    if entry["source"] == "acs" and study["acs"] == DOWNLOAD:
        return [f"{ACS_FOLDER}/{name}" for name in ACS_FILES]
    if entry["source"] in ("acs", "folktables"):
        return users_files(entry, study)
    return [*places(entry, study).values()]


def users_files(entry: Mapping, study: Mapping) -> list[str]:
    """Return those input files that the user keeps in a folder; their content decides what is made again."""
    if entry["source"] == "acs" and study["acs"] != DOWNLOAD and existing(study["acs"]):
        return [str(path) for name in ACS_FILES if (path := find_acs_file(Path(study["acs"]).expanduser(), name))]
    if entry["source"] == "folktables" and existing(study["folktables"]):
        return files_of(study["folktables"], (entry["train_year"], entry["test_year"]), entry.get("states"))
    return []
