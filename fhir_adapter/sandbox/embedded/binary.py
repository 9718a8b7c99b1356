"""Binary: raw bytes in and out, or as a resource (hl7.org/fhir/R4/binary.html)."""

import base64
import binascii
import re
from dataclasses import dataclass

from fhir_adapter.sandbox.embedded.jsontext import Json, read_object

FHIR_JSON = "application/fhir+json"
_FHIR_FORMS = (FHIR_JSON, "application/json+fhir")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;\s*[\w.-]+=(\"[\x20-\x7e]*\"|[\w.:+-]+))*", re.ASCII)
_DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class RawContent:
    """Bytes and the media type they are served with."""

    data: bytes
    media_type: str


def binary_of(body: bytes, content_type: str, id_: str | None) -> Json:
    """The Binary resource that a request body stands for.

    Args:
        body: of the request.
        content_type: of the request; FHIR JSON is the resource itself, anything else its content.
        id_: id in the address of an update, or None.

    Raises:
        RequestRefusedError: 400, the body should be a resource and is no JSON object.
    """
    if media_type_of(content_type) in _FHIR_FORMS:
        return read_object(body)
    resource: Json = {"resourceType": "Binary"}
    if id_ is not None:
        resource["id"] = id_
    resource["contentType"] = content_type or _DEFAULT_TYPE
    resource["data"] = base64.b64encode(body).decode("ascii")
    return resource


def raw_content(resource: Json) -> RawContent | None:
    """The bytes of a Binary; None where its data is not base64, so that only the resource can be shown."""
    data, media_type = resource.get("data", ""), resource.get("contentType")
    if not isinstance(data, str):
        return None
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    usable = isinstance(media_type, str) and _MEDIA_TYPE.fullmatch(media_type.strip())
    return RawContent(content, str(media_type).strip() if usable else _DEFAULT_TYPE)


def wants_resource(accept: str, content_type: str, format_: str) -> bool:
    """Whether a reader of a Binary asks for the resource and not for its bytes.

    As HAPI: by `_format`, by an `Accept` that prefers FHIR JSON, or by a `Content-Type` of FHIR JSON.
    """
    if format_ or media_type_of(content_type) in _FHIR_FORMS:
        return True
    ranges = [(_quality(part), media_type_of(part)) for part in accept.split(",") if part.strip()]
    best = max((quality for quality, _ in ranges), default=0.0)
    return any(name in _FHIR_FORMS for quality, name in ranges if quality == best)


def media_type_of(text: str) -> str:
    """`type/subtype` in lower case, without parameters."""
    return text.partition(";")[0].strip().lower()


def _quality(media_range: str) -> float:
    match = re.search(r";\s*q=([0-9.]+)", media_range)
    try:
        return float(match[1]) if match else 1.0
    except ValueError:
        return 1.0
