"""Counterweight: what trustworthy AI costs, rebuilt from one DAG. This file is its table of contents."""

import sys

from scripts.common.config import in_order, validate
from scripts.common.errors import UserError


include: "rules/common.smk"


configfile: ROOT / "config.yaml"


try:
    validate(config, ROOT / "config.schema.yaml")
    config.update(in_order(config))
except UserError as error:
    sys.exit(f"Error: {error}")


include: "rules/data.smk"
include: "rules/tradeoffs.smk"
include: "rules/frtrain.smk"
include: "rules/report.smk"
include: "rules/bench.smk"


rule all:
    default_target: True
    input:
        DATA_TARGETS,
        TRADEOFFS_TARGETS,


rule frtrain:  # stopgap: replaced on merge
    input:
        figure_files(
            "frtrain",
            "methods",
            "tradeoff",
            "poisoning_rate",
            "validation_size",
            "seed_spread",
            "two_groups",
        ),
        table_files("frtrain", "synthetic", "real", "ablations", "handover", "equalized_odds"),
        [gathered("frtrain", name) for name in ("metrics", "choices", "findings", "groups")],
