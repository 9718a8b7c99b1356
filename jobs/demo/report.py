"""What the demo has to say at its end, as plain data: the input of `jobs.demo.show`."""

from dataclasses import dataclass
from typing import Literal

from fhir_adapter.reasons import Reason


@dataclass(frozen=True, slots=True)
class Selected:
    """One sentence of a summary as the audit found it.

    Attributes:
        text: what the source holds from `start` to `end`, in code points.
        score: its salience, where the Composition states one.
        before, after: what must be read with it, in the order of the note.
    """

    start: int
    end: int
    text: str
    score: float | None
    ok: bool
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoRow:
    """What became of one note.

    Attributes:
        source: `Type/id` of the note.
        kind: what it is as a file, e.g. `plain text` or `HTML`.
        title: what it is as a document, e.g. `Discharge summary`.
        selected: the sentences chosen, in the order of the note.
        composition: `Composition/id`, or None.
        problems: what the audit found wrong with the Composition; empty where all holds.
        reason: why there is no Composition, or None.
        loaded: False where the server refused to store the note, so that there was nothing to read.
        verbatim: the offsets count in the attachment itself, not in a text written beside it.
    """

    source: str
    kind: str
    title: str
    selected: tuple[Selected, ...] = ()
    composition: str | None = None
    problems: tuple[str, ...] = ()
    reason: Reason | None = None
    loaded: bool = True
    verbatim: bool = False

    @property
    def ok(self) -> bool:
        """The audit holds: every sentence stands in the source where the Composition says."""
        return not self.problems and all(sentence.ok for sentence in self.selected)


@dataclass(frozen=True, slots=True)
class PassFigures:
    """One pass as `clinsum poll` counts it."""

    title: str
    seen: int
    written: int
    unchanged: int
    skipped: int
    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """A whole note with the sentences chosen in it, to be shown as a reader would mark them."""

    title: str
    text: str
    selected: tuple[Selected, ...]


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Everything that is shown.

    Attributes:
        engine: which sandbox the demo ran on.
        base_url: its base while the demo ran.
        start_again: our command's arguments that start the same server with its data; "" if it keeps none.
        ledger: address of the ledger's database.
        rows: in the order in which they are shown.
        page: one note in full, or None.
    """

    engine: Literal["embedded", "hapi"]
    base_url: str
    start_again: str
    ledger: str
    passes: tuple[PassFigures, ...]
    rows: tuple[DemoRow, ...]
    page: Page | None = None

    @property
    def server(self) -> str:
        """What the sandbox is called."""
        return {"embedded": "embedded sandbox", "hapi": "HAPI FHIR sandbox"}[self.engine]

    @property
    def ok(self) -> bool:
        """Every Composition holds against its source."""
        return all(row.ok for row in self.rows)
