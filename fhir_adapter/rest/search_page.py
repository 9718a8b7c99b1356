"""Pages of a search as the client gives them."""

from dataclasses import dataclass

from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.wire import outcome_codes


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a searchset.

    Attributes:
        resources: the matches, in the server's order; neither includes nor outcomes.
        unusable: entries that should be matches but hold no resource.
        outcome: codes of OperationOutcome entries (warnings about the search).
        is_last: no further page follows.
        next: the server's link to the further page, for `start` of a later search; "" where none follows.
    """

    resources: tuple[JsonObject, ...]
    unusable: int
    outcome: tuple[str, ...]
    is_last: bool
    next: str = ""


def page_of(bundle: JsonObject, following: str) -> SearchPage:
    """Reads a searchset; `following` is the link to the next page, or "" where none follows."""
    resources: list[JsonObject] = []
    outcome: list[str] = []
    unusable = 0
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        search = entry.get("search") if isinstance(entry, dict) else None
        mode = search.get("mode") if isinstance(search, dict) else None
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            outcome += outcome_codes(resource)
        elif mode in ("include", "outcome"):
            continue
        elif isinstance(resource, dict):
            resources.append(resource)
        else:
            unusable += 1
    return SearchPage(tuple(resources), unusable, tuple(outcome), not following, following)
