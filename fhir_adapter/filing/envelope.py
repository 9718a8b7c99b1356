"""A summary and all that belongs to it as one DocumentReference, and read back out of it.

The document has two contents: plain text for people, and a FHIR document (R4, section 2.4: a Bundle whose
first entry is the Composition) that holds the Composition, its Provenances, the Device that made it and the
extracted text, each as it would stand on a server that takes them. All else of the document says again what
the Composition says, where users and searches of the server look.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_adapter import canonical, elements
from fhir_adapter.filing.readable import readable
from fhir_adapter.lenient import JsonObject, as_dict, as_list, as_text, coded, dicts, reference_of, relative
from fhir_adapter.rest.wire import encode_json
from fhir_adapter.stamps import nanoseconds
from fhir_adapter.writing.lifecycle import ended_because, marks, unsealed

FHIR_JSON = "application/fhir+json"
TEXT = "text/plain; charset=utf-8"
_IN_ERROR = "entered-in-error"
_FORMAT = {"system": canonical.FORMAT_CODES, "code": "urn:ihe:iti:xds:2017:mimeTypeSufficient"}
_OF_THE_SERVER = ("versionId", "lastUpdated", "source")


@dataclass(frozen=True)
class Parts:
    """What is in one document.

    Attributes:
        composition: the summary, or the timeline.
        others: what belongs to it, in the order in which it came.
    """

    composition: JsonObject
    others: tuple[JsonObject, ...] = ()

    @property
    def name(self) -> str:
        """`Composition/id`."""
        return reference_of(self.composition)

    @property
    def resources(self) -> tuple[JsonObject, ...]:
        """All of it."""
        return (self.composition, *self.others)

    def with_resources(self, changed: Sequence[JsonObject]) -> "Parts":
        """The same with these in the place of those of their names, and what is new behind."""
        found = {reference_of(one): one for one in (*self.resources, *changed)}
        composition = found.pop(self.name)
        return Parts(composition, tuple(found.values()))

    def without(self, name: str) -> "Parts":
        """The same without the one of that name, which is not the Composition."""
        return replace(self, others=tuple(one for one in self.others if reference_of(one) != name))


def bundle_of(parts: Parts, base_url: str, version: str) -> JsonObject:
    """The FHIR document; `version` names just this content."""
    date = parts.composition.get("date")
    return {
        "resourceType": "Bundle",
        "identifier": {"system": canonical.FILED_VERSIONS, "value": version},
        "type": "document",
        **({"timestamp": date} if isinstance(date, str) and "T" in date else {}),
        "entry": [
            {"fullUrl": f"{base_url}/{reference_of(one)}", "resource": _stored(one)}
            for one in parts.resources
        ],
    }


def version_name(parts: Parts, replaced: Sequence[str]) -> str:
    """Names this content in the place of those documents: the same from every worker, and never again."""
    content = encode_json({"entry": [_stored(one) for one in parts.resources], "of": sorted(replaced)})
    return f"{parts.composition.get('id')}.{hashlib.sha256(content).hexdigest()[:16]}"


def _stored(resource: JsonObject) -> JsonObject:
    meta = {k: v for k, v in as_dict(resource.get("meta")).items() if k not in _OF_THE_SERVER}
    return {**resource, "meta": meta} if meta else {k: v for k, v in resource.items() if k != "meta"}


def document_of(parts: Parts, replaced: Sequence[str], base_url: str, version: str = "") -> JsonObject:
    """The DocumentReference, without an id.

    Args:
        parts: what goes into it.
        replaced: `DocumentReference/id` of those whose place it takes.
        base_url: of the server that it is for.
        version: of an earlier content, where it is changed in its place.
    """
    composition = parts.composition
    version = version or version_name(parts, replaced)
    security = dicts(as_dict(composition.get("meta")).get("security"))
    sources = _sources(composition, base_url)
    device = next((one for one in parts.others if one.get("resourceType") == "Device"), None)
    author = {"reference": "#author", "type": "Device", "display": "Clinical AI Summarizer"}
    found: JsonObject = {
        "resourceType": "DocumentReference",
        "meta": {
            "profile": [canonical.FILED_PROFILE],
            "security": security,
            "tag": [_tag(canonical.EXTRACTED_TEXT_TAG), _tag(canonical.FILED_TAG)],
        },
        "language": composition.get("language"),
        "contained": [_author(device)] if device else None,
        "extension": marks(composition),
        "identifier": _identifiers(parts, sources, version),
        "status": _status(composition),
        "docStatus": composition.get("status"),
        "type": composition.get("type"),
        "category": [
            {
                "coding": [
                    {
                        "system": canonical.US_CORE_CATEGORY,
                        "code": "clinical-note",
                        "display": "Clinical Note",
                    }
                ]
            }
        ],
        "subject": composition.get("subject"),
        "date": composition.get("date") if "T" in str(composition.get("date")) else None,
        "author": [author] if device else None,
        "custodian": composition.get("custodian"),
        "relatesTo": _relations(replaced, sources),
        "description": composition.get("title"),
        "securityLabel": [{"coding": [label]} for label in security],
        "content": _content(parts, base_url, version),
        "context": _context(composition, sources),
    }
    return elements.without_empty(found)


def unclaimed(document: JsonObject) -> JsonObject:
    """The same without the profile that it claims."""
    return {**document, "meta": {k: v for k, v in as_dict(document.get("meta")).items() if k != "profile"}}


def _relations(replaced: Sequence[str], sources: Sequence[str]) -> list[JsonObject]:
    related = [("replaces", one) for one in replaced]
    related += [("transforms", one) for one in sources if "DocumentReference/" in one]
    return [{"code": code, "target": {"reference": reference}} for code, reference in related]


def _context(composition: JsonObject, sources: Sequence[str]) -> JsonObject:
    event = (dicts(composition.get("event")) or [{}])[0]
    encounter = composition.get("encounter")
    return elements.without_empty(
        {
            "encounter": [encounter] if encounter else None,
            "period": as_dict(event.get("period")),
            "related": [{"reference": one} for one in sources],
        }
    )


def _tag(tag: tuple[str, str]) -> JsonObject:
    return {"system": tag[0], "code": tag[1]}


def _status(composition: JsonObject) -> str:
    if composition.get("status") == _IN_ERROR:
        return _IN_ERROR
    return "superseded" if ended_because(composition) else "current"


def _author(device: JsonObject) -> JsonObject:
    """What a reader of the document alone has to know of the Device, which is whole in the FHIR document."""
    kept = ("identifier", "manufacturer", "deviceName", "type", "version")
    return {"resourceType": "Device", "id": "author", **{n: device[n] for n in kept if n in device}}


def _sources(composition: JsonObject, base_url: str) -> list[str]:
    """The notes, as the Composition names them."""
    entries = [e for section in dicts(composition.get("section")) for e in dicts(section.get("entry"))]
    return list(dict.fromkeys(filter(None, (relative(e.get("reference"), base_url) for e in entries))))


def _identifiers(parts: Parts, sources: Sequence[str], version: str) -> list[JsonObject]:
    """What the document is found by: R4 servers search a DocumentReference by nothing of what is in it."""
    composition = parts.composition
    own = as_dict(composition.get("identifier"))
    texts = [
        t for t in dicts(as_dict(composition.get("meta")).get("tag")) if t.get("system") == canonical.TEXTS
    ]
    linked = [e for one in parts.others for e in dicts(one.get("entity"))]
    named = [relative(as_dict(e.get("what")).get("reference"), "") for e in linked]
    found = [
        (str(own.get("system")), str(own.get("value"))),
        (canonical.FILED_VERSIONS, version),
        *((canonical.FILED, reference_of(one)) for one in parts.resources),
        *((canonical.FILED_SOURCES, source) for source in dict.fromkeys([*sources, *filter(None, named)])),
        *((canonical.TEXTS, str(tag.get("code"))) for tag in texts),
    ]
    return [{"system": system, "value": value} for system, value in dict.fromkeys(found)]


def _content(parts: Parts, base_url: str, version: str) -> list[JsonObject]:
    text = readable(parts.composition).encode()
    whole = encode_json(bundle_of(parts, base_url, version))
    language = parts.composition.get("language")
    return [
        {"attachment": _attachment(TEXT, text, "Summary", language), "format": _FORMAT},
        {"attachment": _attachment(FHIR_JSON, whole, "The same for machines", None), "format": _FORMAT},
    ]


def _attachment(kind: str, data: bytes, title: str, language: object) -> JsonObject:
    return elements.without_empty(
        {
            "contentType": kind,
            "language": language,
            **elements.held(data),
            "title": title,
        }
    )


@dataclass(frozen=True)
class Filed:
    """A document as the server has it.

    Attributes:
        document: the whole.
        stored: what the FHIR document in it holds, to the letter.
        text: the readable part; None where there is none.
    """

    document: JsonObject
    stored: Parts
    text: str | None

    @property
    def reference(self) -> str:
        """`DocumentReference/id`."""
        return reference_of(self.document)

    @property
    def version(self) -> str:
        """What `meta.versionId` of the Composition is to those who read it: names document and version."""
        meta = as_dict(self.document.get("meta"))
        facts = f"{self.reference}/{meta.get('versionId') or meta.get('lastUpdated') or ''}"
        return f"d{hashlib.sha256(facts.encode()).hexdigest()[:16]}"

    @property
    def composition(self) -> JsonObject:
        """The Composition with what was done to the document since: an end, a signature, another text."""
        found, document = self.stored.composition, self.document
        status, signed = document.get("status"), document.get("docStatus")
        if status == _IN_ERROR and found.get("status") != _IN_ERROR:
            why = marks(document)
            found = {**found, "status": _IN_ERROR}
            found = {**found, "extension": [*dicts(found.get("extension")), *why]} if why else found
        elif found.get("status") == "preliminary" and (
            signed in ("final", "amended") or document.get("authenticator")
        ):
            party = as_dict(document.get("authenticator"))
            attester = [{"mode": "professional", "party": party}] if party else []
            found = elements.without_empty(
                {**found, "status": signed if signed != "preliminary" else "final", "attester": attester}
            )
        if not self.says_the_same:
            found = unsealed(found)  # somebody has written into what people read
        return {**found, "meta": self._meta(found)}

    def _meta(self, resource: JsonObject) -> JsonObject:
        meta, outer = as_dict(resource.get("meta")), as_dict(self.document.get("meta"))
        security = dicts(meta.get("security"))
        more = [one for one in dicts(outer.get("security")) if not coded([one]) <= coded(security)]
        stamped = {"versionId": self.version, "lastUpdated": outer.get("lastUpdated")}
        return elements.without_empty({**meta, "security": [*security, *more], **stamped})

    @property
    def parts(self) -> Parts:
        """All that is in it, as it is read; what is beside the Composition has its version."""
        others = (
            {**one, "meta": {**as_dict(one.get("meta")), "versionId": self.version}}
            for one in self.stored.others
        )
        return Parts(self.composition, tuple(others))

    @property
    def says_the_same(self) -> bool:
        """Whether the readable part is the one that the Composition gives, but for white space."""
        return self.text is not None and self.text.split() == readable(self.stored.composition).split()

    def differs(self, base_url: str) -> tuple[str, ...]:
        """Elements of the document that do not say what the Composition in it says."""
        wanted = document_of(self.stored, (), base_url)
        outer = as_dict(self.document.get("meta"))
        labels = coded(outer.get("security")).union(
            *(coded(one.get("coding")) for one in dicts(self.document.get("securityLabel")))
        )
        meta = as_dict(self.stored.composition.get("meta"))
        found = {
            "content": self.says_the_same,
            "meta.security": coded(meta.get("security")) <= labels,
            "subject": _same_target(self.document.get("subject"), wanted.get("subject"), base_url),
            "context.encounter": _same_target(
                (as_list(as_dict(self.document.get("context")).get("encounter")) or [None])[0],
                self.stored.composition.get("encounter"),
                base_url,
            ),
            "status": self.document.get("status") in (wanted["status"], "superseded", _IN_ERROR),
            "date": nanoseconds(self.document.get("date")) == nanoseconds(wanted.get("date"))
            or not self.document.get("date"),
        }
        return tuple(name for name, holds in found.items() if not holds)


def _same_target(one: object, other: object, base_url: str) -> bool:
    def named(value: object) -> str:
        return relative(as_dict(value).get("reference"), base_url)

    return named(one) == named(other)


def remnant_of(document: JsonObject) -> JsonObject:
    """A Composition of what a document says beside it, where that is damaged: for an audit to say so.

    It names no text that it was made from, so that nothing of it can be proven.
    """
    stated = dicts(as_list(document.get("identifier")))
    summaries = {canonical.SUMMARIES: canonical.SUMMARY_TAG, canonical.TIMELINES: canonical.TIMELINE_TAG}
    own = next((i for i in stated if i.get("system") in summaries), {"system": canonical.SUMMARIES})
    system, code = summaries[own["system"]]
    whole = next((n for n in names_of(document, canonical.FILED) if n.startswith("Composition/")), "")
    return {
        "resourceType": "Composition",
        "id": whole.partition("/")[2],
        "meta": {**as_dict(document.get("meta")), "tag": [{"system": system, "code": code}]},
        "identifier": own,
        "status": _IN_ERROR if document.get("status") == _IN_ERROR else "preliminary",
        "subject": as_dict(document.get("subject")),
        "title": document.get("description"),
    }


def names_of(document: JsonObject, system: str) -> list[str]:
    """The values of a document's identifiers of a system."""
    stated = dicts(as_list(document.get("identifier")))
    return [as_text(i.get("value")) or "" for i in stated if i.get("system") == system]


def replaces(document: JsonObject, base_url: str) -> list[str]:
    """`DocumentReference/id` of the documents whose place it takes, as it says."""
    related = [one for one in dicts(document.get("relatesTo")) if one.get("code") == "replaces"]
    return [relative(as_dict(one.get("target")).get("reference"), base_url) for one in related]


def data_of(attachment: JsonObject) -> bytes | None:
    """The bytes of an attachment that holds them; None where it does not, or not in base64."""
    data = as_text(attachment.get("data"))
    try:
        return None if data is None else base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def stored_in(data: bytes) -> Parts | None:
    """What a FHIR document holds; None where it is none, or does not begin with a Composition."""
    try:
        bundle: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    resources = [as_dict(entry.get("resource")) for entry in dicts(as_dict(bundle).get("entry"))]
    if not resources or not reference_of(resources[0]).startswith("Composition/"):
        return None
    return Parts(resources[0], tuple(one for one in resources[1:] if reference_of(one)))
