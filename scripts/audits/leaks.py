"""What a user's predictions and scores give away about each attribute, by the audit that the studies' files get."""

import numpy as np
import pandas as pd

from scripts.audits.reading import Audited
from scripts.common.holm import holm
from scripts.common.leakage.audit_run import COLUMNS, SMALLEST_GROUP, Settings, audit_run, split_rows

AUDIT = "audit"
LEAST = 2 * SMALLEST_GROUP + 2  # rows of a group, half of which judge the attack
CERTIFY = 0.1


def leaks(audited: Audited, name: str, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Return one row (`COLUMNS` of the audit, without `rows`) per attribute and exposed output, and warnings.

    Half of the rows train the attack and half judge it. Groups that are too small for that are left out of this part,
    with a warning; an attribute of which fewer than two groups remain is not audited.
    """
    run = pd.DataFrame({"run": name, "row_id": np.arange(len(audited)), "split": "test"})
    run = run.assign(y_true=audited.y_true, y_pred=audited.y_pred)
    run["score"] = np.float64("nan") if audited.score is None else audited.score
    rows, warnings = [], []
    for attribute, codes in audited.codes.items():
        groups = audited.groups[attribute]
        sizes = np.bincount(codes, minlength=len(groups))
        kept = np.flatnonzero(sizes >= LEAST)
        left = [f"{group} ({size})" for group, size in zip(groups, sizes, strict=True) if size < LEAST]
        if left:
            warnings.append(
                f"{attribute}: too few rows to judge an attack on {', '.join(left)}; the leakage audit is of "
                + (f"the other {len(kept)} groups." if len(kept) > 1 else "no group of this attribute.")
            )
        if len(kept) < 2:
            continue
        chosen = np.isin(codes, kept)
        part = run[chosen].assign(**{attribute: np.searchsorted(kept, codes[chosen])}).reset_index(drop=True)
        places = np.arange(len(part))
        halves = split_rows(part["row_id"].to_numpy(), part[attribute].to_numpy(), places, seed, AUDIT)
        names = [groups[place] for place in kept]
        rows += audit_run(part, AUDIT, attribute, len(kept), halves, Settings(seed, CERTIFY), names)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "broken"])
    if broken := frame.loc[frame["broken"].fillna("") != "", "broken"].tolist():
        raise ValueError(f"the leakage audit contradicts arithmetic: {broken}")
    frame["p_holm"] = holm(frame["p_value"].to_numpy(float))
    return frame.drop(columns=["broken", "rows"]).astype({c: t for c, t in COLUMNS.items() if c != "rows"}), warnings
