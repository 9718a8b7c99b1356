"""Transaction and batch Bundles (hl7.org/fhir/R4/http.html#transaction)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from fhir_adapter.sandbox.embedded.bundles import bundle_text
from fhir_adapter.sandbox.embedded.index import without_version
from fhir_adapter.sandbox.embedded.interactions import (
    Interactions,
    WriteResult,
    check_id,
    check_if_match,
    check_resource,
    check_type,
    criteria_pairs,
    new_id,
)
from fhir_adapter.sandbox.embedded.jsontext import Json, write_json
from fhir_adapter.sandbox.embedded.outcome import (
    RequestRefusedError,
    invalid,
    not_found,
    operation_outcome,
)
from fhir_adapter.sandbox.embedded.references import rewrite
from fhir_adapter.sandbox.embedded.search import Searcher
from fhir_adapter.sandbox.embedded.session import Session, Version
from fhir_adapter.sandbox.embedded.store import Store
from fhir_adapter.sandbox.embedded.when import instant_text
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings

# The order in which a transaction is carried out; the answer keeps the order of the request.
_ORDER = ("DELETE", "POST", "PUT", "GET")
_STATUS = {200: "200 OK", 201: "201 Created", 204: "204 No Content"}


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One entry of a request Bundle.

    Attributes:
        place: `Bundle.entry[i]`.
        path: the parts of the request's URL below the base.
        criteria: the query of the URL; "" where it has none.
        condition: `ifNoneExist`, or None.
        id: the id of the resource written, once it is chosen.
        found: a conditional create found that id already there, so nothing is written.
    """

    place: str
    method: str
    path: tuple[str, ...]
    criteria: str
    full_url: str
    resource: Json | None
    if_match: str | None
    condition: str | None
    id: str = ""
    found: bool = False

    @property
    def type(self) -> str:
        """The resource type that the URL names."""
        return self.path[0]

    @property
    def reference(self) -> str:
        """`Type/id` of the resource written."""
        return f"{self.type}/{self.id}"

    def content(self) -> Json:
        """The resource of a POST or PUT, checked.

        Raises:
            RequestRefusedError: 400, there is none or it cannot be used.
        """
        if self.resource is None:
            raise invalid("The entry has no resource.")
        check_resource(self.resource, self.type)
        return self.resource


@dataclass(slots=True)
class _Addresses:
    """What the references of a transaction's resources may name.

    Attributes:
        urls: fullUrl, or old `Type/id`, of an entry -> `Type/id` it got.
        conditions: (type, criteria) of a conditional create -> the id it got.
    """

    urls: dict[str, str] = field(default_factory=dict)
    conditions: dict[tuple[str, str], str] = field(default_factory=dict)


class BundleProcessor:
    """Carries out request Bundles. Safe to use from several threads."""

    def __init__(
        self, settings: SandboxSettings, store: Store, searcher: Searcher, interactions: Interactions
    ) -> None:
        self._refuse_unmatched = settings.refuse_unmatched
        self._batches = Quirk.BATCHES in settings.quirks
        self._store = store
        self._searcher = searcher
        self._interactions = interactions

    def process(self, bundle: Json, base: str, *, representation: bool = False) -> str:
        """Carries out a transaction (all or nothing) or a batch (each entry for itself).

        Args:
            bundle: the request.
            base: the server's own URL as the client sees it.
            representation: whether answers to writes repeat the resource (`Prefer: return=representation`).

        Returns:
            The answering Bundle as JSON text.

        Raises:
            RequestRefusedError: it failed and nothing was changed; the diagnostics name the entry.
        """
        if bundle.get("resourceType") != "Bundle":
            raise invalid("The base address takes a Bundle.")
        items = bundle.get("entry", [])
        if not isinstance(items, list):
            raise invalid("Bundle.entry is not a list.")
        kind = bundle.get("type")
        if kind == "transaction" and self._batches:
            kind = "batch"
        if kind == "transaction":
            answers = self._transaction(items, base, representation)
        elif kind == "batch":
            answers = [self._alone(number, item, base, representation) for number, item in enumerate(items)]
        else:
            raise invalid("The Bundle's type is neither transaction nor batch.")
        return bundle_text(f"{kind}-response", answers, links={"self": base})

    def _alone(self, number: int, item: Any, base: str, representation: bool) -> str:
        """One entry of a batch, in a database transaction of its own."""
        try:
            entry = _read_entry(number, item, base)
            with self._store.reading() if entry.method == "GET" else self._store.writing() as session:
                entry = self._with_id(session, entry, _Addresses())
                return self._carry_out(session, entry, base, representation)
        except RequestRefusedError as error:
            outcome = operation_outcome(error.code, error.diagnostics)
            return write_json({"response": {"status": str(error.status), "outcome": outcome}})

    def _transaction(self, items: list[Any], base: str, representation: bool) -> list[str]:
        addresses = _Addresses()
        with self._store.writing() as session:
            entries = []
            for number, item in enumerate(items):
                with _at(f"Bundle.entry[{number}]"):
                    entries.append(self._with_id(session, _read_entry(number, item, base), addresses))
            _check_each_once(entries)
            for entry in entries:
                self._rewrite(session, entry, addresses)
            answers = [""] * len(entries)
            for number in sorted(range(len(entries)), key=lambda n: _ORDER.index(entries[n].method)):
                with _at(entries[number].place):
                    answers[number] = self._carry_out(session, entries[number], base, representation)
        return answers

    def _with_id(self, session: Session, entry: BundleEntry, addresses: _Addresses) -> BundleEntry:
        """The entry with the id that its resource has or gets, which the other entries may refer to."""
        if entry.method == "GET":
            return entry
        if entry.method == "DELETE":
            return replace(entry, id=entry.path[1])
        resource = entry.content()
        if entry.method == "POST":
            entry = self._with_id_of_create(session, entry, addresses)
        elif len(entry.path) == 2:
            new = self._interactions.gives_own_ids and session.current(entry.type, entry.path[1]) is None
            entry = replace(entry, id=new_id() if new else entry.path[1])
        else:
            match = self._interactions.match(session, entry.type, criteria_pairs(entry.criteria))
            given = resource.get("id")
            entry = replace(entry, id=match.id if match else str(given or new_id()), found=match is not None)
        if entry.full_url:
            addresses.urls[without_version(entry.full_url)] = entry.reference
            if entry.method == "POST" and isinstance(resource.get("id"), str):
                addresses.urls.setdefault(f"{entry.type}/{resource['id']}", entry.reference)
        return entry

    def _with_id_of_create(self, session: Session, entry: BundleEntry, addresses: _Addresses) -> BundleEntry:
        if entry.condition is None:
            return replace(entry, id=new_id())
        criteria = (entry.type, entry.condition.rpartition("?")[2])
        if criteria in addresses.conditions:
            return replace(entry, id=addresses.conditions[criteria], found=True)
        match = self._interactions.match(session, entry.type, criteria_pairs(entry.condition))
        entry = replace(entry, id=match.id if match else new_id(), found=match is not None)
        addresses.conditions[criteria] = entry.id
        return entry

    def _rewrite(self, session: Session, entry: BundleEntry, addresses: _Addresses) -> None:
        """Points the references of the entry's resource at the ids that were chosen."""

        def resolve(reference: str) -> str:
            resource_type, _, query = reference.partition("?")
            id_ = addresses.conditions.get((resource_type, query))
            if id_ is None:
                check_type(resource_type)
                match = self._interactions.match(session, resource_type, criteria_pairs(query))
                if match is None and not self._refuse_unmatched:
                    return reference
                if match is None:
                    raise not_found(f"No {resource_type} matches a conditional reference.")
                id_ = match.id
            return f"{resource_type}/{id_}"

        if entry.resource is not None and entry.method in ("POST", "PUT"):
            with _at(entry.place):
                rewrite(entry.resource, addresses.urls, resolve)

    def _carry_out(self, session: Session, entry: BundleEntry, base: str, representation: bool) -> str:
        if entry.method == "GET":
            return self._read(session, entry, base)
        if entry.method == "DELETE":
            written = self._interactions.delete(session, entry.type, entry.id, entry.if_match)
        elif entry.method == "PUT":
            written = self._put(session, entry)
        elif entry.found:
            written = WriteResult(200, session.current(entry.type, entry.id))
        else:
            written = self._interactions.write_new(session, entry.type, entry.id, entry.content(), "POST")
        return _answer(written, representation)

    def _put(self, session: Session, entry: BundleEntry) -> WriteResult:
        resource = entry.content()
        if len(entry.path) == 2 and entry.id != entry.path[1]:
            check_if_match(None, entry.if_match)
            return self._interactions.write_new(session, entry.type, entry.id, resource, "POST")
        if len(entry.path) == 1 and resource.get("id") is None:
            if not entry.found:
                check_if_match(None, entry.if_match)
                return self._interactions.write_new(session, entry.type, entry.id, resource, "POST")
            resource = {**resource, "id": entry.id}
        return self._interactions.update(session, entry.type, entry.id, resource, entry.if_match)

    def _read(self, session: Session, entry: BundleEntry, base: str) -> str:
        if len(entry.path) == 1:
            found = self._searcher.search(session, base, entry.type, criteria_pairs(f"?{entry.criteria}"))
            return f'{{"resource":{found.text},"response":{{"status":"200 OK"}}}}'
        if len(entry.path) == 2:
            version = self._interactions.read(session, entry.type, entry.path[1])
        elif len(entry.path) == 4 and entry.path[2] == "_history":
            version = self._interactions.vread(session, entry.type, entry.path[1], entry.path[3])
        else:
            raise invalid("A GET inside a Bundle is a read, a vread or a search.")
        return f'{{"resource":{version.body},"response":{_response(200, version)}}}'


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Names the place in the diagnostics of what is refused inside."""
    try:
        yield
    except RequestRefusedError as error:
        raise error.within(place) from None


def _read_entry(number: int, item: Any, base: str) -> BundleEntry:
    request = item.get("request") if isinstance(item, dict) else None
    if not isinstance(request, dict):
        raise invalid("The entry has no request.")
    method, url = request.get("method"), request.get("url")
    if method not in _ORDER or not isinstance(url, str):
        raise invalid("The entry's request needs a url and a method of GET, POST, PUT or DELETE.")
    path, _, criteria = url.removeprefix(base).lstrip("/").partition("?")
    parts = tuple(unquote(part) for part in path.rstrip("/").split("/"))
    check_type(parts[0])
    _check_form(method, parts, criteria)
    resource = item.get("resource")
    return BundleEntry(
        place=f"Bundle.entry[{number}]",
        method=method,
        path=parts,
        criteria=criteria,
        full_url=_text(item.get("fullUrl")) or "",
        resource=resource if isinstance(resource, dict) else None,
        if_match=_text(request.get("ifMatch")),
        condition=_text(request.get("ifNoneExist")),
    )


def _check_form(method: str, parts: tuple[str, ...], criteria: str) -> None:
    """Raises 400 where the URL does not fit the method."""
    if method == "POST" and (len(parts) != 1 or criteria):
        raise invalid("The url of a POST is a resource type.")
    if method == "DELETE" and len(parts) != 2:
        raise invalid("The url of a DELETE is Type/id.")
    if method == "PUT":
        if len(parts) != 2 and not (len(parts) == 1 and criteria):
            raise invalid("The url of a PUT is Type/id or Type?criteria.")
        if len(parts) == 2:
            check_id(parts[1])


def _check_each_once(entries: list[BundleEntry]) -> None:
    """Raises 400 where two entries write the same resource, since then their order would matter."""
    seen: set[str] = set()
    for entry in entries:
        if entry.method == "GET" or (entry.method == "POST" and entry.found):
            continue
        if entry.reference in seen:
            raise invalid("Another entry writes the same resource.").within(entry.place)
        seen.add(entry.reference)


def _answer(written: WriteResult, representation: bool) -> str:
    version = written.version
    if version is None:
        return f'{{"response":{{"status":"{_STATUS[written.status]}"}}}}'
    resource = f'"resource":{version.body},' if representation and version.body else ""
    return f'{{{resource}"response":{_response(written.status, version)}}}'


def _response(status: int, version: Version) -> str:
    return write_json(
        {
            "status": _STATUS[status],
            "location": version.location,
            "etag": version.etag,
            "lastModified": instant_text(version.updated),
        }
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
