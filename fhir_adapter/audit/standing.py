"""What the audit makes of summaries whose time is over, by the rules of docs/lifecycle.md."""

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.shape import replaces_composition
from fhir_adapter.errors import HttpStatusError
from fhir_adapter.reasons import Reason
from fhir_adapter.rest.client import FhirClient


def outlives(claims: Claims) -> bool:
    """Whether the summary says itself that its source was deleted."""
    return claims.ended == Reason.DELETED


async def settled(client: FhirClient, claims: Claims) -> bool:
    """Whether a summary says itself that its time is over, or another Composition says that it replaces it.

    Raises:
        FhirAdapterError: as the client raises it; a server without the search counts as none.
    """
    if claims.status == "entered-in-error" or claims.ended:
        return True
    try:
        async for page in client.search("Composition", [("related-ref", claims.composition)]):
            if any(replaces_composition(resource, claims.composition) for resource in page.resources):
                return True
    except HttpStatusError as error:
        if error.status >= 500:
            raise
    return False
