"""The study `tradeoffs`: accuracy, fairness and adversarial robustness of photo scoring on CelebA."""

from scripts.tradeoffs.plan import Plan as TradeoffsPlan
from scripts.tradeoffs.plan import budget_words as tradeoffs_budget

TRADEOFFS = config["tradeoffs"]
TRADEOFFS_PLAN = TradeoffsPlan(TRADEOFFS)
TRADEOFFS_FACES = "results/data/faces"
TRADEOFFS_OUT = "results/tradeoffs"


localrules:
    tradeoffs_label,
    tradeoffs_label_facts,
    tradeoffs_constants,
    tradeoffs_measure,
    tradeoffs_gather,
    tradeoffs_draw,
    tradeoffs_figure_three_way,
    tradeoffs_bench,


ruleorder: tradeoffs_constants > tradeoffs_evaluate


rule tradeoffs_label:
    input:
        attributes="results/data/celeba/attributes.parquet",
        partitions="results/data/celeba/partitions.parquet",
        code=code("scripts/tradeoffs/tradeoffs_label.py"),
    output:
        as_published=f"{TRADEOFFS_OUT}/splits/as_published.parquet",
        corrected=f"{TRADEOFFS_OUT}/splits/corrected.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_label.log",
    priority: 10_000_000
    conda:
        "../envs/data.yaml"
    params:
        seed=TRADEOFFS["label_seed"],
        bias=TRADEOFFS["label_bias"],
    script:
        "../scripts/tradeoffs/tradeoffs_label.py"


rule tradeoffs_label_facts:
    input:
        as_published=rules.tradeoffs_label.output.as_published,
        corrected=rules.tradeoffs_label.output.corrected,
        code=code("scripts/tradeoffs/tradeoffs_label_facts.py"),
    output:
        f"{TRADEOFFS_OUT}/label_facts.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_label_facts.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/tradeoffs_label_facts.py"


rule tradeoffs_train:
    input:
        images=f"{TRADEOFFS_FACES}/images.npy",
        index=f"{TRADEOFFS_FACES}/index.parquet",
        splits=TRADEOFFS_PLAN.splits,
        code=code("scripts/tradeoffs/tradeoffs_train.py"),
    output:
        weights=f"{TRADEOFFS_OUT}/models/{{job}}.safetensors",
        settings=f"{TRADEOFFS_OUT}/models/{{job}}.json",
        curve=f"{TRADEOFFS_OUT}/curves/{{job}}.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_train/{{job}}.log",
    benchmark:
        f"{TRADEOFFS_OUT}/benchmarks/tradeoffs_train/{{job}}.tsv"
    wildcard_constraints:
        job=TRADEOFFS_PLAN.trained,
    priority: 10_000_000  # the longest chain of the preview begins first, above all other studies
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        runs=TRADEOFFS_PLAN.settings,
        checkpoints=f"{TRADEOFFS_OUT}/checkpoints/{{job}}",
    script:
        "../scripts/tradeoffs/tradeoffs_train.py"


rule tradeoffs_evaluate:
    input:
        images=rules.tradeoffs_train.input.images,
        index=rules.tradeoffs_train.input.index,
        splits=TRADEOFFS_PLAN.splits,
        weights=rules.tradeoffs_train.output.weights,
        code=code("scripts/tradeoffs/tradeoffs_evaluate.py"),
    output:
        predictions=f"{TRADEOFFS_OUT}/predictions/{{job}}.parquet",
        attacks=f"{TRADEOFFS_OUT}/attacks/{{job}}.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_evaluate/{{job}}.log",
    benchmark:
        f"{TRADEOFFS_OUT}/benchmarks/tradeoffs_evaluate/{{job}}.tsv"
    wildcard_constraints:
        job=TRADEOFFS_PLAN.trained,
    priority: 9_000_000
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(6000),
        runtime=growing(480),
    params:
        runs=TRADEOFFS_PLAN.settings,
        parts=TRADEOFFS_PLAN.parts,
        robustness=TRADEOFFS["robustness"],
        finished=f"{TRADEOFFS_OUT}/checkpoints/evaluate.{{job}}",
    script:
        "../scripts/tradeoffs/tradeoffs_evaluate.py"


rule tradeoffs_constants:
    input:
        unpack(TRADEOFFS_PLAN.template),
        code=code("scripts/tradeoffs/tradeoffs_constants.py"),
    output:
        reject_predictions=f"{TRADEOFFS_OUT}/predictions/{{protocol}}.constant_reject.parquet",
        reject_attacks=f"{TRADEOFFS_OUT}/attacks/{{protocol}}.constant_reject.parquet",
        accept_predictions=f"{TRADEOFFS_OUT}/predictions/{{protocol}}.constant_accept.parquet",
        accept_attacks=f"{TRADEOFFS_OUT}/attacks/{{protocol}}.constant_accept.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_constants/{{protocol}}.log",
    wildcard_constraints:
        protocol="|".join(TRADEOFFS_PLAN.protocols),
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/tradeoffs_constants.py"


rule tradeoffs_measure:
    input:
        predictions=TRADEOFFS_PLAN.files("predictions"),
        attacks=TRADEOFFS_PLAN.files("attacks"),
        dataset=f"{TRADEOFFS_FACES}/dataset.json",
        code=code("scripts/tradeoffs/tradeoffs_measure.py"),
    output:
        metrics=f"{TRADEOFFS_OUT}/metrics/{{job}}.parquet",
        frontier=f"{TRADEOFFS_OUT}/frontiers/{{job}}.parquet",
        optimism=f"{TRADEOFFS_OUT}/optimism/{{job}}.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_measure/{{job}}.log",
    wildcard_constraints:
        job=TRADEOFFS_PLAN.pattern,
    conda:
        "../envs/data.yaml"
    params:
        study="tradeoffs",
        identities=TRADEOFFS_PLAN.identities,
        replicates=TRADEOFFS["bootstrap"],
    script:
        "../scripts/tradeoffs/tradeoffs_measure.py"


rule tradeoffs_gather:
    input:
        metrics=expand(
            rules.tradeoffs_measure.output.metrics,
            job=[*TRADEOFFS_PLAN.jobs, *TRADEOFFS_PLAN.constants],
        ),
        settings=expand(rules.tradeoffs_train.output.settings, job=TRADEOFFS_PLAN.jobs),
        curves=expand(rules.tradeoffs_train.output.curve, job=TRADEOFFS_PLAN.jobs),
        frontiers=expand(rules.tradeoffs_measure.output.frontier, job=TRADEOFFS_PLAN.jobs),
        optimism=expand(rules.tradeoffs_measure.output.optimism, job=TRADEOFFS_PLAN.jobs),
        code=code("scripts/tradeoffs/tradeoffs_gather.py"),
    output:
        metrics=f"{TRADEOFFS_OUT}/metrics.parquet",
        runs=f"{TRADEOFFS_OUT}/runs.parquet",
        curves=f"{TRADEOFFS_OUT}/curves.parquet",
        frontiers=f"{TRADEOFFS_OUT}/frontiers.parquet",
        optimism=f"{TRADEOFFS_OUT}/optimism.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_gather.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/tradeoffs_gather.py"


rule tradeoffs_compare:
    input:
        predictions=expand(rules.tradeoffs_evaluate.output.predictions, job=TRADEOFFS_PLAN.jobs),
        metrics=rules.tradeoffs_gather.output.metrics,
        runs=rules.tradeoffs_gather.output.runs,
        frontiers=rules.tradeoffs_gather.output.frontiers,
        dataset=f"{TRADEOFFS_FACES}/dataset.json",
        code=code("scripts/tradeoffs/tradeoffs_compare.py"),
    output:
        comparisons=f"{TRADEOFFS_OUT}/comparisons.parquet",
        findings=f"{TRADEOFFS_OUT}/findings.parquet",
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_compare.log",
    benchmark:
        f"{TRADEOFFS_OUT}/benchmarks/tradeoffs_compare.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        replicates=TRADEOFFS["bootstrap"],
    script:
        "../scripts/tradeoffs/tradeoffs_compare.py"


rule tradeoffs_draw:
    input:
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        curves=gathered("tradeoffs", "curves"),
        frontiers=gathered("tradeoffs", "frontiers"),
        optimism=gathered("tradeoffs", "optimism"),
        comparisons=gathered("tradeoffs", "comparisons"),
        label_facts=gathered("tradeoffs", "label_facts"),
        published=os.path.relpath(ROOT / "scripts/tradeoffs/published.yaml"),
        code=code("scripts/tradeoffs/tradeoffs_draw.py"),
    output:
        figures=figure_files(
            "tradeoffs",
            "fairness_frontier_plain",
            "fairness_frontier_threshold",
            "fairness_frontier_weight",
            "robustness_frontier",
            "robustness_by_sex",
            "attack_cascade",
            "training_curves",
        ),
        tables=table_files(
            "tradeoffs",
            "models",
            "fairness_price",
            "optimism",
            "comparisons",
            "label_facts",
        ),
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_draw.log",
    conda:
        "../envs/figures.yaml"
    params:
        threats=TRADEOFFS_PLAN.threats,
        budget=tradeoffs_budget(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/tradeoffs_draw.py"


rule tradeoffs_figure_three_way:
    input:
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        html=html_files("tradeoffs/html"),
        code=code("scripts/tradeoffs/tradeoffs_figure_three_way.py"),
    output:
        figure_files("tradeoffs", "three_way"),
    log:
        f"{TRADEOFFS_OUT}/logs/tradeoffs_figure_three_way.log",
    conda:
        "../envs/figures.yaml"
    params:
        frames=TRADEOFFS["animation_frames"],
        threat=TRADEOFFS_PLAN.threats[0],
        budget=tradeoffs_budget(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/tradeoffs_figure_three_way.py"


rule tradeoffs_all_data:
    input:
        FACE_FILES,


rule tradeoffs_all_predictions:
    input:
        expand(
            f"{TRADEOFFS_OUT}/predictions/{{name}}.parquet",
            name=[*TRADEOFFS_PLAN.jobs, *sum(TRADEOFFS_PLAN.constants.values(), [])],
        ),


rule tradeoffs_all_models:
    input:
        expand(rules.tradeoffs_train.output.weights, job=TRADEOFFS_PLAN.jobs),
        expand(rules.tradeoffs_train.output.settings, job=TRADEOFFS_PLAN.jobs),


rule tradeoffs_bench:
    input:
        code=code("scripts/tradeoffs/bench/speed.py"),
    output:
        parquet="results/bench/tradeoffs.parquet",
        table=multiext("results/bench/tradeoffs", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/tradeoffs.log",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        # If this archive is present, real photographs are decoded too.
        photographs="../shared/data/celeba/img_align_celeba_6000.zip",
        python=sys.executable,
    script:
        "../scripts/tradeoffs/bench/speed.py"
