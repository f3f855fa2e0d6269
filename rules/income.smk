"""The study `income`: gender bias of an income classifier, its metrics, and the effects of mitigating it."""

from scripts.income.plan import Plan as IncomePlan

INCOME = config["income"]
INCOME_PLAN = IncomePlan(INCOME)
INCOME_OUT = "results/income"


localrules:
    income_draw,


rule income_fit:
    input:
        table=INCOME_PLAN.table,
        description=lambda wildcards: table_descriptions(INCOME_PLAN.settings(wildcards)["table"]),
        code=code("scripts/income/income_fit.py"),
    output:
        predictions=f"{INCOME_OUT}/predictions/{{batch}}.parquet",
        swaps=f"{INCOME_OUT}/cells/{{batch}}.swaps.parquet",
        altered=f"{INCOME_OUT}/cells/{{batch}}.altered.parquet",
    log:
        f"{INCOME_OUT}/logs/income_fit/{{batch}}.log",
    benchmark:
        f"{INCOME_OUT}/benchmarks/income_fit/{{batch}}.tsv"
    wildcard_constraints:
        batch="|".join(map(re.escape, INCOME_PLAN.batches)),
    priority: INCOME_PLAN.priority
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        cell=INCOME_PLAN.cell,
        entry=INCOME_PLAN.settings,
        seeds=INCOME_PLAN.seeds,
        shares=INCOME["swap_shares"],
        gradient=INCOME["exponentiated_gradient"],
    script:
        "../scripts/income/income_fit.py"


rule income_measure:
    input:
        predictions=expand(rules.income_fit.output.predictions, batch=INCOME_PLAN.batches),
        swaps=expand(rules.income_fit.output.swaps, batch=INCOME_PLAN.batches),
        altered=expand(rules.income_fit.output.altered, batch=INCOME_PLAN.batches),
        descriptions=table_descriptions(*INCOME_PLAN.tables),
        code=code("scripts/income/income_measure.py"),
    output:
        metrics=f"{INCOME_OUT}/metrics.parquet",
        comparisons=f"{INCOME_OUT}/comparisons.parquet",
        findings=f"{INCOME_OUT}/findings.parquet",
        summary=f"{INCOME_OUT}/summary.parquet",
        swaps=f"{INCOME_OUT}/swaps.parquet",
    log:
        f"{INCOME_OUT}/logs/income_measure.log",
    benchmark:
        f"{INCOME_OUT}/benchmarks/income_measure.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        replicates=INCOME["bootstrap"],
    script:
        "../scripts/income/income_measure.py"


rule income_draw:
    input:
        summary=gathered("income", "summary"),
        swaps=gathered("income", "swaps"),
        comparisons=gathered("income", "comparisons"),
        code=code("scripts/income/income_draw.py"),
    output:
        figures=figure_files("income", "before_after", "accuracy_parity", "swaps"),
        tables=table_files("income", "arms", "differences"),
    log:
        f"{INCOME_OUT}/logs/income_draw.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/income/income_draw.py"


rule income_all_data:
    input:
        prepared_tables(*INCOME_PLAN.tables, files=USER_FILES),


rule income_all_predictions:
    input:
        expand(rules.income_fit.output.predictions, batch=INCOME_PLAN.batches),
