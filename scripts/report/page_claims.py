"""Claims for the page: counts of verdicts, lists per verdict, one row per claim and protocol."""

import re

import pandas as pd

from scripts.claims.claims_file import PAPERS
from scripts.claims.counts import GROUP_LABELS, headline_claims, headline_counts, of_group, one_per_claim
from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, VERDICTS
from scripts.common.tables import UNDEFINED, format_interval, format_number

STYLE = {REPRODUCED: "holds", PARTLY: "partly", NOT_REPRODUCED: "fails", NOT_TESTABLE: "untested"}  # icon and colour
MEANINGS = {
    REPRODUCED: "our number is within the tolerance of the claimed one; for a bound, its whole interval meets it",
    PARTLY: "only the interval reaches the claimed number; for a bound, only the number itself meets it",
    NOT_REPRODUCED: "neither our number nor, for an exact value, its interval meets the claim",
    NOT_TESTABLE: "this run lacks what the claim is about, for instance real photographs",
}
ORIGIN_OF_ONE = {
    "paper": "the source states it",
    "theorem": "theorem of the source",
    "package": "a package states it",
    "ours": "our finding",
}
READ_FROM = {
    "table": "from a table",
    "text": "from the text",
    "picture": "read off a picture",
    "slides": "from slides",
    "code": "from code",
}


def protocol_text(protocol: str) -> str:
    """Return "as published" for as_published."""
    return protocol.replace("_", " ")


def row_id(study: str, claim: str, protocol: str) -> str:
    """Return the id of a claim's row, which other documents link to; it contains no white space."""
    return re.sub(r"\s+", "-", f"claim-{study}-{claim}-{protocol}")


def text_or_none(value: object) -> str | None:
    """Return a value as text without surrounding white space; None if it is missing or blank."""
    return None if value is None or pd.isna(value) or not str(value).strip() else str(value).strip()


def with_unit(number: str, unit: object) -> str:
    """Return a number with its unit, "0.74 points"; a dash gets no unit."""
    unit = text_or_none(unit)
    return f"{number} {unit}" if unit and number != UNDEFINED else number


def condition(row) -> str:
    """Return the condition under which the claim holds: "0.305 ± 0.009", "at most 0.01 + 0.03"."""
    if pd.isna(row.bound):
        return UNDEFINED
    bound, slack = f"{row.bound:g}", "" if pd.isna(row.tolerance) else f"{row.tolerance:.3g}"
    if row.rule == "equals":
        return f"{bound} ± {slack}" if slack else bound
    comparison, sign = ("at least", "−") if row.rule == "at_least" else ("at most", "+")
    return f"{comparison} {bound} {sign} {slack}" if slack and row.tolerance > 0 else f"{comparison} {bound}"


def sample(row) -> str:
    """Return rows, seeds and dataset behind a number: "n = 2,000, 2 seeds, rendered faces"."""
    parts = [] if pd.isna(row.n) else [f"n = {row.n:,.0f}"]
    if not pd.isna(row.seeds):
        parts.append(f"{row.seeds:.0f} seed{'' if row.seeds == 1 else 's'}")
    return ", ".join([*parts, *filter(None, [text_or_none(row.dataset)])])


def origin_text(row) -> str:
    """Return whose claim it is, with a remark if it was not compared with its source yet."""
    unverified = ", not compared with it yet" if row.confidence == "unverified" else ""
    return ORIGIN_OF_ONE.get(row.origin, row.origin) + unverified


def claim_rows(claims: pd.DataFrame) -> list[dict]:
    """Return the page's values for every claim, in the order given; all except `look` are text from the data."""
    rows = []
    for row in claims.itertuples():
        ours = format_interval(row.value, row.ci_low, row.ci_high)
        number, _, interval = ours.partition(" ")
        rows.append(
            {
                "id": row_id(row.study, row.claim, row.protocol),
                "claim": row.claim,
                "study": row.study,
                "says": row.says,
                "origin": origin_text(row),
                "protocol": protocol_text(row.protocol),
                "place": ", ".join(filter(None, map(text_or_none, (row.document, row.place)))) or UNDEFINED,
                "published": UNDEFINED if pd.isna(row.published) else with_unit(f"{row.published:g}", row.unit),
                "read_from": READ_FROM.get(row.read_from, text_or_none(row.read_from)),
                "ours": number if interval else with_unit(number, row.unit),
                "interval": with_unit(interval, row.unit) if interval else "",
                "sample": sample(row) if number != UNDEFINED else "",
                "covers": text_or_none(row.interval) if interval else None,
                "condition": condition(row),
                "tolerance_from": text_or_none(row.tolerance_from) or "no source given",
                "tolerance_why": text_or_none(row.tolerance_why),
                "computed": not pd.isna(row.tolerance),
                "verdict": row.verdict,
                "look": STYLE.get(row.verdict, "untested"),
                "reason": text_or_none(row.reason) or "",
                "comment": text_or_none(row.comment),
            }
        )
    return rows


def verdict_lists(rows: list[dict]) -> list[dict]:
    """Return meaning and claims of each verdict; a claim with the same verdict in both protocols is listed once."""
    lists = []
    for verdict in VERDICTS:
        by_claim: dict[tuple, dict] = {}
        chosen = [row for row in rows if row["verdict"] == verdict]
        for row in chosen:
            entry = by_claim.setdefault((row["study"], row["claim"]), row | {"links": []})
            entry["links"].append((row["protocol"], row["id"]))
        about = {"verdict": verdict, "look": STYLE[verdict], "meaning": MEANINGS[verdict]}
        lists.append(about | {"count": len(chosen), "claims": list(by_claim.values())})
    return lists


def summary_lists(claims: pd.DataFrame) -> dict[str, list[dict]]:
    """Return `verdict_lists` of the papers' claims ("papers"), and of those of packages and ours ("others").

    Every claim is listed once: the one as published if both protocols test it.
    """
    others = claims[~claims["origin"].isin(PAPERS)]
    return {
        "papers": verdict_lists(claim_rows(headline_claims(claims))),
        "others": verdict_lists(claim_rows(one_per_claim(others))),
    }


def verdict_counts(claims: pd.DataFrame, studies: list[str]) -> list[dict]:
    """Return one line per study and group of origins with its counts of claims, then the sums of the papers' claims.

    A study without claims has one line. A line is {"study": name, "origin": label, "counts": [one per verdict],
    "total": their sum}.
    """
    lines = []
    for study in studies:
        of_study = one_per_claim(claims[claims["study"] == study])
        groups = [(label, of_group(of_study, group)) for group, label in GROUP_LABELS.items()]
        groups = [(label, chosen) for label, chosen in groups if len(chosen)] or [("no claims", of_study)]
        lines += [_line(study, label, chosen) for label, chosen in groups]
    return [*lines, _line(None, GROUP_LABELS["papers"], headline_claims(claims))]


def _line(study: str | None, label: str, claims: pd.DataFrame) -> dict:
    counted = [int((claims["verdict"] == verdict).sum()) for verdict in VERDICTS]
    return {"study": study, "origin": label, "counts": counted, "total": sum(counted)}


def by_study_alt(claims: pd.DataFrame) -> str:
    """Return the alternative text of the figure of counts by study."""
    lines = [
        f"{row['study']}: " + ", ".join(f"{row[verdict]} {verdict}" for verdict in VERDICTS)
        for row in headline_counts(claims).to_dict("records")
    ]
    return "One stacked bar per study, the claims of the papers by verdict. " + "; ".join(lines) + "."


def tolerance_alt(claims: pd.DataFrame) -> str:
    """Return the alternative text of the figure of counts by tolerance."""
    claims = headline_claims(claims)
    testable = claims[claims["verdict"] != NOT_TESTABLE]
    counted = ", ".join(f"{format_number((testable['verdict'] == v).sum(), 0)} {v}" for v in VERDICTS[:3])
    return (
        "Stacked bars, one panel per study: how many claims of the papers are reproduced, partly and not reproduced "
        "when every tolerance is made smaller or larger, from none to four times the one used. "
        f"At the one used: {counted}."
    )
