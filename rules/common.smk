"""What every rule file uses."""

import os
from pathlib import Path

from scripts.common import studies
from scripts.common.imports import project_imports
from scripts.provenance.ancestors import ancestors

ROOT = Path(workflow.basedir)
HASHED = {}  # study -> predictions and models, "data" -> data files: the manifest hashes them


def code(script):
    """Return the project files that a rule's script imports, as inputs of the rule."""
    here = Path.cwd()
    return [os.path.relpath(ROOT / path, here) for path in project_imports(script, ROOT)]


def gathered(study, name):
    """Return a gathered Parquet file of a study: as measured here, or unpacked from a release."""
    return f"results/{'released/' if config['released'] else ''}{study}/{name}.parquet"


def read_by(study, wanted):
    """Return what files of a study come from and what is no result of it: data, wheels, other studies' predictions."""
    own = f"results/{study}/"
    found = ancestors(workflow.rules, wanted, [own, "results/data/"])
    theirs = [path for path in found if path.startswith("results/")]
    return sorted(path for path in theirs if "/data/" in path or not path.startswith(own))


def figure_files(study, *names):
    """Return what a rule writes of some figures; picture (or animation) and page go into Snakemake's report."""
    about, files = studies.describe(study, ROOT), []
    for name in names:
        shown = {studies.picture_path(study, name, ROOT): "Figures"}
        for path in studies.figure_paths(study, ROOT, name=name):
            kind = "Interactive pages" if path.endswith(".html") else shown.get(path)
            title = about["figures"][name]["title"]
            files.append(in_report(path, study, name, kind, title) if kind else path)
    return files


def table_files(study, *names):
    """Return what a rule writes of some tables; the CSV goes into Snakemake's report."""
    about, files = studies.describe(study, ROOT), []
    for name in names:
        csv, *others = studies.table_paths(study, ROOT, name=name)
        title = about["tables"][name]["title"]
        files += [in_report(csv, study, name, "Tables", title), *others]
    return files


def in_report(path, study, name, kind, title):
    """Mark a file for Snakemake's report, with its caption, in the study's category."""
    return report(
        path,
        caption=str(studies.caption_path(study, name, ROOT)),
        category=studies.describe(study, ROOT)["title"],
        subcategory=kind,
        labels={"title": title, "file": Path(path).name},
    )


def growing(amount):
    """Return memory or time of a job: the amount, and double of it with every further attempt (profiles/slurm)."""
    return lambda wildcards, attempt: amount * 2 ** (attempt - 1)
