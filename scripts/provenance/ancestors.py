"""Files that a file is made from, read off the parsed rules."""

from collections.abc import Iterable
from pathlib import Path

from snakemake.rules import Wildcards  # where it stands in every version of 9

from scripts.provenance.kept_files import hashed_files


def ancestors(rules: Iterable, wanted: Iterable[str], own: Iterable[str]) -> set[str]:
    """Return the files that some files are made from, directly or through others.

    Args:
        rules: the rules of the workflow, as Snakemake holds them.
        wanted: paths as the rules write them.
        own: folders, with a slash at the end; what lies elsewhere is named, but not followed further.
    """
    rules, own = [rule for rule in rules if rule.output], tuple(own)
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        path = waiting.pop()
        for read in inputs_of(rules, path) if path.startswith(own) else []:
            if read not in found:
                found.add(read)
                waiting.append(read)
    return found


def inputs_of(rules: Iterable, path: str) -> list[str]:
    """Return the input files of the job that makes a file; none where no rule makes it."""
    for rule in rules:
        if rule.is_producer(path):
            wildcards = Wildcards(fromdict=rule.get_wildcards(path))
            return [str(read) for read in rule.expand_input(wildcards)[0]]
    return []


def sources_of(rules: Iterable, study: str, tables: Iterable[str]) -> list[str]:
    """Return the files below results/ that a study's numbers come from and that are not its results.

    These are prepared data, downloaded packages and other studies' predictions.

    Args:
        tables: the study's released tables.
    """
    rules, home, shared = list(rules), f"results/{study}/", "results/data/"
    found = ancestors(rules, [*tables, *hashed_files(rules, study)], [home, shared])
    return sorted(
        path
        for path in found
        if path.startswith("results/") and ("data" in Path(path).parts or not path.startswith(home))
    )
