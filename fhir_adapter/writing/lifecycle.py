"""Whose a summary is, and how it ends: the rules of docs/lifecycle.md as functions of resources.

A summary carries a digest over its content. As long as it holds, nobody but this software has changed the
Composition, whatever ledger is at hand; servers may set ids, add labels or write a date in another form
without breaking it. The digest guards against overwriting a person's work, not against a forger: the audit
is for that.
"""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject, as_dict, coded, dicts
from fhir_adapter.narrative import shown
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import nanoseconds

_IN_ERROR = "entered-in-error"
_NO_CONTENT = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "status", "attester", "author", "contained"}
    | {"extension", "text", "section"}
)
_MARKS = frozenset({canonical.ENDED_BECAUSE, canonical.WITHDRAWAL_REASON})
_OURS = _MARKS | {canonical.SOURCE_TEXT, canonical.CONTENT_DIGEST}


class Withdrawal(StrEnum):
    """Why a person withdrew a summary; the other reasons for an end are those of the note."""

    RECALLED = "recalled"
    SOURCE = "source-withdrawn"


NO_NOTE = "no-note"
"""Why a timeline ended that no note is left for."""

# The note says nothing any more, or should never have: its summary is wrong too, as is a second one of one
# text. For the other reasons the summary was right and is out of date; R4 has no status for that, so it keeps
# its status and is marked.
_WRONG = frozenset(
    {
        Reason.ENTERED_IN_ERROR,
        Reason.DELETED,
        Reason.CANCELLED,
        Reason.COPY,
        Reason.NO_ATTACHMENT,
        Reason.EMPTY_TEXT,
        Withdrawal.RECALLED,
        Withdrawal.SOURCE,
        NO_NOTE,
    }
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a Composition says it was made from; two with the same stamp hold the same sentences."""

    version_id: str
    sha256: str
    normalization: str
    pipeline: str


@dataclass(frozen=True)
class Existing:
    """A summary as it stands on the server.

    Attributes:
        version: `meta.versionId`, for If-Match; "" where the server has none.
        ended: why it is no longer current, or "".
        ordinal: its place in the chain of its source's summaries, from 1.
        labels: security labels as (system, code).
        resource: the whole.
    """

    id: str
    version: str
    stamp: Stamp
    ended: str
    ordinal: int
    labels: frozenset[tuple[str, str]]
    resource: JsonObject = field(repr=False, compare=False)

    @cached_property
    def ours(self) -> bool:
        """Nobody else has changed or attested it; told by its digest, so only where somebody asks."""
        return is_ours(self.resource)

    @property
    def attested(self) -> bool:
        """A person signed it, or gave it a status that only a person gives."""
        return is_attested(self.resource)

    @property
    def in_error(self) -> bool:
        """It counts as entered in error, whoever said so."""
        return self.resource.get("status") == _IN_ERROR


def read_existing(composition: JsonObject, ordinal: int = 1) -> Existing:
    """Reads a Composition leniently."""
    meta = as_dict(composition.get("meta"))
    return Existing(
        id=str(composition.get("id", "")),
        version=str(meta.get("versionId", "")),
        stamp=stamp_of(composition),
        ended=ended_because(composition),
        ordinal=ordinal,
        labels=frozenset(coded(meta.get("security"))),
        resource=composition,
    )


def stamp_of(composition: JsonObject) -> Stamp:
    """Reads the stamp off a Composition; parts that are absent or odd read as ""."""
    parts = dict(source_facts(composition))
    names = ("versionId", "sha256", "normalization", "pipeline")
    return Stamp(*(str(parts.get(name) or "") for name in names))


def same_sources(one: JsonObject, other: JsonObject) -> bool:
    """Whether two Compositions were made from the same texts of the same versions of the same sources."""
    names = ("versionId", "sha256")
    first, second = (sorted(str(f) for f in source_facts(c) if f[0] in names) for c in (one, other))
    return first == second


def is_timeline(composition: JsonObject) -> bool:
    """Whether a Composition claims to be one of our timelines, by its identifier or its tag."""
    system = as_dict(composition.get("identifier")).get("system")
    tags = coded(as_dict(composition.get("meta")).get("tag"))
    return system == canonical.TIMELINES or canonical.TIMELINE_TAG in tags


def is_attested(composition: JsonObject) -> bool:
    """Whether a person has signed the Composition, or moved it on from `preliminary`."""
    status = composition.get("status")
    return bool(composition.get("attester")) or status not in ("preliminary", _IN_ERROR)


def is_ours(composition: JsonObject) -> bool:
    """Whether the Composition is as this software wrote it, and no person has attested it.

    One that is entered in error without our saying why was marked by somebody else.
    """
    if is_attested(composition):
        return False
    if composition.get("status") == _IN_ERROR and not ended_because(composition):
        return False
    return _value(composition, canonical.CONTENT_DIGEST) == content_digest(composition)


def ended_because(composition: JsonObject) -> str:
    """The code that says why the summary is no longer current, or ""."""
    return _value(composition, canonical.ENDED_BECAUSE)


def sealed(composition: JsonObject) -> JsonObject:
    """The Composition with the digest of its content."""
    digest = {"url": canonical.CONTENT_DIGEST, "valueString": content_digest(composition)}
    return {**composition, "extension": [*dicts(composition.get("extension")), digest]}


def ended(composition: JsonObject, why: str, words: str = "") -> JsonObject:
    """The Composition marked as no longer current; as entered in error where what it says is wrong.

    Args:
        composition: as it stands.
        why: the code.
        words: of the person who withdraws it; "" for none.
    """
    status = composition.get("status")
    if why in _WRONG:
        status = _IN_ERROR
    elif status == _IN_ERROR:
        status = "preliminary"
    return {**marked(composition, why, words), "status": status}


def reinstated(composition: JsonObject, status: str) -> JsonObject:
    """The Composition as it was before it was withdrawn, with the status that it had then."""
    return {**unmarked(composition), "status": status}


def marked(resource: JsonObject, why: str, words: str = "") -> JsonObject:
    """A resource that says why its time is over, and nothing of an earlier end; its status stays."""
    mark: list[JsonObject] = [{"url": canonical.ENDED_BECAUSE, "valueCode": str(why)}]
    if words:
        mark.append({"url": canonical.WITHDRAWAL_REASON, "valueString": words})
    return {**resource, "extension": [*unmarked(resource)["extension"], *mark]}


def unmarked(resource: JsonObject) -> JsonObject:
    """A resource that says nothing of an end."""
    others = [e for e in dicts(resource.get("extension")) if e.get("url") not in _MARKS]
    return {**resource, "extension": others}


def marks(resource: JsonObject) -> list[JsonObject]:
    """What a resource says of why its time is over."""
    return [e for e in dicts(resource.get("extension")) if e.get("url") in _MARKS]


def unsealed(composition: JsonObject) -> JsonObject:
    """The Composition without its digest, as one that somebody else has changed."""
    others = [e for e in dicts(composition.get("extension")) if e.get("url") != canonical.CONTENT_DIGEST]
    return {**composition, "extension": others}


def ended_text(text: JsonObject, why: str) -> JsonObject:
    """The extracted text beside a source, once its summary has ended so."""
    if why in _WRONG:
        return {**text, "status": _IN_ERROR}
    return {**text, "status": "superseded"} if why == Reason.SUPERSEDED else text


def extracted_texts(composition: JsonObject) -> list[str]:
    """`DocumentReference/id` of the texts that the offsets point into, where these are not the source.

    None for a timeline: the texts that it points into belong to the summaries of its notes.
    """
    if is_timeline(composition):
        return []
    section = (dicts(composition.get("section")) or [{}])[0]
    entry = (dicts(section.get("entry")) or [{}])[0].get("reference")
    found = [
        as_dict(part.get("valueReference")).get("reference")
        for extension in dicts(section.get("extension"))
        for part in dicts(extension.get("extension"))
        if part.get("url") == "reference"
    ]
    texts = dict.fromkeys(str(r).split("/_history/")[0] for r in found if isinstance(r, str) and r != entry)
    return [reference for reference in texts if reference.startswith("DocumentReference/")]


def content_digest(composition: JsonObject) -> str:
    """SHA-256 in hexadecimal over everything that a reader of the Composition is told."""
    content = {name: _plain(value) for name, value in composition.items() if name not in _NO_CONTENT}
    content["text"] = _narrative(composition)
    content["section"] = [_section(section) for section in dicts(composition.get("section"))]
    content["source"] = sorted(map(str, source_facts(composition)))
    extensions = dicts(composition.get("extension"))
    content["extension"] = sorted(str(e.get("url")) for e in extensions if e.get("url") not in _OURS)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _section(section: JsonObject) -> JsonObject:
    content = {name: _plain(value) for name, value in section.items() if name not in _NO_CONTENT}
    content["text"] = _narrative(section)
    content["section"] = [_section(inner) for inner in dicts(section.get("section"))]
    # Where a span points is left out: a server that gives out ids writes its own there.
    content["extension"] = [
        [e.get("url"), *(_plain(p) for p in dicts(e.get("extension")) if p.get("url") != "reference")]
        for e in dicts(section.get("extension"))
    ]
    return content


def _narrative(holder: JsonObject) -> list[Any]:
    text = as_dict(holder.get("text"))
    div = str(text.get("div", ""))
    try:
        words, items = shown(div)
    except ValueError:
        return [div]
    return [text.get("status"), words, [(anchor, " ".join(item.split())) for anchor, item in items]]


def _plain(node: Any) -> Any:
    """An element in the one form that the ways of servers to write it have in common."""
    if isinstance(node, dict):
        plain = {name: _plain(value) for name, value in node.items() if name != "id"}
        if isinstance(node.get("reference"), str):
            plain["reference"] = "/".join(node["reference"].split("/_history/")[0].split("/")[-2:])
        return plain
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, str):
        moment = nanoseconds(node) if "T" in node and node.lstrip()[:4].isdigit() else None
        return " ".join(node.split()) if moment is None else moment
    return float(node) if isinstance(node, int | float) and not isinstance(node, bool) else node


def source_facts(resource: JsonObject) -> list[tuple[str, Any]]:
    """Names and values of what a resource states of the text that it was made from (`source-text`)."""
    return [
        (str(part.get("url")), next((v for name, v in part.items() if name.startswith("value")), None))
        for extension in dicts(resource.get("extension"))
        if extension.get("url") == canonical.SOURCE_TEXT
        for part in dicts(extension.get("extension"))
    ]


def _value(resource: JsonObject, url: str) -> str:
    for extension in dicts(resource.get("extension")):
        if extension.get("url") == url:
            return next((str(v) for name, v in extension.items() if name.startswith("value")), "")
    return ""
