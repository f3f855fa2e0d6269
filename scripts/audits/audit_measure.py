"""Rule `audit_measure`: group metrics and leakage of a user's predictions."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.audits.leaks import leaks
from scripts.audits.measures import measure
from scripts.audits.reading import Audited, read_audited
from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.interval_kinds import JOINED, NEWCOMBE
from scripts.common.logs import job, log
from scripts.common.schemas.metrics import METRICS
from scripts.common.seeds import seed_from
from scripts.common.tables import save_csv

PROTOCOL = "as_given"
SPLIT = "as_given"


def metric_rows(audited: Audited, name: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the numbers of an audit (schema `METRICS`), the rows of its leakage audit, and warnings."""
    measured, more = measure(audited.y_true, audited.y_pred, audited.codes, audited.groups)
    leaking, further = leaks(audited, name, seed_from(name, "audit"))
    attacked = leaking[leaking["attack_ba"].notna()]
    attacks = pd.DataFrame(
        {
            "attribute": attacked["attribute"],
            "subgroup": "all",
            "metric": "attack_balanced_accuracy",
            "condition": [condition(input=exposure) for exposure in attacked["exposure"]],
            "value": attacked["attack_ba"],
            "ci_low": attacked["ba_lo"],
            "ci_high": attacked["ba_hi"],
            "interval": [NEWCOMBE if k == 2 else JOINED for k in attacked["k"]],
            "n": attacked["n_test"],
        }
    )
    parts = [part for part in (measured.assign(condition=""), attacks) if len(part)]
    about = {"study": "audit", "dataset": name, "method": audited.name, "protocol": PROTOCOL, "run": name}
    rows = pd.concat(parts, ignore_index=True).assign(**about, split=SPLIT, seed=pd.array([0], "Int64")[0])
    return rows, leaking, [*more, *further]


def audit(name: str, settings: Mapping, outputs: Mapping[str, str | Path]) -> None:
    """Write the metrics, the leakage audit and what the page says of the file.

    Args:
        outputs: paths of metrics (Parquet), table (the same as CSV), attacks (Parquet) and about (JSON).

    Raises:
        UserError: the file cannot be audited.
    """
    if not Path(settings["predictions"]).expanduser().exists():
        raise UserError(f"audits.{name}: {settings['predictions']}: no such file; correct the path")
    audited = read_audited(settings)
    rows, leaking, warnings = metric_rows(audited, name)
    for line in [*audited.warnings, *warnings]:
        log.warning("%s", line)
    about = audited.about | {
        "name": name,
        "method": audited.name,
        "warnings": [*audited.warnings, *warnings],
        "groups": audited.groups,
    }
    parquet.write(rows, outputs["metrics"], METRICS)
    parquet.write(leaking, outputs["attacks"])
    save_csv(rows[[field for field in METRICS.names if field not in ("seed", "run", "protocol")]], outputs["table"])
    with atomic_path(outputs["about"]) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    log.info("%d rows, %d numbers", len(audited), len(rows))


if "snakemake" in globals():
    with job(snakemake):
        audit(snakemake.wildcards.audit, snakemake.params.settings, dict(snakemake.output.items()))
