"""Rule `imbalance_augment`: the augmented table that `make augment` asks for, and what its report says."""

import json
import platform
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.files import atomic_path, checksum
from scripts.common.logs import job, log
from scripts.common.seeds import seed_from
from scripts.common.tables import save_csv
from scripts.imbalance import generators
from scripts.imbalance.augmentation import Seconds, Synthetic, augment, check_augmentation
from scripts.imbalance.augmenting.columns import Augmented, augmented, check_columns, gaps_filled
from scripts.imbalance.augmenting.judging import quality, warnings, without_value
from scripts.imbalance.imbalance_generate import one_thread
from scripts.imbalance.people import People, people
from scripts.imbalance.splits import fill_gaps

PACKAGES = ("numpy", "pandas", "scikit-learn")


def augment_table(
    frame: pd.DataFrame,
    entry: Mapping[str, Any],
    settings: Mapping[str, Mapping[str, Any]],
    limits: Mapping[str, float],
    judging: Mapping[str, int],
) -> tuple[Augmented, dict[str, Any]]:
    """Return the augmented table, and what its report says; all is checked before anything is fitted.

    Args:
        frame: the prepared table, all of whose rows are training rows.
        entry: table, attributes, plan, generator, seed and dose.
        settings: of every generator.
        limits: most_added and memory_mb, see `check_augmentation`.
        judging: rows and rounds, see `judging.quality`.

    Raises:
        UserError: the table or the plan does not fit, see `people`, `check_columns` and `check_augmentation`.
    """
    plan, generator, dose = entry["plan"], entry["generator"], entry["dose"]
    check_columns(frame, entry["table"])
    data = people(frame, entry["table"], entry["attributes"], joined=False)
    everyone = np.arange(len(data.y))
    check_augmentation(data, [everyone], [plan], [generator], settings, **limits, dose=dose, split_named=False)
    features, seconds = fill_gaps(data.features, everyone), Seconds()
    log.info("%d rows, %d features", len(everyone), len(features.schema.order))
    import_module(f"{generators.__name__}.{generator}")  # what it imports is none of the seconds of its fit
    rows = augment(data, features, everyone, 0, [plan], [generator], settings, entry["seed"], seconds, dose)[0]
    log.info("%d synthetic rows", len(rows.label))
    names = (entry["table"], data.attribute, plan, generator, entry["seed"])
    made = augmented(frame, data, features, rows, seed_from("augment sensitive values", *names))
    judged, reason = quality(data, entry, settings, limits, judging)
    log.info("compared with real rows")
    fitting, sampling, _ = seconds.spent[plan, generator]
    about = {
        **entry,
        "title": data.title,
        "settings": settings[generator],
        "rows": len(everyone),
        "added": len(rows.label),
        "positive": data.table.positive,
        "counts": counts(data, rows),
        "seconds": {"fit": fitting, "sample": sampling},
        "quality": judged,
        "warnings": [
            *warnings(data, features, rows, settings[generator]),
            *without_value(data, made.empty),
            *([reason] if reason else []),
        ],
        "filled": {name: list(found) for name, found in gaps_filled(data.features, features).items()},
        "drawn": list(made.drawn),
        "followed": made.followed,
        "empty": list(made.empty),
    }
    return made, about


def counts(data: People, rows: Synthetic) -> list[dict[str, Any]]:
    """Return the rows of every group and label before, and those that were added."""
    real = data.counts(np.arange(len(data.y)))
    more = np.bincount(2 * rows.group.astype(np.int64) + rows.label, minlength=real.size).reshape(real.shape)
    return [
        {"group": name, "label": label, "before": int(real[group, label]), "added": int(more[group, label])}
        for group, name in enumerate(data.group_names)
        for label in (0, 1)
    ]


def write(made: Augmented, about: Mapping[str, Any], source: str | Path, outputs: Mapping[str, str | Path]) -> None:
    """Write the table as Parquet and CSV, then what the report says, with the checksums of all.

    Args:
        source: path of the prepared table.
        outputs: paths of table (Parquet), csv and about (JSON).
    """
    how = {name: about[name] for name in ("table", "attributes", "plan", "generator", "settings", "seed", "dose")}
    parquet.write(made.frame, outputs["table"], metadata={"augmented": json.dumps(how)})
    save_csv(made.frame, outputs["csv"])
    files = {Path(path).name: checksum(path) for path in (source, outputs["table"], outputs["csv"])}
    versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    text = json.dumps({**about, "sha256": files, "versions": versions}, indent=1, ensure_ascii=False)
    with atomic_path(outputs["about"]) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        chosen, files = snakemake.params, snakemake.output
        one_thread([chosen.entry["generator"]])
        table, report = augment_table(
            parquet.read(snakemake.input.table), chosen.entry, chosen.generators, chosen.limits, chosen.judging
        )
        write(table, {"name": snakemake.wildcards.name} | report, snakemake.input.table, dict(files.items()))
