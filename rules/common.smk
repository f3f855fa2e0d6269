"""Helper functions of all rule files."""

import os
import sys
from pathlib import Path

from scripts.common import studies
from scripts.common.errors import UserError
from scripts.common.imports import project_imports
from scripts.common.own_files import content_of, contents_of, existing
from scripts.common.tabular import OWN
from scripts.provenance.kept_files import check_kept, kept_files


def code(script):
    """Return the project files that a rule's script imports, as inputs of the rule."""
    here = Path.cwd()
    return [os.path.relpath(ROOT / path, here) for path in project_imports(script, ROOT)]


def named_code(folder, names):
    """Return the files of modules that a script imports by their names, and what these import, as inputs of its rule."""
    scripts = [f"{folder}/{name}.py" for name in names]
    files = {os.path.relpath(ROOT / script) for script in scripts}
    return sorted(files.union(*(code(script) for script in scripts)))


def html_files(folder):
    """Return the templates, styles and scripts of a page below scripts/, and those that all pages share, as inputs."""
    kinds, folders = ("jinja", "css", "js"), (folder, "common/html")
    paths = [
        path
        for name in folders
        for kind in kinds
        for path in (ROOT / "scripts" / name).glob(f"*.{kind}")
    ]
    return sorted(os.path.relpath(path) for path in paths)


def table_descriptions(*names):
    """Return the descriptions of the named tables, as input of the rules that use only these tables."""
    return [
        (
            f"results/data/tabular/{name}.yaml"
            if name in OWN
            else os.path.relpath(ROOT / f"scripts/data/tables/{name}.yaml")
        )
        for name in names
    ]


def kept(kind):
    """Return an input function: the predictions, models or shared data that all studies list (`X_all_predictions` ...).

    Files of users that are audited are listed in the same way, by the rule `audit_all_data`.

    Snakemake calls it after all rule files are read, so that studies later in the alphabet are included.
    """
    return lambda wildcards: kept_files(workflow.rules, [*STUDIES, "audit"], kind)


def gathered(study, name):
    """Return the path of a released table of a study: as measured in this run, or unpacked from a release."""
    return f"results/{'released/' if config['released'] else ''}{study}/{name}.parquet"


def figure_files(study, *names):
    """Return the output files of some figures; image (or animation) and page go into Snakemake's report."""
    about, files = studies.describe(study, ROOT), []
    for name in names:
        shown = {studies.picture_path(study, name, ROOT): "Figures"}
        for path in studies.figure_paths(study, ROOT, name=name):
            kind = "Interactive pages" if path.endswith(".html") else shown.get(path)
            title = about["figures"][name]["title"]
            files.append(in_report(path, study, name, kind, title) if kind else path)
    return files


def table_files(study, *names):
    """Return the output files of some tables; the CSV goes into Snakemake's report."""
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
    """Return memory or time of a job: the amount, doubled with every further attempt (profiles/slurm)."""
    return lambda wildcards, attempt: amount * 2 ** (attempt - 1)
