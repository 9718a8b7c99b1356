"""A server that takes summaries as documents alone, and what tests ask of it."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.passes import Site, encoded, reference

Json = dict[str, Any]
Change = Callable[[Json], Json]
FILED = {"WRITE_AS": "document"}


ONCE = (Quirk.FILED_ONCE,)
HEEDLESS = (Quirk.IGNORE_CONDITIONS,)
well_behaved = pytest.mark.parametrize("ward", [()], indirect=True, ids=["well-behaved"])


class Ward:
    """A server of documents with a patient on it, reached as we do and as the hospital itself does."""

    def __init__(self, ours: Site, theirs: Site) -> None:
        self.ours, self.theirs = ours, theirs
        self.patient = reference(theirs.fhir.put({"resourceType": "Patient", "id": new_id("patient")}))

    def note(self, text: str = "No fever today. Stable on ceftriaxone.", **changed: object) -> str:
        return reference(self.theirs.document(text, subject={"reference": self.patient}, **changed))

    def revise(self, note: str, **changed: object) -> None:
        self.theirs.fhir.put({**self.theirs.fhir.get(note), **changed})

    def reword(self, note: str, text: str) -> None:
        self.revise(note, content=[{"attachment": {"contentType": "text/plain", "data": encoded(text)}}])

    def poll(self, *notes: str) -> dict[str, str]:
        ended, _ = self.ours.poll(list(notes) or None)
        return {source: one.status for source, one in ended.items()}

    def wrong(self) -> list[str]:
        """All that an audit of everything finds."""
        return [str(finding) for proof in self.ours.audit() for finding, _ in proof.findings]


@contextmanager
def filing_site(
    folder: Path, *quirks: Quirk, refused: frozenset[str] = frozenset()
) -> Iterator[tuple[Site, Site]]:
    """The site of such a server, and the hospital's own way to its notes, which has no quirk."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "fhir.sqlite"
    kind = frozenset([Quirk.DOCUMENTS_ONLY, *quirks])
    odd = SandboxSettings(database=database, quirks=kind, refused=refused)
    with (
        running_embedded(SandboxSettings(database=database)) as plain,
        running_embedded(odd) as base_url,
    ):
        inside, outside = (Fhir(FhirServer("embedded", url)) for url in (plain, base_url))
        with inside.http, outside.http:
            yield Site(outside, folder / "ledger.sqlite", dict(FILED)), Site(inside, folder / "none.sqlite")


def documents(site: Site, note: str = "") -> list[Json]:
    """The documents of summaries, of one note or of all, oldest first."""
    asked = f"{canonical.FILED_SOURCES}|{note}" if note else f"{canonical.FILED}|"
    found = site.fhir.matches(site.fhir.get("DocumentReference", identifier=asked, _count="200"))
    return sorted(found, key=lambda one: (one["meta"]["lastUpdated"], one["id"]))


def current(site: Site, note: str) -> list[Json]:
    """Those in force: of status current, and not replaced by another one."""
    found = documents(site, note)
    replaced = {
        r["target"]["reference"] for one in found for r in one["relatesTo"] if r["code"] == "replaces"
    }
    return [
        one
        for one in found
        if one["status"] == "current" and f"DocumentReference/{one['id']}" not in replaced
    ]


def attachment(document: Json, number: int) -> bytes:
    """The bytes of a content: 0 is what people read, 1 the FHIR document."""
    return base64.b64decode(document["content"][number]["attachment"]["data"])


def text_of(document: Json) -> str:
    return attachment(document, 0).decode()


def inner(document: Json, kind: str = "Composition") -> Json:
    """A resource in the FHIR document."""
    bundle = json.loads(attachment(document, 1))
    return next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)


def with_bytes(document: Json, number: int, data: bytes) -> Json:
    """The document with other bytes in a content."""
    content = [dict(one) for one in document["content"]]
    kept = {k: v for k, v in content[number]["attachment"].items() if k not in ("hash", "size")}
    content[number]["attachment"] = {**kept, "data": base64.b64encode(data).decode()}
    return {**document, "content": content}


def alterations() -> dict[str, Change]:
    """Ways to change a document, each of which an audit has to find."""

    def words(document: Json) -> Json:
        return with_bytes(document, 0, text_of(document).replace("No fever", "Fever").encode())

    def added(document: Json) -> Json:
        return with_bytes(document, 0, (text_of(document) + "Discharge today.\n").encode())

    def whole(document: Json) -> Json:
        data = attachment(document, 1).replace(b"No fever", b"Fever")
        return with_bytes(words(document), 1, data)

    def within(document: Json) -> Json:
        return with_bytes(document, 1, attachment(document, 1).replace(b"No fever", b"Fever"))

    def other_patient(document: Json) -> Json:
        return {**document, "subject": {"reference": "Patient/somebody-else"}}

    def taken_out(document: Json) -> Json:
        return {**document, "content": document["content"][1:]}

    both = {"readable part and Composition": whole, "Composition alone": within}
    readable = {"a word of the readable part": words, "a line more": added, "no readable part": taken_out}
    return {**both, **readable, "another patient": other_patient}


def settings_of(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a site, for the command line."""
    for name, value in site.options.items():
        monkeypatch.setenv(f"CLINSUM_{name}", value)
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    monkeypatch.setenv("CLINSUM_BUDGET", "3")
    monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", site.fhir.server.base_url)
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{site.database}")
