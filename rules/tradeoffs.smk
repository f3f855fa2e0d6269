"""The study `tradeoffs`: accuracy, fairness and adversarial robustness of photo scoring on CelebA."""

import re

from scripts.tradeoffs.plan import Plan, budget_words

TRADEOFFS = config["tradeoffs"]
PLAN = Plan(TRADEOFFS)
FACES = "results/data/faces"
OUT = "results/tradeoffs"
FIGURE = f"{OUT}/figures/{{name}}.{{kind}}"
KINDS = ["png", "pdf", "parquet"]


wildcard_constraints:
    run="|".join(map(re.escape, [*PLAN.runs, *PLAN.constants])),
    protocol="|".join(PLAN.protocols),


ruleorder: constants > evaluate


rule label:
    input:
        attributes="results/data/celeba/attributes.parquet",
        partitions="results/data/celeba/partitions.parquet",
        code=code("scripts/tradeoffs/label.py"),
    output:
        as_published=f"{OUT}/splits/as_published.parquet",
        corrected=f"{OUT}/splits/corrected.parquet",
    log:
        f"{OUT}/logs/label.log",
    conda:
        "../envs/data.yaml"
    params:
        seed=TRADEOFFS["label_seed"],
        bias=TRADEOFFS["label_bias"],
    script:
        "../scripts/tradeoffs/label.py"


rule label_facts:
    input:
        as_published=rules.label.output.as_published,
        corrected=rules.label.output.corrected,
        code=code("scripts/tradeoffs/label_facts.py"),
    output:
        parquet=f"{OUT}/label_facts.parquet",
        table=multiext(f"{OUT}/tables/label_facts", ".csv", ".md", ".tex"),
    log:
        f"{OUT}/logs/label_facts.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/label_facts.py"


rule train:
    input:
        images=f"{FACES}/images.npy",
        index=f"{FACES}/index.parquet",
        splits=PLAN.splits,
        code=code("scripts/tradeoffs/train.py"),
    output:
        weights=f"{OUT}/models/{{run}}.safetensors",
        settings=f"{OUT}/models/{{run}}.json",
        curve=f"{OUT}/curves/{{run}}.parquet",
    log:
        f"{OUT}/logs/train/{{run}}.log",
    benchmark:
        f"{OUT}/benchmarks/train/{{run}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=4000,
        runtime=240,
    params:
        settings=PLAN.settings,
        checkpoints=f"{OUT}/checkpoints/{{run}}",
    script:
        "../scripts/tradeoffs/train.py"


rule evaluate:
    input:
        images=rules.train.input.images,
        index=rules.train.input.index,
        splits=PLAN.splits,
        weights=rules.train.output.weights,
        code=code("scripts/tradeoffs/evaluate.py"),
    output:
        predictions=f"{OUT}/predictions/{{run}}.parquet",
        attacks=f"{OUT}/attacks/{{run}}.parquet",
    log:
        f"{OUT}/logs/evaluate/{{run}}.log",
    benchmark:
        f"{OUT}/benchmarks/evaluate/{{run}}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=6000,
        runtime=480,
    params:
        settings=PLAN.settings,
        parts=PLAN.parts,
        robustness=TRADEOFFS["robustness"],
    script:
        "../scripts/tradeoffs/evaluate.py"


rule constants:
    input:
        unpack(PLAN.template),
        code=code("scripts/tradeoffs/constants.py"),
    output:
        reject_predictions=f"{OUT}/predictions/{{protocol}}.constant_reject.parquet",
        reject_attacks=f"{OUT}/attacks/{{protocol}}.constant_reject.parquet",
        accept_predictions=f"{OUT}/predictions/{{protocol}}.constant_accept.parquet",
        accept_attacks=f"{OUT}/attacks/{{protocol}}.constant_accept.parquet",
    log:
        f"{OUT}/logs/constants/{{protocol}}.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/constants.py"


rule measure:
    input:
        predictions=f"{OUT}/predictions/{{run}}.parquet",
        attacks=f"{OUT}/attacks/{{run}}.parquet",
        dataset=f"{FACES}/dataset.json",
        code=code("scripts/tradeoffs/measure.py"),
    output:
        metrics=f"{OUT}/metrics/{{run}}.parquet",
        frontier=f"{OUT}/frontiers/{{run}}.parquet",
        optimism=f"{OUT}/optimism/{{run}}.parquet",
    log:
        f"{OUT}/logs/measure/{{run}}.log",
    conda:
        "../envs/data.yaml"
    params:
        study="tradeoffs",
        identity=PLAN.identity,
        replicates=TRADEOFFS["bootstrap"],
    script:
        "../scripts/tradeoffs/measure.py"


rule gather:
    input:
        metrics=expand(rules.measure.output.metrics, run=[*PLAN.runs, *PLAN.constants]),
        settings=expand(rules.train.output.settings, run=PLAN.runs),
        curves=expand(rules.train.output.curve, run=PLAN.runs),
        frontiers=expand(rules.measure.output.frontier, run=PLAN.runs),
        optimism=expand(rules.measure.output.optimism, run=PLAN.runs),
        code=code("scripts/tradeoffs/gather.py"),
    output:
        metrics=f"{OUT}/metrics.parquet",
        runs=f"{OUT}/runs.parquet",
        curves=f"{OUT}/curves.parquet",
        frontiers=f"{OUT}/frontiers.parquet",
        optimism=f"{OUT}/optimism.parquet",
    log:
        f"{OUT}/logs/gather.log",
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/tradeoffs/gather.py"


rule compare:
    input:
        predictions=expand(rules.evaluate.output.predictions, run=PLAN.runs),
        runs=rules.gather.output.runs,
        frontiers=rules.gather.output.frontiers,
        code=code("scripts/tradeoffs/compare.py"),
    output:
        parquet=f"{OUT}/comparisons.parquet",
        table=multiext(f"{OUT}/tables/comparisons", ".csv", ".md", ".tex"),
    log:
        f"{OUT}/logs/compare.log",
    conda:
        "../envs/data.yaml"
    params:
        replicates=TRADEOFFS["bootstrap"],
    script:
        "../scripts/tradeoffs/compare.py"


rule figure_fairness:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        frontiers=rules.gather.output.frontiers,
        code=code("scripts/tradeoffs/figure_fairness.py"),
    output:
        expand(
            FIGURE,
            name=[
                "fairness_frontier_plain",
                "fairness_frontier_threshold",
                "fairness_frontier_weight",
            ],
            kind=KINDS,
        ),
    log:
        f"{OUT}/logs/figure_fairness.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/tradeoffs/figure_fairness.py"


rule figure_robustness:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        code=code("scripts/tradeoffs/figure_robustness.py"),
    output:
        expand(FIGURE, name=["robustness_frontier"], kind=KINDS),
    log:
        f"{OUT}/logs/figure_robustness.log",
    conda:
        "../envs/figures.yaml"
    params:
        threat=PLAN.threats[0],
        budget=budget_words(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/figure_robustness.py"


rule figure_robustness_by_sex:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        code=code("scripts/tradeoffs/figure_robustness_by_sex.py"),
    output:
        expand(FIGURE, name=["robustness_by_sex", "attack_cascade"], kind=KINDS),
    log:
        f"{OUT}/logs/figure_robustness_by_sex.log",
    conda:
        "../envs/figures.yaml"
    params:
        threats=PLAN.threats,
        budget=budget_words(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/figure_robustness_by_sex.py"


rule figure_three_way:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        code=code("scripts/tradeoffs/figure_three_way.py"),
    output:
        expand(FIGURE, name=["three_way"], kind=[*KINDS, "gif", "html"]),
    log:
        f"{OUT}/logs/figure_three_way.log",
    conda:
        "../envs/figures.yaml"
    params:
        frames=TRADEOFFS["animation_frames"],
        threat=PLAN.threats[0],
        budget=budget_words(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/figure_three_way.py"


rule figure_curves:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        curves=rules.gather.output.curves,
        code=code("scripts/tradeoffs/figure_curves.py"),
    output:
        expand(FIGURE, name=["training_curves"], kind=KINDS),
    log:
        f"{OUT}/logs/figure_curves.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/tradeoffs/figure_curves.py"


rule table_models:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        frontiers=rules.gather.output.frontiers,
        optimism=rules.gather.output.optimism,
        code=code("scripts/tradeoffs/table_models.py"),
    output:
        expand(
            f"{OUT}/tables/{{name}}.{{kind}}",
            name=["models", "fairness_price", "optimism"],
            kind=["csv", "md", "tex"],
        ),
    log:
        f"{OUT}/logs/table_models.log",
    conda:
        "../envs/figures.yaml"
    params:
        threat=PLAN.threats[0],
        budget=budget_words(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/table_models.py"


TRADEOFFS_TARGETS = [
    rules.label_facts.output,
    rules.compare.output,
    rules.figure_fairness.output,
    rules.figure_robustness.output,
    rules.figure_robustness_by_sex.output,
    rules.figure_three_way.output,
    rules.figure_curves.output,
    rules.table_models.output,
]
