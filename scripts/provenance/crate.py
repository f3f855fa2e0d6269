"""A run as an RO-Crate: what a machine reads to learn which files there are, whose they are and what made them."""

import base64
from pathlib import Path, PurePosixPath

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from scripts.common.files import checksum
from scripts.data.sources import SOURCES

FORMATS = {".parquet": "application/vnd.apache.parquet", ".json": "application/json", ".txt": "text/plain"}
RESULTS = "results/"  # the folder of the metadata is the root of the crate


def describe_run(manifest: dict, snakefile: str | Path, citation: str | Path) -> dict:
    """Return the RO-Crate metadata of a run, whose results folder or release is the crate.

    Released files are named by their path in the crate. All others, which no release holds, are named by their
    content (RFC 6920), so that the crate never points to a file that is not there.
    """
    cited = yaml.safe_load(Path(citation).read_text(encoding="utf-8"))
    crate = ROCrate()
    _describe_project(crate, cited, manifest)
    sha256 = checksum(snakefile)
    about = {"name": "Snakefile", "sha256": sha256, "contentSize": str(Path(snakefile).stat().st_size)}
    about["version"] = manifest["commit"]
    language = manifest["packages"].get("snakemake")
    crate.add_workflow(content_id(sha256), properties=about, main=True, lang="snakemake", lang_version=language)
    crate.add_file(dest_path="manifest.json", properties={"name": "manifest.json", "encodingFormat": FORMATS[".json"]})
    for path, entry in manifest["released_files"].items():
        crate.add_file(dest_path=path.removeprefix(RESULTS), properties=_properties(crate, [path], entry))
    for entry, paths in _by_content(manifest["data_files"] | manifest["hashes"]):
        crate.add_file(content_id(entry["sha256"]), properties=_properties(crate, paths, entry))
    return crate.metadata.generate()


def content_id(sha256: str) -> str:
    """Return the name of a file by its content, after RFC 6920."""
    return "ni:///sha-256;" + base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")


def _by_content(files: dict[str, dict]) -> list[tuple[dict, list[str]]]:
    """Return (entry, paths) of every different content; two files may hold the same."""
    found: dict[str, tuple[dict, list[str]]] = {}
    for path, entry in files.items():
        found.setdefault(entry["sha256"], (entry, []))[1].append(path)
    return list(found.values())


def _describe_project(crate: ROCrate, cited: dict, manifest: dict) -> None:
    """Fill in title, authors, licence and sources of the project."""
    crate.name = cited["title"]
    crate.description = "Metrics, plotted numbers and claims of one run of the workflow, and the hashes of the rest."
    crate.datePublished = manifest["made"]
    crate.keywords = ", ".join(cited.get("keywords", []))
    crate.root_dataset["version"] = manifest["project_version"]
    crate.license = crate.add(
        ContextEntity(
            crate,
            f"https://spdx.org/licenses/{cited['license']}",
            {"@type": "CreativeWork", "name": cited["license"]},
        )
    )
    crate.creator = _authors(crate, cited["authors"])
    crate.root_dataset["citation"] = [_reference(crate, entry) for entry in cited.get("references", [])]


def _authors(crate: ROCrate, authors: list[dict]) -> list[ContextEntity]:
    """Return people, or groups where only one name is given."""
    found = []
    for author in authors:
        person = "family-names" in author
        name = f"{author.get('given-names', '')} {author['family-names']}".strip() if person else author["name"]
        about = {"@type": "Person" if person else "Organization", "name": name}
        found.append(crate.add(ContextEntity(crate, f"#{'-'.join(name.split())}", about)))
    return found


def _reference(crate: ROCrate, entry: dict) -> ContextEntity:
    """Return a source that the project replicates or uses."""
    kind = "SoftwareSourceCode" if entry["type"].startswith("software") else "ScholarlyArticle"
    about = {"@type": kind, "name": entry["title"], "datePublished": str(entry.get("year", ""))}
    address = entry.get("repository-code") or entry.get("url") or f"#{'-'.join(entry['title'].split())}"
    reference = crate.add(ContextEntity(crate, address, about))
    reference["author"] = _authors(crate, entry["authors"])
    return reference


def _properties(crate: ROCrate, paths: list[str], entry: dict) -> dict:
    """Return what is said of a file: names, checksum, size, format, and its licence where the sources state one."""
    about = {"name": paths[0] if len(paths) == 1 else paths}
    about |= {"sha256": entry["sha256"], "contentSize": str(entry["bytes"])}
    name = PurePosixPath(paths[0])
    if name.suffix in FORMATS:
        about["encodingFormat"] = FORMATS[name.suffix]
    source = (SOURCES["packages"] | SOURCES["files"]).get(name.name)
    if source:
        words = {"@type": "CreativeWork", "name": source["licence"]}
        about["license"] = {"@id": crate.add(ContextEntity(crate, f"#licence-of-{name.name}", words)).id}
    return about
