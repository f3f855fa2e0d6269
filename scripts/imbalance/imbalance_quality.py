"""Rule `imbalance_quality`: how close the synthetic rows of every plan and generator are to real rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.files import atomic_path
from scripts.common.interval_kinds import PARTS
from scripts.common.logs import job, log
from scripts.common.mixed_table import MixedTable
from scripts.imbalance import synthetic_file
from scripts.imbalance.augmentation import LABEL, Synthetic
from scripts.imbalance.names import REAL, dataset_name
from scripts.imbalance.part_quality import Measured, Reference, mean_over_parts, part_quality, real_quality
from scripts.imbalance.people import People, people
from scripts.imbalance.plans import by_group
from scripts.imbalance.splits import Splitting, fill_gaps, splits

COLUMNS = ["dataset", "attributes", "plan", "generator", "split", "draw", "metric", "condition", "value"]
COLUMNS += ["ci_low", "ci_high", "interval", "n"]
LABELS = ("0", "1")


def parts_of(table: MixedTable, group: np.ndarray, label: np.ndarray, plan: str) -> tuple[MixedTable, np.ndarray]:
    """Return the rows as a plan's generators see them, and the part of each, int64 [n].

    A part is 2 * group + label, or the group where the plan fills whole groups; the label is a column then.
    """
    if by_group(plan):
        return table.with_category(LABEL, label, LABELS), group.astype(np.int64)
    return table, 2 * group.astype(np.int64) + label


class Split:
    """The real rows of one split, prepared once for all plans and generators."""

    def __init__(self, data: People, train: np.ndarray, test: np.ndarray, number: int, rows: int, rounds: int) -> None:
        self.data, self.train, self.test = data, train, test
        self.features = fill_gaps(data.features, train)
        self.rows, self.rounds = rows, rounds
        self.names = (data.table.name, data.attribute, number)
        self.references: dict[tuple[bool, int], Reference] = {}
        self.real: dict[tuple[bool, int], dict[str, Measured]] = {}

    def reference(self, plan: str, part: int) -> Reference:
        """Return the real rows of a part."""
        key = by_group(plan), part
        if key not in self.references:
            table, parts = parts_of(self.features, self.data.groups, self.data.y, plan)
            train, test = (table.take(rows[parts[rows] == part]) for rows in (self.train, self.test))
            self.references[key] = Reference.of(train, test, self.rows, *self.names, *key)
        return self.references[key]

    def real_of(self, plan: str, part: int) -> dict[str, Measured]:
        """Return what real rows reach in a part."""
        key = by_group(plan), part
        if key not in self.real:
            self.real[key] = real_quality(self.reference(plan, part), self.rounds, *self.names, *key)
        return self.real[key]

    def quality(self, synthetic: Synthetic) -> tuple[dict[str, Measured], dict[str, Measured]]:
        """Return the means over parts of a plan, generator and draw, and those of real rows with the same weights."""
        plan = synthetic.plan
        table, parts = parts_of(synthetic.table, synthetic.group, synthetic.label, plan)
        filled, added = np.unique(parts, return_counts=True)
        names = (*self.names, plan, synthetic.generator, synthetic.draw)
        own = [
            part_quality(table.take(parts == part), self.reference(plan, part), self.rows, self.rounds, *names, part)
            for part in filled.tolist()
        ]
        real = [self.real_of(plan, part) for part in filled.tolist()]
        return mean_over_parts(own, added), mean_over_parts(real, added)


def quality(
    data: People, drawn: Sequence[tuple[np.ndarray, np.ndarray]], synthetic: Iterable[Synthetic], rows: int, rounds: int
) -> pd.DataFrame:
    """Return the quality of synthetic rows per plan, generator, split and draw, averaged over parts by rows added.

    Args:
        data: the people.
        drawn: training and test rows of the splits that are judged, the first ones; rows of later splits are left out.
        synthetic: the rows that plans and generators add. Plans that add none have no quality.
        rows: rows of a part that are compared, at most.
        rounds: of the classifier that tells synthetic from real rows.

    Returns:
        Frame with `COLUMNS`. Rows of the generator "real" are what real rows reach in the place of synthetic ones: the
        floor of the distances, and the copies that occur by themselves. n counts the synthetic (real) rows compared.
    """
    prepared: dict[int, Split] = {}
    found: dict[tuple, dict[str, Measured]] = {}
    for own in synthetic:
        if own.split >= len(drawn):
            continue
        if own.split not in prepared:
            prepared[own.split] = Split(data, *drawn[own.split], own.split, rows, rounds)
        measured, real = prepared[own.split].quality(own)
        found.setdefault((own.plan, REAL, own.split, 0), real)
        found[own.plan, own.generator, own.split, own.draw] = measured
    lines = []
    for key, measures in found.items():
        for metric, own in measures.items():
            ends = (own.low, own.high, None if np.isnan(own.low) else PARTS, own.n)
            lines.append((data.title, data.attribute, *key, metric, "", own.value, *ends))
    return pd.DataFrame(lines, columns=COLUMNS)


def gathered_seconds(paths: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Return the CPU seconds of all parts, each entry with the name of its part."""
    found = []
    for path in map(Path, paths):
        name = path.name.removesuffix(".seconds.json")
        found += [{"part": name, **own} for own in json.loads(path.read_text(encoding="utf-8"))]
    return found


def quality_of_all(
    tables: Mapping[str, str],
    entries: Sequence[Mapping[str, Any]],
    splitting: Splitting,
    parts: Mapping[str, Sequence[str]],
    settings: Mapping[str, int],
) -> pd.DataFrame:
    """Return the quality of all datasets whose entry asks for it.

    Args:
        tables: path by the name of a table.
        parts: by dataset the paths of synthetic rows.
        settings: rows and rounds, see `quality`.
    """
    frames = [pd.DataFrame(columns=COLUMNS)]
    for entry in entries:
        if paths := parts.get(dataset_name(entry)):
            frame = parquet.read(tables[entry["table"]])
            data = people(frame, entry["table"], entry["attributes"], entry["most_rows"])
            drawn = splits(data, splitting)[: min(entry["splits"], entry["quality"])]
            synthetic = (own for path in paths for own in synthetic_file.read(path))
            frames.append(quality(data, drawn, synthetic, **settings))
            log.info("%s: %d numbers", dataset_name(entry), len(frames[-1]))
    return pd.concat(frames[1:] or frames, ignore_index=True)


if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        paths = iter(files.rows)
        result = quality_of_all(
            dict(zip(chosen.tables, files.tables, strict=True)),
            chosen.entries,
            Splitting(**chosen.splitting),
            {dataset: [next(paths) for _ in names] for dataset, names in chosen.parts.items()},
            chosen.settings,
        )
        parquet.write(result, snakemake.output.quality)
        with atomic_path(snakemake.output.seconds) as temporary:
            temporary.write_text(json.dumps(gathered_seconds(files.seconds), indent=1), encoding="utf-8")
