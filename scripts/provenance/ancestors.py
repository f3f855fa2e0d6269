"""Ancestors of a file: the files that it is made from, according to the parsed rules."""

from collections.abc import Iterable
from pathlib import Path

from snakemake.rules import Wildcards  # importable from here in every version 9

from scripts.provenance.kept_files import hashed_files


def ancestors(rules: Iterable, targets: Iterable[str], folders: Iterable[str]) -> set[str]:
    """Return the files that the targets are made from, directly or through others.

    Args:
        rules: the rules of the workflow, as Snakemake holds them.
        targets: paths as the rules write them.
        folders: with a slash at the end; a file outside them is returned, but its own inputs are not looked up.
    """
    rules, folders = [rule for rule in rules if rule.output], tuple(folders)
    result: set[str] = set()
    waiting = list(targets)
    while waiting:
        path = waiting.pop()
        for input_path in inputs_of(rules, path) if path.startswith(folders) else []:
            if input_path not in result:
                result.add(input_path)
                waiting.append(input_path)
    return result


def inputs_of(rules: Iterable, path: str) -> list[str]:
    """Return the input files of the job that makes a file; an empty list if no rule makes it."""
    for rule in rules:
        if rule.is_producer(path):
            wildcards = Wildcards(fromdict=rule.get_wildcards(path))
            return [str(item) for item in rule.expand_input(wildcards)[0]]
    return []


def sources_of(rules: Iterable, study: str, tables: Iterable[str]) -> list[str]:
    """Return the files below results/ that a study's numbers come from and that are not its results.

    These are prepared data, downloaded packages and other studies' predictions.

    Args:
        tables: the study's released tables.
    """
    rules, home, shared = list(rules), f"results/{study}/", "results/data/"
    paths = ancestors(rules, [*tables, *hashed_files(rules, study)], [home, shared])
    return sorted(
        path
        for path in paths
        if path.startswith("results/") and ("data" in Path(path).parts or not path.startswith(home))
    )
