"""The study `tradeoffs`: accuracy, fairness and adversarial robustness of photo scoring on CelebA."""

from scripts.tradeoffs.plan import Plan, budget_words

TRADEOFFS = config["tradeoffs"]
PLAN = Plan(TRADEOFFS)
FACES = "results/data/faces"
OUT = "results/tradeoffs"


wildcard_constraints:
    run=PLAN.pattern,
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
        f"{OUT}/label_facts.parquet",
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
    wildcard_constraints:
        run=PLAN.trained,
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(4000),
        runtime=growing(240),
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
    wildcard_constraints:
        run=PLAN.trained,
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        gpu=config["gpu"],
        mem_mb=growing(6000),
        runtime=growing(480),
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
        f"{OUT}/comparisons.parquet",
    log:
        f"{OUT}/logs/compare.log",
    benchmark:
        f"{OUT}/benchmarks/compare.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        replicates=TRADEOFFS["bootstrap"],
    script:
        "../scripts/tradeoffs/compare.py"


rule findings:
    input:
        metrics=rules.gather.output.metrics,
        runs=rules.gather.output.runs,
        frontiers=rules.gather.output.frontiers,
        code=code("scripts/tradeoffs/findings.py"),
    output:
        f"{OUT}/findings.parquet",
    log:
        f"{OUT}/logs/findings.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/tradeoffs/findings.py"


rule figure_fairness:
    input:
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        frontiers=gathered("tradeoffs", "frontiers"),
        code=code("scripts/tradeoffs/figure_fairness.py"),
    output:
        figure_files(
            "tradeoffs",
            "fairness_frontier_plain",
            "fairness_frontier_threshold",
            "fairness_frontier_weight",
        ),
    log:
        f"{OUT}/logs/figure_fairness.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/tradeoffs/figure_fairness.py"


rule figure_robustness:
    input:
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        code=code("scripts/tradeoffs/figure_robustness.py"),
    output:
        figure_files("tradeoffs", "robustness_frontier"),
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
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        code=code("scripts/tradeoffs/figure_robustness_by_sex.py"),
    output:
        figure_files("tradeoffs", "robustness_by_sex", "attack_cascade"),
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
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        code=code("scripts/tradeoffs/figure_three_way.py"),
    output:
        figure_files("tradeoffs", "three_way"),
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
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        curves=gathered("tradeoffs", "curves"),
        code=code("scripts/tradeoffs/figure_curves.py"),
    output:
        figure_files("tradeoffs", "training_curves"),
    log:
        f"{OUT}/logs/figure_curves.log",
    conda:
        "../envs/figures.yaml"
    script:
        "../scripts/tradeoffs/figure_curves.py"


rule tables:
    input:
        metrics=gathered("tradeoffs", "metrics"),
        runs=gathered("tradeoffs", "runs"),
        frontiers=gathered("tradeoffs", "frontiers"),
        optimism=gathered("tradeoffs", "optimism"),
        comparisons=gathered("tradeoffs", "comparisons"),
        label_facts=gathered("tradeoffs", "label_facts"),
        code=code("scripts/tradeoffs/tables.py"),
    output:
        table_files(
            "tradeoffs",
            "models",
            "fairness_price",
            "optimism",
            "comparisons",
            "label_facts",
        ),
    log:
        f"{OUT}/logs/tables.log",
    conda:
        "../envs/figures.yaml"
    params:
        threat=PLAN.threats[0],
        budget=budget_words(TRADEOFFS["robustness"]),
    script:
        "../scripts/tradeoffs/tables.py"


HASHED["tradeoffs"] = [
    *expand(rules.train.output.weights, run=PLAN.runs),
    *expand(rules.evaluate.output.predictions, run=[*PLAN.runs, *PLAN.constants]),
]
