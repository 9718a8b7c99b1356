"""A file of an export as a stream of bytes that goes on where it broke off."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import httpx

from fhir_adapter.errors import (
    FhirAdapterError,
    HttpStatusError,
    NotFhirError,
    OutsideBaseError,
    ServerUnreachableError,
)
from fhir_adapter.rest.backoff import Backoff
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.codings import pieces
from fhir_adapter.rest.transport import Call

logger = logging.getLogger(__name__)

_ERROR_BODY = 1 << 20
_ENDED = frozenset({400, 401, 403, 404, 410})  # what servers and stores say to an address that has ended
_NDJSON = "application/fhir+ndjson"
# What NDJSON is served as; stores that know nothing of it say octet-stream or nothing.
_KINDS = frozenset(
    {_NDJSON, "application/ndjson", "application/x-ndjson", "application/jsonl", "text/plain", ""}
    | {"application/octet-stream", "binary/octet-stream", "application/gzip", "application/x-gzip"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """Who serves the files.

    Attributes:
        client: the server.
        login: the files want its credentials, so that they may lie inside its base address alone.
        allowed_hosts: other hosts that may be asked, without credentials.
        allow_private: whether these may have private addresses.
    """

    client: FhirClient
    login: bool
    allowed_hosts: Collection[str] = ()
    allow_private: bool = False

    def opened(self, url: str, headers: dict[str, str]) -> AbstractAsyncContextManager[httpx.Response]:
        """The open answer.

        Raises:
            OutsideBaseError: it wants credentials, and lies elsewhere. Else as `Transport.opened`.
        """
        target = self.client.resolve(url)
        if target is not None:
            call = Call("GET", target, "file of an export", _ERROR_BODY, headers)
            return self.client.transport.opened(call, login=self.login)
        if self.login:
            raise OutsideBaseError(
                "a file of the export wants a login and lies outside the base address", url
            )
        return self.client.foreign.opened(
            url, headers=headers, allowed_hosts=self.allowed_hosts, allow_private=self.allow_private
        )


async def download(
    place: Place,
    url: str,
    renewed: Callable[[], Awaitable[str]],
    *,
    backoff: Backoff | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """The bytes of a file, content coding undone.

    Where the connection breaks it is asked for from there on (RFC 9110, section 14.2); a server that begins
    anew is read past what was had.

    Args:
        place: who serves it.
        url: its address.
        renewed: gives the address anew, for one that has ended.
        backoff: between attempts.
        sleep: how to wait between them.

    Raises:
        NotFhirError: it comes as something other than NDJSON, such as a page to log in.
        HttpStatusError: an error status, where it does not pass and a new address does not help.
        FhirAdapterError: it breaks off again and again, with nothing new between.
    """
    backoff = backoff or Backoff()
    had = attempt = 0
    renewed_at = -1  # bytes that were had when the address was given anew
    while True:
        before = had
        try:
            async with place.opened(url, _headers(had)) as response:
                _check(response, had)
                skip = 0 if response.status_code == 206 else had
                async for piece in pieces(response):
                    fresh = piece[skip:]
                    skip -= len(piece) - len(fresh)
                    had += len(fresh)
                    if fresh:
                        yield fresh
                return
        except (ServerUnreachableError, HttpStatusError, httpx.TransportError, httpx.DecodingError) as error:
            if isinstance(error, HttpStatusError):
                if error.status == 416 and had:
                    return  # all of it was had when it broke off
                if not error.passing:
                    if error.status not in _ENDED or had == renewed_at:
                        raise
                    renewed_at, url = had, await renewed()
                    continue
            attempt = 0 if had > before else attempt + 1
            if attempt > backoff.retries:
                raise _unreachable(error) from None
            logger.info("file of an export: %s after %d bytes", type(error).__name__, had)
            await sleep(backoff.delay(attempt))


def _headers(had: int) -> dict[str, str]:
    """A range counts the bytes of what is sent, so that none is asked for in a coding."""
    if not had:
        return {"Accept": _NDJSON}
    return {"Accept": _NDJSON, "Range": f"bytes={had}-", "Accept-Encoding": "identity"}


def _check(response: httpx.Response, had: int) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        shown = (
            kind if kind.replace("/", "").replace("+", "").replace("-", "").isalnum() else "something else"
        )
        raise NotFhirError(f"file of an export: it comes as {shown[:60]}, not as NDJSON")
    if response.status_code not in (200, 206):
        raise NotFhirError(f"file of an export: the server answered with HTTP {response.status_code}")
    stated = response.headers.get("content-range", "")
    if response.status_code == 206 and not stated.replace(" ", "").startswith(f"bytes{had}-"):
        raise NotFhirError("file of an export: the server sends another part than was asked for")


def _unreachable(error: Exception) -> FhirAdapterError:
    if isinstance(error, FhirAdapterError):
        return error
    return ServerUnreachableError("file of an export: the connection breaks again and again")
