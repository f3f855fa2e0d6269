"""What the README shows of all studies together."""


localrules:
    rulegraph,
    readme,


rule rulegraph:
    input:
        snakefile=os.path.relpath(ROOT / "Snakefile"),
        rules=sorted(os.path.relpath(path) for path in ROOT.glob("rules/*.smk")),
        config=os.path.relpath(ROOT / "config.yaml"),
        code=code("scripts/report/rulegraph.py"),
    output:
        "results/report/rulegraph.md",
    log:
        "results/report/logs/rulegraph.log",
    conda:
        "../envs/report.yaml"
    params:
        # Manifest and report are left out: everything flows into them.
        files=lambda wildcards: {
            rule.name: Path(str(rule.snakefile)).stem
            for rule in workflow.rules
            if Path(str(rule.snakefile)).stem in ["data", *STUDIES, "claims"]
        },
    script:
        "../scripts/report/rulegraph.py"


rule readme:
    input:
        claims=rules.claims.output.claims,
        graph=rules.rulegraph.output[0],
        # Half an hour of tests: `make faults` renews this copy. Where it never ran, the README says so.
        faults=[os.path.relpath(path) for path in ROOT.glob("releases/faults.csv")],
        tables=[
            f"results/{study}/tables/{name}.md"
            for study in STUDIES
            for name in studies.shown_in_readme(study, ROOT, "tables")
        ],
        pictures=[
            *(path for path in DATA_TARGETS if path.endswith(".png")),
            *(
                studies.picture_path(study, name, ROOT)
                for study in STUDIES
                for name in studies.shown_in_readme(study, ROOT, "figures")
            ),
        ],
        code=code("scripts/report/readme.py"),
    output:
        touch("results/report/readme.done"),
    log:
        "results/report/logs/readme.log",
    conda:
        "../envs/report.yaml"
    params:
        root=str(ROOT),
        studies=STUDIES,
    script:
        "../scripts/report/readme.py"
