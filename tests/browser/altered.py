"""Summaries that somebody altered, for a browser to look at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_adapter import canonical
from tests.browser.serving import Web, serving
from tests.unit.jobs.web.summarised import HOSTILE, NOTES, Summarised, note, summarised


@dataclass(frozen=True)
class Altered:
    """A service over a server with summaries that hold, and some that do not.

    Attributes:
        clean, timeline: ids of Compositions that hold.
        tampered: with other words, a further sentence, offsets that lead nowhere and no label.
        gone: its note is not on the server.
        hostile: code in every field that a page shows.
        withdrawn: as `clinsum withdraw --source` leaves one.
        moved: its note has a further sentence by now.
    """

    web: Web
    there: Summarised
    clean: str
    timeline: str
    tampered: str = "tampered"
    gone: str = "gone"
    hostile: str = "hostile"
    withdrawn: str = "withdrawn"
    moved: str = "moved"


@contextmanager
def altered(folder: Path) -> Iterator[Altered]:
    """Serves for as long as the block lasts."""
    with summarised(folder) as there:
        clean = there.compositions["first"]
        # Filed under a patient of their own, so that the timelines of the others stay as they are.
        there.put({"resourceType": "Patient", "id": "wronged"})
        there.put({"resourceType": "Patient", "id": "unnoted"})
        composition = there.get(f"Composition/{clean}")
        composition["subject"] = {"reference": "Patient/wronged"}
        for change in (_tampered, _gone, _hostile, _withdrawn, _moved):
            there.put(change(json.loads(json.dumps(composition))))
        sentences = NOTES["first"][1]
        for now in (sentences, (*sentences, "Blood cultures grew pneumococcus.")):
            there.put(note("moved", NOTES["first"][0], now, "wronged"))
        with serving(folder / "serve", fhir=there.base_url, engine="lead") as web:
            yield Altered(web, there, clean, there.timeline)


def _tampered(composition: dict[str, Any]) -> dict[str, Any]:
    section = composition["section"][0]
    div = section["text"]["div"].replace("two liters", "ten liters")
    section["text"]["div"] = div.replace("</ol>", '<li><span id="s9">Stop all tablets.</span></li></ol>')
    composition["meta"]["security"] = []
    return composition | {"id": "tampered"}


def _withdrawn(composition: dict[str, Any]) -> dict[str, Any]:
    mark = {"url": canonical.ENDED_BECAUSE, "valueCode": "source-withdrawn"}
    extension = [*composition["extension"], mark]
    return composition | {"id": "withdrawn", "status": "entered-in-error", "extension": extension}


def _moved(composition: dict[str, Any]) -> dict[str, Any]:
    words = json.dumps(composition).replace("DocumentReference/first", "DocumentReference/moved")
    found: dict[str, Any] = json.loads(words)
    return found | {"id": "moved"}


def _gone(composition: dict[str, Any]) -> dict[str, Any]:
    words = json.dumps(composition).replace("DocumentReference/first", "DocumentReference/never")
    found: dict[str, Any] = json.loads(words)
    return found | {"id": "gone"}


def _hostile(composition: dict[str, Any]) -> dict[str, Any]:
    words = HOSTILE + "W" * 200
    for part in composition["extension"][0]["extension"]:
        if part["url"] in ("versionId", "path"):
            part["valueString"] = words
    section = composition["section"][0]
    section["text"]["div"] = section["text"]["div"].replace(
        "</ol>", "<li>&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;</li></ol>"
    )
    section["entry"] = [{"reference": "javascript:alert(1)//" + "x" * 200}]
    composition["meta"]["security"] = [{"system": words, "code": words, "display": words}]
    return composition | {
        "id": "hostile",
        "title": words,
        "attester": [{"mode": words, "party": {"display": words}}],
        "author": [{"reference": "javascript:alert(1)"}],
    }
