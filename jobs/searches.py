"""What `clinsum doctor` says of the searches that a server ignores or refuses."""

from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.two_servers import TwoServers
from fhir_adapter.writing.server_trial import ignored_parameters

_NOBODY = "DocumentReference/clinsum-doctor"
# By what summaries and all that belongs to them are searched for, each with what nothing there has.
SEARCHES = {
    "Composition": {
        "_id": "clinsum-doctor",
        "identifier": "clinsum-doctor",
        "_tag": "clinsum-doctor",
        "entry": _NOBODY,
        "subject": "Patient/clinsum-doctor",
        "author": "Device/clinsum-doctor",
    },
    "Provenance": {
        "target": "Composition/clinsum-doctor",
        "entity": _NOBODY,
        "agent": "Device/clinsum-doctor",
    },
    "Device": {"identifier": "clinsum-doctor"},
}


async def ignored_searches(client: FhirClient) -> str:
    """Which of these a server takes no notice of, in words; "" for none. What it refuses is taken down.

    Raises:
        ServerUnreachableError: no answer after all retries.
    """
    found = await ignored_parameters(client, SEARCHES)
    if not found:
        return ""
    return f"the server ignores {', '.join(found)}; every match is looked at, so nothing is mistaken"


def refused_searches(client: FhirClient) -> str:
    """What a server was found to refuse in all requests so far, in words; "" for nothing."""
    found = {*client.lacking.names, *(client.written.lacking.names if isinstance(client, TwoServers) else ())}
    if not found:
        return ""
    words = f"the server refuses {', '.join(sorted(found))}, so that other searches or reads are made instead"
    if "Composition._tag" in found:
        words += "; copies of a text are known by the ledger alone"
    return words
