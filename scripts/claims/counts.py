"""Counts of verdicts, one per claim, separately for the papers' claims, those of packages, and ours."""

import pandas as pd

from scripts.claims.claims_file import PAPERS
from scripts.claims.verdicts import VERDICTS

GROUPS = {"papers": PAPERS, "packages": ("package",), "ours": ("ours",)}  # group -> origins
GROUP_LABELS = {"papers": "claims and theorems of the papers", "packages": "claims of packages", "ours": "our findings"}


def one_per_claim(claims: pd.DataFrame) -> pd.DataFrame:
    """Return one row per claim: the one as published if both protocols test the claim, else the only one."""
    second = claims["protocol"].ne("as_published")
    first = claims.assign(second=second).sort_values("second", kind="stable")
    return first.drop_duplicates(["study", "claim"]).sort_index().drop(columns="second")


def of_group(claims: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the rows of the claims of the "papers" (theorems included), of "packages", or "ours"."""
    return claims[claims["origin"].isin(GROUPS[group])]


def headline_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the claims and theorems of the papers, one row each: the claims that headlines count."""
    return one_per_claim(of_group(claims, "papers"))


def headline_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of the papers' claims: study, one column per verdict, and "claims", their sum.

    Args:
        claims: rows of CLAIMS; a study without any claim of a paper gets zeros. The studies keep their order.
    """
    studies = list(dict.fromkeys(claims["study"]))
    return _counted(headline_claims(claims), studies)


def counts_by_origin(claims: pd.DataFrame) -> pd.DataFrame:
    """Return one row per study and group of origins that it has, then one per group for all studies together.

    Columns: study, origin, one per verdict, claims.
    """
    frames = []
    studies = list(dict.fromkeys(claims["study"]))
    for group, label in GROUP_LABELS.items():
        counts = _counted(one_per_claim(of_group(claims, group)), studies)
        total = counts.drop(columns="study").sum().to_frame().T.assign(study="all")
        counts = pd.concat([counts[counts["claims"] > 0], total])
        frames.append(counts.assign(origin=label))
    order = {study: place for place, study in enumerate([*studies, "all"])}
    table = pd.concat(frames).sort_values("study", key=lambda names: names.map(order), kind="stable")
    return table[["study", "origin", *VERDICTS, "claims"]].query("claims > 0").reset_index(drop=True)


def _counted(claims: pd.DataFrame, studies: list[str]) -> pd.DataFrame:
    counts = pd.crosstab(claims["study"], claims["verdict"])
    counts = counts.reindex(index=studies, columns=list(VERDICTS), fill_value=0).astype(int)
    counts["claims"] = counts.sum(axis=1)
    return counts.rename_axis(index="study", columns=None).reset_index()
