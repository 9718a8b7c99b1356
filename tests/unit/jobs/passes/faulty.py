"""A connection that answers with a fault where a test says so, and the real server otherwise."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from fhir_adapter.rest.tls import tls_context

Fault = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class Faulty(httpx.AsyncBaseTransport):
    """A real connection on which a fault may answer instead of the server; counts what writes."""

    fault: Fault = lambda _: None
    writes: list[str] = field(default_factory=list)
    real: httpx.AsyncHTTPTransport = field(
        default_factory=lambda: httpx.AsyncHTTPTransport(verify=tls_context())
    )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if answer := self.fault(request):
            return answer
        # A batch is one of reads alone.
        if request.method in ("PUT", "POST", "DELETE") and b'"type":"batch"' not in request.content:
            self.writes.append(request.content.decode())
        return await self.real.handle_async_request(request)

    async def aclose(self) -> None:
        await self.real.aclose()
