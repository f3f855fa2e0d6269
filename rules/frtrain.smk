"""The study `frtrain`: fair and robust training against poisoned labels, nine methods."""

from scripts.frtrain.plan import Plan as FrTrainPlan

FRTRAIN = config["frtrain"]
FRTRAIN_PLAN = FrTrainPlan(FRTRAIN)
FRTRAIN_OUT = "results/frtrain"
# as_published uses the first seed of each data set.
FRTRAIN_FIRST = {"synthetic": FRTRAIN["seeds"][0]} | {
    title: FRTRAIN["real"]["seeds"][0] for title in ("COMPAS", "AdultCensus")
}


localrules:
    frtrain_synthetic,
    frtrain_initial,
    frtrain_compile,
    frtrain_draw,
    frtrain_bench,


rule frtrain_synthetic:
    input:
        code=code("scripts/frtrain/frtrain_synthetic.py"),
    output:
        f"{FRTRAIN_OUT}/data/synthetic.parquet",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_synthetic.log",
    conda:
        "../envs/tabular.yaml"
    script:
        "../scripts/frtrain/frtrain_synthetic.py"


rule frtrain_initial:
    input:
        code=code("scripts/frtrain/frtrain_initial.py"),
    output:
        f"{FRTRAIN_OUT}/data/initial.safetensors",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_initial.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    params:
        seeds=FRTRAIN["seeds"],
    script:
        "../scripts/frtrain/frtrain_initial.py"


rule frtrain_compile:
    input:
        code=code("scripts/frtrain/frtrain_compile.py"),
    output:
        f"{FRTRAIN_OUT}/kernels.json",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_compile.log",
    conda:
        "../envs/tabular.yaml"
    script:
        "../scripts/frtrain/frtrain_compile.py"


rule frtrain_fit:
    input:
        table=FRTRAIN_PLAN.table,
        description=lambda wildcards: table_descriptions(*FRTRAIN_PLAN.tables(wildcards.batch)),
        initial=rules.frtrain_initial.output[0],
        kernels=rules.frtrain_compile.output,
        crowd=lambda wildcards: existing(FRTRAIN_PLAN.crowd(wildcards.batch)),
        code=code("scripts/frtrain/frtrain_fit.py"),
    output:
        predictions=f"{FRTRAIN_OUT}/predictions/{{batch}}.parquet",
        runs=f"{FRTRAIN_OUT}/runs/{{batch}}.parquet",
        weights=f"{FRTRAIN_OUT}/models/{{batch}}.safetensors",
        settings=f"{FRTRAIN_OUT}/models/{{batch}}.json",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_fit/{{batch}}.log",
    benchmark:
        f"{FRTRAIN_OUT}/benchmarks/frtrain_fit/{{batch}}.tsv"
    wildcard_constraints:
        batch="|".join(FRTRAIN_PLAN.batches).replace(".", "[.]"),
    priority: FRTRAIN_PLAN.priority
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        settings=FRTRAIN_PLAN.settings,
        crowd=lambda wildcards: content_of(FRTRAIN_PLAN.crowd(wildcards.batch)),
    script:
        "../scripts/frtrain/frtrain_fit.py"


rule frtrain_measure:
    input:
        predictions=expand(rules.frtrain_fit.output.predictions, batch=FRTRAIN_PLAN.batches),
        runs=expand(rules.frtrain_fit.output.runs, batch=FRTRAIN_PLAN.batches),
        code=code("scripts/frtrain/frtrain_measure.py"),
    output:
        metrics=f"{FRTRAIN_OUT}/metrics.parquet",
        runs=f"{FRTRAIN_OUT}/runs.parquet",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_measure.log",
    benchmark:
        f"{FRTRAIN_OUT}/benchmarks/frtrain_measure.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        first_seed=FRTRAIN["seeds"][0],
        replicates=FRTRAIN["bootstrap"],
    script:
        "../scripts/frtrain/frtrain_measure.py"


rule frtrain_compare:
    input:
        predictions=expand(
            rules.frtrain_fit.output.predictions,
            batch=["grid_poisoned", "baselines_clean", "baselines_poisoned"],
        ),
        metrics=rules.frtrain_measure.output.metrics,
        runs=rules.frtrain_measure.output.runs,
        data=rules.frtrain_synthetic.output[0],
        weights=expand(
            rules.frtrain_fit.output.weights,
            batch=["grid_clean", "grid_poisoned", "baselines_clean", "baselines_poisoned"],
        ),
        code=code("scripts/frtrain/frtrain_compare.py"),
    output:
        choices=f"{FRTRAIN_OUT}/choices.parquet",
        summary=f"{FRTRAIN_OUT}/summary.parquet",
        findings=f"{FRTRAIN_OUT}/findings.parquet",
        comparisons=f"{FRTRAIN_OUT}/comparisons.parquet",
        groups=f"{FRTRAIN_OUT}/groups.parquet",
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_compare.log",
    benchmark:
        f"{FRTRAIN_OUT}/benchmarks/frtrain_compare.tsv"
    conda:
        "../envs/tabular.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        lambdas=FRTRAIN["lambdas"],
        first_seeds=FRTRAIN_FIRST,
        replicates=FRTRAIN["bootstrap"],
    script:
        "../scripts/frtrain/frtrain_compare.py"


rule frtrain_draw:
    input:
        metrics=gathered("frtrain", "metrics"),
        groups=gathered("frtrain", "groups"),
        choices=gathered("frtrain", "choices"),
        comparisons=gathered("frtrain", "comparisons"),
        published=os.path.relpath(ROOT / "scripts/frtrain/published.yaml"),
        code=code("scripts/frtrain/frtrain_draw.py"),
    output:
        figures=figure_files(
            "frtrain",
            "methods",
            "tradeoff",
            "poisoning_rate",
            "validation_size",
            "seed_spread",
            "two_groups",
        ),
        tables=table_files(
            "frtrain",
            "synthetic",
            "real",
            "ablations",
            "handover",
            "equalized_odds",
        ),
    log:
        f"{FRTRAIN_OUT}/logs/frtrain_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        lambdas=FRTRAIN["lambdas"],
        seeds=FRTRAIN["seeds"],
        few_seeds=FRTRAIN["few_seeds"],
    script:
        "../scripts/frtrain/frtrain_draw.py"


rule frtrain_all_data:
    input:
        prepared_tables(*FRTRAIN_PLAN.tables(*FRTRAIN_PLAN.batches), files=USER_FILES),
        FRTRAIN_PLAN.crowds(),


rule frtrain_all_predictions:
    input:
        expand(rules.frtrain_fit.output.predictions, batch=FRTRAIN_PLAN.batches),


rule frtrain_all_models:
    input:
        expand(rules.frtrain_fit.output.weights, batch=FRTRAIN_PLAN.batches),
        expand(rules.frtrain_fit.output.settings, batch=FRTRAIN_PLAN.batches),


rule frtrain_bench:
    input:
        code=code("scripts/frtrain/bench.py"),
    output:
        parquet="results/bench/frtrain.parquet",
        table=multiext("results/bench/frtrain", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/frtrain.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    script:
        "../scripts/frtrain/bench.py"
