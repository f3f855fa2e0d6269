"""Audits of predictions that a user brings (`audits:` in the config, `make audit`): no study, and none unless asked."""

from scripts.audits.plan import audit_files

AUDITS = config.get("audits", {})  # releases carry none
AUDIT_OUT = "results/audits/{audit}"
AUDIT_PAGES = [] if config["released"] else expand(f"{AUDIT_OUT}/audit.html", audit=AUDITS)


localrules:
    audit_measure,
    audit_compare,
    audit_page,


rule audit_measure:
    input:
        # A path that does not exist is left out of the inputs: the script reports it in one line.
        source=lambda wildcards: existing(AUDITS[wildcards.audit]["predictions"]),
        code=code("scripts/audits/audit_measure.py"),
    output:
        metrics=f"{AUDIT_OUT}/metrics.parquet",
        table=f"{AUDIT_OUT}/metrics.csv",
        attacks=f"{AUDIT_OUT}/attacks.parquet",
        about=f"{AUDIT_OUT}/about.json",
    log:
        f"{AUDIT_OUT}/logs/audit_measure.log",
    conda:
        "../envs/tabular.yaml"
    params:
        settings=lambda wildcards: AUDITS[wildcards.audit],
        content=lambda wildcards: content_of(AUDITS[wildcards.audit]["predictions"]),
    script:
        "../scripts/audits/audit_measure.py"


rule audit_compare:
    input:
        source=lambda wildcards: [
            path for name in audit_files(AUDITS[wildcards.audit]) for path in existing(name)
        ],
        code=code("scripts/audits/audit_compare.py"),
    output:
        f"{AUDIT_OUT}/comparisons.parquet",
    log:
        f"{AUDIT_OUT}/logs/audit_compare.log",
    conda:
        "../envs/tabular.yaml"
    params:
        settings=lambda wildcards: AUDITS[wildcards.audit],
        content=lambda wildcards: contents_of(audit_files(AUDITS[wildcards.audit])),
    script:
        "../scripts/audits/audit_compare.py"


rule audit_page:
    input:
        metrics=rules.audit_measure.output.metrics,
        attacks=rules.audit_measure.output.attacks,
        about=rules.audit_measure.output.about,
        compared=branch(
            lambda wildcards: len(audit_files(AUDITS[wildcards.audit])) > 1,
            then=rules.audit_compare.output,
        ),
        html=html_files("audits/html"),
        code=code("scripts/audits/audit_page.py"),
    output:
        f"{AUDIT_OUT}/audit.html",
    log:
        f"{AUDIT_OUT}/logs/audit_page.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/audits/audit_page.py"


rule audit_all_data:
    input:
        [
            path
            for entry in ([] if config["released"] else AUDITS.values())
            for name in audit_files(entry)
            for path in existing(name)
        ],
