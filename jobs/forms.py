"""What `clinsum doctor` says of the form in which summaries stand on the server that is written to."""

from typing import Literal

from fhir_adapter.filing.client import filing
from fhir_adapter.rest.capability import Capability
from fhir_adapter.rest.client import FhirClient

Said = tuple[Literal["ok", "warning", "failure"], str, str]
"""Verdict, what was seen, and what to do about it."""

_NEEDED = ("Composition", "Provenance", "Device")
_KIND = "DocumentReference"


async def said_of_form(client: FhirClient) -> Said | None:
    """Whether the server takes summaries in the form that the settings name; None where nothing is amiss.

    Raises:
        FhirAdapterError: as the client raises it.
    """
    written = filing(client)
    if written:
        return _as_documents(await written.server.capability())
    return _as_compositions(await client.capability())


def _as_compositions(stated: Capability) -> Said | None:
    lacking = [kind for kind in _NEEDED if stated.resources and not stated.supports(kind)]
    if not lacking:
        return None
    found = [*lacking, *([] if stated.transaction else ["transactions"])]
    value = f"the server does not state {', '.join(found)}, which a Composition of each summary needs"
    if not stated.supports(_KIND):
        return "failure", value, "Set CLINSUM_WRITE_BASE_URL to a server that does."
    return "failure", value, "Set CLINSUM_WRITE_AS=document: each is filed in a DocumentReference then."


def _as_documents(stated: Capability) -> Said:
    if not stated.interacts(_KIND, "create"):
        value = "the server does not state that it takes a DocumentReference by POST"
        return "failure", value, "Ask its operators, or set CLINSUM_WRITE_BASE_URL to another server."
    value = "each is filed in a DocumentReference"
    if not stated.interacts(_KIND, "update"):
        value += "; none is changed there, so that an end is told by a further one that replaces it"
    if "identifier" not in stated.search_params(_KIND):
        value += "; no search by identifier is stated, without which all documents are read each time"
        return "warning", value, "Have it take DocumentReference?identifier=, by which none is filed twice."
    return "ok", value, ""
