"""The study `imbalance`: class and group imbalance, reduced with synthetic rows."""

from scripts.imbalance.plan import Plan as ImbalancePlan

IMBALANCE = config["imbalance"]
IMBALANCE_PLAN = ImbalancePlan(IMBALANCE)
IMBALANCE_OUT = "results/imbalance"
IMBALANCE_AUGMENT = IMBALANCE.get("augment", {})  # tables of `make augment`, made when asked for
IMBALANCE_AUGMENTED = "results/augmented/{name}"
IMBALANCE_MEASURED = ["metrics", "comparisons", "summary", "splits", "counts"]
IMBALANCE_MEASURED += ["added", "facts"]
IMBALANCE_SHOWN = [*IMBALANCE_MEASURED[1:], "quality"]


localrules:
    imbalance_augment,
    imbalance_augment_page,
    imbalance_draw,
    imbalance_bench,


rule imbalance_generate:
    input:
        table=IMBALANCE_PLAN.table,
        description=lambda wildcards: table_descriptions(IMBALANCE_PLAN.entry(wildcards)["table"]),
        code=code("scripts/imbalance/imbalance_generate.py"),
        generators=lambda wildcards: named_code(
            "scripts/imbalance/generators", IMBALANCE_PLAN.settings(wildcards)
        ),
    output:
        rows=f"{IMBALANCE_OUT}/synthetic/{{part}}.parquet",
        seconds=f"{IMBALANCE_OUT}/synthetic/{{part}}.seconds.json",
    log:
        f"{IMBALANCE_OUT}/logs/imbalance_generate/{{part}}.log",
    benchmark:
        f"{IMBALANCE_OUT}/benchmarks/imbalance_generate/{{part}}.tsv"
    wildcard_constraints:
        part="|".join(map(re.escape, IMBALANCE_PLAN.parts)),
    priority: IMBALANCE_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        entry=IMBALANCE_PLAN.generated,
        numbers=IMBALANCE_PLAN.numbers,
        splitting=IMBALANCE_PLAN.splitting,
        generators=IMBALANCE_PLAN.settings,
        most_added=IMBALANCE["most_added"],
        memory_mb=IMBALANCE["memory_mb"],
    script:
        "../scripts/imbalance/imbalance_generate.py"


rule imbalance_fit:
    input:
        table=IMBALANCE_PLAN.table,
        description=lambda wildcards: table_descriptions(IMBALANCE_PLAN.entry(wildcards)["table"]),
        rows=rules.imbalance_generate.output.rows,
        code=code("scripts/imbalance/imbalance_fit.py"),
    output:
        predictions=f"{IMBALANCE_OUT}/predictions/{{part}}.parquet",
        runs=f"{IMBALANCE_OUT}/runs/{{part}}.parquet",
    log:
        f"{IMBALANCE_OUT}/logs/imbalance_fit/{{part}}.log",
    benchmark:
        f"{IMBALANCE_OUT}/benchmarks/imbalance_fit/{{part}}.tsv"
    wildcard_constraints:
        part="|".join(map(re.escape, IMBALANCE_PLAN.parts)),
    priority: IMBALANCE_PLAN.priority
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        entry=IMBALANCE_PLAN.fitted,
        numbers=IMBALANCE_PLAN.numbers,
        splitting=IMBALANCE_PLAN.splitting,
        classifier=IMBALANCE["classifier"],
    script:
        "../scripts/imbalance/imbalance_fit.py"


rule imbalance_measure:
    input:
        predictions=expand(rules.imbalance_fit.output.predictions, part=IMBALANCE_PLAN.parts),
        runs=expand(rules.imbalance_fit.output.runs, part=IMBALANCE_PLAN.parts),
        tables=expand("results/data/tabular/{table}.parquet", table=IMBALANCE_PLAN.tables),
        descriptions=table_descriptions(*IMBALANCE_PLAN.tables),
        code=code("scripts/imbalance/imbalance_measure.py"),
    output:
        **{name: f"{IMBALANCE_OUT}/{name}.parquet" for name in IMBALANCE_MEASURED},
    log:
        f"{IMBALANCE_OUT}/logs/imbalance_measure.log",
    benchmark:
        f"{IMBALANCE_OUT}/benchmarks/imbalance_measure.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        entries=IMBALANCE_PLAN.measured,
        tables=IMBALANCE_PLAN.tables,
        parts=IMBALANCE_PLAN.parts_by_dataset,
        splitting=IMBALANCE_PLAN.splitting,
    script:
        "../scripts/imbalance/imbalance_measure.py"


rule imbalance_quality:
    input:
        rows=expand(rules.imbalance_generate.output.rows, part=IMBALANCE_PLAN.judged_parts),
        seconds=expand(rules.imbalance_generate.output.seconds, part=IMBALANCE_PLAN.parts),
        tables=expand("results/data/tabular/{table}.parquet", table=IMBALANCE_PLAN.tables),
        descriptions=table_descriptions(*IMBALANCE_PLAN.tables),
        code=code("scripts/imbalance/imbalance_quality.py"),
    output:
        quality=f"{IMBALANCE_OUT}/quality.parquet",
        seconds=f"{IMBALANCE_OUT}/seconds.json",
    log:
        f"{IMBALANCE_OUT}/logs/imbalance_quality.log",
    benchmark:
        f"{IMBALANCE_OUT}/benchmarks/imbalance_quality.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        entries=IMBALANCE_PLAN.measured,
        tables=IMBALANCE_PLAN.tables,
        parts=IMBALANCE_PLAN.judged_by_dataset,
        splitting=IMBALANCE_PLAN.splitting,
        settings=IMBALANCE["quality"],
    script:
        "../scripts/imbalance/imbalance_quality.py"


rule imbalance_draw:
    input:
        **{name: gathered("imbalance", name) for name in IMBALANCE_SHOWN},
        published=os.path.relpath(ROOT / "scripts/imbalance/published.yaml"),
        html=html_files("imbalance/html"),
        code=code("scripts/imbalance/imbalance_draw.py"),
    output:
        figures=figure_files("imbalance", "cells", "forest", "codes", "plane", "dose", "fidelity"),
        tables=table_files(
            "imbalance",
            "plans",
            "differences",
            "rows_added",
            "quality",
            "sensitivity",
            "variance",
        ),
    log:
        f"{IMBALANCE_OUT}/logs/imbalance_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        shown=IMBALANCE_SHOWN,
    script:
        "../scripts/imbalance/imbalance_draw.py"


rule imbalance_all_data:
    input:
        prepared_tables(*IMBALANCE_PLAN.tables, files=USER_FILES),


rule imbalance_all_predictions:
    input:
        expand(rules.imbalance_fit.output.predictions, part=IMBALANCE_PLAN.parts),


rule imbalance_bench:
    input:
        table="results/data/tabular/adult.parquet",
        description=table_descriptions("adult"),
        code=code("scripts/imbalance/bench.py"),
    output:
        parquet="results/bench/imbalance.parquet",
        table=multiext("results/bench/imbalance", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/imbalance.log",
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    script:
        "../scripts/imbalance/bench.py"


rule imbalance_augment:
    input:
        table=lambda wildcards: f"results/data/tabular/{IMBALANCE_AUGMENT[wildcards.name]['table']}.parquet",
        description=lambda wildcards: table_descriptions(IMBALANCE_AUGMENT[wildcards.name]["table"]),
        code=code("scripts/imbalance/imbalance_augment.py"),
        generators=lambda wildcards: named_code(
            "scripts/imbalance/generators", [IMBALANCE_AUGMENT[wildcards.name]["generator"]]
        ),
    output:
        table=f"{IMBALANCE_AUGMENTED}/table.parquet",
        csv=f"{IMBALANCE_AUGMENTED}/table.csv",
        about=f"{IMBALANCE_AUGMENTED}/report.json",
    log:
        f"{IMBALANCE_AUGMENTED}/logs/imbalance_augment.log",
    wildcard_constraints:
        name="|".join(map(re.escape, IMBALANCE_AUGMENT)),
    conda:
        "../envs/torch.yaml"
    params:
        entry=lambda wildcards: IMBALANCE_AUGMENT[wildcards.name],
        generators=lambda wildcards: {
            name: IMBALANCE["generators"][name]
            for name in [IMBALANCE_AUGMENT[wildcards.name]["generator"]]
        },
        limits={name: IMBALANCE[name] for name in ("most_added", "memory_mb")},
        judging=IMBALANCE["quality"],
    script:
        "../scripts/imbalance/imbalance_augment.py"


rule imbalance_augment_page:
    input:
        about=rules.imbalance_augment.output.about,
        html=html_files("imbalance/augmenting/html"),
        code=code("scripts/imbalance/imbalance_augment_page.py"),
    output:
        page=f"{IMBALANCE_AUGMENTED}/report.html",
        text=f"{IMBALANCE_AUGMENTED}/report.md",
    log:
        f"{IMBALANCE_AUGMENTED}/logs/imbalance_augment_page.log",
    wildcard_constraints:
        name="|".join(map(re.escape, IMBALANCE_AUGMENT)),
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/imbalance/imbalance_augment_page.py"
