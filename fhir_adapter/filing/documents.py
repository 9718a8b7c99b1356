"""The documents of one server that hold summaries: filed anew, changed in their place and removed.

A summary has one document; when it says something else, a further one that replaces it (`relatesTo`, as
US Core has it), and the former one is marked `superseded` where the server lets it be changed. What only ends
a summary, or is added beside it, is written into its document; where that cannot be, a further one says it.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from fhir_adapter import canonical
from fhir_adapter.errors import (
    ConflictError,
    FhirAdapterError,
    HttpStatusError,
    RefusedError,
    UnconfirmedError,
)
from fhir_adapter.filing.envelope import (
    Filed,
    Parts,
    document_of,
    names_of,
    replaces,
    unclaimed,
    version_name,
)
from fhir_adapter.filing.finding import FiledSearch, in_force, of_names, patient_of, unreplaced
from fhir_adapter.filing.whose import Whose
from fhir_adapter.lenient import JsonObject, as_dict, version_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.creating import create
from fhir_adapter.writing.lifecycle import content_digest
from fhir_adapter.writing.validity import validate

logger = logging.getLogger(__name__)

_KIND = "DocumentReference"
_IN_ERROR = "entered-in-error"
_PATIENCE = 86_400.0  # seconds for which what was accepted (202) is not sent again
_INVALID = (400, 422)  # what a validator answers
T = TypeVar("T")


class Documents(FiledSearch):
    """Reads and writes documents."""

    def __init__(
        self, server: FhirClient, whose: Whose | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(server, whose)
        self._clock = clock
        self._accepted: dict[str, float] = {}
        self._claims = True  # the server takes documents that claim our profile

    async def save(self, parts: Parts, expected: str = "") -> tuple[Filed, int]:
        """Files what is new, and changes what is there.

        Args:
            parts: the whole.
            expected: `Filed.version` over which alone it may be written; "" for any.

        Returns:
            The document as the server has it now, and 201, or 200 where one was there.

        Raises:
            ConflictError: another version stands there. HttpStatusError: the server refuses it.
            UnconfirmedError: it took it and does not show it.
        """
        there = await self.find([(canonical.FILED, parts.name)], patient_of(parts.composition))
        heads = in_force(there, self._server.base_url)
        head = heads[0] if heads else None
        if head is None:
            self.check(parts.name)
        if expected and (head is None or head.version != expected):
            raise ConflictError(412, f"update of {_KIND}")
        if head is None:
            return await self._file(parts, ()), 201
        if version_name(parts, ()) == version_name(head.stored, ()):
            return head, 200
        if content_digest(parts.composition) == content_digest(head.stored.composition):
            try:
                return await self._changed(head, parts), 200
            except UnconfirmedError:
                pass  # taken, and nothing done
            except HttpStatusError as error:
                if isinstance(error, ConflictError) or not error.unsupported:
                    raise
        # In the place of all that no other one has replaced, so that one alone is in force.
        open_ends = [await self._taken_back(one, parts) for one in unreplaced(there, self._server.base_url)]
        filed = await self._file(parts, [one.reference for one in open_ends])
        for one in open_ends:
            await self._mark(one, "superseded")
        return filed, 200

    async def _taken_back(self, one: Filed, parts: Parts) -> Filed:
        """What says in the chart of another patient that the former document is not that patient's."""
        before = one.stored.composition
        if patient_of(before) == patient_of(parts.composition) or one.document.get("status") != "current":
            return one
        ended = Parts({**before, "status": _IN_ERROR}, one.stored.others)
        try:
            return await self._changed(one, ended)
        except UnconfirmedError:
            pass
        except HttpStatusError as error:
            if isinstance(error, ConflictError) or not error.unsupported:
                raise
        return await self._file(ended, [one.reference])

    async def _file(self, parts: Parts, replaced: Sequence[str]) -> Filed:
        version, conflict = version_name(parts, replaced), None
        if self._clock() - self._accepted.get(version, -_PATIENCE) < _PATIENCE:
            raise UnconfirmedError(f"create of {_KIND}: the server has accepted it and does not show it yet")
        document = document_of(parts, replaced, self._server.base_url)
        validate(document)
        status, named = 0, ""
        term = f"identifier={canonical.FILED_VERSIONS}|{version}"
        try:
            try:
                status, named = await self._sent(document, lambda one: create(self._server, one, term))
            except HttpStatusError as error:
                if not error.unsupported or isinstance(error, RefusedError):
                    raise
                # Is it the condition that is refused?
                status, named = await self._sent(document, lambda one: create(self._server, one))
        except ConflictError as error:  # several match, or somebody files the same just now
            conflict = error
        found = await self.find([(canonical.FILED_VERSIONS, version)], patient_of(parts.composition))
        if not found and named:
            self.check(parts.name)
            resource = await self._server.read_if_there(named)
            found = [await self.filed(resource)] if resource else []
        if not found:
            if status == 202:  # somebody looks at it first; sent again, it would stand there twice
                self._accepted[version] = self._clock()
            raise conflict or UnconfirmedError(
                f"create of {_KIND}: the server answered with HTTP {status} and does not show it"
            )
        self.check(parts.name)
        self._accepted.pop(version, None)
        kept, *doubles = found
        for one in doubles:  # of two workers, on a server that takes no notice of the condition
            await self._mark(one, _IN_ERROR)
        return kept

    async def _sent(self, document: JsonObject, send: Callable[[JsonObject], Awaitable[T]]) -> T:
        """Sends a document; where it is refused as invalid, without the profile that it claims.

        A server that validates may refuse a profile that it does not know, and be taught none.

        Raises:
            HttpStatusError: it is refused in either form.
        """
        if not self._claims:
            return await send(unclaimed(document))
        try:
            return await send(document)
        except HttpStatusError as error:
            if error.status not in _INVALID:
                raise
            try:
                answer = await send(unclaimed(document))
            except HttpStatusError:
                raise error from None
        self._claims = False
        return answer

    async def settled(self, names: Iterable[str]) -> dict[str, Filed]:
        """As `current`, for who writes: of what was filed twice one alone counts from then on.

        A server that only accepts a document (202) may show it after it was sent again.
        """
        found = await self.find((canonical.FILED, name) for name in dict.fromkeys(names))
        kept = in_force(found, self._server.base_url)
        for head in kept:
            versions = set(names_of(head.document, canonical.FILED_VERSIONS))
            for one in found:
                same = versions & set(names_of(one.document, canonical.FILED_VERSIONS))
                if same and one.reference != head.reference:
                    await self._mark(one, _IN_ERROR)
        return of_names(kept, names)

    async def _changed(self, head: Filed, parts: Parts) -> Filed:
        """Writes into a document that is there, over the version that was read."""
        base_url = self._server.base_url
        versions = names_of(head.document, canonical.FILED_VERSIONS)
        wanted = document_of(
            parts, replaces(head.document, base_url), base_url, versions[0] if versions else ""
        )
        meta, before = as_dict(wanted.get("meta")), as_dict(head.document.get("meta"))
        kept = {**{k: v for k, v in before.items() if k in ("versionId", "lastUpdated")}, **meta}
        document = {**wanted, "id": head.document["id"], "meta": kept}
        validate(document)
        guard = version_of(head.document) or None
        await self._sent(document, lambda one: self._server.update(one, if_match=guard))
        resource = await self._server.read_if_there(head.reference)
        after = await self.filed(resource) if resource else None
        # US Core has servers take an end alone, without the rest.
        taken = after is not None and after.document.get("status") == wanted["status"]
        if (
            after
            and taken
            and (wanted["status"] == _IN_ERROR or version_name(after.stored, ()) == version_name(parts, ()))
        ):
            return after
        raise UnconfirmedError(f"update of {_KIND}: the server does not show it")

    async def _mark(self, one: Filed, status: str) -> None:
        """Says of a document that another one counts; where the server lets it be, the other one says it."""
        if one.document.get("status") != "current":
            return
        try:
            changed = {**one.document, "status": status}
            await self._server.update(changed, if_match=version_of(one.document) or None)
        except FhirAdapterError as error:
            logger.info("a former document stays as it is: %s", type(error).__name__)

    async def remove(self, name: str) -> bool:
        """Deletes all documents that a resource was filed in; False where there was none.

        Raises:
            HttpStatusError: the server deletes none.
        """
        there = await self.find([(canonical.FILED, name)], everywhere=True)
        for one in there:
            await self._server.delete(one.reference)
        return bool(there)
