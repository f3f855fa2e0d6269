"""Speed relative to plain code, measured in the same run: `make bench`, not part of `all`."""


localrules:
    paper_cost,
    start_up_bench,


# CPU seconds that each rule's processes spend on imports, over the jobs of a preview run; `snakemake start_up_bench`.
rule start_up_bench:
    input:
        code=code("scripts/report/start_up.py"),
    output:
        parquet="results/bench/start_up.parquet",
        table=multiext("results/bench/start_up", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/start_up.log",
    conda:
        "../envs/torch.yaml"
    params:
        root=str(ROOT),
        # A function, so that it is evaluated when all rule files are read.
        scripts=lambda wildcards: {
            rule.name: os.path.relpath(
                os.path.normpath(Path(str(rule.snakefile)).parent / rule.script), ROOT
            )
            for rule in workflow.rules
            if rule.script and rule.script.endswith(".py")
        },
    script:
        "../scripts/report/start_up.py"


# A study's own benchmark is a rule named X_bench in its rule file.
rule bench:
    input:
        [path for rule in workflow.rules if rule.name.endswith("_bench") for path in rule.output],


# Cost of a run at the papers' scale, from the times of this run; goes into docs/cluster.md. Not part of `bench`.
rule paper_cost:
    input:
        manifest=rules.manifest.output.manifest,
        tables=expand("results/data/tabular/{table}.parquet", table=FETCHED_TABLES),
        # Other files that a study's cost.py reads; a function, so that it is evaluated only if the table is made.
        further=lambda wildcards: [path for study in STUDIES for path in studies.cost_inputs(study)],
        configs=[os.path.relpath(ROOT / name) for name in ("config.yaml", "config.paper.yaml")],
        code=code("scripts/report/paper_cost.py"),
    output:
        multiext("results/bench/paper_cost", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/paper_cost.log",
    conda:
        "../envs/torch.yaml"
    params:
        root=str(ROOT),
        home=lambda wildcards: {
            rule.name: Path(str(rule.snakefile)).stem
            for rule in workflow.rules
            if Path(str(rule.snakefile)).stem in STUDIES
        },
    script:
        "../scripts/report/paper_cost.py"
