"""A Binary resource out of an answer, in JSON or XML, however it is labelled."""

import json
import re

from lxml import etree

from fhir_adapter.lenient import JsonObject
from fhir_adapter.reading.media import declared
from fhir_adapter.rest.transport import RawResponse

_JSON = re.compile(rb"\s*\{")
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?Binary\b", re.DOTALL)
_FHIR = "{http://hl7.org/fhir}"


def binary_resource(answer: RawResponse) -> JsonObject | None:
    """The Binary that an answer is, as FHIR JSON has it, or None where it is the bytes themselves.

    Servers label it with the type of what it holds as well; a note that begins like a Binary is none.
    """
    if _XML.match(answer.data[:4096]):
        return _from_xml(answer.data)
    if "json" not in declared(answer.content_type)[0] and not _JSON.match(answer.data[:64]):
        return None
    try:
        resource = json.loads(answer.data.removeprefix(b"\xef\xbb\xbf"), strict=False)
    except (ValueError, RecursionError):
        return None
    return resource if isinstance(resource, dict) and resource.get("resourceType") == "Binary" else None


def _from_xml(data: bytes) -> JsonObject | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.tag != f"{_FHIR}Binary":
        return None
    fields: JsonObject = {
        name: element.get("value")
        for name in ("id", "contentType", "data", "content")
        if (element := root.find(f"{_FHIR}{name}")) is not None
    }
    labels = [
        {
            part: value
            for part in ("system", "code", "display")
            if (held := label.find(f"{_FHIR}{part}")) is not None and (value := held.get("value"))
        }
        for label in root.iterfind(f"{_FHIR}meta/{_FHIR}security")
    ]
    context = root.find(f"{_FHIR}securityContext/{_FHIR}reference")
    if context is not None:
        fields["securityContext"] = {"reference": context.get("value")}
    return {"resourceType": "Binary", **fields, "meta": {"security": labels}}
