"""The HTTP face of `$export`: kick-off, status, files."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from fhir_adapter.sandbox.embedded.export import Exports
from fhir_adapter.sandbox.embedded.jsontext import write_json
from fhir_adapter.sandbox.embedded.negotiation import outcome_response
from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError, invalid
from fhir_adapter.sandbox.embedded.session import Session
from fhir_adapter.sandbox.settings import ExportSettings

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
_RANGE = re.compile(r"bytes=(\d+)-")


class _Reading(Protocol):
    async def __call__(self, work: Callable[[Session], T], /) -> T: ...


class ExportRoutes:
    """Handlers of the requests that concern exports.

    Args:
        settings: how exports behave.
        read_with: runs work on a session of the database.
        base: base address as a client sees it.
    """

    def __init__(self, settings: ExportSettings, read_with: _Reading, base: Callable[[Request], str]) -> None:
        self._exports, self._read_with, self._base = Exports(settings), read_with, base

    def table(self) -> list[tuple[str, dict[str, Handler]]]:
        """Paths below the base address, and what answers there."""
        return [
            ("/$export", {"GET": self._begin}),
            ("/Patient/$export", {"GET": self._begin}),
            ("/Group/{id}/$export", {"GET": self._begin}),
            ("/$export-status/{name}", {"GET": self._status, "DELETE": self._delete}),
            ("/$export-file/{name}/{number}", {"GET": self._file}),
        ]

    async def _begin(self, request: Request) -> Response:
        if "respond-async" not in request.headers.get("prefer", ""):
            raise invalid("$export is answered later: say Prefer: respond-async.")
        path = request.url.path.removesuffix("/")
        level = "Patient" if path.endswith("/Patient/$export") else ""
        group = request.path_params.get("id", "")
        level = "Group" if group else level
        params = request.query_params.multi_items()
        name = await self._read_with(
            lambda session: self._exports.begin(session, str(request.url), params, level, group)
        )
        place = f"{self._base(request)}/$export-status/{name}"
        return Response(status_code=202, headers={"Content-Location": place})

    async def _status(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            found = self._exports.status(name, f"{self._base(request)}/$export-file/{name}")
        except RequestRefusedError as error:
            if error.status != 429:
                raise
            return outcome_response(request, 429, error.code, error.diagnostics, {"Retry-After": "1"})
        if found is None:
            return Response(status_code=202, headers={"Retry-After": "1", "X-Progress": "under way"})
        return Response(write_json(found), media_type="application/json")

    async def _delete(self, request: Request) -> Response:
        self._exports.delete(request.path_params["name"])
        return Response(status_code=202)

    async def _file(self, request: Request) -> Response:
        name, key = request.path_params["name"], request.query_params.get("key", "")

        def work(session: Session) -> bytes:
            return "".join(f"{line}\n" for line in self._exports.lines(session, name, key)).encode()

        data = await self._read_with(work)
        headers: dict[str, Any] = {"Content-Type": "application/fhir+ndjson", "Accept-Ranges": "bytes"}
        asked = _RANGE.fullmatch(request.headers.get("range", ""))
        if asked is None:
            return Response(data, headers=headers)
        start = int(asked[1])
        if start >= len(data):
            return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return Response(data[start:], status_code=206, headers=headers)
