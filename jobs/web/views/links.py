"""Addresses that pages link to; made of checked parts alone, since a Composition may hold anything."""

import re
from urllib.parse import quote

ID = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9.-]{1,64}")  # a browser would take `..` for the folder above
_REFERENCE = re.compile(rf"([A-Z][A-Za-z]{{1,63}})/({ID.pattern})")


def on_server(base_url: str, reference: str, version: str = "") -> str:
    """The address of a resource on the FHIR server, at a version if given; "" where the reference is odd."""
    if not _REFERENCE.fullmatch(reference) or (version and not ID.fullmatch(version)):
        return ""
    address = f"{base_url.rstrip('/')}/{reference}"
    return f"{address}/_history/{version}" if version else address


def history(base_url: str, reference: str) -> str:
    """The address of all versions of a resource on the FHIR server; "" where the reference is odd."""
    address = on_server(base_url, reference)
    return f"{address}/_history" if address else ""


def note_page(reference: str, anchor: str = "") -> str:
    """The page of a Composition beside its note; "" where the reference is none of one."""
    found = _REFERENCE.fullmatch(reference)
    if not found or found[1] != "Composition":
        return ""
    return f"/note/{found[2]}" + (f"#{quote(anchor)}" if anchor else "")


def patient_page(reference: str) -> str:
    """The page of a patient's notes, or of an encounter's; "" where the reference is neither."""
    found = _REFERENCE.fullmatch(reference)
    if not found or found[1] not in ("Patient", "Encounter"):
        return ""
    path = found[2] if found[1] == "Patient" else reference
    return f"/patient/{path}"
