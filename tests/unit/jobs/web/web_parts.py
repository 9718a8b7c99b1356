"""What the tests of the web service share."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from fhir_adapter.sandbox.running import PromptServer
from jobs.settings import Settings
from summarizer import Budget, Document, Summarizer, Summary

MakeSettings = Callable[..., Settings]
Served = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

NOTE = (
    "HISTORY:\nThe pain began two hours ago. He takes lisinopril 10 mg daily.\n\n"
    "ASSESSMENT:\nNSTEMI. Heparin was started. 😀 Café at 38.5 °C.\n"
)


@asynccontextmanager
async def started(
    app: FastAPI, address: tuple[str, int] = ("127.0.0.1", 50000)
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application, as one that comes from this address."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=address)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            client.app = app  # type: ignore[attr-defined]
            yield client


class Held(Summarizer):
    """A real summarizer that waits for leave before each batch, and keeps what it was given.

    Batches of the texts in `spared` do not wait.
    """

    def __init__(self) -> None:
        inner = Summarizer.from_pretrained(engine="lead")
        super().__init__(inner._engine)
        self.leave = threading.Event()
        self.begun = threading.Event()
        self.batches: list[list[str]] = []
        self.spared: set[str] = set()

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        given = [t if isinstance(t, str) else t.text for t in texts]
        if given != ["The first sentence. The second one."]:
            self.batches.append(given)
            self.begun.set()
            assert self.spared.issuperset(given) or self.leave.wait(600)
        if "This text breaks the model." in given:
            raise ValueError("This text breaks the model.")
        return super().summarize(texts, budget)


async def until(condition: Callable[[], bool]) -> None:
    """Waits until something is so; ten minutes at most."""
    async with asyncio.timeout(600):
        while not condition():
            await asyncio.sleep(0.005)


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    """The application on a free port, in a thread."""
    server = PromptServer(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()
        thread.join()
