"""A DocumentReference or DiagnosticReport as found, in any FHIR version, to a SourceNote.

Never trusts a type: an odd element gives None for its field and nothing else.
"""

import re
from typing import Any
from urllib.parse import quote

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Attachment, SourceNote
from fhir_adapter.reasons import Reason

SOURCE_TYPES = ("DocumentReference", "DiagnosticReport")
_ID = re.compile(r"[A-Za-z0-9._~:@-]{1,256}")
_EXTERNALIZED = "externalized-binary-id"
# HAPI keeps large data in its Binary storage and hands it out by this operation.
BINARY_ACCESS = "$binary-access-read"


def read_source(resource: dict[str, Any]) -> SourceNote:
    """Reads one resource leniently.

    Raises:
        NoteError: MALFORMED, where it has no usable type or id.
    """
    kind = _text(resource.get("resourceType"))
    if kind not in SOURCE_TYPES:
        raise NoteError(Reason.MALFORMED, "neither a DocumentReference nor a DiagnosticReport")
    ident = usable_id(resource.get("id"))
    if ident is None:
        raise NoteError(Reason.MALFORMED, f"{kind} without a usable id")
    meta = _dict(resource.get("meta"))
    context = _dict(resource.get("context"))
    period = _period(resource, context)
    attachments = _document(resource, ident) if kind == "DocumentReference" else _report(resource, ident)
    return SourceNote(
        resource_type=kind,
        id=ident,
        version_id=_scalar(meta.get("versionId")) or "",
        last_updated=_text(meta.get("lastUpdated")) or "",
        status=_code(resource.get("status")),
        doc_status=_code(resource.get("docStatus")),
        subject=_outward(_first_dict(resource.get("subject")), resource),
        encounter=_outward(_encounter(resource, context), resource),
        custodian=_outward(_first_dict(resource.get("custodian")), resource),
        date=_date(resource, period),
        period=period,
        type=_first_dict(resource.get("type" if kind == "DocumentReference" else "code")),
        title=_text(resource.get("description")),
        language=_text(resource.get("language")),
        master_identifier=_first_dict(resource.get("masterIdentifier")),
        security=_security(meta, resource),
        attachments=attachments,
        replaces=replaces(resource) if kind == "DocumentReference" else (),
    )


def usable_id(value: object) -> str | None:
    """A logical id that can stand in a reference; digits given as a number count."""
    text = _scalar(value)
    return text if text and _ID.fullmatch(text) and text.strip(".") else None


def externalized(element: dict[str, Any]) -> bool:
    """The `data` of an Attachment or a Binary lies outside the resource, in HAPI's Binary storage."""
    extensions = map(_dict, _list(_dict(element.get("_data")).get("extension")))
    return "data" not in element and any(
        (_text(extension.get("url")) or "").endswith(_EXTERNALIZED) for extension in extensions
    )


def reference_of(resource: dict[str, Any]) -> str:
    """`Type/id` as far as both are usable, else ""."""
    kind, ident = _text(resource.get("resourceType")), usable_id(resource.get("id"))
    return f"{kind}/{ident}" if kind and kind.isascii() and kind.isalpha() and ident else ""


def has_tag(resource: dict[str, Any], tag: tuple[str, str]) -> bool:
    """`meta.tag` holds this system and code."""
    tags = map(_dict, _list(_dict(resource.get("meta")).get("tag")))
    return any((t.get("system"), t.get("code")) == tag for t in tags)


def replaces(resource: dict[str, Any]) -> tuple[str, ...]:
    """References of the documents that this one says it replaces, as found."""
    found = []
    for relation in map(_dict, _list(resource.get("relatesTo"))):
        if _code(relation.get("code")) == "replaces":
            reference = _text(_dict(relation.get("target")).get("reference"))
            if reference:
                found.append(reference)
    return tuple(found)


def _document(resource: dict[str, Any], ident: str) -> tuple[Attachment, ...]:
    contained = _contained(resource)
    found = []
    for index, content in enumerate(_list(resource.get("content"))):
        path = f"DocumentReference.content[{index}].attachment"
        attachment = _attachment(
            _dict(content).get("attachment"), path, f"DocumentReference/{ident}", contained
        )
        if attachment is not None:
            found.append(attachment)
    return tuple(found)


def _report(resource: dict[str, Any], ident: str) -> tuple[Attachment, ...]:
    contained = _contained(resource)
    found = []
    for index, form in enumerate(_list(resource.get("presentedForm"))):
        path = f"DiagnosticReport.presentedForm[{index}]"
        attachment = _attachment(form, path, f"DiagnosticReport/{ident}", contained)
        if attachment is not None:
            found.append(attachment)
    language = _text(resource.get("language"))
    conclusion = resource.get("conclusion")
    if isinstance(conclusion, str):
        found.append(
            Attachment(
                "DiagnosticReport.conclusion",
                "text/plain; charset=utf-8",
                None,
                conclusion,
                language=language,
            )
        )
    narrative = _dict(resource.get("text"))
    div = narrative.get("div")
    if isinstance(div, str) and _code(narrative.get("status")) != "empty":
        found.append(
            Attachment("DiagnosticReport.text.div", "application/xhtml+xml", None, div, language=language)
        )
    return tuple(found)


def _attachment(
    value: object, path: str, reference: str, contained: dict[str, dict[str, Any]]
) -> Attachment | None:
    if not isinstance(value, dict):
        return None
    data, url = _string(value.get("data")), _text(value.get("url"))
    content_type = _text(value.get("contentType"))
    external = externalized(value)
    if external:
        url = f"{reference}/{BINARY_ACCESS}?path={quote(path, safe='')}"
    elif data is None and url is not None and url.startswith("#") and url[1:] in contained:
        binary = contained[url[1:]]
        data = _string(binary.get("data"))
        if data is None:
            data = _string(binary.get("content"))
        content_type = content_type or _text(binary.get("contentType"))
    return Attachment(
        path=path,
        content_type=content_type,
        data=data,
        url=url,
        size=_size(value.get("size")),
        hash=_text(value.get("hash")),
        title=_text(value.get("title")),
        language=_text(value.get("language")),
        externalized=external,
    )


def _contained(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Contained Binary resources by id; the id is written with and without `#`."""
    return {
        ident.removeprefix("#"): entry
        for entry in map(_dict, _list(resource.get("contained")))
        if entry.get("resourceType") == "Binary" and (ident := _text(entry.get("id")))
    }


def _outward(reference: dict[str, Any] | None, resource: dict[str, Any]) -> dict[str, Any] | None:
    """A reference to a contained resource as a logical one, which other resources can carry too."""
    target = _text((reference or {}).get("reference")) or ""
    if reference is None or not target.startswith("#"):
        return reference
    logical = {name: value for name, value in reference.items() if name != "reference"}
    for entry in map(_dict, _list(resource.get("contained"))):
        if (_text(entry.get("id")) or "").removeprefix("#") == target[1:]:
            kind, identifier = _text(entry.get("resourceType")), _first_dict(entry.get("identifier"))
            logical |= {"type": kind} if kind else {}
            logical |= {"identifier": identifier} if identifier and "identifier" not in logical else {}
    return logical or None


def _encounter(resource: dict[str, Any], context: dict[str, Any]) -> dict[str, Any] | None:
    """DiagnosticReport.encounter; DocumentReference.context.encounter (one or many); R5 context (many)."""
    for place in (resource.get("encounter"), context.get("encounter")):
        found = _first_dict(place)
        if found is not None:
            return found
    for entry in map(_dict, _list(resource.get("context"))):
        if entry.get("type") == "Encounter" or "Encounter/" in (_text(entry.get("reference")) or ""):
            return entry
    return None


def _period(resource: dict[str, Any], context: dict[str, Any]) -> dict[str, Any] | None:
    for place in (context.get("period"), resource.get("effectivePeriod"), resource.get("period")):
        found = _first_dict(place)
        if found is not None:
            return found
    return None


def _date(resource: dict[str, Any], period: dict[str, Any] | None) -> str | None:
    """The clinical time: when it happened, else when it was written, else when it was filed."""
    bounds = period or {}
    for value in (
        resource.get("effectiveDateTime"),
        bounds.get("start"),
        bounds.get("end"),
        resource.get("effectiveInstant"),
        *(resource.get(name) for name in ("date", "created", "issued", "indexed")),
    ):
        text = _text(value)
        if text is not None:
            return text
    return None


def _security(meta: dict[str, Any], resource: dict[str, Any]) -> tuple[Any, ...]:
    """Codings of `meta.security` and of `securityLabel`, each once; what is odd is kept as it is."""
    found: list[Any] = list(_list(meta.get("security")))
    for concept in _list(resource.get("securityLabel")):
        codings = _list(concept.get("coding")) if isinstance(concept, dict) else [concept]
        text = _text(concept.get("text")) if isinstance(concept, dict) else None
        found += codings or ([{"display": text}] if text else [concept])
    unique: list[Any] = []
    for coding in found:
        if coding and coding not in unique:
            unique.append(coding)
    return tuple(unique)


def _code(value: object) -> str | None:
    """A code, or the first code of a Coding or CodeableConcept put in its place."""
    if isinstance(value, str):
        return value.strip() or None
    for entry in map(_dict, _list(value)):
        for coding in (entry, *map(_dict, _list(entry.get("coding")))):
            code = _text(coding.get("code"))
            if code is not None:
                return code.strip()
    return None


def _first_dict(value: object) -> dict[str, Any] | None:
    return next((entry for entry in _list(value) if isinstance(entry, dict) and entry), None)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    """A list as it is; a single value, as old versions and conversions write it, as a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _text(value: object) -> str | None:
    """A string with something in it, else None."""
    return value if isinstance(value, str) and value.strip() else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _scalar(value: object) -> str | None:
    """A string, or a whole number as one."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return str(value)
    return _text(value)


def _size(value: object) -> int | None:
    """Bytes; R5 writes integer64 as a string."""
    text = _scalar(value)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
