"""Rule `imbalance_augment_page`: the report of an augmented table, as a page that needs no network and as Markdown."""

import json
from pathlib import Path

from scripts.common import html
from scripts.common.files import atomic_path
from scripts.common.interval_kinds import in_words
from scripts.common.logs import job
from scripts.common.metric_registry import registry
from scripts.imbalance.augmenting import sentences
from scripts.imbalance.generators import GENERATORS


def augment_page(about_path: str | Path, page: str | Path, text: str | Path) -> None:
    """Write both forms of the report.

    Args:
        about_path: the JSON of rule `imbalance_augment`.
        page, text: paths of the page and the Markdown.
    """
    about, metrics = json.loads(Path(about_path).read_text(encoding="utf-8")), registry()
    titles = {row["metric"]: metrics[row["metric"]]["title"] for row in about["quality"]}
    quality = [
        {
            "title": titles[row["metric"]],
            "formula": metrics[row["metric"]]["formula"],
            "value": sentences.value(row),
            "real": sentences.real(row),
        }
        for row in about["quality"]
    ]
    kinds = [row["interval"] for row in about["quality"] if row["interval"]]
    content = html.page(
        html.environment(Path(__file__).parent / "augmenting/html"),
        "augment.html.jinja",
        title=f"{about['name']}: augmented table",
        styles=["augment.css"],
        about=about,
        findings=[*sentences.findings(about), sentences.TEST, sentences.STUDY],
        plan=sentences.PLANS[about["plan"]],
        generator=f"{GENERATORS[about['generator']].title}: {sentences.KINDS[about['generator']]}.",
        groups=sentences.by_group(about),
        seconds=sentences.seconds(about),
        quality=quality,
        note=sentences.QUALITY,
        kinds=in_words(kinds[0]) if kinds else "",
        notes=sentences.notes(about),
        origin=sentences.origin(about),
    )
    with atomic_path(page) as temporary:
        temporary.write_text(content, encoding="utf-8", newline="\n")
    with atomic_path(text) as temporary:
        temporary.write_text(sentences.markdown(about, titles), encoding="utf-8", newline="\n")


if "snakemake" in globals():
    with job(snakemake):
        augment_page(snakemake.input.about, snakemake.output.page, snakemake.output.text)
