"""Sources of people with several labels each. A new one is a file here and an entry in `SOURCES`.

The file has a function

    people(name: str, entry: dict, places: dict[str, str]) -> People

of the dataset's name in the config (for messages), its entry, and the paths that `scripts.multitask.inputs.places`
gives. Every draw is seeded by names, so all fits of a dataset have the same rows and the same split.
"""

from collections.abc import Mapping
from importlib import import_module

from scripts.multitask.people import People

SOURCES = {  # the file of each source, by the name that the config has for it
    "table": "tables",
    "celeba": "celeba",
    "acs": "acs",
    "folktables": "folktables",
    "faces": "faces",
    "generated": "generated",
}


def people_of(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return the people of a dataset of the config; only the file of its source is imported.

    Raises:
        UserError: the entry and the files do not fit each other; the message names the place.
    """
    return import_module(f"{__name__}.{SOURCES[entry['source']]}").people(name, entry, places)
