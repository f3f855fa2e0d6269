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
