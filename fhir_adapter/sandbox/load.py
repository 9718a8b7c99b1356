"""Loads FHIR resources from files into a FHIR server, by transactions, and accounts for every one of them.

A transaction that the server refuses is halved until the resource at fault stands alone. What is refused
by itself is tried again once all others are there, since what it refers to may have come later.
"""

import asyncio
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import IO

import httpx

from fhir_adapter.errors import RefusedError, ServerUnreachableError
from fhir_adapter.sandbox.load_read import LoadEntry, Reader, Unusable

_BYTES = 8 * 1024 * 1024  # of one transaction
_ATTEMPTS = 4
_PASSING = frozenset({409, 429, 502, 503, 504})
_MAY_COME_LATER = frozenset({400, 404, 409, 412, 422})
_HEADERS = {
    "Content-Type": "application/fhir+json",
    "Accept": "application/fhir+json",
    "Prefer": "return=minimal",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why resources were not loaded.

    Attributes:
        resource_type: "" for what is not a resource.
        status: the HTTP status; 0 for what was never sent.
        code: HAPI's message id, else the OperationOutcome's issue code, else `Unusable.code`.
    """

    resource_type: str
    status: int
    code: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of everything that was read.

    Attributes:
        loaded: number of resources by type.
        refused: number by cause; `examples` names a file and line for each cause.
        identical: copies of a resource that was loaded.
        renamed: loaded under another id, since R4 does not allow theirs or another resource had it.
        ignored: files in the folders that are of no known kind.
        rounds: passes over what had been refused.
    """

    loaded: dict[str, int]
    refused: dict[Refusal, int]
    examples: dict[Refusal, str]
    identical: int
    renamed: int
    ignored: int
    rounds: int
    seconds: float

    @property
    def loaded_total(self) -> int:
        """All resources loaded."""
        return sum(self.loaded.values())

    @property
    def refused_total(self) -> int:
        """All that were not."""
        return sum(self.refused.values())


async def load(
    base_url: str,
    paths: Iterable[Path],
    *,
    batch: int = 100,
    concurrency: int = 1,
    client: httpx.AsyncClient | None = None,
    on_progress: Callable[[int, int], None] = lambda loaded, refused: None,
) -> LoadReport:
    """Loads files and folders: Bundles of any type, single resources, ndjson, each also .gz or .xz.

    Resources with an id are PUT under it, others POSTed. Memory holds a few batches and one Bundle file.

    Args:
        base_url: the server.
        paths: files, or folders that are searched for `.json`, `.ndjson` and `.jsonl`.
        batch: resources in one transaction.
        concurrency: transactions under way at once. Where HAPI makes placeholders for shared targets, more
            than one is slower, since they conflict (4,071 documents: 37 s with one, 62 s with four).
        client: to send with, where the server asks for credentials.
        on_progress: called with the numbers loaded and refused so far.

    Raises:
        ServerUnreachableError: the server does not answer.
        RefusedError: it answers 401 or 403.
    """
    began = time.monotonic()
    reader = Reader()
    async with _client(client, base_url) as http:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
            loader = _Loader(http, base_url.rstrip("/"), on_progress, spool)
            await loader.send_all(_batches(reader.read(paths), batch, loader), concurrency)
            rounds = await loader.try_again(concurrency)
    refused, loaded = loader.refused, loader.loaded
    return LoadReport(
        loaded=dict(sorted(loaded.items())),
        refused=dict(refused.most_common()),
        examples={cause: loader.examples[cause] for cause in refused},
        identical=reader.identical,
        renamed=reader.renamed,
        ignored=reader.ignored,
        rounds=rounds,
        seconds=time.monotonic() - began,
    )


@asynccontextmanager
async def _client(given: httpx.AsyncClient | None, base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    if given is not None:
        yield given
        return
    loopback = httpx.URL(base_url).host in {"127.0.0.1", "::1", "localhost"}  # no proxy leads there
    async with httpx.AsyncClient(timeout=300, trust_env=not loopback) as own:
        yield own


def _batches(
    found: Iterable[LoadEntry | Unusable], batch: int, loader: "_Loader"
) -> Iterator[list[LoadEntry]]:
    """Batches bounded in number and bytes; what is not a resource is counted here."""
    pending: list[LoadEntry] = []
    size = 0
    for one in found:
        if isinstance(one, Unusable):
            loader.refuse(Refusal("", 0, one.code), one.where)
            continue
        if pending and (len(pending) == batch or size + len(one.body) > _BYTES):
            yield pending
            pending, size = [], 0
        pending.append(one)
        size += len(one.body)
    if pending:
        yield pending


@dataclass(slots=True)
class _Loader:
    """One load under way."""

    http: httpx.AsyncClient
    base_url: str
    on_progress: Callable[[int, int], None]
    spool: IO[str]
    loaded: Counter[str] = field(default_factory=Counter)
    refused: Counter[Refusal] = field(default_factory=Counter)
    examples: dict[Refusal, str] = field(default_factory=dict)

    def refuse(self, cause: Refusal, where: str) -> None:
        self.refused[cause] += 1
        self.examples.setdefault(cause, where)

    async def send_all(self, batches: Iterable[list[LoadEntry]], concurrency: int) -> None:
        """Sends batches, at most `concurrency` at once; a batch is read when a sender is free for it."""
        source = iter(batches)

        async def sender() -> None:
            for entries in source:
                await self._send(entries)
                self.on_progress(self.loaded.total(), self.refused.total())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(sender())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def try_again(self, concurrency: int) -> int:
        """Goes over what was refused as long as that loads anything more; gives the number of rounds."""
        rounds = 0
        while spooled := self._spooled():
            rounds += 1
            before = self.loaded.total()
            await self.send_all(([entry] for entry in spooled), concurrency)
            if self.loaded.total() == before:
                break
        return rounds

    def _spooled(self) -> list[LoadEntry]:
        self.spool.seek(0)
        entries = []
        for line in self.spool:
            cause, entry = json.loads(line)
            self.refused[Refusal(*cause)] -= 1
            entries.append(LoadEntry(*entry))
        self.refused = +self.refused
        self.spool.seek(0)
        self.spool.truncate()
        return entries

    async def _send(self, entries: list[LoadEntry]) -> None:
        if len(entries) == 1:
            await self._send_one(entries[0])
            return
        answer = await self._request("POST", self.base_url, _transaction(entries))
        if answer.is_success:
            self.loaded.update(entry.resource_type for entry in entries)
            return
        half = len(entries) // 2
        await self._send(entries[:half])
        await self._send(entries[half:])

    async def _send_one(self, entry: LoadEntry) -> None:
        answer = await self._request(entry.method, f"{self.base_url}/{entry.url}", entry.body)
        if answer.is_success:
            self.loaded[entry.resource_type] += 1
            return
        cause = Refusal(entry.resource_type, answer.status_code, _code(answer))
        self.refuse(cause, entry.where)
        if answer.status_code in _MAY_COME_LATER:
            self.spool.write(json.dumps([astuple(cause), astuple(entry)]) + "\n")

    async def _request(self, method: str, url: str, body: str) -> httpx.Response:
        """Sends with patience: conflicts between our own senders and overload pass."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                answer = await self.http.request(method, url, content=body.encode(), headers=_HEADERS)
            except httpx.TransportError as error:
                if last:
                    raise ServerUnreachableError(f"{self.base_url}: {type(error).__name__}") from None
            else:
                if answer.status_code in {401, 403}:
                    raise RefusedError(answer.status_code, f"{method} on {self.base_url}", (_code(answer),))
                if last or answer.status_code not in _PASSING:
                    return answer
            await asyncio.sleep(random.uniform(0.1, 0.4) * 2**attempt)
        raise AssertionError("unreachable")


def _transaction(entries: list[LoadEntry]) -> str:
    parts = (
        f'{{"resource":{entry.body},"request":{{"method":"{entry.method}","url":"{entry.url}"}}}}'
        for entry in entries
    )
    return f'{{"resourceType":"Bundle","type":"transaction","entry":[{",".join(parts)}]}}'


def _code(answer: httpx.Response) -> str:
    """The last HAPI message id (the innermost cause) or the first issue's code; never diagnostics."""
    ids = re.findall(r"HAPI-\d{4}", answer.text)
    if ids:
        return str(ids[-1])
    try:
        return str(answer.json()["issue"][0]["code"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
