"""The list of what the workflow fetches, read once when the workflow is planned.

Rules hand single entries to their scripts as parameters, so a new data set in the list makes no
job of another one run again.
"""

from pathlib import Path

import yaml

SOURCES = yaml.safe_load(Path(__file__).with_name("sources.yaml").read_text(encoding="utf-8"))
