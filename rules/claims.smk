"""Claims of the sources and their verdicts, one line per claim of every study."""


localrules:
    claims,
    claims_draw,


rule claims:
    input:
        claims=[os.path.relpath(ROOT / f"scripts/{study}/claims.yaml") for study in STUDIES],
        released=[gathered(study, name) for study in STUDIES for name in RELEASED[study]],
        # The documents that state the claims, and the published numbers.
        studies=[os.path.relpath(ROOT / f"scripts/{study}/study.yaml") for study in STUDIES],
        published=[
            os.path.relpath(path)
            for study in STUDIES
            if (path := ROOT / f"scripts/{study}/published.yaml").exists()
        ],
        schema=os.path.relpath(ROOT / "scripts/claims/claims.schema.yaml"),
        code=code("scripts/claims/claims.py"),
    output:
        claims="results/claims.parquet",
        tables=expand(
            "results/report/tables/{name}.{kind}",
            name=["verdicts", "claims"],
            kind=studies.TABLE_KINDS,
        ),
    log:
        "results/report/logs/claims.log",
    conda:
        "../envs/report.yaml"
    params:
        settings={study: config[study] for study in STUDIES},
    script:
        "../scripts/claims/claims.py"


rule claims_draw:
    input:
        claims=rules.claims.output.claims,
        code=code("scripts/claims/claims_draw.py"),
    output:
        tolerance=expand(
            "results/report/figures/claims_by_tolerance.{kind}", kind=studies.FIGURE_KINDS
        ),
        by_study=expand("results/report/figures/claims_by_study.{kind}", kind=studies.FIGURE_KINDS),
    log:
        "results/report/logs/claims_draw.log",
    conda:
        "../envs/report.yaml"
    params:
        studies=IN_ORDER,
    script:
        "../scripts/claims/claims_draw.py"
