"""Searches and histories: from a query to the Bundle of its first page, and on to the next."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from urllib.parse import quote, urlencode

from fhir_adapter.lenient import bare_parameter
from fhir_adapter.sandbox.embedded.bundles import bundle_text, history_entry, search_entry
from fhir_adapter.sandbox.embedded.criteria import Sql, condition, ordering, unknown_parameter
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError, invalid, unsupported
from fhir_adapter.sandbox.embedded.paging import Shape, Snapshot, Snapshots
from fhir_adapter.sandbox.embedded.parameters import parameters_of
from fhir_adapter.sandbox.embedded.session import Session, Version
from fhir_adapter.sandbox.embedded.when import range_of
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings

Pairs = list[tuple[str, str]]
"""Names and values of a query, decoded, in order."""

_PRESENTATION = ("_format", "_pretty")
_MAX_CACHED = 1000
_OFFSET = "_offset"
_ALWAYS_UNDERSTOOD = (
    *_PRESENTATION,
    *("_id", "_lastUpdated", "_count", "_sort", "_summary", "_elements", "_total", "_include", "_revinclude"),
)


@dataclass(slots=True)
class _Plan:
    """A search as read from its parameters."""

    shape: Shape
    order: Sql
    conditions: list[Sql] = field(default_factory=list)
    count_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A Bundle, and whether its matches were those of an earlier search."""

    text: str
    from_cache: bool = False


_OF_PATIENTS = ("DocumentReference", "DiagnosticReport", "Composition")


class Searcher:
    """Answers searches, histories and pages. Safe to use from several threads."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._snapshots = Snapshots(settings.page_ttl)
        self._cached: OrderedDict[str, tuple[float, Snapshot]] = OrderedDict()
        self._lock = Lock()

    def search(
        self, session: Session, base: str, resource_type: str, pairs: Pairs, *, fresh: bool = True
    ) -> Answer:
        """The first page of a search.

        Args:
            session: sees the state that is searched.
            base: the server's own URL as the client sees it.
            resource_type: a type of R4.
            pairs: the parameters.
            fresh: False allows the matches of an identical earlier search, where the settings do.

        Raises:
            RequestRefusedError: 400, a parameter or value is not known.
        """
        if Quirk.PATIENT_PARTITIONS in self._settings.quirks and any("." in name for name, _ in pairs):
            raise RequestRefusedError(
                405, "processing", "HAPI-1322: a chain is not supported in patient compartment mode"
            )
        if Quirk.PATIENT_SEARCHES in self._settings.quirks and resource_type in _OF_PATIENTS:
            names = {name.partition(":")[0] for name, _ in pairs}
            if "identifier" in names or not names & {"patient", "subject", "_id"}:
                raise invalid("A search of this type needs a patient.")
        self._check(resource_type, pairs)
        pairs, offset = self._understood(resource_type, pairs)
        plan = self._plan(resource_type, pairs)
        url = _self_url(f"{base}/{resource_type}", pairs)
        if plan.count_only:
            return Answer(self._counted(session, resource_type, plan, url))
        snapshot = None if fresh else self._earlier(url)
        found = snapshot is not None
        if snapshot is None:
            sql = matching(resource_type, plan.conditions)
            rows = session.rows(f"{sql.text} ORDER BY {plan.order.text}", (*sql.args, *plan.order.args))
            snapshot = Snapshot(plan.shape, rows, url, time.monotonic())
            self._remember(url, snapshot)
        if Quirk.OFFSET_PAGES in self._settings.quirks:
            return Answer(_offset_page(session, base, snapshot, offset))
        return Answer(self._page(session, base, snapshot, 0, None), found)

    def history(
        self, session: Session, base: str, resource_type: str | None, id_: str | None, pairs: Pairs
    ) -> Answer:
        """The first page of the history of a resource, a type, or (both None) the server.

        Raises:
            RequestRefusedError: 400, a parameter or value is not known.
        """
        if Quirk.PATIENT_PARTITIONS in self._settings.quirks and id_ is None:
            raise invalid("HAPI-0953: the history of a type is not supported across partitions")
        where, args = ["1"], list[str | int]()
        for column, value in (("type", resource_type), ("id", id_)):
            if value is not None:
                where.append(f"{column} = ?")
                args.append(value)
        self._check("History", pairs)
        shape = Shape("history", self._settings.page_size, show_total=True)
        for name, value in pairs:
            if name == "_count":
                shape = replace(shape, count=self._count(value) or 1)
            elif name == "_since":
                since = range_of(value)
                if since is None:
                    raise invalid('The value of "_since" is not an instant.')
                where.append("updated >= ?")
                args.append(since.low)
            elif name not in (*_PRESENTATION, "_total"):
                raise unsupported("A history takes _count and _since only.")
        rows = session.rows(
            f"SELECT row FROM version WHERE {' AND '.join(where)} ORDER BY row DESC",  # noqa: S608
            args,
        )
        place = "/".join(filter(None, (base, resource_type, id_, "_history")))
        snapshot = Snapshot(shape, rows, _self_url(place, pairs), time.monotonic())
        return Answer(self._page(session, base, snapshot, 0, None))

    def page(self, session: Session, base: str, pairs: Pairs) -> Answer:
        """The page that a `next` or `previous` link names.

        Raises:
            RequestRefusedError: 410, the pages have expired; 400, the link was altered.
        """
        given = dict(pairs)
        token = given.get("_getpages", "")
        snapshot = self._snapshots.get(token)
        offset = _whole_number("_getpagesoffset", given.get("_getpagesoffset", "0"))
        count = self._count(given["_count"]) if "_count" in given else snapshot.shape.count
        snapshot = replace(snapshot, shape=replace(snapshot.shape, count=count or snapshot.shape.count))
        return Answer(self._page(session, base, snapshot, offset, token))

    def matches(self, session: Session, resource_type: str, pairs: Pairs) -> list[Version]:
        """The first two matches of criteria: enough to tell none, one and several apart.

        Raises:
            RequestRefusedError: 400, a parameter is not known, or none is given.
        """
        self._check(resource_type, pairs)
        conditions = [
            condition(resource_type, name, value, self._settings)
            for name, value in pairs
            if value and name not in _PRESENTATION
        ]
        if not conditions:
            raise invalid("The criteria name no search parameter.")
        sql = matching(resource_type, conditions)
        return session.resources(session.rows(f"{sql.text} LIMIT 2", sql.args))

    def _plan(self, resource_type: str, pairs: Pairs) -> _Plan:
        shape = Shape("searchset", self._settings.page_size)
        plan = _Plan(shape, ordering(resource_type, "", self._settings))
        for name, value in pairs:
            if not value or name in _PRESENTATION:
                continue
            if name == "_count":
                shape = replace(shape, count=self._count(value))
                plan.count_only = plan.count_only or shape.count == 0
            elif name == "_sort":
                plan.order = ordering(resource_type, value, self._settings)
            elif name == "_summary" and value == "count":
                plan.count_only = True
            elif name in ("_summary", "_elements", "_total"):
                shape = _shaped(shape, name, value)
            elif name == "_include":
                key = self._include_key(name, resource_type, value)
                shape = replace(shape, includes=(*shape.includes, key))
            elif name == "_revinclude":
                key = self._include_key(name, resource_type, value)
                shape = replace(shape, revincludes=(*shape.revincludes, key))
            else:
                plan.conditions.append(condition(resource_type, name, value, self._settings))
        plan.shape = shape
        return plan

    def _check(self, resource_type: str, pairs: Pairs) -> None:
        """Refuses what the settings have refused."""
        for name, _ in pairs:
            if _named(resource_type, name) & self._settings.refused:
                raise RequestRefusedError(
                    self._settings.refusal,
                    "not-supported",
                    f"This server does not take {bare_parameter(name)} of {resource_type}.",
                )

    def _understood(self, resource_type: str, pairs: Pairs) -> tuple[Pairs, int]:
        """The parameters that are taken note of, and where an offset page begins."""
        pairs = [pair for pair in pairs if not _named(resource_type, pair[0]) & self._settings.ignored]
        quirks, offset = self._settings.quirks, 0
        if Quirk.OFFSET_PAGES in quirks:
            offset = _whole_number(_OFFSET, dict(pairs).get(_OFFSET, "0"))
            pairs = [pair for pair in pairs if pair[0] != _OFFSET]
        if Quirk.IGNORE_PARAMETERS in quirks:
            pairs = [pair for pair in pairs if pair[0].partition(":")[0] in _ALWAYS_UNDERSTOOD]
        return pairs, offset

    def _count(self, value: str) -> int:
        return min(_whole_number("_count", value), self._settings.max_page_size)

    def _include_key(self, name: str, resource_type: str, value: str) -> str:
        source, _, parameter_name = value.partition(":")
        parameter_name = parameter_name.partition(":")[0]
        if name == "_include" and source != resource_type:
            raise invalid('The value of "_include" must begin with the type that is searched.')
        parameter = parameters_of(source).get(parameter_name)
        if parameter is None:
            raise unknown_parameter(source if source.isalpha() else "?", parameter_name, self._settings)
        if parameter.kind != "reference":
            raise invalid(f'The value of "{name}" names a parameter that is not a reference.')
        return parameter.key

    def _counted(self, session: Session, resource_type: str, plan: _Plan, url: str) -> str:
        sql = matching(resource_type, plan.conditions)
        total = session.count(f"SELECT count(*) FROM ({sql.text})", sql.args)  # noqa: S608
        return bundle_text("searchset", (), total=total, links={"self": url})

    def _earlier(self, url: str) -> Snapshot | None:
        with self._lock:
            made, snapshot = self._cached.get(url, (0.0, None))
        fits = snapshot is not None and time.monotonic() - made < self._settings.search_cache
        return snapshot if fits else None

    def _remember(self, url: str, snapshot: Snapshot) -> None:
        if self._settings.search_cache:
            with self._lock:
                self._cached[url] = (snapshot.made, snapshot)
                self._cached.move_to_end(url)
                if len(self._cached) > _MAX_CACHED:
                    self._cached.popitem(last=False)

    def _page(self, session: Session, base: str, snapshot: Snapshot, offset: int, token: str | None) -> str:
        shape, rows = snapshot.shape, snapshot.rows
        chosen = rows[offset : offset + shape.count]
        more = offset + shape.count < len(rows)
        if more and token is None:
            token = self._snapshots.hold(snapshot)
        links = {"self": snapshot.self_url}
        if more and token:
            links["next"] = _page_url(base, token, offset + shape.count, shape)
        if offset and token:
            links["previous"] = _page_url(base, token, max(0, offset - shape.count), shape)
        whole = offset == 0 and not more
        total = len(rows) if shape.show_total or whole else None
        return bundle_text(shape.kind, _entries(session, base, chosen, shape), total=total, links=links)


def _offset_page(session: Session, base: str, found: Snapshot, offset: int) -> str:
    """A page of a search that was made for it alone, as servers give them that keep no searches."""
    shape, rows = found.shape, found.rows
    links = {"self": found.self_url}
    after = offset + shape.count
    if after < len(rows):
        joint = "&" if "?" in found.self_url else "?"
        links["next"] = f"{found.self_url}{joint}{_OFFSET}={after}"
    entries = _entries(session, base, rows[offset:after], shape)
    return bundle_text(shape.kind, entries, total=len(rows), links=links)


def matching(resource_type: str, conditions: list[Sql]) -> Sql:
    """The query for the rows of all resources of a type that meet the conditions."""
    tests = ["resource.type = ?", "resource.deleted = 0", *(one.text for one in conditions)]
    args = (resource_type, *(arg for one in conditions for arg in one.args))
    joined = " AND ".join(f"({test})" for test in tests)
    return Sql(f"SELECT resource.row FROM resource WHERE {joined}", args)  # noqa: S608


def _entries(session: Session, base: str, rows: Sequence[int], shape: Shape) -> list[str]:
    if shape.kind == "history":
        return [history_entry(version, base, shape) for version in session.versions(rows)]
    matches = session.resources(rows)
    entries = [search_entry(version, base, shape, "match") for version in matches]
    seen = {version.reference for version in matches}
    for version in _included(session, rows, matches, shape):
        if version.reference not in seen:
            seen.add(version.reference)
            entries.append(search_entry(version, base, shape, "include"))
    return entries


def _included(
    session: Session, rows: Sequence[int], matches: list[Version], shape: Shape
) -> Iterator[Version]:
    for key in shape.includes:
        yield from session.targets(key, rows)
    for key in shape.revincludes:
        yield from session.referrers(key, [version.reference for version in matches])


def _shaped(shape: Shape, name: str, value: str) -> Shape:
    """The shape with `_summary`, `_elements` or `_total` applied."""
    if name == "_elements":
        return replace(shape, elements=tuple(part.rpartition(".")[2] for part in value.split(",") if part))
    if name == "_total":
        if value not in ("none", "estimate", "accurate"):
            raise invalid('The value of "_total" must be none, estimate or accurate.')
        return replace(shape, show_total=value != "none")
    if value not in ("data", "text", "false"):
        raise unsupported('Of "_summary" this server supports count, data, text and false.')
    return replace(shape, summary="" if value == "false" else value)


def _named(resource_type: str, name: str) -> frozenset[str]:
    """How the settings may name a parameter."""
    return frozenset((bare_parameter(name), f"{resource_type}.{bare_parameter(name)}"))


def _whole_number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise invalid(f'The value of "{name}" must be a whole number.')
    return int(value)


def _self_url(place: str, pairs: Pairs) -> str:
    return f"{place}?{_encoded(pairs)}" if pairs else place


def _encoded(pairs: Pairs) -> str:
    return urlencode(pairs, quote_via=quote, safe="/:,|", errors="replace")


def _page_url(base: str, token: str, offset: int, shape: Shape) -> str:
    pairs = [
        ("_getpages", token),
        ("_getpagesoffset", str(offset)),
        ("_count", str(shape.count)),
        ("_bundletype", shape.kind),
    ]
    return f"{base}?{_encoded(pairs)}"
