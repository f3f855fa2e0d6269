"""Provenance and releases: the manifest, one release per study, and unpacking of releases."""

from scripts.provenance.ancestors import sources_of
from scripts.provenance.kept_files import hashed_files

RELEASED_TABLES = {study: studies.released_paths(study, ROOT) for study in STUDIES}

if config["released"]:

    rule unpack_release:
        input:
            archives=[RELEASES[study]["archive"] for study in STUDIES],
            code=code("scripts/provenance/unpack_release.py"),
        output:
            [
                path
                for study in STUDIES
                for path in studies.released_paths(study, ROOT, folder="results/released")
            ],
            crates=expand("results/released/{study}/ro-crate-metadata.json", study=STUDIES),
        log:
            "results/report/logs/unpack_release.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            releases={study: RELEASES[study] for study in STUDIES},
        script:
            "../scripts/provenance/unpack_release.py"

    rule manifest:
        input:
            crates=rules.unpack_release.output.crates,
            citation=os.path.relpath(ROOT / "CITATION.cff"),
            code=code("scripts/provenance/redrawn_manifest.py"),
        output:
            manifest="results/manifest.json",
        log:
            "results/report/logs/manifest.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            releases={study: RELEASES[study] for study in STUDIES},
            settings=portable(config),
        script:
            "../scripts/provenance/redrawn_manifest.py"

else:

    rule manifest:
        input:
            data=kept("data"),
            released=RELEASED_TABLES.values(),
            predictions=kept("predictions"),
            models=kept("models"),
            requirements=os.path.relpath(ROOT / "envs/requirements.in"),
            citation=os.path.relpath(ROOT / "CITATION.cff"),
            code=code("scripts/provenance/manifest.py"),
        output:
            manifest="results/manifest.json",
        log:
            "results/report/logs/manifest.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            settings=portable(config),
        script:
            "../scripts/provenance/manifest.py"

    # Made from the files of one study alone: a change of another study does not change the archive.
    rule pack_release:
        input:
            tables=lambda wildcards: RELEASED_TABLES[wildcards.study],
            data=lambda wildcards: sources_of(
                workflow.rules, wildcards.study, RELEASED_TABLES[wildcards.study]
            ),
            hashed=lambda wildcards: hashed_files(workflow.rules, wildcards.study),
            rules=lambda wildcards: os.path.relpath(ROOT / f"rules/{wildcards.study}.smk"),
            requirements=os.path.relpath(ROOT / "envs/requirements.in"),
            citation=os.path.relpath(ROOT / "CITATION.cff"),
            code=code("scripts/provenance/release.py"),
        output:
            "results/release/{study}.zip",
        log:
            "results/report/logs/pack_release/{study}.log",
        wildcard_constraints:
            study="|".join(STUDIES),
        localrule: True
        conda:
            "../envs/report.yaml"
        params:
            about=lambda wildcards: {
                "name": wildcards.study,
                "title": studies.describe(wildcards.study, ROOT)["title"],
                "question": studies.describe(wildcards.study, ROOT)["question"],
            },
            settings=lambda wildcards: portable(
                {
                    key: config[key]
                    for key in [
                        *studies.describe(wildcards.study, ROOT).get("shared_settings", []),
                        *(["tables"] if config["tables"] else []),
                        wildcards.study,
                    ]
                }
            ),
        script:
            "../scripts/provenance/release.py"

    rule release:
        input:
            expand(rules.pack_release.output, study=STUDIES),
