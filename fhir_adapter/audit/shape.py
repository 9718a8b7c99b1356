"""What the audit can tell from a Composition alone, and by comparing its elements with its source's."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims, pinned_section
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.elements import CONFIDENTIALITY_ORDER, confidentiality, labels
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts, relative
from fhir_adapter.narrative import same_narrative
from fhir_adapter.note import Reading, SourceNote
from fhir_adapter.stamps import nanoseconds, r4_form
from fhir_adapter.writing.pipeline import Pipeline
from fhir_adapter.writing.summary import UNIT, SummaryDraft, composition
from summarizer.types import ModelInfo, Pinned, PinnedLine, PinnedRule, SelectedSentence, Summary

_OWN_STATUS = ("preliminary", "entered-in-error")
_APPROVED_STATUS = ("final", "amended")
ANCHOR = re.compile(r"s([1-9][0-9]*)", re.ASCII)
_DERIVED = ("language", "identifier", "type", "category", "encounter", "title", "custodian", "event")
_DERIVED_IN_SECTION = ("title", "code", "mode", "orderedBy", "entry", "focus", "emptyReason")
# What others may put beside what we wrote without touching it, and what has findings of its own.
OTHERS_ELEMENTS = frozenset(
    {"id", "meta", "implicitRules", "attester", "extension", "author", "contained", "confidentiality"}
)


def shape(claims: Claims, resource: JsonObject, label: tuple[str, str], form: int) -> list[Found]:
    """Findings that need nothing but the Composition.

    Args:
        claims: read from it.
        resource: the Composition.
        label: (system, code) that marks a summary as made by a machine.
        form: of the narrative, as its maker writes it.
    """
    found: list[Found] = []
    if claims.narrative_error:
        found.append((Finding.NARRATIVE_UNREADABLE, claims.narrative_error))
    if not claims.plain_list or claims.form not in (0, form):
        found.append((Finding.NARRATIVE_CHANGED, "section.text"))
    if claims.sections != 1:
        found.append((Finding.SECTION_ADDED, f"{claims.sections} sections"))
    if claims.unit != UNIT:
        found.append((Finding.UNIT_UNKNOWN, ""))
    if label not in claims.labels:
        found.append((Finding.LABEL_REMOVED, label[1]))
    if canonical.SUMMARY_TAG not in coded(as_dict(resource.get("meta")).get("tag")):
        found.append((Finding.ELEMENT_DIFFERS, "meta.tag"))
    if not good_status(claims.status, bool(resource.get("attester"))):
        found.append((Finding.STATUS_WRONG, ""))
    if claims.source_texts != 1 or not names_version(claims.source_url, claims.source, claims.version):
        found.append((Finding.SOURCE_MISMATCH, "source-text"))
    return found + _spans(claims)


def good_status(status: str, attested: bool) -> bool:
    """Whether a Composition of ours may have this status."""
    return status in _OWN_STATUS or (status in _APPROVED_STATUS and attested)


def names_version(url: str, source: str, version: str) -> bool:
    """Whether an absolute address is that of the source's version, on whatever base it was read."""
    return url.endswith(f"/{source}/_history/{version}" if version else f"/{source}")


def _spans(claims: Claims) -> list[Found]:
    """Sentences and offsets belong together one to one, numbered from 1, in one order."""
    found: list[Found] = []
    linked = [span.link for span in claims.spans]
    shown = [anchor for anchor, _ in claims.items]
    for number, span in enumerate(claims.spans, 1):
        if not span.well_formed or (span.words, span.rule) != (None, None) or not ANCHOR.fullmatch(span.link):
            found.append((Finding.SPAN_MALFORMED, f"span {number}"))
        if span.link not in shown:
            found.append((Finding.SPAN_WITHOUT_SENTENCE, f"span {number}"))
    for ids in (linked, shown):
        for anchor in dict.fromkeys(ids):
            if ids.count(anchor) > 1:
                found.append((Finding.DUPLICATE_ID, f"number {ids.index(anchor) + 1}"))
    numbers = {int(match[1]) for match in map(ANCHOR.fullmatch, {*linked, *shown}) if match}
    highest = max((int(match[1]) for match in map(ANCHOR.fullmatch, linked) if match), default=1)
    for number in range(1, min(highest, len(numbers) + 1) + 1):
        if number not in numbers:
            found.append((Finding.SENTENCE_REMOVED, f"sentence {number}"))
    order = [(span.offset, span.offset + span.length) for span in claims.spans]
    disjoint = all(a[1] <= b[0] for a, b in pairwise(order))
    in_step = [link for link in linked if link in shown] == [a for a in shown if a in linked]
    if not disjoint or not in_step or linked != sorted(linked, key=_number):
        found.append((Finding.WRONG_ORDER, ""))
    return found


def _number(anchor: str) -> int:
    match = ANCHOR.fullmatch(anchor)
    return int(match[1]) if match else 0


def less_protected(resource: JsonObject, note: SourceNote) -> list[Found]:
    """Labels and confidentiality of the source that a resource made from it lacks."""
    own = coded(as_dict(resource.get("meta")).get("security"))
    lacking = [x["code"] for x in labels(note.security) if not coded([x]) <= own]
    found = [(Finding.PROTECTION_LOWERED, f"label {code}") for code in lacking]
    if resource.get("resourceType") == "Composition":
        stated, least = str(resource.get("confidentiality", "")), confidentiality(note.security)
        order = CONFIDENTIALITY_ORDER
        if len(stated) != 1 or stated not in order or order.index(stated) < order.index(least):
            found.append((Finding.PROTECTION_LOWERED, "confidentiality"))
    return found


def against_source(
    claims: Claims, resource: JsonObject, reading: Reading, label: tuple[str, str], base_url: str, form: int
) -> list[Found]:
    """Elements that follow from the source, compared with what the source gives now.

    Args:
        claims: read from the Composition.
        resource: the Composition.
        reading: the source's stated version, read again; its text is not blank.
        label: the label of what machines made.
        base_url: the server's.
        form: as of `shape`; in form 1 the title has the clinical date, which may be that of an admission.
    """
    if form == 1:
        reading = replace(reading, note=replace(reading.note, written=reading.note.date))
    reading = replace(reading, text=replace(reading.text, notice=claims.notice))  # which is looked at apart
    wanted = _wanted(claims, resource, reading, label, base_url)
    found: list[Found] = []
    if plain(resource.get("subject"), base_url) != plain(wanted.get("subject"), base_url):
        found.append((Finding.SUBJECT_DIFFERS, ""))
    names = [n for n in _DERIVED if plain(resource.get(n), base_url) != plain(wanted.get(n), base_url)]
    there = dicts(resource.get("section")) or [{}]
    for section, other, where in zip(there, wanted["section"], ("section", "section[1]"), strict=False):
        for name in _DERIVED_IN_SECTION:
            if plain(section.get(name), base_url) != plain(other.get(name), base_url):
                names.append(f"{where}.{name}")
    if not same_narrative(str(as_dict(resource.get("text")).get("div", "")), wanted["text"]["div"]):
        names.append("text")
    # Of a summary whose time is over, a note without versions shows a later state.
    later = not claims.version and bool(claims.ended or claims.status == "entered-in-error")
    stamped = bool(r4_form(reading.note.last_updated)) and not later
    if stamped and nanoseconds(resource.get("date")) != nanoseconds(wanted["date"]):
        names.append("date")
    if not _related(resource, wanted.get("relatesTo", [])):
        names.append("relatesTo")
    names += sorted(set(resource) - set(wanted) - OTHERS_ELEMENTS - {"relatesTo"} - set(names))
    mediatype = (reading.text.media_type,)
    if mediatype != _facts(resource, "mediaType"):
        names.append("source-text.mediaType")
    for name in names:
        mismatch = name in ("section.entry", "section[1].entry", "event")
        found.append((Finding.SOURCE_MISMATCH if mismatch else Finding.ELEMENT_DIFFERS, name))
    return found + less_protected(resource, reading.note)


def replaces_composition(resource: JsonObject, reference: str) -> bool:
    """Whether a Composition says that it replaces another one; with "" for that, any other."""
    return any(
        relation.get("code") == "replaces" and target.endswith(reference or target)
        for relation in dicts(resource.get("relatesTo"))
        if (target := str(as_dict(relation.get("targetReference")).get("reference", "")))
    )


def _related(resource: JsonObject, wanted: list[JsonObject]) -> bool:
    """All relations of the source are there; and one that comes after a person's work names that."""
    relations = dicts(resource.get("relatesTo"))
    later = re.search(r"~\d+$", str(as_dict(resource.get("identifier")).get("value", "")))
    return all(relation in relations for relation in wanted) and (
        not later or replaces_composition(resource, "")
    )


def _wanted(
    claims: Claims, resource: JsonObject, reading: Reading, label: tuple[str, str], base_url: str
) -> JsonObject:
    """The Composition that this source gives, apart from its sentences and its author."""
    text = reading.text.text
    at = len(text) - len(text.lstrip())
    model = ModelInfo("", "", "")
    line = PinnedLine(at, at + 1, text[at], "", 0)
    pinned = Pinned((line,), (PinnedRule("", 0, "", 1, 1),)) if pinned_section(resource) else Pinned()
    chosen = (SelectedSentence(at, at + 1, text[at], 0.0),)
    summary = Summary(model, "", len(text), chosen, (), pinned, claims.left_out)
    value = str(as_dict(resource.get("identifier")).get("value", ""))
    name = value.removeprefix(f"{reading.note.resource_type}-{reading.note.id}.")
    pipeline = Pipeline(name, "", model, label=(*label, ""))
    return composition(SummaryDraft(reading, summary, pipeline, base_url))


def _facts(resource: JsonObject, name: str) -> tuple[str, ...]:
    """Values of a part of the description of the source's text."""
    return tuple(
        str(part.get("valueString"))
        for extension in dicts(resource.get("extension"))
        if extension.get("url") == canonical.SOURCE_TEXT
        for part in dicts(extension.get("extension"))
        if part.get("url") == name
    )


def plain(node: Any, base_url: str) -> Any:
    """An element as servers agree on it: no element ids, references relative and without version."""
    if isinstance(node, dict):
        found = {name: plain(value, base_url) for name, value in node.items() if name != "id"}
        if isinstance(found.get("reference"), str):
            found["reference"] = relative(found["reference"], base_url)
        return found
    return [plain(item, base_url) for item in node] if isinstance(node, list) else node
