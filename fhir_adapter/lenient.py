"""JSON of anybody, read without trust: an odd element gives nothing for its field, and nothing else."""

import re
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

JsonObject = dict[str, Any]

_PORTS = {"http": 80, "https": 443}
_ID = re.compile(r"[A-Za-z0-9._~:@-]{1,256}")


def as_dict(value: object) -> JsonObject:
    """What should be an object; anything else reads as an empty one."""
    return value if isinstance(value, dict) else {}


def dicts(value: object) -> list[JsonObject]:
    """The objects of what should be a list of them; whatever else is there reads as absent."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_list(value: object) -> list[Any]:
    """A list as it is; a single value, as old versions and conversions write it, as a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def first_dict(value: object) -> JsonObject | None:
    """The first object with something in it, of a list or of a single value."""
    return next((entry for entry in dicts(as_list(value)) if entry), None)


def as_text(value: object) -> str | None:
    """A string with something in it, else None."""
    return value if isinstance(value, str) and value.strip() else None


def as_string(value: object) -> str | None:
    """A string, also an empty one, else None."""
    return value if isinstance(value, str) else None


def as_scalar(value: object) -> str | None:
    """A string with something in it, or a whole number as one."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return str(value)
    return as_text(value)


def as_count(value: object) -> int:
    """A whole number, else -1, which is neither a count nor an offset."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def as_code(value: object) -> str | None:
    """A code, or the first code of a Coding or CodeableConcept put in its place."""
    if isinstance(value, str):
        return value.strip() or None
    for entry in dicts(as_list(value)):
        for coding in (entry, *dicts(as_list(entry.get("coding")))):
            code = as_text(coding.get("code"))
            if code is not None:
                return code.strip()
    return None


def usable_id(value: object) -> str | None:
    """A logical id that can stand in a reference; digits given as a number count."""
    text = as_scalar(value)
    return text if text and _ID.fullmatch(text) and text.strip(".") else None


def reference_of(resource: JsonObject) -> str:
    """`Type/id` as far as both are usable, else ""."""
    kind, ident = as_text(resource.get("resourceType")), usable_id(resource.get("id"))
    return f"{kind}/{ident}" if kind and kind.isascii() and kind.isalpha() and ident else ""


def version_of(resource: JsonObject) -> str:
    """`meta.versionId`, or "" where the server has none."""
    return as_scalar(as_dict(resource.get("meta")).get("versionId")) or ""


def bare_parameter(name: str) -> str:
    """A search parameter without modifier and chain (R4, 3.1.1.4)."""
    return name.partition(":")[0].partition(".")[0]


def has_tag(resource: JsonObject, tag: tuple[str, str]) -> bool:
    """`meta.tag` holds this system and code."""
    tags = dicts(as_list(as_dict(resource.get("meta")).get("tag")))
    return any((t.get("system"), t.get("code")) == tag for t in tags)


def coded(codings: object) -> set[tuple[str, str]]:
    """(system, code) of a list of Codings."""
    return {(str(c.get("system", "")), str(c.get("code", ""))) for c in dicts(codings)}


def relative(reference: object, base_url: str) -> str:
    """A reference without the server's own base and without its version; another server's stays whole.

    Written are also `./Patient/1`, `/fhir/Patient/1`, `Patient/1#`, `Patient/1?_format=json`, and ids in
    percent encoding.
    """
    if not isinstance(reference, str):
        return ""
    reference = reference.strip().split("/_history/")[0]
    if "://" in reference:
        bare = reference.partition("?")[0].removesuffix("#")
        path = below(bare, base_url)
        return reference if path is None else unquote(path).strip("/")
    if "/" not in reference or ":" in reference.partition("/")[0]:
        return reference  # of a contained resource, or a name
    path = unquote(reference.partition("?")[0].removesuffix("#"))
    root = urlsplit(base_url).path.strip("/")
    path = path.removeprefix("./").strip("/")
    return path.removeprefix(f"{root}/") if root else path


def below(url: str, base_url: str) -> str | None:
    """The path of an address below the server's base, or None where it is another server's.

    Servers write their own name in many ways: the scheme and the host in capitals, the scheme's own port,
    https behind a gateway that is reached by http, `localhost` for a loopback address.
    """
    try:
        one, base = urlsplit(url), urlsplit(base_url)
        same_port = one.port == base.port or {one.port, base.port} <= {None, _PORTS[one.scheme]}
    except (ValueError, KeyError):
        return None
    both_plain = one.port in (None, 80, 443) and base.port in (None, 80, 443)
    if one.username or one.fragment or _host(one) != _host(base) or not (same_port or both_plain):
        return None
    root = base.path.rstrip("/") + "/"
    return one.path[len(root) :] if one.path.startswith(root) else None


def _host(url: SplitResult) -> str:
    host = (url.hostname or "").rstrip(".")
    return "localhost" if host.startswith("127.") or host == "::1" else host


def references(value: object, base_url: str) -> tuple[str, ...]:
    """The targets of a list of References, as `relative` has them."""
    return tuple(relative(item.get("reference"), base_url) for item in dicts(value))
