#!/usr/bin/env python3
"""Checks every sentence of an extracted summary against its source, over plain FHIR REST.

    python3 check_offsets.py https://fhir.example.org/r4/Composition/ID

Needs Python 3.9 or newer and nothing else; shares no code with the software that wrote the summary. Offsets
are Unicode code points from 0, in the text that each derivation-reference extension points at. Where the
server wants a login, set AUTHORIZATION to the value of that header. Exit code 0: every sentence holds; 1:
something does not.
"""

# ruff: noqa: S310, S314, T201 (a script of the standard library alone, for a server its user trusts)

import base64
import hashlib
import json
import os
import sys
import urllib.request
from urllib.parse import urljoin
from xml.etree import ElementTree

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
LINK = "http://hl7.org/fhir/StructureDefinition/narrativeLink"
# XML cannot hold control characters; the narrative shows each of them as its control picture.
SHOWN = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}


def get(base, url):
    """The resource at a url that is absolute or relative to the base; the login goes to the base alone."""
    request = urllib.request.Request(urljoin(base, url), headers={"Accept": "application/fhir+json"})
    if "AUTHORIZATION" in os.environ and request.full_url.startswith(base):
        request.add_unredirected_header("Authorization", os.environ["AUTHORIZATION"])
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def parts(extension):
    """{url: value} of an extension's parts, whatever the type of the value."""
    values = {}
    for part in extension["extension"]:
        values[part["url"]] = next((v for name, v in part.items() if name.startswith("value")), None)
    return values


def decoded(data, content_type):
    """Plain text from bytes: the declared charset, else UTF-8, else windows-1252; no byte-order mark."""
    charset = content_type.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    for encoding in (charset, "utf-8", "windows-1252"):
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def text_at(base, reference, path):
    """The text that a path such as DocumentReference.content[0].attachment.data leads to."""
    node = get(base, reference)
    for step in path.split(".")[1:]:
        name, _, index = step.rstrip("]").partition("[")
        holder, node = node, node[name][int(index)] if index else node[name]
    if path.endswith(".data"):
        return decoded(base64.b64decode(node), holder.get("contentType", ""))
    if path.endswith(".url"):
        return decoded(base64.b64decode(get(base, node)["data"]), holder.get("contentType", ""))
    return node  # DiagnosticReport.conclusion is a string already


def main(address):
    """Prints a line for every text and sentence, and says whether all of them hold."""
    sys.stdout.reconfigure(errors="backslashreplace")
    base = address.rpartition("Composition/")[0]
    composition = get(base, address)
    stated = next(parts(e) for e in composition["extension"] if e["url"].endswith("/source-text"))
    texts, checks = {}, []
    for section in composition["section"]:
        narrative = ElementTree.fromstring(section["text"]["div"])
        sentences = {e.get("id"): "".join(e.itertext()) for e in narrative.iter() if e.get("id")}
        for span in (parts(e) for e in section["extension"] if e["url"] == DERIVATION):
            where = (span["reference"]["reference"], span["path"])
            if where not in texts:
                text = texts[where] = text_at(base, *where)
                checks.append(hashlib.sha256(text.encode()).hexdigest() == stated["sha256"])
                print(f"{'ok' if checks[-1] else 'CHANGED':7} text of {where[0]} by its SHA-256")
            start, end = span["offset"], span["offset"] + span["length"]
            found = texts[where][start:end]
            checks.append(bool(found) and found.translate(SHOWN) == sentences.get(span[LINK].lstrip("#")))
            print(f"{'ok' if checks[-1] else 'WRONG':7} {start}:{end} {found!r}")
    print(f"{checks.count(True)} of {len(checks)} checks hold")
    return 0 if checks and all(checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
