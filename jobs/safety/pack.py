"""The safety officer's pack: a folder of documents that the running build fills in."""

import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs.safety.facts import NOT_KNOWN, Facts, facts_of
from jobs.safety.hazards import as_csv, hazards, there, words_of
from jobs.safety.materials import Material, bill, materials
from jobs.settings import Settings
from summarizer.files import replaced

OWN = "clinical-ai-summarizer"
JUDGED = "to be judged by the clinical safety officer of the deploying organisation"
PAGES = (
    "README.md",
    "intended-use.md",
    "hazard-log.md",
    "hti-1-source-attributes.md",
    "applied-model-card.md",
    "eu-ai-act-article-50.md",
    "figures.md",
    "licences.md",
)


def write_pack(folder: Path, settings: Settings) -> list[str]:
    """Writes the pack; files of the same names are replaced, each whole or not at all.

    Args:
        folder: made if it is not there.
        settings: of the build that is described.

    Returns:
        The names of the files, relative to the folder.

    Raises:
        OSError: the folder cannot be written. SummarizerError: the model cannot be used.
    """
    facts, found = facts_of(settings), materials()
    hashes: dict[str, str] = {}
    for name, text in (*_pages(facts, found), *_data(facts, found), *_licences(found)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as file:
            file.write(text)
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()
    manifest = {"software": OWN, "version": facts.version, "made": facts.made, "sha256": hashes}
    with replaced(folder / "manifest.json") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    return [*hashes, "manifest.json"]


def _pages(facts: Facts, found: tuple[Material, ...]) -> Iterator[tuple[str, str]]:
    environment = Environment(  # Markdown, for a person's editor: nothing is escaped
        loader=FileSystemLoader(str(files("jobs.safety").joinpath("templates"))),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters["there"] = lambda test: words_of(there(test))
    log = hazards()
    for name in PAGES:
        page = environment.get_template(name)
        yield name, page.render(facts=facts, hazards=log, materials=found, judged=JUDGED, unknown=NOT_KNOWN)


def _data(facts: Facts, found: tuple[Material, ...]) -> Iterator[tuple[str, str]]:
    yield "hazard-log.csv", as_csv(hazards(), JUDGED)
    yield "sbom.cdx.json", json.dumps(bill(OWN, found, facts.made), indent=1) + "\n"


def _licences(found: tuple[Material, ...]) -> Iterator[tuple[str, str]]:
    for material in found:
        for number, (name, text) in enumerate(material.texts, 1):
            yield f"licences/{material.name}-{material.version}-{number}-{name}.txt", text
