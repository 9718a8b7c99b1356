#!/usr/bin/env python3
"""Checks every sentence of an extracted summary against its source, over plain FHIR REST.

    python3 check_offsets.py https://fhir.example.org/r4/Composition/ID

Needs Python 3.9 or newer and nothing else; shares no code with the software that wrote the summary. Offsets
are Unicode code points from 0, in the text that each derivation-reference extension points at. Where the
server wants a login, set AUTHORIZATION to the value of that header; where it uses another label for what
machines made, set LABEL to system|code. Exit code 0: everything holds; 1: something does not.
"""

# ruff: noqa: B905, S310, S314, T201 (a script of the standard library alone, for a server its user trusts)

import base64
import hashlib
import json
import os
import sys
import urllib.request
from urllib.parse import urljoin
from xml.etree import ElementTree

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
LABEL = os.environ.get("LABEL", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue|AIAST")
XHTML, LANG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/XML/1998/namespace}lang"
ALLOWED = {XHTML + "div": {"lang", LANG}, XHTML + "ol": set(), XHTML + "li": {"id"}}
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
    """{url: value} of an extension's parts, whatever the type of the value; each may stand there once."""
    values = {}
    for part in extension["extension"]:
        if part["url"] in values:
            raise ValueError("a part is stated twice: " + part["url"])
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


def list_of(div):
    """[(id, text)] of a narrative; None unless it is one plain list, since markup can hide a sentence."""
    root = ElementTree.fromstring(div)
    plain = "<!" not in div and [e.tag for e in root] == [XHTML + "ol"] and not any(len(e) for e in root[0])
    plain = plain and all(set(e.attrib) <= ALLOWED.get(e.tag, set()) for e in root.iter())
    items = [(e.get("id"), "".join(e.itertext())) for e in root.iter(XHTML + "li")]
    return (
        items if plain and "".join(root.itertext()).strip() == "".join(t for _, t in items).strip() else None
    )


def labels(resource):
    """The security labels of a resource as system|code."""
    codings = resource.get("meta", {}).get("security", [])
    codings = codings + [c for concept in resource.get("securityLabel", []) for c in concept["coding"]]
    return {c.get("system", "") + "|" + c.get("code", "") for c in codings}


def findings(base, composition):
    """Yields (whether it holds, what was checked)."""
    described = [parts(e) for e in composition["extension"] if e["url"].endswith("/source-text")]
    (stated,), (section,) = described, composition["section"]
    source, version = section["entry"][0]["reference"].replace(base, ""), stated.get("versionId")
    address = f"{source}/_history/{version}" if version else source
    then = get(base, address)
    over = composition["status"] == "entered-in-error"
    over = over or any(e["url"].endswith("/ended-because") for e in composition["extension"])
    same = over or get(base, source)["meta"].get("versionId") == version
    same = same or "entry" in get(base, "Composition?related-ref=Composition/" + composition["id"])
    yield same, f"{source} still has version {version}, or this summary is past"
    yield stated["source"].endswith("/" + address), "its parts name one source"
    yield stated["unit"] == "unicode-code-point", "offsets count code points"
    yield {LABEL} | labels(then) <= labels(composition), "labelled as made by an AI, and as its source is"
    caption = "".join(ElementTree.fromstring(composition["text"]["div"]).itertext())
    of = f"{source} version {version}" if version else source
    yield caption.startswith(f"AI-extracted summary (unverified) of {of}. Not a"), "its caption says so"

    items = list_of(section["text"]["div"]) or []
    spans = [parts(e) for e in section["extension"] if e["url"] == DERIVATION]
    numbers = [f"#s{number}" for number in range(1, len(spans) + 1)]
    yield ["#" + i for i, _ in items] == numbers == [s[LINK] for s in spans], "a plain list, in its order"
    ((where, path),) = {(s["reference"]["reference"].replace(base, ""), s["path"]) for s in spans}
    text = text_at(base, address if where == source else where, path)
    same = hashlib.sha256(text.encode()).hexdigest() == stated["sha256"]
    yield same and len(text) == stated["length"], f"text of {where} by its SHA-256"
    beside = where != source  # the text of a source that is not plain text is kept beside it
    yield labels(then) <= labels(get(base, where)) if beside else path == stated["path"], "its place"
    end = 0
    for (_, sentence), span in zip(items, spans):
        start, before, end = span["offset"], end, span["offset"] + span["length"]
        found = text[start:end] if before <= start < end <= len(text) else ""
        yield bool(found) and found.translate(SHOWN) == sentence, f"{start}:{end} {found!r}"


def main(address):
    """Prints a line for everything that is checked, and says whether all of it holds."""
    sys.stdout.reconfigure(errors="backslashreplace")
    base, checks = address.rpartition("Composition/")[0], []
    try:
        for holds, what in findings(base, get(base, address)):
            checks.append(holds)
            print("ok   " if holds else "WRONG", what)
    except (LookupError, TypeError, AttributeError, ValueError, OSError, ElementTree.ParseError) as error:
        checks.append(False)
        print("WRONG", "the rest cannot be read:", error)
    print(f"{checks.count(True)} of {len(checks)} checks hold")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
