"""The demo's notes as written down in `notes/manifest.json` and the files beside it. All invented."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from fhir_adapter.reasons import Reason
from jobs.demo.render import pdf_bytes, png_bytes

Carrier = Literal["inline", "bad-base64", "binary", "foreign-url", "conclusion", "nothing"]
Rendering = Literal["text", "windows-1252", "pdf", "png", "blank", "none"]


@dataclass(frozen=True, slots=True)
class Patient:
    """An invented person."""

    id: str
    given: str
    family: str
    gender: str
    birth_date: str
    number: str


@dataclass(frozen=True, slots=True)
class Encounter:
    """A stay (`IMP`) or a visit (`AMB`)."""

    id: str
    patient: str
    class_code: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class DemoNote:
    """One note of the demo.

    Attributes:
        kind: `DocumentReference` or `DiagnosticReport`.
        stage: 1 is there at the first pass, 2 comes between the passes.
        loinc, display: type of the note.
        date: instant with time zone.
        content_type: what the attachment says that it is; None says nothing.
        rendering: how the file becomes the attachment's bytes.
        carrier: where in the resource they lie.
        replaces: id of the note that this one replaces.
        confidentiality: code of v3-Confidentiality, or None.
        expect: why it is not to be summarised, or None.
        shows: what this note is in the demo for, beyond its story.
    """

    id: str
    kind: Literal["DocumentReference", "DiagnosticReport"]
    stage: int
    encounter: str
    loinc: str
    display: str
    title: str
    date: str
    status: str
    doc_status: str | None
    file: str | None
    content_type: str | None
    rendering: Rendering
    carrier: Carrier
    replaces: str | None
    confidentiality: str | None
    expect: Reason | None
    shows: str

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.kind}/{self.id}"

    @property
    def text(self) -> str:
        """The file's own text; "" where there is no file."""
        return note_file(self.file).decode("utf-8") if self.file else ""

    @property
    def data(self) -> bytes:
        """The attachment's bytes."""
        match self.rendering:
            case "text":
                return self.text.encode("utf-8")
            case "windows-1252":  # as an old desktop program saves it
                return self.text.replace("\n", "\r\n").encode("windows-1252")
            case "pdf":
                return pdf_bytes(self.text)
            case "png":
                return png_bytes()
            case "blank":
                return b"\n\n   \n"
            case "none":
                return b""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that the demo puts on the server."""

    organization_id: str
    organization_name: str
    patients: tuple[Patient, ...]
    encounters: tuple[Encounter, ...]
    notes: tuple[DemoNote, ...]

    def stage(self, stage: int) -> Sequence[DemoNote]:
        """The notes that come with one stage, in the manifest's order."""
        return tuple(note for note in self.notes if note.stage == stage)

    def encounter(self, encounter_id: str) -> Encounter:
        """Looks an encounter up.

        Raises:
            KeyError: there is none of that id.
        """
        return {encounter.id: encounter for encounter in self.encounters}[encounter_id]


def note_file(name: str) -> bytes:
    """The bytes of a file of `notes/`."""
    return resources.files("jobs.demo").joinpath("notes", name).read_bytes()


@cache
def manifest() -> Manifest:
    """Reads `notes/manifest.json`."""
    stated = json.loads(note_file("manifest.json"))
    return Manifest(
        organization_id=stated["organization"]["id"],
        organization_name=stated["organization"]["name"],
        patients=tuple(
            Patient(p["id"], p["given"], p["family"], p["gender"], p["birthDate"], p["number"])
            for p in stated["patients"]
        ),
        encounters=tuple(
            Encounter(e["id"], e["patient"], e["class"], e["start"], e["end"]) for e in stated["encounters"]
        ),
        notes=tuple(_note(entry) for entry in stated["notes"]),
    )


def _note(entry: dict[str, Any]) -> DemoNote:
    return DemoNote(
        id=entry["id"],
        kind=entry["kind"],
        stage=entry["stage"],
        encounter=entry["encounter"],
        loinc=entry["loinc"],
        display=entry["display"],
        title=entry["title"],
        date=entry["date"],
        status=entry["status"],
        doc_status=entry.get("docStatus"),
        file=entry.get("file"),
        content_type=entry.get("contentType"),
        rendering=entry["render"],
        carrier=entry["carrier"],
        replaces=entry.get("replaces"),
        confidentiality=entry.get("confidentiality"),
        expect=Reason(entry["expect"]) if "expect" in entry else None,
        shows=entry.get("shows", ""),
    )
