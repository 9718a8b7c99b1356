"""Pages of a search as the client gives them."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from fhir_adapter.errors import NotFhirError, OutsideBaseError
from fhir_adapter.lenient import JsonObject, as_dict, as_text, below, dicts, reference_of, usable_id
from fhir_adapter.rest.scope import Scope, origin_of, parsed
from fhir_adapter.rest.wire import outcome_codes

# How matches are shown, not which; servers leave these out of the link or write them otherwise.
_FOR_SHOW = frozenset(
    {"_count", "_sort", "_elements", "_summary", "_format", "_total", "_include", "_revinclude"}
)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a searchset.

    Attributes:
        resources: the matches, in the server's order; neither includes nor outcomes.
        unusable: of each entry that should be a match but holds no resource, `Type/id` as far as its fullUrl
            says it, else "".
        outcome: codes of OperationOutcome entries (warnings about the search).
        is_last: no further page follows.
        next: the server's link to the further page, for `start` of a later search; "" where none follows.
        total: how many matches the server says there are, or None.
        date: nanoseconds of the answer's `Date`, or None.
        ignored: names of the parameters that the server did not take note of, as its self link says (R4,
            3.1.1.1.2); of the first page alone.
    """

    resources: tuple[JsonObject, ...]
    unusable: tuple[str, ...]
    outcome: tuple[str, ...]
    is_last: bool
    next: str = ""
    total: int | None = None
    date: int | None = None
    ignored: tuple[str, ...] = ()


def page_of(
    bundle: JsonObject, following: str, base_url: str, date: int | None = None, asked: Sequence[str] = ()
) -> SearchPage:
    """Reads a searchset.

    Args:
        bundle: the Bundle.
        following: the link to the next page, or "" where none follows.
        base_url: of the server, below which an entry's fullUrl names a resource.
        date: nanoseconds of the answer's `Date`, or None.
        asked: names of the parameters, for the first page.
    """
    resources: list[JsonObject] = []
    outcome: list[str] = []
    unusable: list[str] = []
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        mode = as_dict(as_dict(entry).get("search")).get("mode")
        resource = as_dict(entry).get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            outcome += outcome_codes(resource)
        elif mode in ("include", "outcome"):
            continue
        elif isinstance(resource, dict):
            resources.append(resource)
        else:
            unusable.append(_named(as_dict(entry), base_url))
    total = bundle.get("total")
    counted = total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
    return SearchPage(
        tuple(resources),
        tuple(unusable),
        tuple(outcome),
        not following,
        following,
        counted,
        date,
        _ignored(bundle, asked),
    )


def digest(bundle: JsonObject) -> int:
    """A number for what a page holds, to know it again by; 0 for an empty one."""
    held = []
    for entry in dicts(bundle.get("entry")):
        resource = as_dict(entry.get("resource"))
        version = as_dict(resource.get("meta")).get("versionId")
        request = as_dict(entry.get("request"))  # of a deletion, a history says no more than this
        asked = (str(request.get("method", "")), str(request.get("url", "")))
        held.append((reference_of(resource) or str(entry.get("fullUrl", "")), str(version), *asked))
    return hash(tuple(held)) if any(any(one[:1] + one[2:]) for one in held) else 0


def _named(entry: JsonObject, base_url: str) -> str:
    """`Type/id` that an entry's fullUrl says, or ""."""
    url = as_text(entry.get("fullUrl")) or ""
    path = below(url, base_url) if "://" in url else url
    kind, _, ident = (path or "").strip("/").partition("/")
    return f"{kind}/{ident}" if kind.isalpha() and usable_id(ident) else ""


def _ignored(bundle: JsonObject, asked: Sequence[str]) -> tuple[str, ...]:
    """Those of the parameters asked for that a page's self link does not name; none where it has no query."""
    links = [link for link in dicts(bundle.get("link")) if link.get("relation") == "self"]
    url = parsed(as_text(links[0].get("url")) or "") if links else None
    if url is None or not url.query:
        return ()
    named = {_bare(name) for name in url.params}
    return tuple(dict.fromkeys(n for n in map(_bare, asked) if n not in named and n not in _FOR_SHOW))


def _bare(name: str) -> str:
    """Without modifier and chain."""
    return name.partition(":")[0].partition(".")[0]


def next_link(bundle: JsonObject, url: httpx.URL, what: str, scope: Scope) -> httpx.URL | None:
    """The address of the page after this one, or None.

    Args:
        bundle: the page.
        url: from where it came.
        what: names the search in messages.
        scope: of the server.

    Raises:
        NotFhirError: the link is no address. OutsideBaseError: it leads away from the base address.
    """
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("relation") != "next":
            continue
        target = parsed(link["url"]) if isinstance(link.get("url"), str) else None
        if target is None:
            raise NotFhirError(f"{what}: the server's next link is no URL")
        target = url.join(target)
        if not scope.contains(target):
            raise OutsideBaseError(
                f"{what}: the server's next link leads to {origin_of(target)}, outside {scope.base_url}; "
                "set the FHIR base address to the one the server calls itself, or have the server told "
                "the address it is reached at",
                str(target),
            )
        return target
    return None
