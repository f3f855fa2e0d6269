"""Rule `claims`: for every claim of every study the measured number, the tolerance and the verdict."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from scripts.claims.claims_file import ORIGINS, read_claims, unmet
from scripts.claims.counts import counts_by_origin
from scripts.claims.measures import Measured, measure
from scripts.claims.verdicts import NOT_TESTABLE, judge
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.schemas.claims import CLAIMS
from scripts.common.tables import format_interval, format_number, save_table


def tolerance_of(entry: dict, ours: Measured) -> float | str:
    """Return the tolerance of a claim in the units of its value, or why it is unknown."""
    if "value" in entry:
        return float(entry["value"])
    spread = ours.deviation if entry["from"] == "seed spread" else ours.standard_error
    if math.isnan(spread):
        return f"its tolerance is {entry['times']:g} times the {entry['from']}, which these rows alone do not show"
    return float(entry["times"] * spread)


def row_of(study: str, claim: dict, protocol: str, frame: pd.DataFrame, settings: dict, where: str) -> dict:
    """Return the line of one claim in one protocol (schema CLAIMS).

    Raises:
        UserError: the claim names a column or a metric that does not exist.
    """
    published, holds = claim.get("published", {}), claim["holds"]
    line = dict.fromkeys(CLAIMS.names) | {
        "study": study,
        "claim": claim["id"],
        "protocol": protocol,
        "origin": claim["origin"],
        "confidence": claim.get("confidence"),
        "document": claim.get("where", {}).get("document"),
        "place": claim.get("where", {}).get("place"),
        "says": claim["says"],
        "published": published.get("value"),
        "unit": published.get("unit"),
        "read_from": published.get("read_from"),
        "rule": holds["rule"],
        "bound": float(holds.get("value", published.get("value", math.nan))),
        "tolerance_from": holds["tolerance"]["from"],
        "tolerance_why": holds["tolerance"]["why"],
        "comment": claim.get("comment"),
    }
    reason = unmet(claim.get("requires", {}), settings)
    try:
        ours = measure(frame, claim["measure"], protocol, where)
    except UserError:
        if reason is None:
            raise
        ours = reason  # the requirement may ask for the very rows that are missing
    if isinstance(ours, str):
        return line | {"verdict": NOT_TESTABLE, "reason": reason or ours}
    line |= {"value": ours.value, "ci_low": ours.low, "ci_high": ours.high, "interval": ours.interval}
    line |= {"n": ours.n, "seeds": ours.seeds, "dataset": ours.dataset}
    if reason:
        return line | {"verdict": NOT_TESTABLE, "reason": reason}
    if claim["testable_on"] != "any" and ours.dataset not in claim["testable_on"]:
        needed = " or ".join(claim["testable_on"])
        return line | {"verdict": NOT_TESTABLE, "reason": f"needs {needed}; these results rest on {ours.dataset}"}
    tolerance = tolerance_of(holds["tolerance"], ours)
    if isinstance(tolerance, str):
        return line | {"verdict": NOT_TESTABLE, "reason": tolerance}
    verdict, reason = judge(holds["rule"], ours.value, ours.low, ours.high, line["bound"], tolerance)
    return line | {"tolerance": tolerance, "verdict": verdict, "reason": reason}


def study_claims(study: str, claims_path: str | Path, files: Mapping[str, str], settings: dict) -> pd.DataFrame:
    """Return all claims of a study, one line per protocol.

    Args:
        files: the released Parquet files by stem.
        settings: the study's block of the config.

    Raises:
        UserError: the claims file is broken, or a claim names a file, column or metric that does not exist.
    """

    @cache
    def table(stem: str) -> pd.DataFrame:
        return parquet.read(files[stem])

    lines = []
    for claim in read_claims(claims_path):
        where, stem = f"{claims_path}: {claim['id']}: measure", claim["measure"]["file"]
        if stem not in files:
            raise UserError(f"{where}: {stem!r} is not released; scripts/{study}/study.yaml lists {', '.join(files)}")
        lines += [row_of(study, claim, protocol, table(stem), settings, where) for protocol in claim["protocols"]]
    return pd.DataFrame(lines)


def claims_table(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the claims as readers see them: the papers' first, then those of packages, then ours."""
    rules = {"equals": "=", "at_least": "≥", "at_most": "≤"}
    rows = [
        {
            "study": row.study,
            "origin": row.origin + (" (unverified)" if row.confidence == "unverified" else ""),
            "claim": row.claim,
            "protocol": row.protocol.replace("_", " "),
            "says": row.says,
            "published": format_number(row.published),
            "ours": format_interval(row.value, row.ci_low, row.ci_high),
            "interval": row.interval,
            "holds if": f"{rules[row.rule]} {row.bound:g} ± {format_number(row.tolerance, 4)} ({row.tolerance_from})",
            "verdict": row.verdict,
            "reason": row.reason,
        }
        for row in claims.assign(place=claims["origin"].map(ORIGINS.index))
        .sort_values("place", kind="stable")
        .itertuples()
    ]
    return pd.DataFrame(rows)


def write_claims(
    claims_files: list[str], released: list[str], settings: Mapping[str, dict], output: str, folder: str | Path
) -> None:
    """Write the claims of all studies (schema CLAIMS), and `verdicts` and `claims` as tables into `folder`.

    Args:
        claims_files: `scripts/X/claims.yaml` of every study.
        released: the released Parquet files of all studies, `.../X/STEM.parquet`.
        settings: the config block of every study.

    Raises:
        UserError: as `study_claims`.
    """
    frames = []
    for path in map(Path, claims_files):
        study = path.parent.name
        files = {table.stem: table for table in map(Path, released) if table.parent.name == study}
        frames.append(study_claims(study, path, files, settings[study]))
    claims = pd.DataFrame([line for frame in frames for line in frame.to_dict("records")], columns=CLAIMS.names)
    claims = claims.astype({"n": "Int64", "seeds": "Int64"})
    parquet.write(claims, output, CLAIMS)
    claims = parquet.read(output, CLAIMS)
    counted = (
        "Verdicts on the claims of each study, one per claim: as published where a claim is tested in both protocols. "
        "The papers' claims and theorems, those of packages, and ours apart."
    )
    listed = "Every claim: whose it is, the published value, ours with its 95 % interval, and the verdict."
    save_table(counts_by_origin(claims), Path(folder) / "verdicts", counted)
    save_table(claims_table(claims), Path(folder) / "claims", listed)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        folder = Path(out.tables[0]).parent
        write_claims(list(files.claims), list(files.released), snakemake.params.settings, out.claims, folder)
