"""Excerpts of the American Community Survey, 2018 and 2019: real person rows of 31 areas, cut out by NIST.

The areas were chosen for diversity, so no number of them is one of the whole country. People are adults in households.
Training and validation rows are those of 2018, test rows those of 2019. Two tasks (income, poverty) are those of the
FairBranch paper; its three others need columns that the excerpts lack, and are replaced.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.data.acs_files import read_acs_file
from scripts.multitask.people import People
from scripts.multitask.sources.rows import TEST_CODE, encode, fewer, title_of, with_validation

AREAS = ("national", "ma", "tx")
YEARS = (2018, 2019)
TITLE = "ACS excerpts of 31 areas, 2018 to 2019"
NONE = "N"  # not applicable
DIFFICULTIES = ("DREM", "DPHY", "DEYE", "DEAR")  # cognitive, walking, seeing, hearing
WOMEN, MEN = "women", "men"
# The columns that a task is read off (none of them is a feature), and its rule.
TASKS = {
    "income": (("PINCP",), lambda rows: _number(rows, "PINCP") > 50_000),
    "poverty": (("POVPIP",), lambda rows: _number(rows, "POVPIP") < 250),
    "worked": (("INDP_CAT",), lambda rows: rows["INDP_CAT"] != NONE),
    "owner": (("OWN_RENT",), lambda rows: rows["OWN_RENT"] == "1"),
    "disability": (DIFFICULTIES, lambda rows: (rows[[*DIFFICULTIES]] == "1").any(axis=1)),
    "married": (("MSP",), lambda rows: rows["MSP"] == "1"),
    "degree": (("EDU",), lambda rows: _number(rows, "EDU") >= 9),
    "parent": (("NOC",), lambda rows: _number(rows, "NOC") > 0),
}  # fmt: skip
DEFAULT = ("income", "poverty", "worked", "owner", "disability")
# Features: the column that each is made of. A person without family counts as a family of one.
NUMERIC = {
    "age": ("AGEP", lambda rows: _number(rows, "AGEP")),
    "age squared": ("AGEP", lambda rows: _number(rows, "AGEP") ** 2),
    "log density": ("DENSITY", lambda rows: np.log(_number(rows, "DENSITY"))),
    "children": ("NOC", lambda rows: _number(rows, "NOC")),
    "family size": ("NPF", lambda rows: _number(rows, "NPF", none=1)),
}
CATEGORICAL = ("EDU", "RAC1P", "HISP", "MSP")


def people(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return the adults in households of both years.

    Args:
        entry: attribute (sex); as far as given tasks (a list of TASKS) and most_rows.
        places: {"folder": the folder with the six files}.

    Raises:
        UserError: a file is missing or is not the official one, or there is no such task or attribute.
    """
    where = f"config: multitask.datasets.{name}"
    tasks = chosen_tasks(entry, TASKS, DEFAULT, where)
    rows = pd.concat([adults(places["folder"], year) for year in YEARS], ignore_index=True)
    train = (rows["year"] == YEARS[0]).to_numpy()
    split = np.full(len(rows), TEST_CODE, np.int8)
    split[train] = with_validation(int(train.sum()), "acs")
    taken = fewer(split, entry.get("most_rows"), "acs")
    title = title_of(TITLE, taken, split)
    rows, split = rows.iloc[taken].reset_index(drop=True), split[taken]
    used = {column for task in tasks for column in TASKS[task][0]}
    numbers = {feature: make(rows) for feature, (column, make) in NUMERIC.items() if column not in used}
    categorical = [column for column in CATEGORICAL if column not in used]
    features, names = encode(rows.assign(**numbers), [*numbers], categorical, split, where)
    return People(
        title,
        tasks,
        "sex",
        (WOMEN, MEN),
        names,
        rows["row_id"].to_numpy(np.int64),
        split,
        (rows["SEX"] == "1").to_numpy(np.int8),
        np.column_stack([TASKS[task][1](rows).to_numpy(np.int8) for task in tasks]),
        features,
    )


def chosen_tasks(entry: Mapping, known: Mapping, default: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the tasks of an entry whose source has a list of them; its attribute is sex.

    Raises:
        UserError: there is no such task or attribute.
    """
    tasks = tuple(entry.get("tasks") or default)
    if unknown := [task for task in tasks if task not in known]:
        raise UserError(f"{where}.tasks: there is no task {unknown[0]!r}; there are {', '.join(known)}")
    if entry["attribute"] != "sex":
        raise UserError(f"{where}.attribute: there is no {entry['attribute']!r}; this source has sex")
    return tasks


def adults(folder: str | Path, year: int) -> pd.DataFrame:
    """Return the adults in households of one year, all columns as text, with year and row_id."""
    files = [read_acs_file(folder, f"{area}{year}.csv") for area in AREAS]
    frames = [pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False) for content in files]
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.assign(year=year, row_id=year * 1_000_000 + np.arange(len(rows)))
    return rows[(_number(rows, "AGEP") >= 18) & (rows["HOUSING_TYPE"] == "1")]


def _number(rows: pd.DataFrame, column: str, none: float = np.nan) -> pd.Series:
    return rows[column].replace(NONE, str(none)).astype(float)
