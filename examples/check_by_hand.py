"""Checks that each sentence of a summary stands in its note, at the place that the Composition names.

python examples/check_by_hand.py https://fhir.example.org/r4/Composition/ID

Nothing of this project is used. docs/check_offsets.py checks far more, and needs the standard library alone.
"""

import base64
import re
import sys
from functools import cache
from xml.etree import ElementTree

import httpx

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
LINK = "http://hl7.org/fhir/StructureDefinition/narrativeLink"

composition_url = sys.argv[1]
base_url = composition_url.partition("/Composition/")[0]


@cache
def resource(url: str) -> dict:
    """A resource of the server, read once."""
    return httpx.get(url, headers={"Accept": "application/fhir+json"}).raise_for_status().json()


def text_at(reference: str, path: str) -> str:
    """The text that offsets count in: where `path` leads, such as content[0].attachment.data."""
    node = resource(f"{base_url}/{reference}")
    for name, index in re.findall(r"\.(\w+)(?:\[(\d+)\])?", path):
        node = node[name][int(index)] if index else node[name]
    if path.endswith(".data"):
        return base64.b64decode(node).decode("utf-8")
    return node


wrong = 0
for section in resource(composition_url)["section"]:
    lines = {line.get("id"): line.text for line in ElementTree.fromstring(section["text"]["div"]).iter()}
    for extension in section["extension"]:
        if extension["url"] != DERIVATION:
            continue
        part = {p["url"]: next(v for k, v in p.items() if k != "url") for p in extension["extension"]}
        text = text_at(part["reference"]["reference"], part["path"])
        there = text[part["offset"] : part["offset"] + part["length"]]
        holds = there == lines[part[LINK].removeprefix("#")]
        wrong += not holds
        print("holds" if holds else "DIFFERS", part["offset"], part["length"], there)
sys.exit(1 if wrong else 0)
