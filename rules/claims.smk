"""Claims of the sources and their verdicts, one line per claim of every study."""


localrules:
    claims,
    figure_claims,
    figure_claims_by_study,


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


rule figure_claims:
    input:
        claims=rules.claims.output.claims,
        code=code("scripts/claims/figure_claims.py"),
    output:
        expand("results/report/figures/claims_by_tolerance.{kind}", kind=studies.FIGURE_KINDS),
    log:
        "results/report/logs/figure_claims.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/claims/figure_claims.py"


rule figure_claims_by_study:
    input:
        claims=rules.claims.output.claims,
        code=code("scripts/claims/figure_claims_by_study.py"),
    output:
        expand("results/report/figures/claims_by_study.{kind}", kind=studies.FIGURE_KINDS),
    log:
        "results/report/logs/figure_claims_by_study.log",
    conda:
        "../envs/report.yaml"
    params:
        studies=IN_ORDER,
    script:
        "../scripts/claims/figure_claims_by_study.py"
