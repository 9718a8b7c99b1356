"""Sends one request as often as it takes, and reads the answer under a limit of size and time."""

import asyncio
import logging
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from fhir_adapter.errors import (
    NotFhirError,
    OutsideBaseError,
    ResponseTooLargeError,
    ServerTimeoutError,
    ServerUnreachableError,
)
from fhir_adapter.rest.backoff import Backoff, http_date, retry_after
from fhir_adapter.rest.codings import pieces
from fhir_adapter.rest.scope import origin_of, parsed
from fhir_adapter.rest.wire import codes_in, status_error, words_in

logger = logging.getLogger(__name__)

OVERLOADED = frozenset({429, 502, 503, 504})
_ERROR_BODY = 1 << 20
_PROGRESS = 100
_REDIRECTS = 5
_CONFLICT_RETRIES = 6
_FAULT_500_RETRIES = 2
_TOTAL_FACTOR = 10.0
_ETAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]{1,200})"')


@dataclass(frozen=True, slots=True)
class Call:
    """One request and how it may be tried again.

    Attributes:
        what: names it in messages and logs: an interaction and a type or id, never a query.
        idempotent: doing it twice does no harm, so it is tried again after a 500 or a lost answer.
        conflicts: a 409 is tried again too (concurrent transactions on one resource).
        max_bytes: limit on the decoded body.
    """

    method: str
    url: httpx.URL
    what: str
    max_bytes: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    idempotent: bool = True
    conflicts: bool = False

    def retries(self, status: int, most: int) -> int:
        """How often this status is worth another attempt, of `most` in all."""
        if status in OVERLOADED:
            # 502 and 504 leave open whether the work was done.
            return most if self.idempotent or status in (429, 503) else 0
        if status == 500 and self.idempotent:
            return min(most, _FAULT_500_RETRIES)
        if status == 409 and self.conflicts:
            return min(most, _CONFLICT_RETRIES)
        return 0


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer's bytes as the server meant them (content codings undone).

    Attributes:
        content_type: the header as sent; "" where there is none.
        date: nanoseconds since 1970 of the `Date` header, or None.
        content_location: the header as sent; "" where there is none.
        progress: `X-Progress` as sent, cut short.
        etag: names the version of what was sent, without its quotes and without `W/`; "" where there is none.
        location: the header as sent; "" where there is none.
    """

    data: bytes
    content_type: str
    status: int = 200
    retry_after: str | None = None
    date: int | None = None
    content_location: str = ""
    progress: str = ""
    etag: str = ""
    location: str = ""


class Transport:
    """Retries, redirects and limits over an `httpx.AsyncClient`.

    Args:
        http: must not follow redirects by itself.
        auth: goes with every request.
        allows: says whether a redirect may lead to an address; others raise OutsideBaseError.
        prepare: called before every attempt; may rewrite the request (to pin an address) or raise.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        auth: httpx.Auth | None,
        backoff: Backoff,
        timeout: float,
        sleep: Callable[[float], Awaitable[object]],
        allows: Callable[[httpx.URL], bool],
        prepare: Callable[[httpx.Request], Awaitable[None]] | None = None,
    ) -> None:
        self._http = http
        self._auth = auth
        self._backoff = backoff
        self._total = timeout * _TOTAL_FACTOR
        self._sleep = sleep
        self._allows = allows
        self._prepare = prepare

    async def send(self, call: Call) -> RawResponse:
        """The first answer below 400.

        Raises:
            HttpStatusError: an error status, after the retries it is worth.
            ServerTimeoutError, ServerUnreachableError: no answer after all retries.
            OutsideBaseError: a redirect leads away. NotFhirError: redirects without end.
            ResponseTooLargeError: the body exceeds `call.max_bytes`.
        """
        attempt = 0
        statuses: Counter[int] = Counter()
        while True:
            asked: float | None = None
            try:
                async with asyncio.timeout(self._total):
                    answer = await self._follow(call)
            except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
                most = self._backoff.retries if _worth_retrying(call, error) else 0
                if attempt >= most:
                    raise _unreachable(call, error) from None
                cause = type(error).__name__
            else:
                if answer.status < 400:
                    return answer
                most = call.retries(answer.status, self._backoff.retries)
                asked = retry_after(answer.retry_after, answer.date)
                over = attempt >= self._backoff.retries or not self._backoff.reaches(attempt, asked)
                if over or statuses[answer.status] >= most:
                    words = words_in(answer.data)
                    raise status_error(answer.status, call.what, codes_in(answer.data), words)
                statuses[answer.status] += 1
                cause = f"HTTP {answer.status}"
            delay = self._backoff.delay(attempt, asked)
            attempt += 1
            logger.info("%s: %s; attempt %d follows in %.1f s", call.what, cause, attempt + 1, delay)
            await self._sleep(delay)

    @asynccontextmanager
    async def opened(self, call: Call, *, login: bool = True) -> AsyncIterator[httpx.Response]:
        """The first answer below 400 to one attempt, its body unread; `pieces` reads it.

        Args:
            call: its `max_bytes` counts for an error answer alone.
            login: whether the credentials go with it.

        Raises:
            HttpStatusError: an error status. ServerUnreachableError: no answer.
            OutsideBaseError, NotFhirError: as `send`.
        """
        try:
            response = await self._answer(call, self._auth if login else None)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _unreachable(call, error) from None
        try:
            if response.status_code >= 400:
                answer = await _read(response, call)
                raise status_error(answer.status, call.what, codes_in(answer.data), words_in(answer.data))
            yield response
        finally:
            await response.aclose()

    async def _follow(self, call: Call) -> RawResponse:
        """One attempt, redirects included."""
        response = await self._answer(call, self._auth)
        try:
            return await _read(response, call)
        finally:
            await response.aclose()

    async def _answer(self, call: Call, auth: httpx.Auth | None) -> httpx.Response:
        """The answer behind all redirects, open."""
        url, method, content = call.url, call.method, call.content
        for _ in range(_REDIRECTS + 1):
            request = self._http.build_request(method, url, headers=call.headers, content=content)
            if self._prepare is not None:
                await self._prepare(request)
            response = await self._http.send(request, stream=True, auth=auth)
            location = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or location is None:
                return response
            await response.aclose()
            url = self._redirect(call, url, response.status_code, location)
        raise NotFhirError(f"{call.what}: more than {_REDIRECTS} redirects")

    def _redirect(self, call: Call, url: httpx.URL, status: int, location: str) -> httpx.URL:
        target = parsed(location)
        if target is None:
            raise NotFhirError(f"{call.what}: a redirect to something that is no URL")
        target = url.join(target)
        if not self._allows(target):
            raise OutsideBaseError(
                f"{call.what}: the server redirects to {origin_of(target)}, outside the configured base "
                "address; if that is where the server lives, make it the FHIR base address",
                str(target),
            )
        if call.method != "GET" and status not in (307, 308):
            raise NotFhirError(f"{call.what}: a redirect with HTTP {status}, which would drop the body")
        return target


def no_cookies() -> CookieJar:
    """A jar that keeps nothing: cookies would be credentials that no setting names."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


async def _read(response: httpx.Response, call: Call) -> RawResponse:
    """The body up to the limit; of an error answer, what is needed to read its codes."""
    failed = response.status_code >= 400
    limit = _ERROR_BODY if failed else call.max_bytes
    declared = response.headers.get("content-length", "")
    if not failed and declared.isascii() and declared.isdigit() and int(declared[:18]) > limit:
        raise ResponseTooLargeError(call.what, limit)
    body = bytearray()
    try:
        async for chunk in pieces(response):
            body += chunk
            if len(body) > limit:
                if failed:
                    break
                raise ResponseTooLargeError(call.what, limit)
    except (httpx.ReadError, httpx.RemoteProtocolError) as error:
        raise _CutShort(str(error)) from error
    return RawResponse(
        data=bytes(body),
        content_type=response.headers.get("content-type", ""),
        status=response.status_code,
        retry_after=response.headers.get("retry-after"),
        date=http_date(response.headers.get("date")),
        content_location=response.headers.get("content-location", ""),
        progress=response.headers.get("x-progress", "")[:_PROGRESS],
        etag=_opaque(response.headers.get("etag", "")),
        location=response.headers.get("location", ""),
    )


class _CutShort(httpx.TransportError):
    """The connection broke within an answer: the server is there, and this answer is what it cannot give."""


def _opaque(etag: str) -> str:
    """The tag in `W/"3"` or `"3"` (RFC 9110, section 8.8.3); "" where it is neither, or very long."""
    found = _ETAG.fullmatch(etag.strip())
    return found[1] if found else ""


def _worth_retrying(call: Call, error: Exception) -> bool:
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)) or _certificate(error):
        return False
    return call.idempotent or isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


def _certificate(error: BaseException) -> bool:
    """The fault is a certificate that is not trusted: waiting will not change that."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _unreachable(call: Call, error: Exception) -> Exception:
    where = origin_of(call.url)
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return ServerTimeoutError(f"{call.what}: {where} took too long to answer")
    if isinstance(error, httpx.DecodingError):
        return NotFhirError(f"{call.what}: {where} sends a damaged content coding")
    if isinstance(error, _CutShort):
        return NotFhirError(f"{call.what}: {where} broke the connection within its answer")
    if _certificate(error):
        return ServerUnreachableError(f"{call.what}: the certificate of {where} is not trusted")
    cause = "cannot be connected to" if isinstance(error, httpx.ConnectError) else "broke the connection"
    return ServerUnreachableError(f"{call.what}: {where} {cause}")
