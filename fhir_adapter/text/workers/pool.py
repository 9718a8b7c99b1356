"""Reading notes safely: small plain formats here, everything else in worker processes under limits."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import guard
from fhir_adapter.text.guard import Limits
from fhir_adapter.text.sniff import Kind, sniff
from fhir_adapter.text.workers import wire

_ROOT = str(Path(__file__).resolve().parents[3])
_WORKER = ("-m", "fhir_adapter.text.workers.worker")
_SMALL_HTML = 1 << 16
_IN_THREAD = 1 << 20  # plain text of this size would hold up the event loop
_LAST_WORDS = frozenset((Reason.INTERNAL_ERROR, Reason.TOO_LARGE))  # after these a worker may be unfit
_GRACE = 30.0  # seconds for starting, and beyond the worker's own clock, before the parent ends it


def extract(content: Content, limits: Limits | None = None) -> NoteText:
    """The text of a note's bytes; blocks. For many notes use `Extractor`, which keeps its workers.

    Raises:
        NoteError: the reason why there is none.
    """
    limits = limits or Limits()
    limits.check_size(len(content.data))
    if _is_simple(content):
        return _read_here(content, limits)
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            _command(limits),
            input=wire.request(content),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=limits.seconds + _GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise guard.overdue() from None
    if len(done.stdout) < wire.HEAD.size:
        raise guard.death(done.returncode)
    head_size, _ = wire.HEAD.unpack_from(done.stdout)
    body_at = wire.HEAD.size + head_size
    try:
        return wire.outcome(done.stdout[wire.HEAD.size : body_at], done.stdout[body_at:])
    except ValueError:
        raise guard.nonsense() from None


def _read_here(content: Content, limits: Limits) -> NoteText:
    """Reads in this process; the readers are loaded with the first note, a pass without one needs none."""
    from fhir_adapter.text.formats import read

    return read(content, limits)


def _is_simple(content: Content) -> bool:
    """True where reading here is safe: time and memory are linear in a bounded size, and the code is Python.

    Plain text is decoded by the interpreter. HTML goes through our own tokenizer (see `markup`), which has no
    recursion, no expansion of entities and a bounded depth.
    """
    kind = sniff(content.data, content.media_type, content.charset).kind
    return kind in (Kind.PLAIN, Kind.NONE) or (kind is Kind.HTML and len(content.data) <= _SMALL_HTML)


def _command(limits: Limits) -> list[str]:
    return [sys.executable, "-P", *_WORKER, json.dumps(asdict(limits))]


def _environment() -> dict[str, str]:
    """What a worker may know: where this package is, and no secrets of the parent."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "CLINSUM_CANONICAL_BASE", "LD_LIBRARY_PATH")
    path = os.pathsep.join([_ROOT, *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])])
    return {"PYTHONPATH": path, **{name: os.environ[name] for name in kept if name in os.environ}}


class WorkerDiedError(Exception):
    """A worker ended without an answer; `status` is its exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class _Worker:
    """One child process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self.jobs = 0

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        process = await asyncio.create_subprocess_exec(
            *_command(limits),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
        return cls(process, limits)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def extract(self, content: Content) -> NoteText:
        """Sends a note and awaits its text; on any trouble the process is gone afterwards.

        Raises:
            NoteError: the reason, where the worker gave one or took too long.
            WorkerDiedError: it ended without an answer.
        """
        self.jobs += 1
        try:
            async with asyncio.timeout(self._limits.seconds + _GRACE):
                head, body = await self._exchange(wire.request(content))
            return wire.outcome(head, body)
        except NoteError as error:
            if error.reason in _LAST_WORDS:
                await self.end()
            raise
        except TimeoutError:
            await self.end()
            raise guard.overdue() from None
        except (ConnectionError, asyncio.IncompleteReadError):
            raise WorkerDiedError(await self._process.wait()) from None
        except ValueError:
            await self.end()
            raise guard.nonsense() from None
        except BaseException:
            await self.end()
            raise

    async def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ConnectionError("no pipes")
        stdin.write(request)
        await stdin.drain()
        head_size, body_size = wire.HEAD.unpack(await stdout.readexactly(wire.HEAD.size))
        if head_size > wire.MAX_HEAD or body_size > 4 * self._limits.max_characters:
            await self.end()
            raise NoteError(Reason.TOO_LARGE, "the reader's answer is over the limits")
        return await stdout.readexactly(head_size), await stdout.readexactly(body_size)

    async def end(self) -> None:
        """Ends the process now."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def close(self) -> None:
        """Lets an idle process go: the end of its input is its end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        except TimeoutError:
            await self.end()


class Extractor:
    """Reads notes with a few warm workers.

    Example:
        async with Extractor() as extractor:
            note = await extractor.extract(content)

    Args:
        limits: what one note may cost.
        workers: processes at most; started when needed, so a run of plain text starts none.
        jobs_per_worker: notes after which a worker is replaced, so that a leak in a parser stays small.
        patience: seconds after which a note gives its place to those that wait, and goes on in a place for
            slow ones, one more process; the next slow one waits for that place and begins anew. Costly notes
            then never keep the others waiting for longer. None keeps a place until the note is read.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        workers: int = 2,
        jobs_per_worker: int = 1000,
        patience: float | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._free, self._slow = asyncio.Semaphore(workers), asyncio.Semaphore(1)
        self._patience = patience
        self._idle: list[_Worker] = []
        self._jobs_per_worker = jobs_per_worker
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        while self._idle:
            await self._idle.pop().close()

    async def extract(self, content: Content) -> NoteText:
        """The text of a note's bytes. Any number of calls may wait at once.

        Raises:
            NoteError: the reason why there is none. A worker that crashes or hangs ends only its own note.
            RuntimeError: outside of `async with`.
        """
        if not self._open:
            raise RuntimeError("an Extractor is used inside `async with`")
        self.limits.check_size(len(content.data))
        if _is_simple(content):
            if len(content.data) < _IN_THREAD:
                return _read_here(content, self.limits)
            return await asyncio.to_thread(_read_here, content, self.limits)
        if self._patience is None:
            async with self._free:
                return await self._read(content)
        return await self._read_patiently(content, self._patience)

    async def _read_patiently(self, content: Content, patience: float) -> NoteText:
        await self._free.acquire()
        held = self._free
        reading = asyncio.create_task(self._read(content))
        try:
            await asyncio.wait((reading,), timeout=patience)
            if not reading.done() and not self._slow.locked():
                await self._slow.acquire()  # at once
                held.release()
                held = self._slow
            if reading.done() or held is self._slow:
                return await reading
        finally:
            await _ended(reading)
            held.release()
        async with self._slow:
            return await self._read(content)

    async def _read(self, content: Content) -> NoteText:
        try:
            async with self._worker() as worker:
                return await worker.extract(content)
        except WorkerDiedError as death:
            reason = guard.death(death.status)
            if worker.jobs == 1 or reason.reason is Reason.TIMEOUT:
                raise reason from None
        # It had read other notes, so this one need not be why it died; a fresh worker tells.
        try:
            async with self._worker(fresh=True) as worker:
                return await worker.extract(content)
        except WorkerDiedError as death:
            raise guard.death(death.status) from None

    @asynccontextmanager
    async def _worker(self, fresh: bool = False) -> AsyncIterator[_Worker]:
        worker = self._idle.pop() if self._idle else None
        if worker is not None and (fresh or not worker.alive):
            await worker.close()
            worker = None
        worker = worker or await _Worker.start(self.limits)
        try:
            yield worker
        finally:
            if worker.jobs >= self._jobs_per_worker or not self._open:
                await worker.close()
            elif worker.alive:
                self._idle.append(worker)


async def _ended(reading: asyncio.Task[NoteText]) -> None:
    """Ends a note's reading, and the process that reads it, where it is not done."""
    reading.cancel()
    await asyncio.wait((reading,))
    if not reading.cancelled():
        reading.exception()  # seen, where nobody waits for it any more
