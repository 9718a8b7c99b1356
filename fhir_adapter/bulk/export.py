"""`$export` from its beginning to its end (FHIR Bulk Data Access 2.0): begin, wait, manifest, delete.

Nothing but the status address has to be remembered to go on with an export, in another process too.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from fhir_adapter.bulk.manifest import Manifest, parse_manifest
from fhir_adapter.errors import FhirAdapterError, HttpStatusError, NotFhirError, ServerUnreachableError
from fhir_adapter.rest.backoff import Backoff, retry_after
from fhir_adapter.rest.client import FHIR_JSON, FhirClient
from fhir_adapter.rest.scope import origin_of, parsed
from fhir_adapter.rest.transport import Call

logger = logging.getLogger(__name__)

_ANSWER = 64 << 20  # bytes; a manifest names each of its files
_FORMAT = "application/fhir+ndjson"
_FAILURES = 8  # of questions in a row, each of which was repeated by itself
_PAUSE = Backoff(first=1.0, cap=120.0)


class ExportError(FhirAdapterError):
    """The server did not make the export; one sentence."""


class NoSuchExportError(ExportError):
    """The server does not know the export any more."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export.

    Attributes:
        types: of resources.
        group: id of a Group; "" for the whole server.
        since: an instant; "" for everything.
    """

    types: tuple[str, ...]
    group: str = ""
    since: str = ""

    def url(self, client: FhirClient) -> httpx.URL:
        """Where it is asked for."""
        path = f"Group/{quote(self.group, safe='')}/$export" if self.group else "$export"
        params = {"_type": ",".join(self.types), "_outputFormat": _FORMAT}
        if self.since:
            params["_since"] = self.since
        return client.scope.url(path).copy_merge_params(params)


class Exports:
    """Exports of one server.

    Args:
        client: the server.
        sleep: how to wait between two questions; given the seconds.
    """

    def __init__(
        self, client: FhirClient, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._client, self._sleep = client, sleep

    async def begin(self, request: ExportRequest) -> tuple[str, int | None]:
        """Asks for an export; returns its status address, and when it was asked, by the server's clock.

        Raises:
            HttpStatusError: the server refuses it. ExportError: it does not say where it is.
            FhirAdapterError: as the client raises it.
        """
        headers = {"Accept": FHIR_JSON, "Prefer": "respond-async"}
        url = request.url(self._client)
        # Asked once more after a lost answer, the server may make it twice; that harms nothing.
        answer = await self._client.transport.send(Call("GET", url, "export", _ANSWER, headers))
        place = self._client.resolve(answer.content_location)
        if answer.status != 202 or place is None:
            where = parsed(answer.content_location) if answer.content_location else None
            away = f" at {origin_of(where)}, outside the base address" if where and where.host else ""
            raise ExportError(
                f"export: the server answered with HTTP {answer.status} and no status address{away}."
            )
        return str(place), answer.date

    async def manifest(self, status: str, told: Callable[[str], None] | None = None) -> Manifest:
        """Waits until an export is made, as long as the server says, or longer and longer.

        Args:
            status: its address.
            told: of each answer that it is not, with what the server says of its progress.

        Raises:
            NoSuchExportError: the server does not know it (any more). ExportError: it could not be made.
            FhirAdapterError: as the client raises it, after many questions.
        """
        asked = failed = 0
        while True:
            try:
                manifest, pause, progress = await self._ask(status)
                failed = 0
            except (HttpStatusError, ServerUnreachableError) as error:
                passing = not isinstance(error, HttpStatusError) or error.passing
                if not passing or failed >= _FAILURES:
                    raise _of_export(error) from None
                failed += 1
                manifest, pause, progress = None, None, ""
                logger.info("export: %s; asked again later", type(error).__name__)
            if manifest:
                return manifest
            if told:
                told(progress)
            await self._sleep(_PAUSE.delay(asked, pause))
            asked += 1

    async def _ask(self, status: str) -> tuple[Manifest | None, float | None, str]:
        """The manifest, or how long to wait, and the progress."""
        answer = await self._client.transport.send(self._call("GET", status))
        if answer.status == 202:
            return None, retry_after(answer.retry_after, answer.date), answer.progress
        media_type = answer.content_type.partition(";")[0].strip().lower()
        if "json" not in media_type and media_type != "":
            raise NotFhirError("export: the manifest comes as something other than JSON")
        try:
            found = json.loads(answer.data)
        except ValueError:
            raise NotFhirError("export: the manifest is no JSON") from None
        return parse_manifest(found if isinstance(found, dict) else {}), None, ""

    async def delete(self, status: str) -> None:
        """Ends an export, or removes what it made; one that is gone already is no error.

        Raises:
            FhirAdapterError: as the client raises it.
        """
        try:
            await self._client.transport.send(self._call("DELETE", status))
        except HttpStatusError as error:
            if error.status not in (404, 405, 410):
                raise

    def _call(self, method: str, status: str) -> Call:
        url = self._client.resolve(status)
        if url is None:
            raise NoSuchExportError("export: its status address is none of this server.")
        return Call(method, url, "status of an export", _ANSWER, {"Accept": "application/json"})


def _of_export(error: FhirAdapterError) -> FhirAdapterError:
    if isinstance(error, HttpStatusError) and error.status in (400, 404, 410):
        return NoSuchExportError(f"export: the server does not know it any more (HTTP {error.status}).")
    if isinstance(error, HttpStatusError) and error.status >= 500:
        return ExportError(f"export: the server could not make it (HTTP {error.status}).")
    return error
