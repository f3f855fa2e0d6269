"""Speed as ratios against a plain pipeline: `snakemake --cores 1 bench`, not part of `all`."""

import sys


rule bench:
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
        mem_mb=4000,
        runtime=60,
    params:
        # Real photographs are decoded too where this archive is present.
        photographs="../shared/data/celeba/img_align_celeba_6000.zip",
        python=sys.executable,
    script:
        "../scripts/bench/speed.py"
