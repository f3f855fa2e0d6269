"""Speed as ratios against plain code in the same run: `make bench`, not part of `all`."""

import sys


rule bench_photographs:
    input:
        code=code("scripts/bench/speed.py"),
    output:
        parquet="results/bench/speed.parquet",
        table=multiext("results/bench/speed", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/speed.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        # Real photographs are decoded too where this archive is present.
        photographs="../shared/data/celeba/img_align_celeba_6000.zip",
        python=sys.executable,
    script:
        "../scripts/bench/speed.py"


# A study's own benchmark is a rule named bench_X in its rule file.
rule bench:
    input:
        [path for rule in workflow.rules if rule.name.startswith("bench_") for path in rule.output],


# What a run at the papers' scale costs, from this run's times; it goes into the README. Not part of `bench`.
rule paper_cost:
    input:
        manifest=rules.manifest.output.manifest,
        tables=expand(
            "results/data/tabular/{table}.parquet",
            table=["adult", "adult_all", "compas", "german"],
        ),
        splits=rules.label.output,
        configs=[os.path.relpath(ROOT / name) for name in ("config.yaml", "config.paper.yaml")],
        code=code("scripts/bench/paper_cost.py"),
    output:
        multiext("results/bench/paper_cost", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/paper_cost.log",
    conda:
        "../envs/torch.yaml"
    params:
        root=str(ROOT),
        protocols=list(rules.label.output.keys()),
        home=lambda wildcards: {
            rule.name: Path(str(rule.snakefile)).stem
            for rule in workflow.rules
            if Path(str(rule.snakefile)).stem in STUDIES
        },
    script:
        "../scripts/bench/paper_cost.py"
