"""Rule `multitask_prepare`: the people of one dataset, read from its source, checked and written."""

from collections.abc import Mapping
from pathlib import Path

from scripts.common.logs import job, log
from scripts.multitask import people as files
from scripts.multitask.checks import check
from scripts.multitask.sources import people_of


def prepare(name: str, entry: Mapping, places: Mapping[str, str], output: str | Path) -> None:
    """Write the people of a dataset.

    Args:
        name: of the dataset in the config.
        entry: of the config.
        places: what its source reads, as `scripts.multitask.inputs.places` returns it.

    Raises:
        UserError: the entry, the files or the people cannot be used.
    """
    people = people_of(name, entry, places)
    check(people, name)
    files.write(people, output)
    sizes = ", ".join(f"{len(people.rows(split))} {split}" for split in files.SPLITS)
    log.info("%s: %s rows, %d features", people.title, sizes, people.features.shape[1])
    for place, task in enumerate(people.tasks):
        rates = [people.labels[people.groups == code, place].mean() for code in range(len(people.group_names))]
        groups = ", ".join(f"{group} {rate:.3f}" for group, rate in zip(people.group_names, rates, strict=True))
        log.info("%s: label 1 in %.3f (%s)", task, people.labels[:, place].mean(), groups)


if "snakemake" in globals():
    with job(snakemake):
        chosen = snakemake.params.settings
        prepare(snakemake.wildcards.dataset, chosen["entry"], chosen["places"], snakemake.output[0])
