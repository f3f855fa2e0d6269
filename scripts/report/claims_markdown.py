"""Claims as Markdown tables: one row per claim, a verdict for each protocol in which it was tested."""

import pandas as pd

from scripts.claims.verdicts import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED
from scripts.common.tables import UNDEFINED, format_interval, format_number
from scripts.report.markdown import table

SIGNS = {REPRODUCED: "✅", PARTLY: "🟡", NOT_REPRODUCED: "❌", NOT_TESTABLE: "⚪"}
PROTOCOLS = {"as_published": "as published", "corrected": "corrected"}
READ_FROM = {"picture": ", read off a picture"}


def anchor(claim: str) -> str:
    """Return the HTML id of a claim's row, for links."""
    return f"claim-{claim}"


def published(row: pd.Series) -> str:
    """Return the published number and how certain it is: "0.74 points, read off a picture, unverified"."""
    if pd.isna(row["published"]):
        return UNDEFINED
    unit = f" {row['unit']}" if pd.notna(row["unit"]) else ""
    doubt = ", unverified" if row["confidence"] == "unverified" else ""
    return f"{row['published']:g}{unit}{READ_FROM.get(row['read_from'], '')}{doubt}"


def outcome(row: pd.Series) -> str:
    """Return sign, verdict and our number with its interval; for an untestable claim, the reason."""
    ours = format_interval(row["value"], row["ci_low"], row["ci_high"])
    text = f"{SIGNS[row['verdict']]} {row['verdict']}"
    if row["verdict"] == NOT_TESTABLE:
        return f"{text}: {row['reason']}" + (f" (here {ours})" if ours != UNDEFINED else "")
    seeds = f", {format_number(row['seeds'], 0)} seeds" if row["seeds"] > 1 else ""
    return f"{text}: {ours}{seeds}"


def claims_table(claims: pd.DataFrame) -> str:
    """Return a Markdown table with one row per claim of a study; each row has the id `anchor`.

    Args:
        claims: rows of `CLAIMS` of one study, in the order of its claims.yaml.
    """
    rows = []
    for claim, of_claim in claims.groupby("claim", sort=False):
        first = of_claim.iloc[0]
        source = [first[name] for name in ("document", "place") if pd.notna(first[name])]
        place = f" ({', '.join(source)})" if source else ""
        row = [f'<a id="{anchor(claim)}"></a>{first["says"]} *{claim}*{place}', published(first)]
        for protocol in PROTOCOLS:
            tested = of_claim[of_claim["protocol"] == protocol]
            row.append(outcome(tested.iloc[0]) if len(tested) else UNDEFINED)
        rows.append(row)
    return table(["claim", "published", *PROTOCOLS.values()], rows)
