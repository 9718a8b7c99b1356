"""A pass beside the bare reads and writes that it comes to: what is left of the server's own speed.

The notes are read in pages as the pass reads them, and copies of what it wrote are sent under other ids, each
summary in a transaction of its own, over as many connections, by a client that does nothing else. A server
that has just started is slower than one that has worked, so a pass under another name goes before both.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from jobs.bench.passes import apart, loaded_server
from jobs.sandboxes import EngineName
from jobs.settings import Settings

_JSON = "application/fhir+json"
_PAGE = 100
_SECONDS = 120.0
_WARMING = "warming"  # the name of the pipeline that goes before


@dataclass(frozen=True, slots=True)
class RawFigures:
    """One pass and the same by bare requests.

    Attributes:
        server: which sandbox.
        notes: how many were read and summarised.
        pass_seconds: of the pass, with its process started and its model loaded.
        raw_seconds: of the bare requests.
        ratio: of the speed of the second that the first reaches.
    """

    server: str
    notes: int
    pass_seconds: float
    raw_seconds: float
    ratio: float

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)


def measure(settings: Settings, notes: int, server: EngineName) -> RawFigures:
    """Runs a pass over generated notes on a server of their own, then sends the same again without it."""
    before = settings.model_copy(update={"pipeline": _WARMING, "engine": "lead", "model": ""})
    with loaded_server(notes, server) as (base_url, folder):
        apart(before, base_url, folder, "jobs.bench.passes")
        told = apart(settings, base_url, folder, "jobs.bench.passes")
        raw = asyncio.run(_raw(base_url, settings.pipeline, settings.concurrency))
    seconds, written = told.summary["seconds"], told.summary["written"]
    return RawFigures(server, written, seconds, raw, raw / seconds)


async def _raw(base_url: str, pipeline: str, at_once: int) -> float:
    """Seconds of reading all notes and writing all summaries of a pipeline once more."""
    limits = httpx.Limits(max_connections=at_once + 1)
    headers = {"Accept": _JSON, "Content-Type": _JSON, "Prefer": "return=minimal"}
    async with httpx.AsyncClient(
        base_url=base_url, limits=limits, headers=headers, timeout=_SECONDS, trust_env=False
    ) as client:
        written = {kind: [r async for r in _pages(client, kind)] for kind in ("Composition", "Provenance")}
        mine = [one for one in written["Composition"] if one["identifier"]["value"].endswith(f".{pipeline}")]
        bundles = list(_copies(mine, written["Provenance"]))
        turn = asyncio.Semaphore(at_once)

        async def write(bundle: str) -> None:
            async with turn:
                (await client.post("/", content=bundle)).raise_for_status()

        async def read() -> None:
            async for _ in _pages(client, "DocumentReference"):
                pass

        began = time.perf_counter()
        await asyncio.gather(read(), *map(write, bundles))
        return time.perf_counter() - began


async def _pages(client: httpx.AsyncClient, kind: str) -> AsyncIterator[dict[str, Any]]:
    """All resources of a type, page by page."""
    address = f"/{kind}?_count={_PAGE}"
    while address:
        page = (await client.get(address)).raise_for_status().json()
        for entry in page.get("entry", ()):
            yield entry["resource"]
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")


def _copies(compositions: list[dict[str, Any]], provenances: list[dict[str, Any]]) -> Iterator[str]:
    """For each summary a transaction that writes it and its Provenance under ids of their own."""
    of = {target["reference"].split("/_history")[0]: one for one in provenances for target in one["target"]}
    for composition in compositions:
        own = composition["id"]
        belonging = of.get(f"Composition/{own}")
        entries = []
        for resource in (composition, belonging) if belonging else (composition,):
            bare = {name: value for name, value in resource.items() if name not in ("id", "meta")}
            bare["id"] = _other(resource["id"])
            address = f"{resource['resourceType']}/{bare['id']}"
            entries.append({"resource": bare, "request": {"method": "PUT", "url": address}})
        bundle = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        yield bundle.replace(f'"Composition/{own}"', f'"Composition/{_other(own)}"')


def _other(own: str) -> str:
    """An id that no summary has."""
    return f"raw-{own}"[:64]
