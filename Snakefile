"""Counterweight: what trustworthy AI costs, rebuilt from one DAG. This file is its table of contents."""

import sys
from pathlib import Path

import snakemake as engine
from snakemake.utils import update_config

from scripts.common import parent_watchdog
from scripts.common.config import check_files, in_order, nested_values, validate
from scripts.common.errors import UserError
from scripts.common.isolation import isolate
from scripts.common.own_tables import register
from scripts.common.studies import study_names
from scripts.common.preflight import (
    clock_warning,
    project_files,
    require_writable,
    subfolder_warning,
)
from scripts.provenance.archive import located, read_releases, settings_of
from scripts.provenance.settings import portable

ROOT = Path(
    str(workflow.current_basedir)
)  # of this file, also where another workflow takes it as a module


include: "rules/common.smk"


configfile: ROOT / "config.yaml"


isolate(engine.__file__)
parent_watchdog.announce()  # jobs end with this process


try:
    check_files(workflow.configfiles)
    update_config(config, nested_values(workflow.config_settings.config))
    validate(config, ROOT)
    require_writable("results", ".snakemake")
    if config["released"]:  # what is redrawn states the settings that its numbers were made with
        place = located(config["released"])
        RELEASES = read_releases(place, ROOT)
        settings = settings_of(RELEASES, config, ROOT)
        config.clear()
        config.update(settings, released=place)
        register(config["tables"])
    config.update(in_order(config))
    STUDIES = [study for study in study_names(ROOT) if study in config]
    IN_ORDER = studies.in_order(STUDIES, ROOT)
    PROMISED = {study: studies.promised_paths(study, ROOT) for study in STUDIES}
    RELEASED = {study: studies.describe(study, ROOT)["released"] for study in STUDIES}
except UserError as error:
    sys.exit(f"Error: {error}")


include: "rules/data.smk"


for study in STUDIES:

    include: f"rules/{study}.smk"


include: "rules/audit.smk"
include: "rules/claims.smk"
include: "rules/release.smk"
include: "rules/docs.smk"
include: "rules/bench.smk"
include: "rules/faults.smk"
include: "rules/page.smk"


try:
    check_kept(workflow.rules, STUDIES)
    studies.check_promised(PROMISED, workflow.rules)
except UserError as error:
    sys.exit(f"Error: {error}")


onstart:
    if warning := clock_warning(*project_files(ROOT)):
        print(warning, file=sys.stderr)
    if warning := subfolder_warning(ROOT):
        print(warning, file=sys.stderr)
    if config["released"]:
        print(
            f"Redrawn from {config['released']}: its settings hold, those of config files do not.",
            file=sys.stderr,
        )


# One study alone: snakemake --cores all tradeoffs
for study in STUDIES:

    rule:
        name:
            study
        input:
            PROMISED[study],
            [gathered(study, name) for name in RELEASED[study]],


rule figures:
    input:
        PROMISED.values(),
        rules.claims_draw.output,
        rules.manifest.output,
        rules.report.output,
        AUDIT_PAGES,


rule all:
    default_target: True
    input:
        DATA_TARGETS,
        rules.figures.input,
