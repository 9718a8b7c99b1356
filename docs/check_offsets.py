#!/usr/bin/env python3
"""Checks every sentence of an extracted summary or timeline against its sources, over plain FHIR REST.

    python3 check_offsets.py https://fhir.example.org/r4/Composition/ID
    python3 check_offsets.py "https://fhir.example.org/r4/Composition?_tag=extractive-summary&_count=50"
    python3 check_offsets.py https://fhir.example.org/r4/DocumentReference/ID

Of one it prints all that is checked; of several, or of a search with all its pages, a line for each and what
does not hold, JOBS of them at a time (4, unless set). A DocumentReference is one that a summary is filed in;
its readable part has to show each sentence. Needs Python 3.9 or newer and nothing else; shares no code with
the software that wrote the summary. Offsets are Unicode code points from 0, in the text that each
derivation-reference extension points at. Where the server wants a login, set AUTHORIZATION to the value of
that header; where it uses another label for what machines made, set LABEL to system|code; where the notes
stand on another server that wants a login too, set SOURCE to its base address and SOURCE_AUTHORIZATION. Exit
code 0: everything holds; 1: something does not.

Left to `clinsum audit`: Provenance, the stated media type, whether anything is missing around a sentence or
among the lines that rules found, where the text of a source that is not plain stood, and making it anew; of
timelines, which element tells the time best, whether other words say the same, and what patients were merged.
"""

# ruff: noqa: B905, S310, S314, T201 (a script of the standard library alone, for a server its user trusts)

import base64
import hashlib
import json
import os
import re
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from urllib.parse import urljoin
from xml.etree import ElementTree

DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
LABEL = os.environ.get("LABEL", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue|AIAST")
XHTML, LANG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/XML/1998/namespace}lang"
KINDS = "heading lead-in question column row caption strike antecedent correction".split()  # of context
CONFIDENTIALITY = (
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
)
READING = (LookupError, TypeError, AttributeError, ValueError, OSError, ElementTree.ParseError)
LEVELS = "ULMNRV"  # of confidentiality, from unrestricted to very restricted
SECTION = {"id", "extension", "title", "code", "author", "text", "mode", "orderedBy", "entry"}
LINK = "http://hl7.org/fhir/StructureDefinition/narrativeLink"
# XML cannot hold control characters; the narrative shows each of them as its control picture.
SHOWN = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}
SHOWN.update({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})  # nor these two


filed = {}  # what stands in documents, by type and id; under a Composition's id what people read


def get(base, url):
    """The resource at a url that is absolute or relative to the base; the login goes to the base alone."""
    if url in filed:
        return filed[url]
    request = urllib.request.Request(urljoin(base, url), headers={"Accept": "application/fhir+json"})
    for place, name in ((base, "AUTHORIZATION"), (os.environ.get("SOURCE"), "SOURCE_AUTHORIZATION")):
        inside = place and request.full_url.startswith((place.rstrip("/") + "/", place.rstrip("/") + "?"))
        if inside and name in os.environ:
            request.add_unredirected_header("Authorization", os.environ[name])
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


get_once = lru_cache(maxsize=64)(get)  # Devices: a few wrote everything


def short(reference):
    """Type and id of a reference, which is absolute where it leads to another server."""
    return "/".join(reference.split("/")[-2:])


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


def element(resource, path):
    """What a path such as DocumentReference.content[0].attachment.data leads to, and what holds it."""
    holder = node = resource
    for step in path.split(".")[1:]:
        name, _, index = step.rstrip("]").partition("[")
        holder, node = node, node[name][int(index)] if index else node[name]
    return node, holder


def text_at(base, reference, path):
    """The text that a path leads to in the resource at a reference."""
    node, holder = element(get(base, reference), path)
    if path.endswith(".data"):
        return decoded(base64.b64decode(node), holder.get("contentType", ""))
    if path.endswith(".url"):
        return decoded(base64.b64decode(get(base, node)["data"]), holder.get("contentType", ""))
    return node  # DiagnosticReport.conclusion is a string already


def item_of(li, form):
    """[(id, text, kind)] of an item of a list; None unless it is plain, since markup can hide a sentence."""
    if form == 1:
        plain = li.tag == XHTML + "li" and set(li.attrib) == {"id"} and not len(li)
        return [(li.get("id"), li.text or "", "")] if plain else None
    found, plain = [], li.tag == XHTML + "li" and not li.attrib and not (li.text or "").strip()
    for e in li:
        kind = e.get("class", "").replace("context ", "", 1) if e.tag == XHTML + "i" else ""
        wanted = {"id": e.get("id"), **({"class": "context " + kind} if kind else {})}
        plain = plain and e.tag == XHTML + ("i" if kind in KINDS else "span") and e.attrib == wanted
        plain = plain and not len(e) and not (e.tail or "").strip()
        found.append((e.get("id"), re.sub("[ \t\r\n]+", " ", e.text or "").strip(" "), kind))
    return found if plain and [kind for _, _, kind in found].count("") == 1 else None


def heads_of(root):
    """Takes what stands before the lines that rules found out of a narrative; None unless each has it."""
    heads = []
    for li in root.iter(XHTML + "li"):
        head = li[0] if len(li) else li
        plain = head.tag == XHTML + "b" and head.attrib == {"class": "rule"} and not len(head)
        if not plain or (head.tail or "").strip():
            return None
        heads.append(head.text)
        li.remove(head)
    return heads


def list_of(root, form):
    """The items of a narrative, as item_of has them; None unless it is one plain list of them."""
    if [e.tag for e in root] != [XHTML + "ol"] or root[0].attrib or set(root.attrib) - {"lang", LANG}:
        return None
    items = [item_of(li, form) for li in root[0]]
    said = [root.text, root[0].text, root[0].tail, *(li.tail for li in root[0])]
    return None if None in items or any((text or "").strip() for text in said) else items


def as_shown(text, form):
    """A text of a note as a narrative shows it: white space folded, which form 1 did not do."""
    return (text if form == 1 else " ".join(text.split())).translate(SHOWN)


def apart(one, other):
    """The words in which two texts differ, and the one after; both whole where only white space differs."""
    a, b = one.split(), other.split()
    same = [x == y for x, y in zip(a, b)] + [False]
    start, ends = same.index(False), [x == y for x, y in zip(a[::-1], b[::-1])] + [False]
    end = max(0, min(ends.index(False), len(a) - start, len(b) - start) - 1)
    found = [" ".join(words[start : len(words) - end]) for words in (a, b)]
    return found if a != b else [one, other]


def labels(resource):
    """The security labels of a resource as system|code."""
    codings = resource.get("meta", {}).get("security", [])
    codings = codings + [c for concept in resource.get("securityLabel", []) for c in concept["coding"]]
    return {c.get("system", "") + "|" + c.get("code", "") for c in codings}


def moment(time):
    """A time that states its zone as (instant, fraction of a second); None for any other."""
    found = re.fullmatch(r"(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)", time)
    if not found:
        return None
    return datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00")), float(found[2] or 0)


def of_note(base, composition, source, about):
    """Yields as `findings` for one source; returns the version of it that was read, and its address."""
    version = about.get("versionId")
    address = f"{source}/_history/{version}" if version else source
    then = get(base, address)
    over = composition["status"] == "entered-in-error"
    over = over or any(e["url"].endswith("/ended-because") for e in composition["extension"])
    same = over or get(base, source)["meta"].get("versionId") == version
    if not same and composition["id"] not in filed:
        same = "entry" in get(base, "Composition?related-ref=Composition/" + composition["id"])
    yield same, f"{source} still has version {version}, or this summary is past"
    yield ("/" + about["source"]).endswith("/" + address), "its parts name one source"
    yield about["unit"] == "unicode-code-point", "offsets count code points"
    yield {LABEL} | labels(then) <= labels(composition), "labelled as made by an AI, and as its source is"
    coded = [label.rpartition("|") for label in labels(then)]
    stated = [LEVELS.find(code) for system, _, code in coded if code and system in CONFIDENTIALITY]
    least = max((level for level in stated if level >= 0), default=LEVELS.find("N"))
    yield LEVELS.find(composition.get("confidentiality", "-")) >= least, "as confidential as its source"
    return then, address


def of_text(base, notes, where, path):
    """Yields as `findings` for one text that offsets point into; returns whose text it is, and the text."""
    beside = where not in notes and get(base, where)  # the text of a source that is not plain is kept so
    related = (beside.get("relatesTo") or [{"target": beside["context"]["related"][0]}]) if beside else []
    whose = related[0]["target"]["reference"].replace(base, "") if beside else where
    about, (then, address) = notes[whose]
    text = text_at(base, where if beside else address, path)
    same = hashlib.sha256(text.encode()).hexdigest() == about["sha256"]
    yield same and len(text) == about["length"], f"text of {where} by its SHA-256"
    recipe = beside["description"].rpartition(" by ")[2] if beside else ("/plain|1", "/plain|2")
    yield about["normalization"].endswith(recipe), f"its recipe, {recipe}"
    yield labels(then) <= labels(beside) if beside else path == about["path"], "its place"
    return whose, text


def rule_of(span):
    """The rule that a line says found it; None of what a score chose, and of context."""
    return next((value for url, value in span.items() if url.endswith("/extract-rule")), None)


def of_rules(section, spans, heads, known):
    """Yields as `findings` for the rules that found lines: those of the Device, and as many lines as told."""
    rules = [parts(e) for e in section["extension"] if e["url"].endswith("/pinned-rule")]
    yield all(r["rule"].rpartition("/")[2] in known for r in rules), "rules of the Device"
    lines = [r for r in rules for _ in range(r["shown"])]
    named = [rule_of(span) for span in spans if "c" not in span[LINK]]
    whole = [r["rule"] for r in lines] == named and len({r["rule"] for r in rules}) == len(rules)
    yield whole and all(0 < r["shown"] <= r["found"] for r in rules), "as many lines of each rule as it says"
    told = ["({shown} of {found} shown)".format(**r) if r["shown"] < r["found"] else "" for r in lines]
    yield heads == [f"{r['title']} {n}".strip() + ":" for r, n in zip(lines, told)], "each under its rule"
    plain = section["mode"] == "snapshot" and codes(section["orderedBy"]) == {"category"}
    yield plain and not set(section) - SECTION, "a section as that of the sentences"


def of_sentences(section, spans, first, texts, own, form, letter="s", known=()):
    """Yields as `findings` for the sentences of one source, numbered from the first, with their context.

    Lines that rules found are named by another letter; their order begins anew with each rule.
    """
    root = ElementTree.fromstring(section["text"]["div"]) if "text" in section else None
    heads = heads_of(root) if letter == "r" else []
    items = list_of(root, form) if root is not None and heads is not None else root
    items = [] if root is None else items
    yield items is not None and "<!" not in str(section.get("text")), "a plain list"
    if letter == "r":
        yield from of_rules(section, spans, heads, known)
    shown, wanted, links = {}, [], [span[LINK][1:] for span in spans]
    for n, item in enumerate(items or [], first):
        shown.update({name: (words, kind) for name, words, kind in item})
        around = iter(range(1, len(item)))
        wanted += [f"{letter}{n}c{next(around)}" if kind else f"{letter}{n}" for _, _, kind in item]
    yield list(shown) == wanted == list(dict.fromkeys(links)), "each item with its context, in their order"
    places = [link for link, _ in groupby(link for link in links if "c" not in link)]
    yield places == list(dict.fromkeys(places)), "the places of a sentence one after the other"
    begun, last, end, rule = set(), {}, 0, None
    for span, link in zip(spans, links):
        start, stop = span["offset"], span["offset"] + span["length"]
        whose, text = texts[span["reference"]["reference"], span["path"]]
        found = text[start:stop] if 0 <= start < stop <= len(text) else ""
        more = {url.rpartition("/")[2]: value for url, value in span.items()}
        other, kind = more.get("extract-text"), more.get("extract-context", "")
        if not kind and rule_of(span) != rule:
            rule, end = rule_of(span), 0
        words, as_kind = shown.get(link, ("", ""))
        said = words if other is None else other
        exact = form == 1 or found == found.strip()  # offsets lead from word to word
        right = (
            exact
            and as_shown(found, form) == said
            and kind == as_kind
            and (rule_of(span) is not None) == (not kind and letter == "r")
            and not ((kind or rule_of(span)) and "extract-score" in more)
        )
        if link not in begun:  # where it stands, after what goes before it; later come places that repeat it
            begun.add(link)
            number = link.partition("c")[0]
            after = max(last.get(number, 0), 0 if kind else end)
            right = right and other is None and whose == own and start >= after
            last[number], end = stop, end if kind else stop
        what = repr(found) if right else "summary says {!r}, note says {!r}".format(*apart(said, found))
        what = f"{kind or ('rule' if letter == 'r' else '')} {start}:{stop} {what}"
        yield bool(found) and right, what.lstrip()


def objects(value):
    """The JSON objects of an element that may stand once or many times, and is not always as it should be."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def codes(*concepts):
    """The codes of CodeableConcepts."""
    return {coding.get("code") for concept in concepts for coding in objects(concept.get("coding"))}


def maker(base, composition):
    """The Device that is named first: contained, where a server takes none that belongs to no patient."""
    name = composition["author"][0]["reference"]
    return contained(composition)[name] if name.startswith("#") else get_once(base, name)


def contained(composition):
    """What a Composition contains, by the reference that names it there."""
    return {"#" + one["id"]: one for one in composition.get("contained", [])}


def versions(device):
    """What a Device states of its versions: software, model, the form of what it writes (1 if unstated)."""
    return {v["type"]["text"]: v["value"] for v in device.get("version", []) if "text" in v.get("type", {})}


def stays(resource):
    """What a source says of its encounter, in the places of R4 and R5."""
    context = objects(resource.get("context"))
    found = objects(resource.get("encounter")) + [e for c in context for e in objects(c.get("encounter"))]
    names = [(one, str(one.get("reference")).split("/")) for one in context]
    return found + [one for one, steps in names if "Encounter" in (one.get("type"), *steps)]


def same_target(base, said, home, found, kind):
    """Whether one reference is the first of those found; what cannot stand in another resource may differ.

    Each is relative to the server that it stands on, or absolute.
    """
    if not found:
        return not said
    said, first = (str(one.get("reference", "")) for one in (said or {}, found[0]))
    first = first.replace(home, "")
    if not re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}", first):
        return said == first or bool(first)
    return urljoin(base, said) == home + first if first.startswith(kind) else not said


def of_summary(base, composition, source, then, about):
    """Yields as `findings` for what a summary says of its note: which one, about whom, by whom, when."""
    section = composition["section"][0]
    own = composition["identifier"]["value"].startswith(short(source).replace("/", "-", 1) + ".")
    yield own, f"of {short(source)}"
    yield composition["title"].startswith("AI-extracted summary"), "its title"
    named = codes(composition["type"]) == {"68608-9"}
    named = named and "extractive-summary" in codes(*composition["category"])
    tags = {tag["code"] for tag in composition["meta"]["tag"]}
    yield named and "extractive-summary" in tags, "its type, category and tag"
    home = urljoin(base, source)[: -len(short(source))]
    for element_name, found, kind in (
        ("subject", objects(then.get("subject")), ""),
        ("encounter", stays(then), "Encounter/"),
        ("custodian", objects(then.get("custodian")), "Organization/"),
    ):
        same = same_target(base, composition.get(element_name), home, found, kind)
        yield same, f"its {element_name} is that of its source"
    stamp = then["meta"].get("lastUpdated")  # a server may stamp nothing
    yield not stamp or moment(composition["date"]) == moment(stamp), "its date is its source's stamp"
    alone = len(composition["author"]) == 1 and composition["author"] == section["author"]
    device = maker(base, composition)
    alone = alone and about["pipeline"] in [one.get("value") for one in device.get("identifier", [])]
    alone = alone and contained(composition).keys() <= {composition["author"][0]["reference"]}
    yield alone, "its one author is the Device of its pipeline"
    plain = set(section) <= SECTION and section["title"].startswith("Extracted sentences")
    plain = plain and section["mode"] == "snapshot" and codes(section["orderedBy"]) == {"system"}
    yield plain, "its section is plain sentences in order"
    kinds = codes(*objects(then.get("type")), *objects(then.get("code"))) | {"34109-9"}
    same = {json.dumps([one[n] for n in ("code", "author", "entry")]) for one in composition["section"]}
    yield codes(section["code"]) <= kinds and len(same) == 1, "its section has the code of its source"
    lang = ElementTree.fromstring(composition["text"]["div"]).get("lang")
    yield composition["language"] == lang, "its language"


def of_left_out(composition, notice, text):
    """Yields as `findings` for what is said not to be shown, and of the reading: in words as in numbers."""
    caption = "".join(ElementTree.fromstring(composition["text"]["div"]).itertext())
    told = [e["extension"] for e in composition["extension"] if e["url"].endswith("/left-out")]
    sections = [parts(p) for p in (told[0] if told else []) if p["url"] == "section"]
    more = sum(p["valueInteger"] for p in (told[0] if told else []) if p["url"] == "sentences")
    counts = [len(sections), sum(s["sentences"] for s in sections), more]
    said = re.search(r" Not chosen: (.*?)\.(?: On reading|$)", caption)
    numbers = [int(n) for n in re.findall(r"\d+", said[1])] if said else []
    wanted = (counts[:2] if sections else []) + ([more] if more else [])
    words = " ".join(text.split()).translate(SHOWN)
    yield len(told) < 2 and numbers == wanted, "as much is left out as its caption says"
    yield all(s["title"] and s["title"] in words for s in sections), "what is left out stands in its source"
    tail = caption.partition(" On reading the note: ")[2]
    yield tail == (notice and notice + "."), "its caption says what was remarkable in reading it"


def of_timeline(composition, whose, notes):
    """Yields as `findings` for what a timeline says of its notes together: whose, how many, by whom, when."""
    sections, thens = composition["section"], [then for _, (then, _) in notes.values()]
    yield composition["identifier"]["value"].startswith(whose.replace("/", "-", 1) + "."), f"of {whose}"
    yield composition["title"].startswith(f"AI-extracted timeline of {len(sections)} note"), "its title"
    newest = max((then["meta"]["lastUpdated"] for then in thens), key=moment)
    yield composition["date"] == newest, "its date is the newest stamp of its notes"
    authors = [author["reference"] for author in composition["author"]]
    chose = {author["reference"] for section in sections for (author,) in [section["author"]]}
    whole = authors == [authors[0], *sorted(chose - {authors[0]})]
    whole = whole and contained(composition).keys() <= set(authors)
    yield whole, "its authors are those of its sections"
    times = []
    for section, then in zip(sections, thens):
        stated = re.search(r" \((\w+\.[\w.\[\]]+)\)$", section["title"])
        time = element(then, stated[1])[0] if stated else ""
        words = time[:16].replace("T", " ") or "time unknown"
        yield f", {words}" in section["title"], f"{words}, as {stated[1] if stated else 'nothing'} says"
        times.append(time)
    known = [time for time in times if time]
    days, instants = [t for t in known if len(t) <= 10], [m for m in map(moment, known) if m]
    order = days == sorted(days) and instants == sorted(instants) and times[: len(known)] == known
    yield order, "in the order of their times"
    period = composition["event"][0].get("period", {})
    ends = period == ({"start": known[0], "end": known[-1]} if known else {})
    yield ends, "from the first to the last"


def findings(base, composition):
    """Yields (whether it holds, what was checked)."""
    described = [parts(e) for e in composition["extension"] if e["url"].endswith("/source-text")]
    sections, many = list(composition["section"]), composition["identifier"]["system"].endswith("/timelines")
    ruled = [] if many or [s.get("title") for s in sections[1:]] != ["Found by rule"] else [sections.pop()]
    sources = [entry["reference"].replace(base, "") for s in sections for (entry,) in [s["entry"]]]
    named = [detail["reference"].replace(base, "") for detail in composition["event"][0]["detail"]]
    alone = len(described) == len(sections) == len(set(sources)) and (many or len(sections) == 1)
    yield alone and named == sources, "each source is named and described once"
    status = composition["status"] in ("preliminary", "entered-in-error") or "attester" in composition
    yield status, "no approval that nobody signed"
    notes = {}
    for source, about in zip(sources, described):
        notes[source] = about, (yield from of_note(base, composition, source, about))
    version = described[0].get("versionId")
    kind, of = "summary", short(sources[0]) + (f" version {version}" if version else "")
    if many:
        kind, of = "timeline", short((composition.get("encounter") or composition["subject"])["reference"])
        yield from of_timeline(composition, of, notes)
        of = f"{len(sections)} note{'s' * (len(sections) > 1)} of {of}"
    else:
        yield from of_summary(base, composition, sources[0], notes[sources[0]][1][0], described[0])
    caption = "".join(ElementTree.fromstring(composition["text"]["div"]).itertext())
    yield caption.startswith(f"AI-extracted {kind} (unverified) of {of}."), "its caption says so"
    yield " Not a substitute for the source note" in caption, "its caption warns"

    device = maker(base, composition)
    form = int(versions(device).get("form", 1))
    spans = [[parts(e) for e in s.get("extension", []) if e["url"] == DERIVATION] for s in sections + ruled]
    texts, number = {}, 1
    for where, path in dict.fromkeys((p["reference"]["reference"], p["path"]) for s in spans for p in s):
        texts[where, path] = yield from of_text(base, notes, where.replace(base, ""), path)
    for source, section, places in zip(sources, sections, spans):
        links = [place[LINK] for place in places]
        yield many or 0 < len(set(links)) == len(links), "one place for each sentence"
        yield from of_sentences(section, places, number, texts, source, form)
        number += len({link for link in links if "c" not in link})
    if not many and form > 1:
        text = "".join(text for _, text in list(texts.values())[:1])
        yield from of_left_out(composition, described[0].get("notice", ""), text)
    known = versions(device).get("rules", "").split()
    for section in ruled:
        yield from of_sentences(section, spans[-1], 1, texts, sources[0], form, "r", known)


def checked(base, composition):
    """[(whether it holds, what was checked)] of one Composition."""
    checks = []
    try:
        checks.extend(findings(base, composition))
        checks.extend(of_readable(composition) if composition["id"] in filed else [])
    except READING as error:
        checks.append((False, f"the rest cannot be read: {error}"))
    return checks


def out_of(document):
    """The Composition of a DocumentReference; what else is in it is found by `get` from then on."""
    held = {}
    for attachment in (content["attachment"] for content in document["content"]):
        held[attachment["contentType"].partition(";")[0]] = base64.b64decode(attachment["data"])
    entries = json.loads(held["application/fhir+json"])["entry"]
    composition, *others = [entry["resource"] for entry in entries]
    filed.update({one["resourceType"] + "/" + one["id"]: one for one in others})
    filed[composition["id"]] = " ".join(held["text/plain"].decode().split())
    return composition


def of_readable(composition):
    """Yields as `findings` for what people read of a summary in a document."""
    shown = filed[composition["id"]]
    for section in composition["section"] if composition["status"] != "entered-in-error" else []:
        for span in ElementTree.fromstring(section["text"]["div"]).iter(XHTML + "span"):
            words = " ".join("".join(span.itertext()).split())
            yield words in shown, f"{span.get('id')} stands in the readable part"


def found_at(address):
    """Yields lists of (base, Composition): the one at an address, or each page of a search."""
    base = re.split("(?:Composition|DocumentReference)[?/]", address)[0]
    while address:
        found = get(base, address)
        if found["resourceType"] == "Bundle":
            entries = [entry["resource"] for entry in found.get("entry", [])]
            yield [(base, one) for one in entries if one["resourceType"] == "Composition"]
        else:
            yield [(base, found if found["resourceType"] == "Composition" else out_of(found))]
        address = next((one["url"] for one in found.get("link", []) if one["relation"] == "next"), None)


def of_many(addresses):
    """Prints a line for each of several Compositions, and what does not hold of it; whether all holds."""
    held = total = 0
    with ThreadPoolExecutor(int(os.environ.get("JOBS", "4"))) as pool:
        for address in addresses:
            for page in found_at(address):
                for (_, composition), checks in zip(page, pool.map(lambda one: checked(*one), page)):
                    wrong = [what for holds, what in checks if not holds]
                    says = f"{len(checks) - len(wrong)} of {len(checks)} checks hold"
                    print("WRONG" if wrong else "ok   ", "Composition/" + composition["id"] + ":", says)
                    print("".join(f"      {what}\n" for what in wrong), end="", flush=True)
                    held, total = held + (not wrong), total + 1
    print(f"{held} of {total} Compositions hold")
    return 0 < held == total


def main(addresses):
    """Prints what was checked at one or more addresses; 0 if all of it holds, else 1."""
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if len(addresses) > 1 or "?" in addresses[0]:
            return 0 if of_many(addresses) else 1
        ((one,),) = found_at(addresses[0])
        checks = checked(*one)
    except READING as error:
        checks = [(False, f"the rest cannot be read: {error}")]
    for holds, what in checks:
        print("ok   " if holds else "WRONG", what)
    print(f"{sum(holds for holds, _ in checks)} of {len(checks)} checks hold")
    return 0 if all(holds for holds, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
