"""Main finding of a study as one sentence: `found:` of study.yaml, its numbers read from claims and released tables."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.claims.measures import measure
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.tables import format_number


def needed_tables(finding: dict) -> list[str]:
    """Return the stems of the released tables that the numbers of a sentence are read from."""
    return sorted({entry["measure"]["file"] for entry in finding["numbers"].values() if "measure" in entry})


def sentence(finding: dict, claims: pd.DataFrame, tables: Mapping[str, str], where: str) -> str:
    """Return the sentence with its numbers filled in; "–" for a number that these results lack.

    Args:
        finding: `found:` of study.yaml.
        claims: the study's rows of `CLAIMS`.
        tables: the released Parquet files by stem.
        where: path of the study.yaml, for messages.

    Raises:
        UserError: a claim, table, column or metric does not exist.
    """
    numbers = {
        name: number(entry, claims, tables, f"{where}: found.numbers.{name}")
        for name, entry in finding["numbers"].items()
    }
    return " ".join(finding["sentence"].format(**numbers).split())


def number(entry: dict, claims: pd.DataFrame, tables: Mapping[str, str], where: str) -> str:
    """Return one number as text, such as "25 %"; arguments and errors as `sentence`."""
    value = _of_claim(entry, claims, where) if "claim" in entry else _of_table(entry, tables, where)
    percent = entry.get("percent", False)
    value = float("nan") if value is None or pd.isna(value) else float(value) * entry.get("times", 1)
    text = format_number(value * (100 if percent else 1), entry.get("digits", 2))
    return f"{text} %" if percent else text


def _of_claim(entry: dict, claims: pd.DataFrame, where: str) -> float | None:
    rows = claims[(claims["claim"] == entry["claim"]) & (claims["protocol"] == entry["protocol"])]
    if rows.empty:
        raise UserError(f"{where}: the study has no claim {entry['claim']!r} in the protocol {entry['protocol']}")
    return rows.iloc[0][entry.get("shows", "value")]


def _of_table(entry: dict, tables: Mapping[str, str], where: str) -> float | None:
    stem = entry["measure"]["file"]
    if stem not in tables:
        raise UserError(f"{where}: {stem!r} is not among the released tables {', '.join(tables)}")
    result = measure(parquet.read(Path(tables[stem])), entry["measure"], entry["protocol"], where)
    return None if isinstance(result, str) else result.value
