"""Person files of the American Community Survey as the Census Bureau publishes them, by year and state."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.errors import UserError
from scripts.data.packages import DAMAGE
from scripts.multitask.sources.states import FIPS

STATES = ("ST",)
TEXT = {"PUMA": 5, "POWPUMA": 5}  # codes with leading zeros, and their digits
KEYS = ("SERIALNO", "SPORDER")
OTHER_NAMES = {"JWTR": "JWTRNS", "ST": "STATE"}  # since 2019, and since 2023
HTML = (b"<!doctype", b"<html", b"<?xml")
GET = "get it again from https://www2.census.gov/programs-surveys/acs/data/pums"


def path_of(folder: str | Path, year: int, state: str) -> Path:
    """Return where the file of a state and year is expected, unpacked."""
    return Path(folder).expanduser() / str(year) / "1-Year" / f"psam_p{FIPS[state]}.csv"


def packed_path(folder: str | Path, year: int, state: str) -> Path:
    """Return where the archive of that file is expected, as it is downloaded."""
    return path_of(folder, year, state).with_name(f"csv_p{state.lower()}.zip")


def files_of(folder: str | Path, years: Sequence[int], states: Sequence[str] | None) -> list[str]:
    """Return the files, unpacked or not, that are there for some states (None: any) in some years."""
    made = (make(folder, year, state) for year in years for state in states or FIPS for make in (path_of, packed_path))
    return [str(path) for path in made if path.is_file()]


def states_of(folder: str | Path, years: Sequence[int], wanted: Sequence[str] | None, where: str) -> list[str]:
    """Return the states to read, in alphabetical order: those wanted, or all whose files of both years are there.

    Raises:
        UserError: a wanted one is no state, or has no file of a year; or no state has both.
    """
    if unknown := [state for state in wanted or () if state not in FIPS]:
        raise UserError(f"{where}.states: there is no state {unknown[0]!r}; write postal codes, such as CA")
    if wanted:
        for year in years:
            for state in wanted:
                if not files_of(folder, [year], [state]):
                    raise UserError(
                        f"{path_of(folder, year, state)}: no such file; take {state} out of states, or {GET}"
                    )
        return sorted(wanted)
    both = [state for state in sorted(FIPS) if all(files_of(folder, [year], [state]) for year in years)]
    if not both:
        shown = " and ".join(f"{year}/1-Year/psam_pXX.csv" for year in years)
        raise UserError(f"{folder}: no state has both {shown}, XX its number; name the folder that has them")
    return both


def read_state(folder: str | Path, year: int, state: str, columns: Sequence[str]) -> tuple[pd.DataFrame, Path]:
    """Return some columns of a file, with SERIALNO and SPORDER, and its path; names of later years are those of 2018.

    Raises:
        UserError: it is no table, is damaged, lacks a column, or has a PUMA that is no code.
    """
    path, packed = path_of(folder, year, state), packed_path(folder, year, state)
    path = path if path.is_file() else packed
    refuse_html(path)
    wanted = [*KEYS, *columns]
    names = {*wanted, *OTHER_NAMES.values()}
    types = dict.fromkeys(("SERIALNO", *TEXT), str)
    try:
        if path == packed:
            with zipfile.ZipFile(path) as archive, archive.open(f"psam_p{FIPS[state]}.csv") as file:
                frame = pd.read_csv(file, usecols=names.__contains__, dtype=types, low_memory=False)
        else:
            frame = pd.read_csv(path, usecols=names.__contains__, dtype=types, low_memory=False)
    except (*DAMAGE, KeyError) as error:  # a parser's errors are ValueErrors
        raise UserError(f"{path}: damaged or no ACS person file ({error}); {GET}") from error
    late = {new: old for old, new in OTHER_NAMES.items() if old in wanted and old not in frame}
    frame = frame.rename(columns=late)
    if missing := [column for column in wanted if column not in frame]:
        listed = ", ".join(f"{name} (or {OTHER_NAMES[name]})" if name in OTHER_NAMES else name for name in missing)
        raise UserError(f"{path}: the column {listed} is missing; {GET}, persons and one year")
    for column, digits in TEXT.items():
        if column in frame:
            frame[column] = codes(frame[column], digits, path)
    return frame[wanted], path


def refuse_html(path: Path) -> None:
    """Check that a file is not the page of a server that refused the download.

    Raises:
        UserError: it is, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(512).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); correct its permissions") from error
    if start.startswith(HTML):
        raise UserError(f"{path}: is an HTML page, no {path.suffix[1:]} file (the server refused the download); {GET}")


def codes(values: pd.Series, digits: int, path: Path) -> pd.Series:
    """Return area codes as text of so many digits: 101, "101.0" and "00101" are one area; missing ones stay missing.

    Raises:
        UserError: one is no code.
    """
    plain = values.str.strip().str.removesuffix(".0")
    if (wrong := values[plain.notna() & ~plain.str.fullmatch(rf"\d{{1,{digits}}}", na=False)]).size:
        raise UserError(f"{path}: {values.name} is {wrong.iloc[0]!r}, no area code of {digits} digits; {GET}")
    return plain.str.zfill(digits)
