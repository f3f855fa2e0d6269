"""CelebA's attribute table without images: some attributes are tasks, one is sensitive, the others are features.

Both settings of the FairBranch paper: `Male` with 17 tasks (CelebA-gen) and `Young` with 31 (CelebA-age). The split is
the official one.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.data.celeba_names import ATTRIBUTES
from scripts.multitask.people import People
from scripts.multitask.sources.rows import encode, fewer, title_of

GROUPS = {"Male": ("women", "men"), "Young": ("older", "young")}
SETTINGS = {"Male": "gen", "Young": "age"}  # what the paper calls them
GEN = ("Attractive", "Bags_Under_Eyes", "Bangs", "Big_Lips", "Big_Nose", "Black_Hair", "Brown_Hair", "Bushy_Eyebrows",
       "High_Cheekbones", "Mouth_Slightly_Open", "Narrow_Eyes", "Oval_Face", "Pointy_Nose", "Smiling", "Straight_Hair",
       "Wavy_Hair", "Young")  # fmt: skip
NOT_AGE = ("Bald", "Blurry", "Chubby", "Double_Chin", "Gray_Hair", "Pale_Skin", "Rosy_Cheeks", "Wearing_Hat", "Young")
TASKS = {"Male": GEN, "Young": tuple(name for name in ATTRIBUTES if name not in NOT_AGE)}


def people(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return people of CelebA as rows of attributes.

    Args:
        entry: attribute; as far as given tasks (a list of attributes) and most_rows.
        places: {"attributes": ..., "partitions": ...}, the files of the rules of these names.

    Raises:
        UserError: there is no such attribute, or it is a task too.
    """
    where = f"config: multitask.datasets.{name}"
    sensitive, tasks = setting(entry, where)
    frame, split = labelled(places)
    taken = fewer(split, entry.get("most_rows"), "celeba")
    title = title_of(f"CelebA attributes, {_kind(sensitive)}", taken, split)
    frame, split = frame.iloc[taken].reset_index(drop=True), split[taken]
    others = [column for column in ATTRIBUTES if column not in (*tasks, sensitive)]
    features, names = encode(frame, others, [], split, where)
    return People(
        title,
        tasks,
        sensitive,
        group_names(sensitive),
        names,
        frame["row_id"].to_numpy(np.int64),
        split,
        frame[sensitive].to_numpy(np.int8),
        frame[[*tasks]].to_numpy(np.int8),
        features,
    )


def setting(entry: Mapping, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the sensitive attribute of an entry and its tasks, by default those of the paper.

    Raises:
        UserError: there is no such attribute, a task is the sensitive one, or no tasks are known for it.
    """
    sensitive = entry["attribute"]
    tasks = tuple(entry.get("tasks") or TASKS.get(sensitive, ()))
    for place, names in (("attribute", (sensitive,)), ("tasks", tasks)):
        if unknown := [name for name in names if name not in ATTRIBUTES]:
            raise UserError(f"{where}.{place}: CelebA has no attribute {unknown[0]!r}; write it as in its file")
    if not tasks:
        raise UserError(f"{where}.tasks: only {' and '.join(TASKS)} have tasks of their own; list those of {sensitive}")
    if sensitive in tasks:
        raise UserError(f"{where}.tasks: {sensitive} is the sensitive attribute; take it out of the tasks")
    return sensitive, tasks


def labelled(places: Mapping[str, str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return row_id and the attributes of all images as 0 and 1, and their official split, int8 [202599]."""
    frame = parquet.read(places["attributes"])
    split = parquet.read(places["partitions"], columns=["row_id", "official"])
    if not frame["row_id"].equals(split["row_id"]):
        raise UserError(f"{places['partitions']}: holds other images than the attributes; delete both and run again")
    frame[[*ATTRIBUTES]] = (frame[[*ATTRIBUTES]] > 0).astype(np.int8)
    return frame, split["official"].to_numpy(np.int8)


def group_names(sensitive: str) -> tuple[str, str]:
    """Return what the people without and with the attribute are called."""
    return GROUPS.get(sensitive, (f"not {sensitive}", sensitive))


def _kind(sensitive: str) -> str:
    return SETTINGS.get(sensitive, sensitive)
