"""The study `leakage`: information about a sensitive attribute in the outputs of a model, theory and audit."""

LEAKAGE = config["leakage"]
LEAKAGE_OUT = "results/leakage"
LEAKAGE_TABLES = list(dict.fromkeys(batch["table"] for batch in LEAKAGE["models"].values()))


localrules:
    leakage_theory,
    leakage_draw,


rule leakage_theory:
    input:
        sentences=os.path.relpath(ROOT / "scripts/leakage/theory.yaml"),
        code=code("scripts/leakage/leakage_theory.py"),
    output:
        f"{LEAKAGE_OUT}/theory.parquet",
    log:
        f"{LEAKAGE_OUT}/logs/leakage_theory.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/leakage/leakage_theory.py"


rule leakage_models:
    input:
        table=lambda wildcards: (
            f"results/data/tabular/{LEAKAGE['models'][wildcards.batch]['table']}.parquet"
        ),
        description=lambda wildcards: table_descriptions(
            LEAKAGE["models"][wildcards.batch]["table"]
        ),
        code=code("scripts/leakage/leakage_models.py"),
    output:
        f"{LEAKAGE_OUT}/predictions/{{batch}}.parquet",
    log:
        f"{LEAKAGE_OUT}/logs/leakage_models/{{batch}}.log",
    benchmark:
        f"{LEAKAGE_OUT}/benchmarks/leakage_models/{{batch}}.tsv"
    wildcard_constraints:
        batch="|".join(LEAKAGE["models"]),
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        batch=lambda wildcards: LEAKAGE["models"][wildcards.batch],
        settings=LEAKAGE["training"],
    script:
        "../scripts/leakage/leakage_models.py"


rule leakage_all_data:
    input:
        prepared_tables(*LEAKAGE_TABLES, files=USER_FILES),


rule leakage_all_predictions:
    input:
        expand(rules.leakage_models.output, batch=LEAKAGE["models"]),


rule leakage_audit:
    input:
        predictions=kept("predictions"),  # of all studies
        code=code("scripts/leakage/leakage_audit.py"),
    output:
        audit=f"{LEAKAGE_OUT}/audit.parquet",
        queries=f"{LEAKAGE_OUT}/queries.parquet",
        files=f"{LEAKAGE_OUT}/files.parquet",
        splits=f"{LEAKAGE_OUT}/splits.parquet",
    log:
        f"{LEAKAGE_OUT}/logs/leakage_audit.log",
    benchmark:
        f"{LEAKAGE_OUT}/benchmarks/leakage_audit.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 16
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        seed=LEAKAGE["audit_seed"],
        certify=LEAKAGE["certify"],
        queries=LEAKAGE["queries"],
        most=LEAKAGE["most_runs"],
    script:
        "../scripts/leakage/leakage_audit.py"


rule leakage_checks:
    input:
        predictions=rules.leakage_all_predictions.input,
        descriptions=table_descriptions(*LEAKAGE_TABLES),
        code=code("scripts/leakage/leakage_checks.py"),
    output:
        checks=f"{LEAKAGE_OUT}/checks.parquet",
        comparisons=f"{LEAKAGE_OUT}/check_comparisons.parquet",
    log:
        f"{LEAKAGE_OUT}/logs/leakage_checks.log",
    benchmark:
        f"{LEAKAGE_OUT}/benchmarks/leakage_checks.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        settings=LEAKAGE["checks"],
        seed=LEAKAGE["audit_seed"],
    script:
        "../scripts/leakage/leakage_checks.py"


rule leakage_compare:
    input:
        predictions=rules.leakage_all_predictions.input,
        audit=rules.leakage_audit.output.audit,
        queries=rules.leakage_audit.output.queries,
        files=rules.leakage_audit.output.files,
        checks=rules.leakage_checks.output.checks,
        check_comparisons=rules.leakage_checks.output.comparisons,
        descriptions=table_descriptions(*LEAKAGE_TABLES),
        code=code("scripts/leakage/leakage_compare.py"),
    output:
        metrics=f"{LEAKAGE_OUT}/metrics.parquet",
        comparisons=f"{LEAKAGE_OUT}/comparisons.parquet",
    log:
        f"{LEAKAGE_OUT}/logs/leakage_compare.log",
    benchmark:
        f"{LEAKAGE_OUT}/benchmarks/leakage_compare.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seed=LEAKAGE["audit_seed"],
    script:
        "../scripts/leakage/leakage_compare.py"


rule leakage_draw:
    input:
        metrics=gathered("leakage", "metrics"),
        audit=gathered("leakage", "audit"),
        queries=gathered("leakage", "queries"),
        theory=gathered("leakage", "theory"),
        comparisons=gathered("leakage", "comparisons"),
        code=code("scripts/leakage/leakage_draw.py"),
    output:
        figures=figure_files(
            "leakage",
            "bound_and_attack",
            "exposures_by_defence",
            "accuracy_and_leakage",
            "repeated_queries",
            "certified_by_rows",
        ),
        tables=table_files("leakage", "audit", "theory", "checks"),
    log:
        f"{LEAKAGE_OUT}/logs/leakage_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        certify=LEAKAGE["certify"],
    script:
        "../scripts/leakage/leakage_draw.py"
