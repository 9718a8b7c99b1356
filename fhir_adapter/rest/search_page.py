"""Pages of a search as the client gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import httpx

from fhir_adapter.errors import EndlessLinksError, NotFhirError, OutsideBaseError
from fhir_adapter.lenient import (
    JsonObject,
    as_dict,
    as_scalar,
    as_text,
    bare_parameter,
    dicts,
    reference_of,
    relative,
    usable_id,
)
from fhir_adapter.rest.scope import Scope, origin_of, parsed
from fhir_adapter.rest.wire import outcome_codes

# How matches are shown, not which; servers leave these out of the link or write them otherwise.
_FOR_SHOW = frozenset(
    {"_count", "_sort", "_elements", "_summary", "_format", "_total", "_include", "_revinclude"}
)

_IDLE_PAGES = 100  # in a row that are empty or hold nothing new; servers that filter afterwards give some
_LONGEST_LINK = 65_536
_REMEMBERED = 200_000  # entries of one search


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a searchset.

    Attributes:
        resources: the matches, in the server's order; neither includes nor outcomes.
        unusable: of each entry that should be a match but holds no resource, or one that does not say which,
            `Type/id` as far as its fullUrl says it, else "".
        outcome: codes of OperationOutcome entries (warnings about the search).
        failed: those of them whose severity is fatal or error.
        beside: entries that are no matches: includes, outcomes, and what is of another type; some servers
            count them in `total`.
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
    failed: tuple[str, ...] = ()
    beside: int = 0


def page_of(
    bundle: JsonObject,
    following: str,
    base_url: str,
    kind: str,
    date: int | None = None,
    asked: Sequence[str] = (),
) -> SearchPage:
    """Reads a searchset.

    An entry of another type is beside the matches whatever its mode, which R4 lets a server leave out.

    Args:
        bundle: the Bundle.
        following: the link to the next page, or "" where none follows.
        base_url: of the server, below which an entry's fullUrl names a resource.
        kind: the resource type that was searched for.
        date: nanoseconds of the answer's `Date`, or None.
        asked: names of the parameters, for the first page.
    """
    resources: list[JsonObject] = []
    outcome: list[str] = []
    failed: list[str] = []
    unusable: list[str] = []
    beside = 0
    entries = bundle.get("entry")
    for stated in entries if isinstance(entries, list) else ():
        entry = as_dict(stated)
        resource, named = entry.get("resource"), _named(entry, base_url)
        of_type = (_type_of(resource) or named.partition("/")[0] or kind) == kind
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            beside += 1
            outcome += outcome_codes(resource)
            grave = [i for i in dicts(resource.get("issue")) if i.get("severity") in ("fatal", "error")]
            failed += outcome_codes({**resource, "issue": grave})
        elif not of_type or as_dict(entry.get("search")).get("mode") in ("include", "outcome"):
            beside += 1
        elif not isinstance(resource, dict) or (not reference_of(resource) and named):
            unusable.append(named)
        else:
            resources.append(resource)
    total = as_scalar(bundle.get("total")) or ""
    counted = int(total) if total.isascii() and total.isdigit() and len(total) < 16 else None
    return SearchPage(
        tuple(resources),
        tuple(unusable),
        tuple(outcome),
        not following,
        following,
        counted,
        date,
        _ignored(bundle, asked),
        tuple(failed),
        beside,
    )


class Circle:
    """Tells when the pages of one search go in a circle, or never end.

    Args:
        url: of the first page.
        what: names the search in messages.

    Attributes:
        begun: a link was followed.
    """

    def __init__(self, url: httpx.URL, what: str) -> None:
        self._what = what
        self._links, self._pages, self._held = {hash(url)}, set[int](), set[int]()
        self._idle = 0
        self.begun = False

    def see(self, bundle: JsonObject) -> None:
        """Takes note of a page.

        Raises:
            EndlessLinksError: it came before, in whatever order.
        """
        page = _entries(bundle)
        if page and hash(page) in self._pages:
            raise EndlessLinksError(f"{self._what}: the server gives the same page again and again")
        self._idle = 0 if page - self._held else self._idle + 1
        self._held = self._held | page if len(self._held) < _REMEMBERED else set(page)
        self._pages.add(hash(page))

    def follow(self, url: httpx.URL) -> None:
        """Takes note of a link.

        Raises:
            EndlessLinksError: it was followed before, or many pages in a row held nothing new.
        """
        if hash(url) in self._links or self._idle > _IDLE_PAGES:
            raise EndlessLinksError(f"{self._what}: the server's next links go in a circle, or never end")
        self._links.add(hash(url))
        self.begun = True


def _entries(bundle: JsonObject) -> frozenset[int]:
    """A number for each entry of a page, to know it again by; none for one that says nothing."""
    held = set()
    for entry in dicts(bundle.get("entry")):
        resource = as_dict(entry.get("resource"))
        version = as_dict(resource.get("meta")).get("versionId")
        request = as_dict(entry.get("request"))  # of a deletion, a history says no more than this
        asked = (str(request.get("method", "")), str(request.get("url", "")))
        name = reference_of(resource) or str(entry.get("fullUrl", ""))
        if name or any(asked):
            held.add(hash((name, str(version), *asked)))
    return frozenset(held)


def _type_of(resource: object) -> str:
    """The type that a resource says it is of, or ""."""
    return as_text(as_dict(resource).get("resourceType")) or ""


def _named(entry: JsonObject, base_url: str) -> str:
    """`Type/id` that an entry's fullUrl says, or ""."""
    url = as_text(entry.get("fullUrl")) or ""
    kind, _, ident = relative(url, base_url).partition("/")
    return f"{kind}/{ident}" if kind.isalpha() and usable_id(ident) else ""


def _ignored(bundle: JsonObject, asked: Sequence[str]) -> tuple[str, ...]:
    """Those of the parameters asked for that a page's self link does not name; none where it has no query."""
    links = [link for link in dicts(bundle.get("link")) if link.get("relation") == "self"]
    query = _query(as_text(links[0].get("url")) or "") if links else ""
    if not query:
        return ()
    named = {bare_parameter(name) for name, _ in parse_qsl(query, keep_blank_values=True)}
    return tuple(
        dict.fromkeys(n for n in map(bare_parameter, asked) if n not in named and n not in _FOR_SHOW)
    )


def _query(url: str) -> str:
    """What stands behind the question mark of an address; "" where it cannot be one."""
    if len(url) > _LONGEST_LINK or not url.isprintable():
        return ""
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


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
        relation = as_text(link.get("relation")) if isinstance(link, dict) else None
        if relation is None or relation.strip().lower() != "next":
            continue
        target = parsed(link["url"]) if isinstance(link.get("url"), str) else None
        if target is None:
            raise NotFhirError(f"{what}: the server's next link is no URL")
        target = url.join(target)
        target = target if scope.contains(target) else scope.own(target) or target
        if not scope.contains(target):
            raise OutsideBaseError(
                f"{what}: the server's next link leads to {origin_of(target)}, outside {scope.base_url}; "
                "set the FHIR base address to the one the server calls itself, or have the server told "
                "the address it is reached at",
                str(target),
            )
        return target
    return None
