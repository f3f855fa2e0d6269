"""The study `imbalance`: class and group imbalance, reduced with synthetic rows."""

from scripts.imbalance.plan import Plan as ImbalancePlan

IMBALANCE = config["imbalance"]
IMBALANCE_PLAN = ImbalancePlan(IMBALANCE)
IMBALANCE_OUT = "results/imbalance"
IMBALANCE_MEASURED = ["metrics", "comparisons", "summary", "splits", "counts", "facts"]


localrules:
    imbalance_figures,
    imbalance_tables,
    imbalance_bench,


def imbalance_generator_files(names):
    """Return the files of some generators, which are imported by name, and what they import."""
    paths = [f"scripts/imbalance/generators/{name}.py" for name in names]
    files = [os.path.relpath(ROOT / path) for path in paths]
    return sorted({*files, *(name for path in paths for name in code(path))})


rule imbalance_generate:
    input:
        table=IMBALANCE_PLAN.table,
        description=lambda wildcards: table_descriptions(IMBALANCE_PLAN.entry(wildcards)["table"]),
        code=code("scripts/imbalance/imbalance_generate.py"),
        generators=lambda wildcards: imbalance_generator_files(IMBALANCE_PLAN.settings(wildcards)),
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
