"""Parts of a source brought into a form that can stand in what we write.

Sources are read leniently, what we write is strict: a part that does not fit is left out rather than
failing the summary, and a reference that would not resolve from another resource becomes a logical one
(R4, section 2.3: Reference.identifier).
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from fhir_adapter.canonical import CONFIDENTIALITY, URI
from fhir_adapter.lenient import JsonObject, relative
from fhir_adapter.models import is_resource_type, model_of

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

CONFIDENTIALITY_ORDER = "ULMNRV"  # unrestricted to very restricted
# The names that this code system had before R4, and its OID.
_CONFIDENTIALITY = frozenset(
    {CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality", "urn:oid:2.16.840.1.113883.5.25"}
)
_UNREADABLE = {"system": CONFIDENTIALITY, "code": "R", "display": "restricted"}
# R4 ends an id at 64 characters; servers give out longer ones, with other signs too.
_LITERAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9._~:@-]{1,256}")
_ELSEWHERE = re.compile(r"https?://[^\s?#]+/[A-Z][A-Za-z]+/[A-Za-z0-9._~:@-]{1,256}", re.IGNORECASE)


def _valid(model: str, value: object, keep: tuple[str, ...]) -> JsonObject | None:
    if not isinstance(value, dict):
        return None
    part = {name: value[name] for name in keep if value.get(name) not in (None, "", [], {})}
    try:
        model_of(model).model_validate(part)
    except (ValidationError, ValueError, TypeError):
        return None
    return part or None


def reference(value: object, base_url: str, types: tuple[str, ...] = ()) -> JsonObject | None:
    """A source's reference as another resource on the same server may carry it.

    Args:
        value: the Reference as found.
        base_url: the server's base; an absolute reference under it becomes relative, since servers
            index the absolute form as external.
        types: where the element allows only these target types; others are dropped.

    Returns:
        A Reference, or None where nothing usable is left.
    """
    if not isinstance(value, dict):
        return None
    part = {k: value[k] for k in ("identifier", "display", "type") if k in value}
    target = value.get("reference")
    if isinstance(target, str) and target:
        target = relative(target, base_url)
        if _LITERAL.fullmatch(target) or _ELSEWHERE.fullmatch(target):
            part["reference"] = target
        elif target.lower().startswith(("urn:", "http://", "https://")):
            part.setdefault("identifier", {"system": URI, "value": target})
        # A contained resource cannot be reached from outside; what has no such form, from nowhere.
    if not _is_type(part.get("type"), part.get("reference")):
        part.pop("type", None)
    if types and "reference" in part and _target_type(part["reference"]) not in types:
        return None
    if "identifier" in part:
        part["identifier"] = _identifier(part["identifier"])
    result = _valid("Reference", part, ("reference", "type", "identifier", "display"))
    return None if result is None or set(result) <= {"type"} else result


def _is_type(value: object, target: object) -> bool:
    """Whether `Reference.type` names a resource type and does not contradict the reference."""
    if isinstance(target, str) and "/" in target:
        return value == _target_type(target)
    return isinstance(value, str) and is_resource_type(value)


def local(found: Iterable[str], base_url: str) -> list[str]:
    """`Type/id` of those references that lead to the server itself, each once."""
    targets = (relative(target, base_url) for target in found)
    return list(dict.fromkeys(target for target in targets if _LITERAL.fullmatch(target)))


def _target_type(target: str) -> str:
    parts = target.rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 else ""


def coding(value: object) -> JsonObject | None:
    """A Coding with only its plain parts, or None."""
    return _valid("Coding", value, ("system", "version", "code", "display"))


def concept(value: object) -> JsonObject | None:
    """A CodeableConcept with only its plain parts, or None.

    A code without a system has no meaning (R4, Coding.system); where none has one, what it is called stays.
    """
    if not isinstance(value, dict):
        return None
    found = value.get("coding")
    codings = [c for c in (coding(item) for item in (found if isinstance(found, list) else [])) if c]
    meant = [c for c in codings if "system" in c]
    called = [c.get("display") or c.get("code") for c in codings if not meant]
    text = value.get("text") or next(filter(None, called), None)
    return _valid("CodeableConcept", {"coding": meant, "text": text}, ("coding", "text"))


def kept(value: object, base_url: str) -> bool:
    """Whether whom or what a reference names is still named once it stands in another resource."""
    named = isinstance(value, dict) and (value.get("reference") or value.get("identifier"))
    return not named or bool({"reference", "identifier"} & set(reference(value, base_url) or ()))


def period(value: object) -> JsonObject | None:
    """A Period with start, end or both, or None."""
    return _valid("Period", value, ("start", "end"))


def identifier(value: object) -> JsonObject | None:
    """An Identifier with its system and value, or None."""
    part = _identifier(value)
    return part if part and "value" in part else None


def _identifier(value: object) -> JsonObject | None:
    part = _valid("Identifier", value, ("system", "value"))
    if part and part.get("system") == URI and not _SCHEME.match(part.get("value", "")):
        del part["system"]  # which says that the value is a URI (R4, Identifier registry)
    return part or None


def language(value: object) -> str | None:
    """A language tag in the form of BCP 47, or None; an underscore is read as a hyphen."""
    tag = value.strip().replace("_", "-") if isinstance(value, str) else ""
    return tag if _LANGUAGE.fullmatch(tag) else None


def without_empty(resource: JsonObject) -> JsonObject:
    """Without the elements that hold nothing, of which FHIR has none."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}


def held(data: bytes) -> JsonObject:
    """What an Attachment states of the bytes that it holds: `data`, `size` and `hash`."""
    sha1 = hashlib.sha1(data, usedforsecurity=False).digest()  # the algorithm that R4 names
    encoded, digest = (base64.b64encode(part).decode("ascii") for part in (data, sha1))
    return {"data": encoded, "size": len(data), "hash": digest}


def labels(security: Iterable[object]) -> list[JsonObject]:
    """The source's security labels, each once, in the order found.

    A label is never dropped: one that breaks R4 is mended, and one of which nothing can be read counts as
    "restricted", since what it protects is not known.
    """
    seen: dict[tuple[Any, ...], JsonObject] = {}
    for item in security:
        label = _label(item)
        if label:
            seen.setdefault((label.get("system"), label.get("code") or label.get("display")), label)
    return list(seen.values())


def _label(item: object) -> JsonObject | None:
    if item in (None, "", [], {}):
        return None
    part = coding(item)
    if part and ("code" in part or "display" in part):
        return part
    found = item if isinstance(item, dict) else {"display": item}
    words = {
        name: " ".join(str(found[name]).split())
        for name in ("system", "code", "display")
        if isinstance(found.get(name), str | int | float) and str(found[name]).strip()
    }
    mended = coding(words)
    return mended if mended and ("code" in mended or "display" in mended) else dict(_UNREADABLE)


def confidentiality(security: Iterable[object]) -> str:
    """The strictest v3-Confidentiality code among the labels; `N` (normal) where there is none."""
    codes = [
        label["code"]
        for label in labels(security)
        if label.get("system") in _CONFIDENTIALITY and label.get("code", "") in tuple(CONFIDENTIALITY_ORDER)
    ]
    return max(codes, key=CONFIDENTIALITY_ORDER.index, default="N")
