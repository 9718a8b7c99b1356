"""FHIR documents as attachments: the recipe `fhir|2`, the narratives a person is meant to read.

A document Bundle gives its Composition (FHIR R4, section 3.3, Documents): the title, its narrative, then each
section's title and narrative, sections inside sections after it. Left out, against 3.3.1.1, are the subject's
narrative and a Composition's of status `generated`: by definition they say nothing but the header's own
elements, and generators put the whole document there a second time. A section without a narrative of its own
shows those of the resources that it names, or why it is empty.

A Composition alone is read the same way; from any other Bundle the narratives of its entries are taken in
order, and from any other resource its own (a DiagnosticReport's conclusion follows it). A Binary is opened,
and what it holds is read in its place.
"""

import base64
import binascii
import json
from dataclasses import replace

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import JsonObject, as_list, dicts
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.html.reader import narrative_lines
from fhir_adapter.text.lines import Line, LineKind
from fhir_adapter.text.notation import without_signs
from fhir_adapter.text.plain import decode
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.xmltree import parse_xml

_LOINC = "http://loinc.org"
_MAX_SECTIONS = 16  # levels of sections inside sections
_IN_NARRATIVE = (
    _MAX_SECTIONS  # is added to the levels of headings in a narrative: they stand under its section
)
_SURROGATES = range(0xD800, 0xE000)


def fhir_json_text(data: bytes) -> NoteText:
    """The narratives of a FHIR resource in JSON.

    Raises:
        NoteError: MALFORMED for what is no JSON or no resource; EMPTY_TEXT where it has no narrative.
    """
    decoded = decode(data)
    try:
        resource = json.loads(decoded.text)
    except (ValueError, RecursionError):
        raise NoteError(Reason.MALFORMED, "not JSON, or nested too deeply") from None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise NoteError(Reason.MALFORMED, "JSON, but no FHIR resource")
    return resource_text(resource, "application/fhir+json", decoded.notice)


def fhir_xml_text(data: bytes) -> NoteText:
    """The narratives of a FHIR resource in XML.

    Raises:
        NoteError: as `fhir_json_text`; MALFORMED also for a document type or entities.
    """
    root, notice = parse_xml(data)
    return resource_text(_resource(root), "application/fhir+xml", notice)


def resource_text(resource: JsonObject, media_type: str, notice: str = "") -> NoteText:
    """The narratives of a resource, given as FHIR JSON has it.

    Raises:
        NoteError: EMPTY_TEXT where it has no narrative.
    """
    reader = _Reader()
    reader.resource(resource)
    builder = TextBuilder(tight=False)
    builder.add(reader.lines)
    return builder.build(recipe("fhir", "5"), media_type, notice)


def binary_content(data: bytes) -> tuple[bytes, str] | None:
    """What a FHIR Binary in JSON holds and its declared type; None for anything else.

    Raises:
        NoteError: BAD_BASE64.
    """
    try:
        resource = json.loads(decode(data).text)
    except (NoteError, ValueError, RecursionError):
        return None
    if not isinstance(resource, dict) or resource.get("resourceType") != "Binary":
        return None
    try:
        content = base64.b64decode(_string(resource.get("data")), validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(Reason.BAD_BASE64, "Binary.data") from None
    return content, _string(resource.get("contentType")).partition(";")[0].strip().lower()


def _resource(element: etree._Element) -> JsonObject:
    """A resource in XML as FHIR JSON has it, as far as narratives go: every repeated element is a list."""
    return {**_fields(element), "resourceType": _name(element)}


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


def _fields(element: etree._Element) -> JsonObject:
    fields: JsonObject = {}
    for child in element.iterchildren(etree.Element):
        name = _name(child)
        value: object
        if name == "div":
            value = etree.tostring(child, encoding="unicode", with_tail=False)
        elif name in ("resource", "contained"):
            inner = next(child.iterchildren(etree.Element), None)
            value = None if inner is None else _resource(inner)
        else:
            value = child.get("value") or _fields(child)
        if name in fields:
            held = fields[name]
            fields[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            fields[name] = value
    return fields


class _Reader:
    """Collects the lines of a resource and of what it holds."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._named: dict[str, JsonObject] = {}

    def resource(self, resource: JsonObject) -> None:
        kind = resource.get("resourceType")
        if kind == "Bundle":
            self._bundle(resource)
        elif kind == "Composition":
            self._composition(resource)
        else:
            self._narrative(resource)
            if kind == "DiagnosticReport" and (conclusion := _string(resource.get("conclusion"))):
                self.lines += [Line(""), *(Line(line) for line in conclusion.splitlines())]

    def _bundle(self, bundle: JsonObject) -> None:
        resources: list[JsonObject] = []
        for entry in dicts(as_list(bundle.get("entry"))):
            held = entry.get("resource")
            if not isinstance(held, dict):
                continue
            resources.append(held)
            self._named[_string(entry.get("fullUrl"))] = held
            self._named[f"{held.get('resourceType')}/{held.get('id')}"] = held
        compositions = [each for each in resources if each.get("resourceType") == "Composition"]
        if bundle.get("type") == "document" and compositions:
            self._composition(compositions[0])
            return
        for each in resources:
            if each.get("resourceType") != "Bundle":
                self.resource(each)
                self._gap()

    def _composition(self, composition: JsonObject) -> None:
        self._heading(_string(composition.get("title")), _loinc(composition.get("type")))
        for contained in dicts(as_list(composition.get("contained"))):
            self._named[f"#{contained.get('id')}"] = contained
        sections = dicts(as_list(composition.get("section")))
        text = composition.get("text")
        generated = isinstance(text, dict) and text.get("status") == "generated"
        start = len(self.lines)
        if not generated:
            self._narrative(composition)
        for section in sections:
            self._section(section, 1)
        if generated and not any(
            line.text and line.kind is not LineKind.HEADING for line in self.lines[start:]
        ):
            self._narrative(composition)

    def _section(self, section: JsonObject, level: int) -> None:
        if level > _MAX_SECTIONS:
            raise NoteError(Reason.MALFORMED, "sections nested too deeply")
        code = section.get("code")
        self._heading(_string(section.get("title")) or _label(code), _loinc(code), level)
        inner = dicts(as_list(section.get("section")))
        if not self._narrative(section) and not inner:
            shown = [self._narrative(each) for each in self._entries(section)]
            if not any(shown) and (why := _label(section.get("emptyReason"))):
                self.lines.append(Line(f"({why})"))
        for each in inner:
            self._section(each, level + 1)

    def _entries(self, section: JsonObject) -> list[JsonObject]:
        references = (_string(entry.get("reference")) for entry in dicts(as_list(section.get("entry"))))
        return [self._named[reference] for reference in references if reference in self._named]

    def _narrative(self, holder: JsonObject) -> bool:
        """Adds the lines of `text.div`; False where there are none."""
        text = holder.get("text")
        div = _string(text.get("div")) if isinstance(text, dict) else ""
        lines = [
            replace(line, level=line.level + _IN_NARRATIVE) if line.level else line
            for line in narrative_lines(div)
        ]
        self.lines += lines
        return bool(lines)

    def _heading(self, title: str, code: str | None, level: int = 0) -> None:
        title = " ".join(title.split())
        if title:
            self._gap()
            self.lines += [Line(title, LineKind.HEADING, code=code, level=level), Line("")]

    def _gap(self) -> None:
        self.lines.append(Line(""))


def _string(value: object) -> str:
    """A JSON string without lone surrogates, which JSON can escape and text cannot hold; "" for the rest."""
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value
    value = without_signs(value)
    return "".join("\ufffd" if ord(each) in _SURROGATES else each for each in value)


def _label(concept: object) -> str:
    """The words of a CodeableConcept."""
    if not isinstance(concept, dict):
        return ""
    displays = (_string(coding.get("display")) for coding in dicts(as_list(concept.get("coding"))))
    return _string(concept.get("text")) or next((each for each in displays if each), "")


def _loinc(concept: object) -> str | None:
    """The LOINC code of a CodeableConcept, if it has one."""
    if not isinstance(concept, dict):
        return None
    for coding in dicts(as_list(concept.get("coding"))):
        if coding.get("system") == _LOINC and isinstance(coding.get("code"), str):
            return _string(coding["code"])
    return None
