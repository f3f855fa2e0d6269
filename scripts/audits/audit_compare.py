"""Rule `audit_compare`: two predictions of the same rows, each number of the first minus that of the second."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.audits.measures import BY, MOST_COMBINATIONS, combinations_of, joint_groups
from scripts.audits.reading import Audited, read_audited, read_second
from scripts.common import parquet
from scripts.common.group_metrics import comparing
from scripts.common.interval_kinds import BOOTSTRAP
from scripts.common.intervals import MEASURED, bootstrap_counts, stacked_intervals
from scripts.common.logs import job, log
from scripts.common.metrics import RATES, balanced_accuracy, joint_table
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.seeds import seed_from

REPLICATES = 1000


def numbers(table: np.ndarray, attribute: str, subgroups: list[str]) -> dict[tuple[str, str, str], np.ndarray]:
    """Return {(attribute, subgroup, metric): [...]} of a table [..., G, 2, 2]."""
    rates = {**RATES, "balanced_accuracy": balanced_accuracy}
    found = {}
    for metric, rate in rates.items():
        values = rate(table)
        found |= {(attribute, name, metric): values[..., place] for place, name in enumerate(subgroups)}
    if len(subgroups) > 1:
        found |= {(attribute, "all", metric): function(table) for metric, function in comparing(table).items()}
    return found


def compare(first: Audited, second: Audited, name: str, replicates: int = REPLICATES) -> pd.DataFrame:
    """Return the differences (schema `COMPARISONS`), first minus second, with paired bootstrap intervals over rows.

    Rows are drawn with both predictions, so that what both files share cancels out.
    """
    nobody = {"": np.zeros(len(first), np.int64)}
    rows = []
    for names in [("",), *combinations_of(list(first.codes))]:
        codes, groups = (nobody, {"": ["all"]}) if names == ("",) else (first.codes, first.groups)
        joint, subgroups = joint_groups(codes, groups, names)
        if len(subgroups) > MOST_COMBINATIONS and len(names) > 1:
            continue  # the measuring rule warns of them
        attribute = BY.join(names) or "none"
        columns = {"group": joint, "y_true": first.y_true, "first": first.y_pred, "second": second.y_pred}
        counts = joint_table(columns, [len(subgroups), 2, 2, 2])
        draws = bootstrap_counts(counts, replicates, seed_from("audit", name, attribute))
        values, samples = _differences(counts, attribute, subgroups), _differences(draws, attribute, subgroups)
        ends, sizes = stacked_intervals(samples), dict(zip(subgroups, counts.sum((1, 2, 3)), strict=True))
        for key, value in values.items():
            known = not np.isnan(value)
            low, high = ends[key] if known else (np.nan, np.nan)
            n = int(sizes.get(key[1], len(first)))
            rows.append((*key, float(value), low, high, BOOTSTRAP if known else None, n))
    about = {"study": "audit", "dataset": name, "protocol": "as_given", "split": "as_given", "condition": ""}
    sides = {"first": first.name, "second": second.name, "paired_by": "rows", "seed": 0, "seeds": 1}
    return pd.DataFrame(rows, columns=MEASURED).assign(**about, **sides)


def _differences(joint: np.ndarray, attribute: str, subgroups: list[str]) -> dict:
    """Return the differences of all numbers of a table [..., G, label, first, second]."""
    a = numbers(joint.sum(-1), attribute, subgroups)
    b = numbers(joint.sum(-2), attribute, subgroups)
    return {key: a[key] - b[key] for key in a}


def audit_compare(name: str, settings: Mapping, output: str | Path) -> None:
    """Write the comparison of both files of an audit.

    Raises:
        UserError: a file cannot be read, or they do not hold the same rows.
    """
    first = read_audited(settings)
    second = read_second(settings, first)
    frame = compare(first, second, name)
    parquet.write(frame, output, COMPARISONS, metadata={"matched": second.about["matched"]})
    log.info("%d differences of %d rows, matched %s", len(frame), len(first), second.about["matched"])


if "snakemake" in globals():
    with job(snakemake):
        audit_compare(snakemake.wildcards.audit, snakemake.params.settings, snakemake.output[0])
