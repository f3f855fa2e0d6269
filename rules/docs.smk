"""The front page and docs/: `make docs`, not part of `all`. Until then, the pages are written to results/docs."""

DOCS = "results/docs"
DOCS_FIGURE = "results/report/figures/claims_by_study.png"


rule docs_claims:
    input:
        claims=lambda wildcards: os.path.relpath(ROOT / f"scripts/{wildcards.study}/claims.yaml"),
        released=lambda wildcards: [
            gathered(wildcards.study, name) for name in RELEASED[wildcards.study]
        ],
        published=lambda wildcards: [
            os.path.relpath(path)
            for path in ROOT.glob(f"scripts/{wildcards.study}/published.yaml")
        ],
        about=lambda wildcards: os.path.relpath(ROOT / f"scripts/{wildcards.study}/study.yaml"),
        schema=os.path.relpath(ROOT / "scripts/claims/claims.schema.yaml"),
        code=code("scripts/claims/docs_claims.py"),
    output:
        f"{DOCS}/claims/{{study}}.parquet",
    log:
        f"{DOCS}/logs/docs_claims/{{study}}.log",
    wildcard_constraints:
        study="|".join(STUDIES),
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        settings=lambda wildcards: config[wildcards.study],
    script:
        "../scripts/claims/docs_claims.py"


rule docs_study:
    input:
        claims=rules.docs_claims.output[0],
        released=lambda wildcards: [
            gathered(wildcards.study, name) for name in RELEASED[wildcards.study]
        ],
        tables=lambda wildcards: [
            f"results/{wildcards.study}/tables/{name}.md"
            for name in studies.shown_in_docs(wildcards.study, ROOT, "tables")
        ],
        pictures=lambda wildcards: [
            studies.picture_path(wildcards.study, name, ROOT)
            for name in studies.shown_in_docs(wildcards.study, ROOT, "figures")
        ],
        about=lambda wildcards: os.path.relpath(ROOT / f"scripts/{wildcards.study}/study.yaml"),
        captions=lambda wildcards: [
            os.path.relpath(path) for path in studies.caption_paths(wildcards.study, ROOT)
        ],
        code=code("scripts/report/docs_study.py"),
    output:
        page=f"{DOCS}/studies/{{study}}.md",
        pictures=directory(f"{DOCS}/studies/{{study}}"),
    log:
        f"{DOCS}/logs/docs_study/{{study}}.log",
    wildcard_constraints:
        study="|".join(STUDIES),
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        root=os.path.relpath(ROOT),
    script:
        "../scripts/report/docs_study.py"


rule docs_readme:
    input:
        claims=expand(rules.docs_claims.output[0], study=IN_ORDER),
        released=[gathered(study, name) for study in IN_ORDER for name in RELEASED[study]],
        about=[os.path.relpath(ROOT / f"scripts/{study}/study.yaml") for study in IN_ORDER],
        code=code("scripts/report/docs_readme.py"),
    output:
        part=f"{DOCS}/parts/studies.md",
        index=f"{DOCS}/studies/README.md",
    log:
        f"{DOCS}/logs/docs_readme.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        root=os.path.relpath(ROOT),
        studies=IN_ORDER,
    script:
        "../scripts/report/docs_readme.py"


rule docs_configuration:
    input:
        config=os.path.relpath(ROOT / "config.yaml"),
        schemas=[
            os.path.relpath(ROOT / "config.schema.yaml"),
            *(os.path.relpath(path) for path in sorted(ROOT.glob("scripts/*/schema.yaml"))),
        ],
        code=code("scripts/report/docs_configuration.py"),
    output:
        f"{DOCS}/configuration.md",
    log:
        f"{DOCS}/logs/docs_configuration.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        root=os.path.relpath(ROOT),
    script:
        "../scripts/report/docs_configuration.py"


rule docs_metrics:
    input:
        registry=os.path.relpath(ROOT / "scripts/common/metrics.yaml"),
        code=code("scripts/report/docs_metrics.py"),
    output:
        f"{DOCS}/metrics.md",
    log:
        f"{DOCS}/logs/docs_metrics.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/report/docs_metrics.py"


rule docs_faults:
    input:
        # The tests take half an hour, so `make faults` renews this copy. If it never ran, the page says so.
        faults=[os.path.relpath(path) for path in ROOT.glob("releases/faults.csv")],
        code=code("scripts/report/docs_faults.py"),
    output:
        f"{DOCS}/parts/faults.md",
    log:
        f"{DOCS}/logs/docs_faults.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/report/docs_faults.py"


rule docs:
    input:
        pages=expand(rules.docs_study.output.page, study=STUDIES),
        pictures=expand(rules.docs_study.output.pictures, study=STUDIES),
        parts=[*rules.docs_readme.output, *rules.docs_faults.output],
        configuration=rules.docs_configuration.output,
        metrics=rules.docs_metrics.output,
        claims=DOCS_FIGURE,
        data=[path for path in DATA_TARGETS if path.endswith(".png")],
        code=code("scripts/report/docs.py"),
    output:
        touch(f"{DOCS}/docs.done"),
    log:
        f"{DOCS}/logs/docs.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        root=os.path.relpath(ROOT),
        # Path in the project -> file to copy there; as text, since Snakemake's output objects refer to their rule.
        files={
            **{f"docs/studies/{study}.md": f"{DOCS}/studies/{study}.md" for study in STUDIES},
            "docs/studies/README.md": str(rules.docs_readme.output.index),
            "docs/configuration.md": str(rules.docs_configuration.output[0]),
            "docs/metrics.md": str(rules.docs_metrics.output[0]),
            "docs/claims_by_study.png": DOCS_FIGURE,
            **{
                f"docs/data/{Path(path).name}": path
                for path in DATA_TARGETS
                if path.endswith(".png")
            },
        },
        folders={f"docs/studies/{study}": f"{DOCS}/studies/{study}" for study in STUDIES},
        parts={
            "studies": ("README.md", str(rules.docs_readme.output.part)),
            "faults": ("docs/reliability.md", str(rules.docs_faults.output[0])),
        },
    script:
        "../scripts/report/docs.py"
