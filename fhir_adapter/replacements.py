"""Which documents of a page are replaced by another one, asked in one search."""

from collections.abc import Sequence
from typing import Any

from fhir_adapter.client import FhirClient
from fhir_adapter.errors import HttpStatusError, RefusedError
from fhir_adapter.note import SourceNote
from fhir_adapter.resource_reader import reference_of, replaces

_AT_ONCE = 50
_IN_ERROR = "entered-in-error"


async def find_replacements(
    client: FhirClient, superseded: Sequence[SourceNote], at_hand: Sequence[dict[str, Any]]
) -> tuple[dict[str, str], str]:
    """`Type/id` of each replaced document to the `Type/id` of the one that replaces it.

    Args:
        client: the server, asked by `relatesto` where it has that parameter.
        superseded: the documents in question.
        at_hand: resources already read that may hold the answer.

    Returns:
        The map, and a plain sentence where the server could not be asked, else "".
    """
    wanted = {note.reference for note in superseded}
    found: dict[str, str] = {}
    for resource in at_hand:
        _add(client, found, wanted, resource)
    open_questions = sorted(wanted - set(found))
    if not open_questions:
        return found, ""
    if "relatesto" not in (await client.capability()).search_params("DocumentReference"):
        return found, "the server cannot say which superseded documents were replaced"
    for first in range(0, len(open_questions), _AT_ONCE):
        references = ",".join(open_questions[first : first + _AT_ONCE])
        params = [("relatesto", references), ("_elements", "relatesTo,status"), ("_count", str(_AT_ONCE))]
        try:
            async for page in client.search("DocumentReference", params):
                for resource in page.resources:
                    _add(client, found, wanted, resource)
        except RefusedError:
            raise
        except HttpStatusError as error:
            if error.status >= 500 or error.status == 429:
                raise
            return (
                found,
                f"the server refused to say which superseded documents were replaced ({error.status})",
            )
    return found, ""


def _add(client: FhirClient, found: dict[str, str], wanted: set[str], resource: dict[str, Any]) -> None:
    by = reference_of(resource)
    if not by or resource.get("status") == _IN_ERROR:
        return
    for reference in replaces(resource):
        target = client.scope.relative(reference)
        target = target.partition("/_history/")[0] if target else None
        if target in wanted and target != by:
            found.setdefault(target, by)
