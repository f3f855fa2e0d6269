"""The files that the workflow downloads, read once when the workflow is planned.

Rules pass single entries to their scripts as parameters, so adding a dataset reruns no job of another one.
"""

from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SOURCES = yaml.load(Path(__file__).with_name("sources.yaml").read_text(encoding="utf-8"), LOADER)
