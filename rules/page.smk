"""The page for readers, `results/report.html`, and the first text of Snakemake's own report."""

from scripts.provenance.made_by import made_by

SHOWN = [path for paths in PROMISED.values() for path in paths]


localrules:
    report,


report: "../scripts/report/workflow.rst"


rule report:
    input:
        claims=rules.claims.output.claims,
        tolerance=rules.claims_draw.output.tolerance,
        by_study=rules.claims_draw.output.by_study,
        manifest="results/manifest.json",
        metrics=[gathered(study, "metrics") for study in IN_ORDER],
        promised=SHOWN,
        studies=[os.path.relpath(ROOT / f"scripts/{study}/study.yaml") for study in STUDIES],
        captions=[
            os.path.relpath(path)
            for study in STUDIES
            for path in studies.caption_paths(study, ROOT)
        ],
        html=html_files("report"),
        licence=os.path.relpath(ROOT / "LICENSE"),
        code=code("scripts/report/page.py"),
    output:
        "results/report.html",
    log:
        "results/report/logs/report.log",
    conda:
        "../envs/report.yaml"
    params:
        root=os.path.relpath(ROOT),
        studies=IN_ORDER,
        # Origin of the figures and tables; this file is included last, so all rules are known.
        made_by=made_by(
            workflow.rules,
            [*SHOWN, *rules.claims_draw.output],
            ROOT,
        ),
    script:
        "../scripts/report/page.py"
