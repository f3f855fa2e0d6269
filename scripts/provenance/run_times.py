"""Run times and memory of the jobs, from the benchmark files that Snakemake writes."""

import csv
from pathlib import Path


def run_times(results: str | Path) -> dict[str, dict[str, dict]]:
    """Return {study: {rule: {jobs, seconds, max_memory_mb}}} of all benchmark files below a results folder.

    A file is `X/benchmarks/RULE.tsv` or `X/benchmarks/RULE/JOB.tsv`. Seconds are summed over jobs; memory is the
    largest of any job, or None where every job was too short to be measured.
    """
    studies: dict[str, dict[str, dict]] = {}
    for path in sorted(Path(results).glob("*/benchmarks/**/*.tsv")):
        study, _, rule = path.relative_to(results).parts[:3]
        entry = studies.setdefault(study, {}).setdefault(
            rule.removesuffix(".tsv"), {"jobs": 0, "seconds": 0.0, "max_memory_mb": None}
        )
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                entry["jobs"] += 1
                entry["seconds"] = round(entry["seconds"] + float(row["s"]), 2)
                memory = _number(row["max_rss"])
                entry["max_memory_mb"] = max(filter(None, (entry["max_memory_mb"], memory)), default=None)
    return studies


def _number(text: str) -> float | None:
    """Return the number in a field, or None where Snakemake measured nothing and wrote "NA" or "-"."""
    try:
        return float(text)
    except ValueError:
        return None
