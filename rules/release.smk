"""Where the results come from, and what is passed on of them: manifest, release, and the way back from a release."""

# What a release holds, and what others can redraw: the numbers, never a prediction, a model or an image.
PACKED = [
    *(path for study in STUDIES for path in studies.released_paths(study, ROOT)),
    *(path for study in STUDIES for path in PROMISED[study] if path.endswith(".parquet")),
    *(path for path in rules.figure_claims.output if path.endswith(".parquet")),
    rules.claims.output.claims,
]


if config["released"]:

    rule unpack_release:
        input:
            archive=lambda wildcards: config["released"],
            code=code("scripts/provenance/unpack_release.py"),
        output:
            [
                path
                for study in STUDIES
                for path in studies.released_paths(study, ROOT, folder="results/released")
            ],
            manifest="results/released/manifest.json",
        log:
            "results/report/logs/unpack_release.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            hashes=RELEASE["files"],
        script:
            "../scripts/provenance/unpack_release.py"

    rule manifest:
        input:
            archive=lambda wildcards: config["released"],
            released=rules.unpack_release.output.manifest,
            citation=os.path.relpath(ROOT / "CITATION.cff"),
            code=code("scripts/provenance/redrawn_manifest.py"),
        output:
            manifest="results/manifest.json",
        log:
            "results/report/logs/manifest.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        script:
            "../scripts/provenance/redrawn_manifest.py"

else:

    rule manifest:
        input:
            data=kept("data"),
            released=PACKED,
            predictions=kept("predictions"),
            models=kept("models"),
            snakefile=os.path.relpath(ROOT / "Snakefile"),
            requirements=os.path.relpath(ROOT / "envs/requirements.in"),
            citation=os.path.relpath(ROOT / "CITATION.cff"),
            code=code("scripts/provenance/manifest.py"),
        output:
            manifest="results/manifest.json",
            crate="results/ro-crate-metadata.json",
        log:
            "results/report/logs/manifest.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            settings=portable(config),
        script:
            "../scripts/provenance/manifest.py"

    rule release:
        input:
            manifest=rules.manifest.output.manifest,
            crate=rules.manifest.output.crate,
            released=PACKED,
            code=code("scripts/provenance/release.py"),
        output:
            "results/release/counterweight-release.zip",
        log:
            "results/report/logs/release.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        script:
            "../scripts/provenance/release.py"
