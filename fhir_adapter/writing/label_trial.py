"""Whether a server takes the label for what an AI asserted, found out without leaving anything there.

Terminology that is older than the code AIAST makes a server that validates refuse every summary. Where the
server offers `$validate`, it is asked; else, if it lets resources be deleted, a Composition that concerns
nobody is created and deleted again. Each question is asked once with the label and, where that fails,
once without it, so that no other fault is blamed on the label.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter import canonical
from fhir_adapter.errors import HttpStatusError, NotFhirError, RefusedError, UnconfirmedError
from fhir_adapter.lenient import JsonObject, as_dict
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.confirmed import post

# "device asserted": the nearest in meaning that terminology of every age knows.
FALLBACK = (canonical.OBSERVATION_VALUE, "DEVAST")


class LabelVerdict(StrEnum):
    """How a trial ended."""

    TAKEN = "taken"  # valid with it, or written with it
    UNKNOWN = "unknown"  # invalid with it and valid without: refused wherever writes are validated
    REFUSED = "refused"  # written without it only
    UNTRIED = "untried"  # neither `$validate` nor a create that may be deleted again


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        way: `$validate`, `create and delete`, or "" where nothing was tried.
        left_behind: reference of a Composition whose deletion failed, or "".
    """

    verdict: LabelVerdict
    way: str = ""
    left_behind: str = ""


async def try_label(client: FhirClient, system: str, code: str, *, write: bool = True) -> Trial:
    """Tries one label, as system and code.

    Args:
        client: the server.
        system: of the label.
        code: of the label.
        write: whether a Composition may be created and deleted where the server does not validate.

    Raises:
        RefusedError: the credentials may neither validate nor write.
        ServerUnreachableError: no answer after all retries.
    """
    labelled, plain = _composition({"system": system, "code": code}), _composition(None)
    if await _validates(client, labelled):
        return Trial(LabelVerdict.TAKEN, "$validate")
    if await _validates(client, plain):
        return Trial(LabelVerdict.UNKNOWN, "$validate")
    if not write or not (await client.capability()).interacts("Composition", "create", "delete"):
        return Trial(LabelVerdict.UNTRIED)
    for resource, verdict in ((labelled, LabelVerdict.TAKEN), (plain, LabelVerdict.REFUSED)):
        written, left = await _writes(client, resource)
        if written:
            return Trial(verdict, "create and delete", left)
    return Trial(LabelVerdict.UNTRIED)


def _composition(label: JsonObject | None) -> JsonObject:
    words = "Trial of a security label by clinsum doctor. It concerns nobody and may be deleted."
    return {
        "resourceType": "Composition",
        **({"meta": {"security": [label]}} if label else {}),
        "identifier": {"system": canonical.SUMMARIES, "value": f"label-trial-{uuid.uuid4()}"},
        "status": "entered-in-error",
        "type": {"text": words},
        "date": "2026-01-01",
        "author": [{"display": "clinsum doctor"}],
        "title": words,
        "section": [{"title": words, "text": _narrative(words)}],
    }


def _narrative(words: str) -> JsonObject:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}


async def _validates(client: FhirClient, resource: JsonObject) -> bool:
    """True where `$validate` is offered and finds no error."""
    try:
        outcome = await client.operation("Composition/$validate", resource)
    except RefusedError:
        raise
    except (HttpStatusError, NotFhirError):
        return False
    issues = outcome.get("issue")
    return outcome.get("resourceType") == "OperationOutcome" and not any(
        issue.get("severity") in ("error", "fatal")
        for issue in (issues if isinstance(issues, list) else [])
        if isinstance(issue, dict)
    )


async def _writes(client: FhirClient, resource: JsonObject) -> tuple[bool, str]:
    """Creates and deletes; whether it was taken, and the reference of what could not be deleted."""
    identifier = f"{resource['identifier']['system']}|{resource['identifier']['value']}"
    # Conditional, so that a repeat after a lost answer does not make a second one.
    request = {"method": "POST", "url": "Composition", "ifNoneExist": f"identifier={identifier}"}
    entry = {"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": resource, "request": request}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    try:
        references = await post(client, bundle, once=False)
    except RefusedError:
        raise
    except UnconfirmedError:
        references = await _found(client, identifier)
    except HttpStatusError:
        return False, ""
    for reference in references:
        try:
            await client.delete(reference)
        except HttpStatusError:
            return True, reference
    return bool(references), ""


async def _found(client: FhirClient, identifier: str) -> list[str]:
    return [
        f"Composition/{resource.get('id')}"
        async for page in client.search("Composition", [("identifier", identifier)])
        for resource in page.resources
        if as_dict(resource.get("identifier")).get("value") == identifier.partition("|")[2]
    ]
