"""A timeline as FHIR resources: one Composition with a section for each note, and its Provenance.

As with a summary, everything comes from the sources, the summaries and the pipeline, nothing from the clock.
Each note has a `source-text` extension, in the order of the sections. Each sentence has one
`derivation-reference` for each place where it stands, the one that is shown first.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from fhir_adapter import canonical, elements
from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import FORM, Piece, displayed, paragraph, printable, sentence_list, single_list
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import nanoseconds, r4_form
from fhir_adapter.timeline.clinical_time import Precision, readable
from fhir_adapter.timeline.pieces import Place
from fhir_adapter.timeline.timeline import Timeline, TimelineEntry, TimelineNote, TimelineScope
from fhir_adapter.writing.pipeline import Pipeline, deterministic_id
from fhir_adapter.writing.stretches import Stretch, in_order
from fhir_adapter.writing.summary import UNIT, meta, urn
from summarizer.types import ModelInfo

_WINDOW = re.compile(r"\.(\*|\d[^.]*(?:\.\d+[^.]*)?)\.\.(\*|\d.*)$")
_ORDINAL = re.compile(r"~(\d+)$")


def assembler(summaries: str, software_version: str, label: tuple[str, str, str]) -> Pipeline:
    """What puts timelines together, as the pipeline that is their first author.

    Args:
        summaries: name of the pipeline whose sentences are shown.
        software_version: of this product.
        label: the security label for "asserted by an AI", as `Pipeline.label`.
    """
    model = ModelInfo("chronological-order", "", "timeline")
    return Pipeline("timeline", software_version, model, (("summaries", summaries),), label)


def timeline_identifier(scope: TimelineScope, summaries: str, ordinal: int = 1) -> str:
    """The value by which a timeline is found: `Patient-123.extractive`, its window if any, and its ordinal.

    Args:
        scope: whose timeline.
        summaries: name of the pipeline whose sentences are shown.
        ordinal: 1; one more (`...extractive~2`) for each timeline of the scope that a person has taken over.
    """
    window = f".{scope.since or '*'}..{scope.until or '*'}" if scope.since or scope.until else ""
    later = f"~{ordinal}" if ordinal > 1 else ""
    return f"{scope.reference.replace('/', '-', 1)}.{summaries}{window}{later}"


def ordinal_of(identifier: str) -> int:
    """The ordinal that an identifier ends in."""
    found = _ORDINAL.search(identifier)
    return int(found[1]) if found else 1


def scope_of(identifier: str) -> tuple[str, str, str]:
    """(reference, since, until) of the scope that an identifier names; empty strings where it names none."""
    kind, _, rest = _ORDINAL.sub("", identifier).partition("-")
    window = _WINDOW.search(rest)
    since, until = (bound.replace("*", "") for bound in window.groups()) if window else ("", "")
    ident = (rest[: window.start()] if window else rest).rpartition(".")[0]
    return (f"{kind}/{ident}" if ident else ""), since, until


def ids_of(identifier: str) -> tuple[str, str]:
    """Ids of the Composition and of its Provenance: one each for a scope, pipeline name and window."""
    return (
        deterministic_id("Composition", "timeline", identifier),
        deterministic_id("Provenance", "timeline", identifier),
    )


@dataclass(frozen=True)
class WrittenTimeline:
    """A timeline ready to be written.

    Attributes:
        timeline: at least one note.
        identifier: from `timeline_identifier`.
        pipeline: from `assembler`.
        base_url: the server's base.
        author: `Device/id` of the pipeline, where the server has given it an id of its own; `#id` where the
            timeline contains it.
        replaced: id of the timeline that this one comes after, where a person has taken that over.
        form: of the narrative; an earlier one than `narrative.FORM` is for an audit to compare with.
    """

    timeline: Timeline
    identifier: str
    pipeline: Pipeline
    base_url: str
    author: str = ""
    replaced: str = ""
    form: int = FORM

    def __post_init__(self) -> None:
        if not self.timeline.entries:
            raise NoteError(Reason.EMPTY_TEXT)

    @property
    def notes(self) -> list[TimelineNote]:
        """In the order shown."""
        return [entry.note for entry in self.timeline.entries]

    @property
    def assembler(self) -> str:
        """`Device/id` of what put the timeline together."""
        return self.author or f"Device/{self.pipeline.device_id}"

    @cached_property
    def authors(self) -> list[JsonObject]:
        """What put the timeline together, then what chose its sentences."""
        choosers = sorted({author for note in self.notes for author in note.authors})
        return [{"reference": reference} for reference in dict.fromkeys([self.assembler, *choosers])]

    @cached_property
    def when(self) -> str:
        """The newest of the server's stamps of the sources; all dates are derived from it.

        The clock stands in only for a server that stamps nothing, where a rerun cannot be a no-op.
        """
        stamps = [note.note.last_updated for note in self.notes if nanoseconds(note.note.last_updated)]
        newest = max(stamps, key=lambda stamp: (nanoseconds(stamp) or 0, stamp), default="")
        return r4_form(newest) or datetime.now(UTC).isoformat(timespec="seconds")

    @property
    def language(self) -> str:
        """The language of all the notes, else English (our own words are)."""
        stated = {note.note.language or "en" for note in self.notes}
        return stated.pop() if len(stated) == 1 else "en"

    @cached_property
    def source_security(self) -> list[JsonObject]:
        """Every label of every source, each once."""
        return elements.labels(_security(self.notes))

    @cached_property
    def security(self) -> list[JsonObject]:
        """The same and the AI label."""
        own = self.pipeline.label_coding
        name = (own["system"], own["code"])
        return [own, *(x for x in self.source_security if (x.get("system"), x.get("code")) != name)]


def _security(notes: list[TimelineNote]) -> list[JsonObject]:
    """The labels of all notes in an order that does not depend on that of the notes."""
    found = [label for note in notes for label in note.note.security]
    return sorted(found, key=lambda label: (str(label.get("system", "")), str(label.get("code", ""))))


def timeline_composition(written: WrittenTimeline) -> JsonObject:
    """The Composition."""
    timeline, notes = written.timeline, written.notes
    composition_id, _ = ids_of(written.identifier)
    sections, shown = [], 0
    for number, entry in enumerate(timeline.entries, 1):
        sections.append(_section(written, entry, number, shown))
        shown += len(entry.sentences)
    resource: JsonObject = {
        "resourceType": "Composition",
        "id": composition_id,
        "meta": _meta(written),
        "language": written.language,
        "text": paragraph(_caption(timeline), written.language),
        "extension": [source_text(note) for note in notes],
        "identifier": {"system": canonical.TIMELINES, "value": written.identifier},
        "status": "preliminary",
        "type": {
            "coding": [
                {"system": canonical.LOINC, "code": canonical.SUMMARY_NOTE, "display": "Summary note"}
            ],
            "text": "AI-extracted timeline",
        },
        "category": [{"coding": [{"system": canonical.COMPOSITION_KIND, "code": "timeline"}]}],
        **_subject(timeline.scope),
        "date": written.when,
        "author": written.authors,
        "title": f"AI-extracted timeline of {_count(len(notes), 'note')}",
        "confidentiality": elements.confidentiality(_security(notes)),
        "relatesTo": _relations(written),
        "event": [
            elements.without_empty({"period": _period(timeline), "detail": [_source(n) for n in notes]})
        ],
        "section": sections,
    }
    return elements.without_empty(resource)


def _meta(written: WrittenTimeline) -> JsonObject:
    found = meta(canonical.TIMELINE_PROFILE, canonical.TIMELINE_TAG, written.security)
    if ordinal_of(written.identifier) > 1:
        system, code = canonical.REVIEW_TAG
        found["tag"] = [*found["tag"], {"system": system, "code": code}]
    return found


def _relations(written: WrittenTimeline) -> list[JsonObject]:
    if not written.replaced:
        return []
    target = {"reference": f"Composition/{written.replaced}", "type": "Composition"}
    return [{"code": "replaces", "targetReference": target}]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _source(note: TimelineNote) -> JsonObject:
    return {"reference": note.note.reference, "type": note.note.resource_type}


def _subject(scope: TimelineScope) -> JsonObject:
    found: JsonObject = {}
    if scope.patients:
        found["subject"] = {"reference": scope.patients[0]}
    if scope.reference.startswith("Encounter/"):
        found["encounter"] = {"reference": scope.reference}
    return found


def _caption(timeline: Timeline) -> str:
    scope = timeline.scope
    parts = [
        f"AI-extracted timeline (unverified) of {_count(len(timeline.entries), 'note')} of {scope.reference}."
    ]
    if scope.since or scope.until:
        parts.append(f"From {scope.since or 'the beginning'} until {scope.until or 'the end'}.")
    parts.append("Not a substitute for the source notes.")
    return " ".join(parts)


def _period(timeline: Timeline) -> JsonObject | None:
    """From the first stated time to the last one."""
    known = [entry.time for entry in timeline.entries if entry.precision is not Precision.UNKNOWN]
    if not known:
        return None
    both = elements.period({"start": known[0], "end": known[-1]})
    return both or elements.period({"start": known[0]})


def source_text(note: TimelineNote) -> JsonObject:
    """Says which text the offsets into a note count in, in the form that its summary has."""
    parts: list[JsonObject] = [
        {"url": "source", "valueUri": note.url},
        {"url": "versionId", "valueString": note.note.version_id},
        {"url": "path", "valueString": note.path},
        {"url": "mediaType", "valueString": note.media_type},
        {"url": "unit", "valueCode": UNIT},
        {"url": "normalization", "valueUri": note.normalization},
        {"url": "sha256", "valueString": note.sha256},
        {"url": "length", "valueInteger": note.length},
        {"url": "pipeline", "valueString": note.pipeline},
        {"url": "notice", "valueString": note.notice},
    ]
    return {"url": canonical.SOURCE_TEXT, "extension": [part for part in parts if "" not in part.values()]}


def _section(written: WrittenTimeline, entry: TimelineEntry, number: int, before: int) -> JsonObject:
    """One note, the section of that number; `before` sentences stand in the sections before it.

    A note that says nothing new has an entry and no text.
    """
    items: list[list[Piece]] = []
    spans: list[JsonObject] = []
    for number, sentence in enumerate(entry.sentences, before + 1):
        anchor, first = f"s{number}", sentence.places[0]
        stretches = _stretches(first)
        items.append([Piece(s.anchor(anchor), text, s.kind) for s, text in stretches])
        spans += [_span(s, anchor, first) for s, _ in stretches]
        spans += [_repeat(anchor, place, sentence.text, written.form) for place in sentence.repeats]
    listed = sentence_list if written.form == FORM else single_list
    stated = f" ({entry.time_element})" if entry.time_element else ""
    section: JsonObject = {
        "id": f"sec{number}",
        "extension": spans,
        "title": f"{' '.join(entry.title.split())}, {readable(entry.time)}{stated}",
        "code": elements.concept(entry.note.note.type),
        "author": [{"reference": author} for author in entry.note.authors],
        "text": listed(items, written.language) if items else None,
        "mode": "snapshot",
        "orderedBy": {
            "coding": [{"system": canonical.LIST_ORDER, "code": "system", "display": "Sorted by System"}],
            "text": "In the order of the source note",
        },
        "entry": [_source(entry.note)],
    }
    return elements.without_empty(section)


def _stretches(place: Place) -> list[tuple[Stretch, str]]:
    """The sentence at a place and its context, with their words."""
    words = {(piece.start, piece.end): piece.text for piece in place.context}
    found = in_order(place, place.context)
    return [(one, words.get((one.start, one.end), place.text) if one.kind else place.text) for one in found]


def _span(stretch: Stretch, anchor: str, place: Place) -> JsonObject:
    where = {"reference": place.reference, "type": place.reference.partition("/")[0]}
    found = stretch.extension(anchor, where, place.path)
    del found["id"]  # one sentence has many places
    return found


def _repeat(anchor: str, place: Place, shown: str, form: int) -> JsonObject:
    """A further place; where its words are not those shown, it holds its own."""
    found = _span(Stretch(place.start, place.end, score=place.score), anchor, place)
    if place.text != shown:
        words = displayed(place.text) if form == FORM else printable(place.text)
        found["extension"].append({"url": canonical.EXTRACT_TEXT, "valueString": words})
    return found


def timeline_provenance(written: WrittenTimeline) -> JsonObject:
    """The Provenance: AI-Provenance of AI Transparency on FHIR; its entities are all the sources.

    IHE mXDE, which a summary's Provenance follows too, allows one source alone.
    """
    composition_id, provenance_id = ids_of(written.identifier)
    return {
        "resourceType": "Provenance",
        "id": provenance_id,
        "meta": meta(canonical.TIMELINE_PROVENANCE_PROFILE, (canonical.PROVENANCE_KEY, provenance_id), []),
        "language": "en",
        "text": paragraph(_origin(written)),
        "target": [{"reference": urn(composition_id)}],
        "occurredDateTime": written.when,
        "recorded": written.when,
        "reason": [{"coding": [written.pipeline.label_coding]}],
        "activity": {"coding": [{"system": canonical.W3C_ACTIVITY, "code": "Derivation"}]},
        "agent": [_agent(author) for author in written.authors],
        "entity": [_entity(note) for note in written.notes],
    }


def _origin(written: WrittenTimeline) -> str:
    notes, whose = _count(len(written.notes), "note"), written.timeline.scope.reference
    return f"Timeline of {notes} of {whose}, put together by {written.pipeline.words}."


def _agent(author: JsonObject) -> JsonObject:
    return {
        "type": {"coding": [{"system": canonical.PARTICIPANT_TYPE, "code": "assembler"}]},
        "role": [{"coding": [{"system": canonical.AI_DEVICE_TYPE, "code": "Artificial-Intelligence"}]}],
        "who": author,
    }


def _entity(note: TimelineNote) -> JsonObject:
    version = f"/_history/{note.note.version_id}" if note.note.version_id else ""
    # Servers strip the version from references, so it stands as plain data as well.
    identifier = {"system": canonical.URI, "value": note.url}
    return {"role": "source", "what": {"reference": note.note.reference + version, "identifier": identifier}}
