"""Rule `imbalance_generate`: the synthetic rows of every plan and generator in some splits of a dataset."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.common import parquet
from scripts.common.files import atomic_path
from scripts.common.logs import job, log, progress
from scripts.imbalance import synthetic_file
from scripts.imbalance.augmentation import Seconds, augment, check_augmentation
from scripts.imbalance.people import people
from scripts.imbalance.splits import Splitting, fill_gaps, lost_categories, splits


def generate(
    frame: pd.DataFrame,
    entry: Mapping[str, Any],
    numbers: Sequence[int],
    splitting: Splitting,
    settings: Mapping[str, Mapping[str, Any]],
    most_added: float,
    memory_mb: float,
    output: str | Path,
) -> Seconds:
    """Write the synthetic rows of some splits of a dataset; all splits are checked before anything is fitted.

    Args:
        frame: the prepared table.
        entry: the dataset's entry of the config: table, attributes, most_rows, plans, generators, draws.
        numbers: of the splits that are made here.
        settings: of every generator.
        most_added, memory_mb: limits, see `check_augmentation`.

    Returns:
        CPU seconds by plan and generator.

    Raises:
        UserError: the table or a plan does not fit, see `people` and `check_augmentation`.
    """
    data = people(frame, entry["table"], entry["attributes"], entry["most_rows"])
    drawn = splits(data, splitting)[: entry["splits"]]
    plans, generators = entry["plans"], entry["generators"]
    check_augmentation(data, [train for train, _ in drawn], plans, generators, settings, most_added, memory_mb)
    seconds, made = Seconds(), []
    for number in progress(numbers, f"{entry['table']}: splits"):
        train = drawn[number][0]
        for name, words in lost_categories(data.features, train).items():
            log.info("split %d: no training row has %s of %s", number, ", ".join(words), name)
        features = fill_gaps(data.features, train)
        for draw in range(entry["draws"]):
            made += augment(data, features, train, number, plans, generators, settings, draw, seconds)
    synthetic_file.write(made, data.features.schema, output)
    log.info("%d synthetic rows", sum(len(rows.label) for rows in made))
    return seconds


def one_thread(generators: Sequence[str]) -> None:
    """Make torch use one thread, where a generator needs it, so that rows do not hang on the number of cores."""
    if "vae" in generators:
        from scripts.common.device import choose_device

        choose_device(gpu=0, threads=1)


def write_seconds(seconds: Seconds, path: str | Path) -> None:
    """Write CPU seconds as JSON: by plan and generator those of fitting and sampling, and how often."""
    rows = [
        {"plan": plan, "generator": generator, "fit": fitting, "sample": sampling, "augmentations": count}
        for (plan, generator), (fitting, sampling, count) in seconds.spent.items()
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        chosen = snakemake.params
        one_thread(chosen.entry["generators"])
        spent = generate(
            parquet.read(snakemake.input.table),
            chosen.entry,
            chosen.numbers,
            Splitting(**chosen.splitting),
            chosen.generators,
            chosen.most_added,
            chosen.memory_mb,
            snakemake.output.rows,
        )
        write_seconds(spent, snakemake.output.seconds)
