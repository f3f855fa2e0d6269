"""The study `multitask`: networks of several tasks, and whether sharing costs accuracy or fairness."""

from scripts.multitask.plan import Plan as MultitaskPlan
from scripts.multitask.sources import SOURCES as MULTITASK_SOURCES

MULTITASK = config["multitask"]
MULTITASK_PLAN = MultitaskPlan(MULTITASK)
MULTITASK_OUT = "results/multitask"
MULTITASK_KINDS = ["predictions", "runs", "curves", "branchings", "alignments"]
MULTITASK_MEASURED = ["metrics", "comparisons", "summary", "curves", "branchings"]
MULTITASK_MEASURED += ["alignments", "runs", "facts"]
MULTITASK_CAUSES = ["conflicts", "teacher", "alignment", "faults"]


localrules:
    multitask_prepare,
    multitask_draw,
    multitask_causes_draw,
    multitask_bench,


rule multitask_prepare:
    input:
        files=MULTITASK_PLAN.source_files,
        descriptions=lambda wildcards: table_descriptions(*MULTITASK_PLAN.table_of(wildcards)),
        code=code("scripts/multitask/multitask_prepare.py"),
        source=lambda wildcards: named_code(
            "scripts/multitask/sources",
            [MULTITASK_SOURCES[MULTITASK_PLAN.datasets[wildcards.dataset]["source"]]],
        ),
    output:
        f"{MULTITASK_OUT}/data/{{dataset}}.parquet",
    log:
        f"{MULTITASK_OUT}/logs/multitask_prepare/{{dataset}}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, MULTITASK_PLAN.datasets)),
    priority: 1_000_000  # short, and the longest jobs wait for it
    conda:
        "../envs/data.yaml"
    params:
        settings=MULTITASK_PLAN.source_settings,
        content=lambda wildcards: contents_of(MULTITASK_PLAN.users_files(wildcards)),
    script:
        "../scripts/multitask/multitask_prepare.py"


rule multitask_fit:
    input:
        people=MULTITASK_PLAN.people,
        code=code("scripts/multitask/multitask_fit.py"),
        methods=lambda wildcards: named_code("scripts/multitask", MULTITASK_PLAN.modules(wildcards)),
    output:
        predictions=f"{MULTITASK_OUT}/predictions/{{job}}.parquet",
        runs=f"{MULTITASK_OUT}/runs/{{job}}.parquet",
        curves=f"{MULTITASK_OUT}/curves/{{job}}.parquet",
        branchings=f"{MULTITASK_OUT}/branchings/{{job}}.parquet",
        alignments=f"{MULTITASK_OUT}/alignments/{{job}}.parquet",
        seconds=f"{MULTITASK_OUT}/seconds/{{job}}.json",
    log:
        f"{MULTITASK_OUT}/logs/multitask_fit/{{job}}.log",
    benchmark:
        f"{MULTITASK_OUT}/benchmarks/multitask_fit/{{job}}.tsv"
    wildcard_constraints:
        job="|".join(map(re.escape, MULTITASK_PLAN.jobs)),
    priority: MULTITASK_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        settings=MULTITASK_PLAN.settings,
    script:
        "../scripts/multitask/multitask_fit.py"


rule multitask_measure:
    input:
        **{
            kind: expand(f"{MULTITASK_OUT}/{kind}/{{job}}.parquet", job=MULTITASK_PLAN.jobs)
            for kind in MULTITASK_KINDS
        },
        people=expand(rules.multitask_prepare.output, dataset=MULTITASK_PLAN.datasets),
        code=code("scripts/multitask/multitask_measure.py"),
    output:
        **{name: f"{MULTITASK_OUT}/{name}.parquet" for name in MULTITASK_MEASURED},
    log:
        f"{MULTITASK_OUT}/logs/multitask_measure.log",
    benchmark:
        f"{MULTITASK_OUT}/benchmarks/multitask_measure.tsv"
    conda:
        "../envs/tabular.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        datasets=[*MULTITASK_PLAN.datasets],
        jobs=[job.dataset for job in MULTITASK_PLAN.jobs.values()],
    script:
        "../scripts/multitask/multitask_measure.py"


rule multitask_draw:
    input:
        **{name: gathered("multitask", name) for name in MULTITASK_MEASURED},
        published=os.path.relpath(ROOT / "scripts/multitask/published.yaml"),
        html=html_files("multitask/html"),
        code=code("scripts/multitask/multitask_draw.py"),
    output:
        figures=figure_files("multitask", "plane", "tasks", "tree"),
        tables=table_files("multitask", "transfer", "faults", "ablations", "teacher", "tasks"),
    log:
        f"{MULTITASK_OUT}/logs/multitask_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        shown=MULTITASK_MEASURED,
        figures=["plane", "tasks", "tree"],
    script:
        "../scripts/multitask/multitask_draw.py"


rule multitask_causes_draw:
    input:
        **{name: gathered("multitask", name) for name in MULTITASK_MEASURED},
        published=os.path.relpath(ROOT / "scripts/multitask/published.yaml"),
        code=code("scripts/multitask/multitask_causes_draw.py"),
    output:
        figure_files("multitask", *MULTITASK_CAUSES),
    log:
        f"{MULTITASK_OUT}/logs/multitask_causes_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        shown=MULTITASK_MEASURED,
        figures=MULTITASK_CAUSES,
    script:
        "../scripts/multitask/multitask_causes_draw.py"


rule multitask_all_data:
    input:
        prepared_tables(*MULTITASK_PLAN.tables, files=USER_FILES),
        MULTITASK_PLAN.other_files,


rule multitask_all_predictions:
    input:
        expand(rules.multitask_fit.output.predictions, job=MULTITASK_PLAN.jobs),


rule multitask_bench:
    input:
        people=f"{MULTITASK_OUT}/data/adult.parquet",
        code=code("scripts/multitask/bench.py"),
    output:
        parquet="results/bench/multitask.parquet",
        table=multiext("results/bench/multitask", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/multitask.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    script:
        "../scripts/multitask/bench.py"
