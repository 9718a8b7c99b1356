"""The flow of the demo: a server, notes, a pass, changes, a second pass, an audit of everything."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fhir_adapter.audit.verdict import Audit
from fhir_adapter.reasons import Reason
from fhir_adapter.sandbox.load import load
from jobs.audits.walk import audits
from jobs.demo.bundle import demo_bundle
from jobs.demo.notes import DemoNote, manifest
from jobs.demo.report import DemoReport, DemoRow, Page, PassFigures, Selected
from jobs.exits import UsageError
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.parts import Parts
from jobs.runtime import open_ledger, runtime
from jobs.sandboxes import EngineName, running
from jobs.settings import Settings, load_settings
from summarizer.files import replaced

SHOWN_IN_FULL = "demo-copd-chest-ct"
_KINDS = {
    "text/plain": "plain text",
    "text/html": "HTML",
    "application/pdf": "PDF",
    "application/rtf": "RTF",
    "text/rtf": "RTF",
    "application/cda+xml": "C-CDA",
    "application/hl7-v3+xml": "C-CDA",
}


@contextmanager
def run_demo(engine: EngineName, folder: Path, say: Callable[[str], None]) -> Iterator[DemoReport]:
    """Runs the demo from the start; the server is up for as long as the block lasts.

    Args:
        engine: which sandbox.
        folder: holds the server's database, the ledger and the Bundles; what an earlier demo with the same
            engine left there is removed.
        say: told what goes on, a line for each step.

    Raises:
        UsageError, FhirAdapterError, LedgerError, SettingsError, SummarizerError: a part did not work.
    """
    place = folder / engine
    _prepare(place)
    database = place / ("fhir.sqlite" if engine == "embedded" else "database")
    say(f"Starting the sandbox ({engine})")
    with running(engine, database=database) as base_url:
        settings = load_settings(
            {
                "fhir_base_url": base_url,
                "auth": "none",
                "database_url": f"sqlite:///{place.resolve() / 'ledger.sqlite'}",
                "resource_types": "DocumentReference,DiagnosticReport",
            }
        )
        with open_ledger(settings) as ledger:
            passes = asyncio.run(_both_passes(settings, ledger, place, say))
            known = {row.source: row for row in ledger.notes()}
        say("Auditing every Composition")
        proofs = asyncio.run(_audited(settings))
        yield DemoReport(
            engine=engine,
            base_url=base_url,
            start_again=_start_again(engine, database, base_url),
            ledger=settings.database_url,
            passes=passes,
            rows=tuple(_row(note, known.get(note.reference), proofs) for note in _latest()),
            page=_page(proofs),
        )


def _prepare(place: Path) -> None:
    """An empty folder with the Bundles in it, as files that `clinsum sandbox --load` takes too."""
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for stage in (1, 2):
            bundle = json.dumps(demo_bundle(stage), indent=1)
            with replaced(place / f"stage-{stage}.json", private=False) as file:
                file.write(bundle)
    except OSError as error:
        raise UsageError(f"The folder {place} cannot be used: {error.strerror}.") from None


async def _both_passes(
    settings: Settings, ledger: Ledger, place: Path, say: Callable[[str], None]
) -> tuple[PassFigures, ...]:
    async with runtime(settings, ledger) as shared:
        done = []
        for stage, title, what in ((1, "First", "the notes"), (2, "Second", "an amendment and a new note")):
            say(f"Loading {what}")
            await load(settings.fhir_base_url, [place / f"stage-{stage}.json"])
            say(f"{title} pass")
            done.append(_figures(title, await _one_pass(shared)))
        return tuple(done)


async def _one_pass(shared: Parts) -> Totals:
    def ignored(_: Outcome) -> None:
        """Each note's end is read from the ledger afterwards."""

    with shared.ledger.one_pass():
        return await Pass(shared, ignored, asyncio.Event()).run(shared.settings.resource_types)


def _figures(title: str, totals: Totals) -> PassFigures:
    counts = totals.by_status
    return PassFigures(
        title,
        totals.seen,
        counts["written"],
        counts["unchanged"],
        counts["skipped"],
        counts["failed"],
        totals.seconds,
    )


async def _audited(settings: Settings) -> dict[str, Audit]:
    """The audit of every Composition on the server, by the source that it summarises."""
    return {audit.source: audit async for audit in audits(settings, [])}


def _start_again(engine: EngineName, database: Path, base_url: str) -> str:
    if not database.exists() and not database.parent.joinpath(f"{database.name}.mv.db").exists():
        return ""  # the server keeps its data in memory
    port = base_url.rpartition(":")[2].partition("/")[0]
    return f"sandbox --engine {engine} --port {port} --database {database}"


def _latest() -> Sequence[DemoNote]:
    """Every note once, as it stands after the second stage, in the order of the first."""
    latest = {note.id: note for note in manifest().notes}
    return tuple(latest.values())


def _row(note: DemoNote, known: NoteRow | None, proofs: dict[str, Audit]) -> DemoRow:
    if known is None:
        return DemoRow(note.reference, "", note.title, loaded=False)
    kind = _KINDS.get(known.media_type, known.media_type)
    if known.version not in ("", "1"):
        kind = f"{kind}, version {known.version}".lstrip(", ")
    if known.reason:
        return DemoRow(note.reference, kind, note.title, reason=Reason(known.reason))
    proof = proofs.get(note.reference)
    if proof is None:
        problems: tuple[str, ...] = ("The Composition is not on the server.",)
        return DemoRow(note.reference, kind, note.title, (), f"Composition/{known.composition}", problems)
    return DemoRow(
        note.reference,
        kind,
        note.title,
        _selected(proof),
        proof.composition,
        tuple(
            f"{finding.words} ({detail})" if detail else finding.words for finding, detail in proof.findings
        ),
        verbatim=_inline_utf8(note),
    )


def _selected(proof: Audit) -> tuple[Selected, ...]:
    return tuple(
        Selected(
            s.start,
            s.end,
            s.text,
            s.score,
            s.ok,
            tuple(piece.text for piece in s.before),
            tuple(piece.text for piece in s.after),
        )
        for s in proof.sentences
    )


def _inline_utf8(note: DemoNote) -> bool:
    plain = (note.content_type or "").startswith("text/plain") and note.rendering == "text"
    return plain and note.carrier == "inline" and note.kind == "DocumentReference"


def _page(proofs: dict[str, Audit]) -> Page | None:
    note = next(note for note in _latest() if note.id == SHOWN_IN_FULL)
    proof = proofs.get(note.reference)
    if proof is None or not proof.ok:
        return None
    return Page(note.title, note.text, _selected(proof))
