"""What readers are shown of all studies together."""


rule readme:
    input:
        tables=expand(
            "results/tradeoffs/tables/{name}.md", name=["models", "fairness_price", "optimism"]
        ),
        pictures=[
            "results/data/figures/contact_sheet.png",
            "results/tradeoffs/figures/fairness_frontier_plain.png",
            "results/tradeoffs/figures/robustness_frontier.png",
            "results/tradeoffs/figures/three_way.gif",
        ],
        code=code("scripts/report/readme.py"),
    output:
        touch("results/report/readme.done"),
    log:
        "results/report/logs/readme.log",
    conda:
        "../envs/report.yaml"
    params:
        readme=ROOT / "README.md",
        folder=ROOT / "pictures",
    script:
        "../scripts/report/readme.py"
