"""A DocumentReference or DiagnosticReport as found, in any FHIR version, to a SourceNote.

Never trusts a type: an odd element gives None for its field and nothing else.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import (
    JsonObject,
    as_code,
    as_dict,
    as_list,
    as_scalar,
    as_string,
    as_text,
    dicts,
    first_dict,
    usable_id,
)
from fhir_adapter.note import Attachment, SourceNote
from fhir_adapter.reading.persons import name_of
from fhir_adapter.reasons import Reason
from fhir_adapter.stamps import nanoseconds

SOURCE_TYPES = ("DocumentReference", "DiagnosticReport")
_READERS = ("resultsInterpreter", "performer")
_EXTERNALIZED = "externalized-binary-id"
# HAPI keeps large data in its Binary storage and hands it out by this operation.
BINARY_ACCESS = "$binary-access-read"


def read_source(resource: JsonObject) -> SourceNote:
    """Reads one resource leniently.

    Raises:
        NoteError: MALFORMED, where it has no usable type or id.
    """
    kind = as_text(resource.get("resourceType"))
    if kind not in SOURCE_TYPES:
        raise NoteError(Reason.MALFORMED, "neither a DocumentReference nor a DiagnosticReport")
    ident = usable_id(resource.get("id"))
    if ident is None:
        raise NoteError(Reason.MALFORMED, f"{kind} without a usable id")
    meta = as_dict(resource.get("meta"))
    context = as_dict(resource.get("context"))
    period = _period(resource, context)
    written_by = ("author",) if kind == "DocumentReference" else _READERS
    attachments = _document(resource, ident) if kind == "DocumentReference" else _report(resource, ident)
    return SourceNote(
        resource_type=kind,
        id=ident,
        version_id=as_scalar(meta.get("versionId")) or "",
        last_updated=as_text(meta.get("lastUpdated")) or "",
        status=_status(resource.get("status")),
        doc_status=_status(resource.get("docStatus")),
        subject=_outward_subject(resource),
        encounter=_outward(_encounter(resource, context), resource),
        custodian=_outward(first_dict(resource.get("custodian")), resource),
        date=_date(resource, period),
        written=_written(resource, period),
        period=period,
        type=first_dict(resource.get("type" if kind == "DocumentReference" else "code")),
        title=as_text(resource.get("description")),
        language=as_text(resource.get("language")),
        master_identifier=first_dict(resource.get("masterIdentifier")),
        security=_security(resource),
        attachments=attachments,
        modified=_modifiers(resource),
        replaces=replaces(resource) if kind == "DocumentReference" else (),
        authors=_authors(resource, written_by),
        author_references=_author_references(resource, written_by),
        service=_service(resource, period),
        filed=_texts(resource.get(name) for name in ("date", "created", "issued", "indexed")),
    )


def externalized(element: JsonObject) -> bool:
    """The `data` of an Attachment or a Binary lies outside the resource, in HAPI's Binary storage."""
    extensions = dicts(as_list(as_dict(element.get("_data")).get("extension")))
    return "data" not in element and any(
        (as_text(extension.get("url")) or "").endswith(_EXTERNALIZED) for extension in extensions
    )


def replaces(resource: JsonObject) -> tuple[str, ...]:
    """References of the documents that this one says it replaces, as found."""
    found = []
    for relation in dicts(as_list(resource.get("relatesTo"))):
        unknown = dicts(as_list(relation.get("modifierExtension")))
        if _status(relation.get("code")) == "replaces" and not unknown:
            reference = as_text(as_dict(relation.get("target")).get("reference"))
            if reference:
                found.append(reference)
    return tuple(found)


def _document(resource: JsonObject, ident: str) -> tuple[Attachment, ...]:
    contained = _contained(resource)
    found = []
    for index, content in enumerate(as_list(resource.get("content"))):
        path = f"DocumentReference.content[{index}].attachment"
        attachment = _attachment(
            as_dict(content).get("attachment"), path, f"DocumentReference/{ident}", contained
        )
        if attachment is not None:
            found.append(attachment)
    return (*found, *_narrative_of(resource, "DocumentReference"))


def _report(resource: JsonObject, ident: str) -> tuple[Attachment, ...]:
    contained = _contained(resource)
    found = []
    for index, form in enumerate(as_list(resource.get("presentedForm"))):
        path = f"DiagnosticReport.presentedForm[{index}]"
        attachment = _attachment(form, path, f"DiagnosticReport/{ident}", contained)
        if attachment is not None:
            found.append(attachment)
    language = as_text(resource.get("language"))
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
    return (*found, *_narrative_of(resource, "DiagnosticReport"))


def _narrative_of(resource: JsonObject, kind: str) -> tuple[Attachment, ...]:
    narrative = as_dict(resource.get("text"))
    div = narrative.get("div")
    if not isinstance(div, str) or as_code(narrative.get("status")) == "empty":
        return ()
    language = as_text(resource.get("language"))
    return (Attachment(f"{kind}.text.div", "application/xhtml+xml", None, div, language=language),)


def _attachment(
    value: object, path: str, reference: str, contained: dict[str, JsonObject]
) -> Attachment | None:
    if not isinstance(value, dict):
        return None
    data, url = as_string(value.get("data")), as_text(value.get("url"))
    content_type = as_text(value.get("contentType"))
    external = externalized(value)
    if external:
        url = f"{reference}/{BINARY_ACCESS}?path={quote(path, safe='')}"
    elif data is None and url is not None and url.startswith("#") and url[1:] in contained:
        binary = contained[url[1:]]
        data = as_string(binary.get("data"))
        if data is None:
            data = as_string(binary.get("content"))
        content_type = content_type or as_text(binary.get("contentType"))
    return Attachment(
        path=path,
        content_type=content_type,
        data=data,
        url=url,
        size=_size(value.get("size")),
        hash=as_text(value.get("hash")),
        title=as_text(value.get("title")),
        language=as_text(value.get("language")),
        externalized=external,
    )


def _contained(resource: JsonObject) -> dict[str, JsonObject]:
    """Contained Binary resources by id; the id is written with and without `#`."""
    return {
        ident.removeprefix("#"): entry
        for entry in dicts(as_list(resource.get("contained")))
        if entry.get("resourceType") == "Binary" and (ident := as_text(entry.get("id")))
    }


def _subject(value: object) -> JsonObject | None:
    """The subject, also where it is written as bare text; whatever else stands there names nobody."""
    found = first_dict(value)
    stated = next((entry for entry in as_list(value) if entry and not isinstance(entry, dict)), None)
    return {"reference": str(stated)} if found is None and stated is not None else found


def _outward_subject(resource: JsonObject) -> JsonObject | None:
    """The subject as others can name it; one that is contained and has no identifier stays as it stands.

    So it is refused when a summary is written, which would be in nobody's chart.
    """
    stated = _subject(resource.get("subject"))
    outward = _outward(stated, resource)
    if stated == outward or (outward and first_dict(outward.get("identifier"))):
        return outward
    return stated


def _outward(reference: JsonObject | None, resource: JsonObject) -> JsonObject | None:
    """A reference to a contained resource as a logical one, which other resources can carry too."""
    target = as_text((reference or {}).get("reference")) or ""
    if reference is None or not target.startswith("#"):
        return reference
    logical = {name: value for name, value in reference.items() if name != "reference"}
    for entry in dicts(as_list(resource.get("contained"))):
        if (as_text(entry.get("id")) or "").removeprefix("#") == target[1:]:
            kind, identifier = as_text(entry.get("resourceType")), first_dict(entry.get("identifier"))
            logical |= {"type": kind} if kind else {}
            logical |= {"identifier": identifier} if identifier and "identifier" not in logical else {}
    return logical or None


def _authors(resource: JsonObject, elements: Sequence[str]) -> tuple[str, ...]:
    """The names that the first of these elements displays which displays any."""
    for element in elements:
        names = [_displayed(who, resource) for who in dicts(as_list(resource.get(element)))]
        if said := tuple(dict.fromkeys(" ".join(name.split()) for name in names if name)):
            return said
    return ()


def _displayed(party: JsonObject, resource: JsonObject) -> str | None:
    """What a reference displays, or what is contained under it is called."""
    target = as_text(party.get("reference")) or ""
    if as_text(party.get("display")) or not target.startswith("#"):
        return as_text(party.get("display"))
    held = dicts(as_list(resource.get("contained")))
    found = next((one for one in held if (as_text(one.get("id")) or "").removeprefix("#") == target[1:]), {})
    return as_text(found.get("name")) or name_of(dicts(as_list(found.get("name")))) or None


def _author_references(resource: JsonObject, elements: Sequence[str]) -> tuple[str, ...]:
    """The references of the first of these elements that refers to anybody."""
    for element in elements:
        found = [as_text(who.get("reference")) for who in dicts(as_list(resource.get(element)))]
        if named := tuple(dict.fromkeys(reference for reference in found if reference)):
            return named
    return ()


def _status(value: object) -> str | None:
    """A status in lower case, as R4 has it: `Final` is final."""
    code = as_code(value)
    return code.lower() if code else None


def _modifiers(resource: JsonObject) -> bool:
    """What may turn the meaning of the whole: `implicitRules`, or a `modifierExtension` of any element.

    None is known here (R4, 2.4.1.0.1). What is contained has a meaning of its own.
    """
    if as_text(resource.get("implicitRules")):
        return True
    open_ends: list[object] = [{name: value for name, value in resource.items() if name != "contained"}]
    while open_ends:
        element = open_ends.pop()
        if isinstance(element, dict):
            if dicts(as_list(element.get("modifierExtension"))):
                return True
            open_ends += element.values()
        elif isinstance(element, list):
            open_ends += element
    return False


def _encounter(resource: JsonObject, context: JsonObject) -> JsonObject | None:
    """DiagnosticReport.encounter; DocumentReference.context.encounter (one or many); R5 context (many)."""
    stated = [e for holder in (resource, context) for e in dicts(as_list(holder.get("encounter"))) if e]
    if stated:
        # R4 lets an EpisodeOfCare stand beside the Encounter; others name a stay by words alone.
        named = [e for e in stated if _type_in(as_text(e.get("reference")) or "") == "Encounter"]
        others = [e for e in stated if not _names_other_type(e, "Encounter")]
        logical = [e for e in others if first_dict(e.get("identifier"))]
        return next(iter((*named, *logical, *others, *stated)))
    for entry in dicts(as_list(resource.get("context"))):
        if entry.get("type") == "Encounter" or "Encounter/" in (as_text(entry.get("reference")) or ""):
            return entry
    return None


def _names_other_type(reference: JsonObject, kind: str) -> bool:
    """The reference says that it is to something else than this type."""
    target = as_text(reference.get("reference")) or ""
    named = as_text(reference.get("type")) or ("" if target.startswith(("#", "urn:")) else _type_in(target))
    return bool(named) and named != kind


def _type_in(target: str) -> str:
    parts = target.split("/_history/")[0].rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 else ""


def _period(resource: JsonObject, context: JsonObject) -> JsonObject | None:
    for place in (context.get("period"), resource.get("effectivePeriod"), resource.get("period")):
        found = first_dict(place)
        if found is not None:
            return found
    return None


def _date(resource: JsonObject, period: JsonObject | None) -> str | None:
    """The clinical time: when it happened, else when it was written, else when it was filed."""
    bounds = period or {}
    for value in (
        resource.get("effectiveDateTime"),
        bounds.get("start"),
        bounds.get("end"),
        resource.get("effectiveInstant"),
        *(resource.get(name) for name in ("date", "created", "issued", "indexed")),
    ):
        text = as_text(value)
        if text is not None:
            return text
    return None


def _service(resource: JsonObject, period: JsonObject | None) -> tuple[str, ...]:
    """When it took place, and when its files were made."""
    forms = [as_dict(content.get("attachment")) for content in dicts(resource.get("content"))]
    files = [file.get("creation") for file in (*forms, *dicts(resource.get("presentedForm")))]
    study = [resource.get(name) for name in ("effectiveDateTime", "effectiveInstant")]
    return _texts([*study, *((period or {}).get(bound) for bound in ("start", "end")), *files])


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in map(as_text, values) if text))


def _written(resource: JsonObject, period: JsonObject | None) -> str | None:
    """When the note was written, never when its stay began; a report goes by the day of its study.

    What is no date, dateTime or instant is passed over.
    """
    bounds = period or {}
    if resource.get("resourceType") == "DiagnosticReport":
        files = [form.get("creation") for form in dicts(resource.get("presentedForm"))]
        study = [resource.get(name) for name in ("effectiveDateTime", "effectiveInstant")]
        values = [*study, bounds.get("start"), bounds.get("end"), *files, resource.get("issued")]
    else:
        contents = map(as_dict, (content.get("attachment") for content in dicts(resource.get("content"))))
        files = [attachment.get("creation") for attachment in contents]
        filed = [resource.get(name) for name in ("date", "created", "indexed")]
        values = [*files, *filed, bounds.get("start"), bounds.get("end")]
    return next((text for text in map(as_text, values) if text and nanoseconds(text) is not None), None)


def _security(resource: JsonObject) -> tuple[Any, ...]:
    """The labels of the resource, and of what it contains though R4 (dom-5) wants that without any."""
    found = security_of(resource)
    for contained in dicts(as_list(resource.get("contained"))):
        found += tuple(label for label in security_of(contained) if label not in found)
    return found


def security_of(resource: JsonObject) -> tuple[Any, ...]:
    """Codings of `meta.security` and of `securityLabel`, each once; what is odd is kept as it is."""
    found: list[Any] = list(as_list(as_dict(resource.get("meta")).get("security")))
    for concept in as_list(resource.get("securityLabel")):
        codings = as_list(concept.get("coding")) if isinstance(concept, dict) else [concept]
        text = as_text(concept.get("text")) if isinstance(concept, dict) else None
        found += codings or ([{"display": text}] if text else [concept])
    unique: list[Any] = []
    for coding in found:
        if coding and coding not in unique:
            unique.append(coding)
    return tuple(unique)


def _size(value: object) -> int | None:
    """Bytes; R5 writes integer64 as a string."""
    text = as_scalar(value)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
