"""What a server has answered already, for tests that alter one resource many times and nothing around it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import httpx

from fhir_adapter.auditing import Auditor
from fhir_adapter.rest.client import FhirClient
from jobs.audits.parts import make_auditor
from jobs.runtime import make_extractor
from tests.contract.passes import Site, reference

Read = Callable[[str, str], Any]


class Remembering(httpx.AsyncBaseTransport):
    """Sends on what it has no answer to yet, and all that names the resource that changes."""

    def __init__(self, changing: str) -> None:
        """`changing` is the reference of the resource that is altered."""
        self._changing = changing
        self._network = httpx.AsyncHTTPTransport()
        self._answers: dict[str, tuple[int, httpx.Headers, bytes]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if request.method != "GET" or f"/{self._changing}" in url:
            return await self._network.handle_async_request(request)
        if url not in self._answers:
            answer = await self._network.handle_async_request(request)
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            body = b"".join([piece async for piece in answer.stream])
            await answer.aclose()
            self._answers[url] = answer.status_code, answer.headers, body
        status, headers, body = self._answers[url]
        return httpx.Response(status, headers=headers, content=body)

    async def aclose(self) -> None:
        await self._network.aclose()


class Answers:
    """The same for the independent checker, which reads by a function of a base address and a URL."""

    def __init__(self, changing: str) -> None:
        self._changing = changing
        self._texts: dict[str, str] = {}

    def of(self, read: Read) -> Read:
        """A function that reads as `read` does, but once."""

        def known(base: str, url: str) -> Any:
            address = urljoin(base, url)
            if f"/{self._changing}" in address:
                return read(base, url)
            if address not in self._texts:
                self._texts[address] = json.dumps(read(base, url))
            return json.loads(self._texts[address])

        return known


@asynccontextmanager
async def auditing_again(site: Site, composition: dict[str, Any]) -> AsyncIterator[Auditor]:
    """An auditor for many audits of one Composition, around which nothing changes."""
    settings = site.settings
    remembering = Remembering(reference(composition))
    async with (
        FhirClient(settings.fhir_base_url, transport=remembering) as client,
        make_extractor(settings) as extractor,
    ):
        yield make_auditor(settings, client, extractor)
