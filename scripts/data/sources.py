"""The files that the workflow downloads, read once when the workflow is planned.

Rules pass single entries to their scripts as parameters, so adding a dataset reruns no job of another one.
"""

from pathlib import Path

import yaml

SOURCES = yaml.safe_load(Path(__file__).with_name("sources.yaml").read_text(encoding="utf-8"))
