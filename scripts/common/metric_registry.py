"""Registry of all metrics that studies release: `metrics.yaml`, with the signed differences that follow from rates."""

from functools import cache
from pathlib import Path

import yaml

from scripts.common.metrics import signed

PATH = Path(__file__).with_name("metrics.yaml")


@cache
def registry() -> dict[str, dict]:
    """Return id -> title, formula, range, better, oracle and source of every metric, in the file's order.

    A metric with `signed_difference: true` is followed by its difference of two groups.
    """
    entries = yaml.load(PATH.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    metrics = {}
    for name, entry in entries.items():
        stated = {key: value for key, value in entry.items() if key != "signed_difference"}
        metrics[name] = {"oracle": None, "source": None, **stated}
        if entry.get("signed_difference"):
            width = entry["range"][1] - entry["range"][0]
            metrics[signed(name)] = {
                "title": f"{entry['title']}, first minus second group",
                "formula": f"{name}(first group) - {name}(second group); the order is that of the groups in the study",
                "range": [-width, width],
                "better": "closer to 0",
                "oracle": None,
                "source": f"difference of two values of {name}",
            }
    return metrics
