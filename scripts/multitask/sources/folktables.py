"""ACS public use microdata in a folder of the user's own, laid out as the package folktables leaves it.

The published setting: five tasks, 20 columns of which SEX is the sensitive one, training and validation rows of one
year and test rows of a later one. Files are FOLDER/YEAR/1-Year/psam_pXX.csv, XX the number of the state.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.protected import as_text
from scripts.multitask.people import People
from scripts.multitask.sources.acs import MEN, WOMEN, chosen_tasks
from scripts.multitask.sources.folktables_files import STATES, TEXT, read_state, states_of
from scripts.multitask.sources.rows import TEST_CODE, encode, fewer, title_of, with_validation

# SEX, the twentieth, is the sensitive attribute and no feature.
NUMERIC = ("AGEP",)
CATEGORICAL = ("SCHL", "MAR", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "RAC1P",
               "PUMA", "ST", "OCCP", "JWTR", "POWPUMA")  # fmt: skip
TASKS = {  # a value that is missing (no commute, no job, no poverty ratio) is label 0
    "employed": lambda rows: rows["ESR"] == 1,
    "income": lambda rows: rows["PINCP"] > 50_000,
    "insured": lambda rows: rows["HINS2"] == 1,
    "long_commute": lambda rows: rows["JWMNP"] > 20,
    "poverty": lambda rows: rows["POVPIP"] < 250,
}
FILTERS = {
    "published": lambda rows: (rows["AGEP"] > 16) & (rows["PINCP"] > 100) & (rows["WKHP"] > 0) & (rows["PWGTP"] >= 1),
    "adults": lambda rows: rows["AGEP"] >= 18,
}
NUMBERS = (*NUMERIC, "SEX", "ESR", "PINCP", "HINS2", "JWMNP", "POVPIP", "WKHP", "PWGTP")
NONE = "none"  # the category of people whom a question does not concern
RAIL = ("3", "4", "5")  # kinds of rail that JWTR and JWTRNS number differently
RAREST = 0.005  # of the training rows; without it the areas alone are thousands of columns


def people(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return the people of two years.

    Args:
        entry: attribute (sex), train_year, test_year; as far as given states (postal codes; all that both years have),
            tasks, filter (published, the default, or adults), drop (features), most_rows and rarest.
        places: {"folder": the user's folder}.

    Raises:
        UserError: a file is missing, damaged or lacks a column, the years are the same or share rows, or there is no
            such state, task, filter or feature.
    """
    where = f"config: multitask.datasets.{name}"
    tasks = chosen_tasks(entry, TASKS, (*TASKS,), where)
    kept = [column for column in (*NUMERIC, *CATEGORICAL) if column not in entry.get("drop", [])]
    if unknown := {*entry.get("drop", [])} - {*NUMERIC, *CATEGORICAL}:
        known = ", ".join((*NUMERIC, *CATEGORICAL))
        raise UserError(f"{where}.drop: there is no feature {min(unknown)!r}; there are {known}")
    years = (entry["train_year"], entry["test_year"])
    if years[0] == years[1]:
        raise UserError(f"{where}: train_year and test_year are both {years[0]}: they share all rows; take two years")
    if (years[0] < 2022) != (years[1] < 2022):
        log.warning("%s: PUMA and POWPUMA of 2022 on are other areas than those before; drop both", where)
    states = states_of(places["folder"], years, entry.get("states"), where)
    rows = [year_rows(places["folder"], year, states, entry.get("filter", "published")) for year in years]
    refuse_shared(*rows, years)
    train = len(rows[0])
    split = np.full(train + len(rows[1]), TEST_CODE, np.int8)
    split[:train] = with_validation(train, "folktables", years[0])
    row_ids = [year * 10_000_000 + frame["line"].to_numpy() for year, frame in zip(years, rows, strict=True)]
    taken = fewer(split, entry.get("most_rows"), "folktables", *years)
    title = title_of(f"ACS {years[0]} to {years[1]}, {len(states)} state{'s' if len(states) > 1 else ''}", taken, split)
    frame, split = pd.concat(rows, ignore_index=True).iloc[taken].reset_index(drop=True), split[taken]
    numeric, categorical = ([column for column in kind if column in kept] for kind in (NUMERIC, CATEGORICAL))
    features, names = encode(frame, numeric, categorical, split, where, entry.get("rarest", RAREST))
    return People(
        title,
        tasks,
        "sex",
        (WOMEN, MEN),
        names,
        np.concatenate(row_ids)[taken].astype(np.int64),
        split,
        (frame["SEX"] == 1).to_numpy(np.int8),
        np.column_stack([TASKS[task](frame).to_numpy(np.int8) for task in tasks]),
        features,
    )


def year_rows(folder: str, year: int, states: list[str], kept: str) -> pd.DataFrame:
    """Return the rows of one year that a filter keeps: numbers, categories as text, and `line`, the number of the row.

    Raises:
        UserError: as `read_state`, or the filter keeps no row.
    """
    columns = [*dict.fromkeys([*NUMBERS, *CATEGORICAL])]
    frames, first = [], 0
    for state in states:
        frame, path = read_state(folder, year, state, columns)
        for column in NUMBERS:
            numbers = pd.to_numeric(frame[column], errors="coerce")
            if (wrong := frame[column][numbers.isna() & frame[column].notna()]).size:
                raise UserError(f"{path}: {column} is {wrong.iloc[0]!r}, no number; get the file again")
            frame[column] = numbers
        frame["line"] = first + np.arange(len(frame))
        first += len(frame)
        frames.append(frame[FILTERS[kept](frame)])
    rows = pd.concat(frames, ignore_index=True)
    if rows.empty:
        raise UserError(f"{folder}: no person of {year} is kept by the filter {kept}; get the files again")
    for column in CATEGORICAL:
        if column not in TEXT:
            rows[column] = as_text(rows[column])
        rows[column] = rows[column].fillna(NONE)
    rows["JWTR"] = rows["JWTR"].where(~rows["JWTR"].isin(RAIL), "rail")
    return rows


def refuse_shared(train: pd.DataFrame, test: pd.DataFrame, years: tuple[int, int]) -> None:
    """Check that no person stands in the files of both years.

    Raises:
        UserError: some do, as where one file was copied to the other's place.
    """
    key = ["SERIALNO", "SPORDER", *STATES, *NUMBERS]
    shared = train[key].merge(test[key].drop_duplicates(), on=key)
    if len(shared):
        raise UserError(
            f"folktables: {len(shared)} people stand in the files of {years[0]} and of {years[1]} (the first has the "
            f"serial number {shared['SERIALNO'].iloc[0]}); get the files of one year again"
        )
