"""The study `boosting`: fairness-aware boosting for one and for several attributes."""

from scripts.boosting.plan import Plan as BoostingPlan

BOOSTING = config["boosting"]
BOOSTING_PLAN = BoostingPlan(BOOSTING)
BOOSTING_OUT = "results/boosting"
BOOSTING_MEASURED = ["metrics", "comparisons", "summary", "rounds", "candidates", "masses"]
BOOSTING_MEASURED += ["facts", "stages"]


localrules:
    boosting_compile,
    boosting_golden,
    boosting_two_stages,
    boosting_onnx,
    boosting_draw,
    boosting_bench,


rule boosting_compile:
    input:
        code=code("scripts/boosting/boosting_compile.py"),
    output:
        f"{BOOSTING_OUT}/kernel.json",
    log:
        f"{BOOSTING_OUT}/logs/boosting_compile.log",
    conda:
        "../envs/tabular.yaml"
    script:
        "../scripts/boosting/boosting_compile.py"


rule boosting_golden:
    input:
        wheel=f"results/data/packages/{ATTRIBUTE_WHEEL}",
        kernel=rules.boosting_compile.output,
        code=code("scripts/boosting/boosting_golden.py"),
        expected=os.path.relpath(ROOT / "scripts/boosting/golden.yaml"),
    output:
        f"{BOOSTING_OUT}/golden.parquet",
    log:
        f"{BOOSTING_OUT}/logs/boosting_golden.log",
    conda:
        "../envs/tabular.yaml"
    threads: 1
    params:
        sha256=SOURCES["packages"][ATTRIBUTE_WHEEL]["members"]["adult.csv.zip"],
    script:
        "../scripts/boosting/boosting_golden.py"


rule boosting_fit:
    input:
        table=BOOSTING_PLAN.table,
        description=lambda wildcards: table_descriptions(BOOSTING_PLAN.settings(wildcards)["table"]),
        kernel=rules.boosting_compile.output,
        code=code("scripts/boosting/boosting_fit.py"),
    output:
        predictions=f"{BOOSTING_OUT}/predictions/{{cell}}.parquet",
        runs=f"{BOOSTING_OUT}/cells/{{cell}}.runs.parquet",
        rounds=f"{BOOSTING_OUT}/cells/{{cell}}.rounds.parquet",
        stumps=f"{BOOSTING_OUT}/models/{{cell}}.stumps.json",
        gradient=f"{BOOSTING_OUT}/models/{{cell}}.gradient.json",
    log:
        f"{BOOSTING_OUT}/logs/boosting_fit/{{cell}}.log",
    benchmark:
        f"{BOOSTING_OUT}/benchmarks/boosting_fit/{{cell}}.tsv"
    wildcard_constraints:
        cell="|".join(map(re.escape, BOOSTING_PLAN.cells)),
    priority: BOOSTING_PLAN.priority
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        entry=BOOSTING_PLAN.settings,
        study=BOOSTING_PLAN.training,
    script:
        "../scripts/boosting/boosting_fit.py"


rule boosting_two_stages:
    input:
        kernel=rules.boosting_compile.output,
        code=code("scripts/boosting/boosting_two_stages.py"),
    output:
        f"{BOOSTING_OUT}/predictions/two_stages.parquet",
    log:
        f"{BOOSTING_OUT}/logs/boosting_two_stages.log",
    conda:
        "../envs/tabular.yaml"
    threads: 1
    params:
        rows=BOOSTING["two_stages"]["rows"],
        rounds=BOOSTING["two_stages"]["rounds"],
        seeds=BOOSTING["seeds"],
    script:
        "../scripts/boosting/boosting_two_stages.py"


rule boosting_measure:
    input:
        predictions=expand(rules.boosting_fit.output.predictions, cell=BOOSTING_PLAN.cells),
        runs=expand(rules.boosting_fit.output.runs, cell=BOOSTING_PLAN.cells),
        rounds=expand(rules.boosting_fit.output.rounds, cell=BOOSTING_PLAN.cells),
        stages=rules.boosting_two_stages.output,
        descriptions=table_descriptions(*BOOSTING_PLAN.tables),
        code=code("scripts/boosting/boosting_measure.py"),
    output:
        **{name: f"{BOOSTING_OUT}/{name}.parquet" for name in BOOSTING_MEASURED},
    log:
        f"{BOOSTING_OUT}/logs/boosting_measure.log",
    benchmark:
        f"{BOOSTING_OUT}/benchmarks/boosting_measure.tsv"
    conda:
        "../envs/tabular.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        minimum=BOOSTING["smallest_cell"],
        replicates=BOOSTING["bootstrap"],
    script:
        "../scripts/boosting/boosting_measure.py"


rule boosting_onnx:
    input:
        gradient=expand(rules.boosting_fit.output.gradient, cell=BOOSTING_PLAN.cells),
        code=code("scripts/boosting/boosting_onnx.py"),
    output:
        expand(f"{BOOSTING_OUT}/models/{{cell}}.onnx", cell=BOOSTING_PLAN.cells),
    log:
        f"{BOOSTING_OUT}/logs/boosting_onnx.log",
    conda:
        "../envs/tabular.yaml"
    threads: 1
    params:
        runs=BOOSTING_PLAN.exported,
    script:
        "../scripts/boosting/boosting_onnx.py"


rule boosting_draw:
    input:
        summary=gathered("boosting", "summary"),
        rounds=gathered("boosting", "rounds"),
        candidates=gathered("boosting", "candidates"),
        masses=gathered("boosting", "masses"),
        facts=gathered("boosting", "facts"),
        stages=gathered("boosting", "stages"),
        comparisons=gathered("boosting", "comparisons"),
        golden=gathered("boosting", "golden"),
        published=os.path.relpath(ROOT / "scripts/boosting/published.yaml"),
        html=html_files("boosting/html"),
        code=code("scripts/boosting/boosting_draw.py"),
    output:
        figures=figure_files(
            "boosting",
            "rounds",
            "methods",
            "several_attributes",
            "fronts",
            "weights",
            "two_stages",
        ),
        tables=table_files(
            "boosting",
            "package",
            "published",
            "arms_one",
            "arms_several",
            "differences",
            "stages",
        ),
    log:
        f"{BOOSTING_OUT}/logs/boosting_draw.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/boosting/boosting_draw.py"


rule boosting_all_data:
    input:
        f"results/data/packages/{ATTRIBUTE_WHEEL}",
        prepared_tables(*BOOSTING_PLAN.tables, files=USER_FILES),


rule boosting_all_predictions:
    input:
        expand(rules.boosting_fit.output.predictions, cell=BOOSTING_PLAN.cells),
        rules.boosting_two_stages.output,


rule boosting_all_models:
    input:
        expand(rules.boosting_fit.output.stumps, cell=BOOSTING_PLAN.cells),
        expand(rules.boosting_fit.output.gradient, cell=BOOSTING_PLAN.cells),
        rules.boosting_onnx.output,


rule boosting_bench:
    input:
        table="results/data/tabular/adult.parquet",
        description=table_descriptions("adult"),
        code=code("scripts/boosting/bench.py"),
    output:
        parquet="results/bench/boosting.parquet",
        table=multiext("results/bench/boosting", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/boosting.log",
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    script:
        "../scripts/boosting/bench.py"
