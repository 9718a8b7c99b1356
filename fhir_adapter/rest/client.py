"""Async FHIR REST over httpx: read, search, transaction, and attachments as raw bytes.

httpx logs full URLs at INFO, queries included. A process that uses this client sets
`logging.getLogger("httpx").setLevel(logging.WARNING)`, since a query can hold an identifier.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from fhir_adapter.errors import HttpStatusError, NotFhirError, OutsideBaseError, UnconfirmedError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.rest.auth import ScopedAuth
from fhir_adapter.rest.backoff import Backoff
from fhir_adapter.rest.capability import Capability, parse_capability
from fhir_adapter.rest.foreign import ForeignHosts
from fhir_adapter.rest.known import KnownPatients
from fhir_adapter.rest.lacking import Lacking
from fhir_adapter.rest.lanes import Lanes
from fhir_adapter.rest.proxies import Proxies
from fhir_adapter.rest.scope import SAFE, Scope, kind_of, parsed
from fhir_adapter.rest.search_page import Circle, SearchPage, next_link, page_of
from fhir_adapter.rest.tls import tls_context
from fhir_adapter.rest.transport import Call, RawResponse, Transport, no_cookies
from fhir_adapter.rest.wire import decode_bundle, decode_json, encode_json, history_entries

FHIR_JSON = "application/fhir+json"
MAX_RESPONSE_BYTES = 256 << 20
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")  # R4, data type id: what a version can be called


class FhirClient:
    """A FHIR server behind its base address. An async context manager; safe for concurrent tasks.

    Args:
        base_url: absolute http or https address.
        auth: credentials; sent only to addresses at or below `base_url`, whatever it is.
        timeout: seconds to connect, between two chunks of an answer, to write, and to wait for a
            connection; a whole answer may take ten times that.
        retries: further attempts after 429, 502, 503, 504, connection faults and timeouts, with
            exponential back-off, jitter and `Retry-After`; fewer after 500, and after 409 on transactions.
        max_connections: at once, kept alive.
        max_response_bytes: limit on one answer in JSON.
        transport: replaces the network, for tests.
        sleep: how to wait between attempts.
        tls: whom to trust and what to show; the usual authorities where None.
        proxies: which proxy leads to the server.

    Raises:
        ValueError: `base_url` or the proxy on the way to it is not usable; one sentence.
    """

    of_patients = frozenset({"DocumentReference", "DiagnosticReport", "Composition"})
    """What a search finds whole by asking for each patient; a Provenance need not name one."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        max_connections: int = 16,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        tls: ssl.SSLContext | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self._scope = Scope(base_url)
        self._limit = max_response_bytes
        backoff = Backoff(retries=retries)
        if transport is None:
            proxy = (proxies or Proxies()).to(base_url, secret=auth is not None)
            transport = Lanes(max_connections, tls or tls_context(), proxy)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout),
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            cookies=no_cookies(),
            headers={"User-Agent": "clinical-ai-summarizer", "Accept-Encoding": "gzip"},
        )
        self._transport = Transport(
            self._http,
            auth=ScopedAuth(auth, self._scope) if auth is not None else None,
            backoff=backoff,
            timeout=timeout,
            sleep=sleep,
            allows=self._scope.contains,
        )
        self.auth = auth
        self.lacking = Lacking()
        self.patients: KnownPatients | None = None  # for servers that answer for one patient at a time
        self.foreign = ForeignHosts(backoff=backoff, timeout=timeout, sleep=sleep)
        self._capability: Capability | None = None
        self._capability_lock = asyncio.Lock()

    @property
    def base_url(self) -> str:
        """Without trailing slash."""
        return self._scope.base_url

    @property
    def scope(self) -> Scope:
        """What lies at or below the base address."""
        return self._scope

    @property
    def transport(self) -> Transport:
        """What requests go through that are none of FHIR's plain REST; inside the scope alone."""
        return self._transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._http.aclose()
        await self.foreign.aclose()

    async def capability(self) -> Capability:
        """What the server can do; asked once.

        Raises:
            NotFhirError: something else answers there, or another FHIR version.
            ServerUnreachableError: nothing answers. RefusedError: not allowed.
        """
        async with self._capability_lock:
            if self._capability is None:
                try:
                    statement = await self._json("GET", "metadata", "read of /metadata")
                except NotFhirError:  # XML, whatever Accept says: there are servers that go by this alone
                    statement = await self._json("GET", "metadata?_format=json", "read of /metadata")
                self._capability = parse_capability(statement)
            return self._capability

    async def read(self, reference: str, version: str | None = None) -> JsonObject:
        """The resource behind `Type/id`, relative or absolute on this server, newest or of a version.

        Raises:
            ValueError: the reference is not one into this server.
            NotFoundError, GoneError: never there, or deleted.
            NotFhirError: the answer is something other than that resource.
        """
        path = self._path(reference)
        kind, ident = path.split("/")[:2] if "/" in path else (path, "")
        if version is not None:
            path += f"/_history/{quote(version, safe='')}"
        resource = await self._json("GET", path, f"read of {kind}")
        if resource.get("resourceType") != kind or quote(str(resource.get("id", ident)), safe=SAFE) != ident:
            raise NotFhirError(f"read of {kind}: the server answered with something else")
        return resource

    async def read_if_there(self, reference: str, version: str | None = None) -> JsonObject | None:
        """As `read`; None for what was never there, is deleted, or cannot be on this server."""
        if self._scope.relative(reference) is None or (version is not None and not _ID.fullmatch(version)):
            return None
        try:
            return await self.read(reference, version)
        except HttpStatusError as error:
            if error.says_not_there:
                return None
            raise

    async def look(self, reference: str) -> JsonObject | None:
        """As `read_if_there`, for a writer that looks for what it wrote itself: nobody else sees it."""
        return await self.read_if_there(reference)

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[SearchPage]:
        """Pages of a search, following `next` links as the server gives them.

        Args:
            resource_type: what is searched for.
            params: of the search, in the order given.
            start: the `next` of a page that an earlier search ended with; `params` are in it.

        Raises:
            ValueError: `start` leads away from the base address.
            OutsideBaseError: a `next` link leads away from the base address.
            GoneError: the server has forgotten the search between two pages.
            NotFhirError: an answer that is no Bundle, or links that go in a circle.
        """
        what, asked = f"search of {resource_type}", [] if start else [name for name, _ in params]
        async for bundle, following, date in self._bundles(resource_type, what, params, start):
            yield page_of(bundle, str(following or ""), self.base_url, resource_type, date, asked)
            asked = []

    async def deleted(self, resource_type: str, since: str) -> list[str]:
        """`Type/id` of the resources that were deleted since an instant and are not back, by `_history`.

        Raises:
            HttpStatusError: the server keeps no history of a type (R4 leaves that to it).
        """
        newest: dict[str, bool] = {}
        params = [("_since", since), ("_count", "100")]
        what = f"history of {resource_type}"
        async for bundle, _, _ in self._bundles(f"{resource_type}/_history", what, params):
            for reference, is_deletion in history_entries(bundle, resource_type):
                newest.setdefault(reference, is_deletion)  # a history begins with the newest
        return [reference for reference, is_deletion in newest.items() if is_deletion]

    async def _bundles(
        self, path: str, what: str, params: Sequence[tuple[str, str]], start: str = ""
    ) -> AsyncIterator[tuple[JsonObject, httpx.URL | None, int | None]]:
        """Bundles of a search or a history, each with the link that follows it and its date.

        The search asks to be refused rather than to have a parameter ignored (R4, 3.1.1.4.3); where it is,
        it is asked again without that, and without what only says how matches are shown, since whoever
        searches looks at what comes.
        """
        url = self._scope.url(quote(path), params)
        if start:
            resolved = self.resolve(start)
            if resolved is None:
                raise ValueError("not a link into this server")
            url = resolved
        circle = Circle(url, what)
        ask = partial(self._get, what)
        (bundle, date), headers = await self.lacking.first(path, url, ask)
        while True:
            if circle.begun:
                bundle, date = await ask(url, headers)
            if bundle.get("resourceType") != "Bundle":
                raise NotFhirError(f"{what}: the server answered with something other than a Bundle")
            following = next_link(bundle, url, what, self._scope)
            circle.see(bundle)
            yield bundle, following, date
            if following is None:
                return
            circle.follow(following)
            url = following

    async def transaction(self, bundle: JsonObject, *, once: bool = False) -> JsonObject:
        """Posts a transaction whose entries may be done twice without harm (PUT or DELETE, or conditional).

        Because they may, it is tried again after a lost answer, a 500 and a 409.

        Args:
            bundle: the transaction.
            once: not tried again where it may have been done already; the caller looks first.

        Returns:
            The transaction-response Bundle; see `fhir_adapter.writing.confirmed` for what it confirms.

        Raises:
            UnconfirmedError: the answer is something else, though its status says that all is well.
        """
        call = self._call(
            "POST",
            self._scope.url(""),
            "transaction",
            {"Prefer": "return=minimal", "Content-Type": FHIR_JSON},
            encode_json(bundle),
            idempotent=not once,
            conflicts=not once,
        )
        answer = await self.lacking.preferring(call, self._transport.send)
        try:
            response = decode_json(answer.data, call.what) if answer.status == 200 else {}
        except NotFhirError:
            response = {}
        if response.get("resourceType") != "Bundle":
            raise UnconfirmedError("transaction: the server's answer does not say what became of it")
        return response

    async def batch(self, bundle: JsonObject) -> JsonObject:
        """Posts a batch of reads, which does no harm twice, and gives the server's answer to it."""
        return await self._json("POST", "", "batch", bundle)

    async def update(self, resource: JsonObject, *, if_match: str | None = None) -> JsonObject:
        """Puts a resource to its own `Type/id`; with a version id as `if_match`, only over that version."""
        path = self._path(f"{resource.get('resourceType')}/{resource.get('id')}")
        headers = {"If-Match": f'W/"{if_match}"'} if if_match is not None else {}
        return await self._json("PUT", path, f"update of {kind_of(path)}", resource, headers=headers)

    async def delete(self, reference: str) -> None:
        """Deletes `Type/id`; one that is gone already is no error for most servers."""
        path = self._path(reference)
        await self._transport.send(
            self._call("DELETE", self._scope.url(path), f"delete of {kind_of(path)}", {})
        )

    async def operation(self, path: str, resource: JsonObject) -> JsonObject:
        """Posts a resource to an operation such as `Composition/$validate`; not tried again when in doubt."""
        return await self._json(
            "POST", self._path(path), f"operation on {kind_of(path)}", resource, idempotent=False
        )

    async def fetch(self, url: str, *, accept: str, max_bytes: int, unless: str = "") -> RawResponse:
        """Raw bytes from an address inside the base, relative to it or absolute, with credentials.

        Args:
            url: the address.
            accept: of which type.
            max_bytes: after content decoding.
            unless: `etag` of an earlier answer; where that is still the version, the server may say so with
                304 and send nothing.

        Raises:
            OutsideBaseError: it lies elsewhere, or redirects elsewhere.
            ResponseTooLargeError: more than `max_bytes` after content decoding.
        """
        target = self.resolve(url)
        if target is None:
            raise OutsideBaseError("an attachment lies outside the configured base address", url)
        headers = {"Accept": accept, **({"If-None-Match": f'W/"{unless}"'} if unless else {})}
        call = Call("GET", target, "fetch of an attachment", max_bytes, headers=headers)
        return await self._transport.send(call)

    def resolve(self, url: str) -> httpx.URL | None:
        """The absolute address of `url` where it lies inside the base, else None.

        A relative one is taken from the base, as FHIR has it, also with `./` or a slash in front.
        """
        target = parsed(url)
        if target is None:
            return None
        if target.is_relative_url:
            if target.host or not url:
                return None
            base = httpx.URL(self.base_url)
            rooted = base.join(target)
            inside = url.startswith("/") and base.path != "/" and self._scope.contains(rooted)
            target = rooted if inside else httpx.URL(f"{self.base_url}/").join(url.lstrip("/"))
        return target if self._scope.contains(target) else self._scope.own(target)

    def _path(self, reference: str) -> str:
        path = self._scope.relative(reference)
        if path is None:
            raise ValueError("not a reference into this server")
        return path

    async def _get(self, what: str, url: httpx.URL, headers: dict[str, str]) -> tuple[JsonObject, int | None]:
        """A Bundle, as far as it can be read, and the server's time."""
        answer = await self._transport.send(self._call("GET", url, what, headers))
        if answer.status != 200:
            return _resource(answer, what), answer.date
        return decode_bundle(answer.data, what), answer.date

    async def _json(
        self,
        method: str,
        path: str,
        what: str,
        resource: JsonObject | None = None,
        *,
        headers: dict[str, str] | None = None,
        idempotent: bool = True,
    ) -> JsonObject:
        sent = dict(headers or {})
        content = None
        if resource is not None:
            # Only with a body: HAPI takes the type of a bodiless request as a wish for the answer.
            sent["Content-Type"] = FHIR_JSON
            content = encode_json(resource)
        call = self._call(method, self._scope.url(path), what, sent, content, idempotent)
        answer = await self._transport.send(call)
        if method == "PUT" and not answer.data.strip():
            return {}
        return _resource(answer, what)

    def _call(
        self,
        method: str,
        url: httpx.URL,
        what: str,
        headers: dict[str, str],
        content: bytes | None = None,
        idempotent: bool = True,
        conflicts: bool = False,
    ) -> Call:
        return Call(
            method, url, what, self._limit, {"Accept": FHIR_JSON, **headers}, content, idempotent, conflicts
        )


def _resource(answer: RawResponse, what: str) -> JsonObject:
    if answer.status in (200, 201):
        return decode_json(answer.data, what)
    raise NotFhirError(
        f"{what}: the server answered with HTTP {answer.status}, which holds no whole resource"
    )
