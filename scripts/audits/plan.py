"""The files of audits, from the config. Imported by the Snakefile, so it imports nothing heavy."""

from collections.abc import Mapping


def audit_files(entry: Mapping) -> list[str]:
    """Return the paths of an audit's files: one, or two if a second prediction is compared (it may be in the first)."""
    second = entry.get("compare") or (entry["predictions"] if entry.get("compare_prediction") else "")
    return [entry["predictions"], *([second] if second else [])]
