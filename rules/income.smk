"""The study `income`: gender bias of an income classifier, its metrics, and what mitigating it does."""

from scripts.income.plan import Plan as IncomePlan

INCOME = config["income"]
INCOME_PLAN = IncomePlan(INCOME)
INCOME_OUT = "results/income"


rule income_own_table:
    input:
        # A path that does not exist is no input: the script says in one line what is wrong.
        source=lambda wildcards: [
            path for path in [INCOME_PLAN.files[wildcards.table]] if os.path.exists(path)
        ],
        code=code("scripts/data/own_table.py"),
    output:
        f"{INCOME_OUT}/data/{{table}}.parquet",
    log:
        f"{INCOME_OUT}/logs/income_own_table/{{table}}.log",
    wildcard_constraints:
        table="|".join(INCOME_PLAN.files),
    conda:
        "../envs/data.yaml"
    params:
        source=lambda wildcards: INCOME_PLAN.files[wildcards.table],
        sha256=lambda wildcards: SOURCES["brought"][wildcards.table]["members"],
        setting="income.files",
    script:
        "../scripts/data/own_table.py"


rule income_fit:
    input:
        table=INCOME_PLAN.table,
        code=code("scripts/income/income_fit.py"),
    output:
        predictions=f"{INCOME_OUT}/predictions/{{cell}}.parquet",
        swaps=f"{INCOME_OUT}/cells/{{cell}}.swaps.parquet",
        altered=f"{INCOME_OUT}/cells/{{cell}}.altered.parquet",
    log:
        f"{INCOME_OUT}/logs/income_fit/{{cell}}.log",
    benchmark:
        f"{INCOME_OUT}/benchmarks/income_fit/{{cell}}.tsv"
    wildcard_constraints:
        cell="|".join(map(re.escape, INCOME_PLAN.cells)),
    conda:
        "../envs/tabular.yaml"
    threads: INCOME_PLAN.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        entry=INCOME_PLAN.settings,
        seeds=INCOME["seeds"],
        shares=INCOME["swap_shares"],
        gradient=INCOME["exponentiated_gradient"],
    script:
        "../scripts/income/income_fit.py"


rule income_measure:
    input:
        predictions=expand(rules.income_fit.output.predictions, cell=INCOME_PLAN.cells),
        swaps=expand(rules.income_fit.output.swaps, cell=INCOME_PLAN.cells),
        altered=expand(rules.income_fit.output.altered, cell=INCOME_PLAN.cells),
        code=code("scripts/income/income_measure.py"),
    output:
        metrics=f"{INCOME_OUT}/metrics.parquet",
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


rule income_figures:
    input:
        summary=gathered("income", "summary"),
        swaps=gathered("income", "swaps"),
        code=code("scripts/income/income_figures.py"),
    output:
        figure_files("income", "before_after", "accuracy_parity", "swaps"),
    log:
        f"{INCOME_OUT}/logs/income_figures.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/income/income_figures.py"


rule income_tables:
    input:
        summary=gathered("income", "summary"),
        code=code("scripts/income/income_tables.py"),
    output:
        table_files("income", "arms", "differences"),
    log:
        f"{INCOME_OUT}/logs/income_tables.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/income/income_tables.py"


HASHED["income"] = expand(rules.income_fit.output.predictions, cell=INCOME_PLAN.cells)
