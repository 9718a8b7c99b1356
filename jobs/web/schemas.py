"""What the API takes and gives, as OpenAPI shows it; the edge where JSON is read and written."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fhir_adapter.reasons import Reason, reason_words
from jobs.ledger.pages import NoteFilter
from jobs.ledger.rows import NoteRow
from jobs.values import parse_budget
from summarizer import Budget
from summarizer.types import ContextKind, Flag

EXAMPLE_NOTE = (
    "Chief complaint: chest pain.\n\nThe pain began two hours ago and radiates to the left arm. "
    "He takes lisinopril 10 mg daily. Troponin I was 2.4 ng/mL. "
    "Assessment: NSTEMI. Heparin was started and cardiology was called."
)
MAX_CHARACTERS = 5_000_000

SOURCE_PATTERN = r"^[A-Z][A-Za-z]{1,60}/[A-Za-z0-9.-]{1,64}$"
NoteStatus = Literal["written", "unchanged", "skipped", "failed"]
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

BUDGET_PATTERN = r"^(auto|[1-9][0-9]{0,5}w?|[1-9][0-9]?%|100%)$"


def _whole(value: object) -> object:
    """JSON has one kind of number: 3.0 is the whole number 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


BudgetField = Annotated[
    Annotated[int, Field(ge=1, le=1_000_000)] | Annotated[str, Field(pattern=BUDGET_PATTERN)] | None,
    BeforeValidator(_whole),
    Field(
        description="How much the summary may hold: `5` (sentences), `120w` (words), `15%` (of the "
        "sentences) or `auto`; if absent, what the service's settings say.",
        examples=[3, "120w", "15%"],
    ),
]


def as_budget(value: int | str | None, default: Budget | None) -> Budget | None:
    """The budget that a request names, or the default where it names none."""
    return default if value is None else parse_budget(str(value))


class SummaryRequest(BaseModel):
    """A text to be summarised."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"text": EXAMPLE_NOTE, "budget": 3}]}
    )

    text: str = Field(max_length=MAX_CHARACTERS, description="The note, of any length.")
    budget: BudgetField = None


class BatchRequest(BaseModel):
    """Texts to be summarised, each by itself."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"items": [{"text": EXAMPLE_NOTE}, {"text": "No fever. No cough.", "budget": 1}]}]
        },
    )

    items: list[SummaryRequest] = Field(min_length=1, description="In the order in which the results come.")
    budget: BudgetField = None


class Model(BaseModel):
    """Which model chose."""

    name: str
    sha256: str = Field(description="Of its weights; empty for an engine that has none.")
    engine: str


class Text(BaseModel):
    """The text that the offsets point into; the last four only for a body that was not JSON."""

    sha256: str = Field(description="Of the text's UTF-8.")
    length: int
    unit: Literal["unicode-code-point"]
    media_type: str | None = Field(None, description="What the bytes are, whatever was declared.")
    normalization: str | None = Field(None, description="The recipe that made text of the bytes.")
    notice: str | None = Field(None, description="A remark on the reading, such as pages without text.")
    content: str | None = Field(None, description="The text itself, with `include_text=true`.")


class Context(BaseModel):
    """The text's own characters from `start` to `end`, to be shown wherever their sentence is shown."""

    start: int
    end: int
    kind: ContextKind = Field(description="Why the sentence would mislead without them.")


class Chosen(BaseModel):
    """A sentence of the summary: the text's own characters from `start` to `end`."""

    start: int
    end: int
    text: str
    score: float
    section: str | None
    context: list[Context] = Field(description="In the order of the text, outside of the sentence.")
    flags: list[Flag] = Field(description="What it says of its facts, such as negated; labels, no verdict.")


class Scored(BaseModel):
    """A sentence of the note with its salience; the last three only with `include_ranks=true`."""

    start: int
    end: int
    score: float
    section: str | None = Field(None, description="Title of its section.")
    context: list[Context] | None = Field(None, description="What must be shown wherever it is shown.")
    rank: int | None = Field(
        None,
        description="The place in which it is taken as a budget of sentences grows: a summary of N sentences "
        "holds those of rank 1 to N. Absent from sentences that repeat another one word for word.",
    )


class PinnedLine(BaseModel):
    """A statement that a rule found, whatever its score: the text's own characters from `start` to `end`."""

    start: int
    end: int
    text: str
    rule: str = Field(examples=["allergies"])
    version: int = Field(description="Of the rule; raised with what it finds.")
    context: list[Context]
    flags: list[Flag]


class PinnedRule(BaseModel):
    """A rule that found something; that another is not named does not mean that there is nothing."""

    rule: str
    version: int
    title: str
    shown: int = Field(description="How many of its statements are among `pinned`.")
    found: int


class LeftOutSection(BaseModel):
    """A section of which nothing was chosen."""

    title: str
    sentences: int


class LeftOut(BaseModel):
    """What the summary does not show."""

    sections: list[LeftOutSection]
    sentences: int = Field(description="Sentences whose score would have sufficed and that found no place.")


class SummaryResult(BaseModel):
    """The summary in the order of the note, what rules found beside it, and every sentence with its score."""

    ranked: bool | None = Field(
        None,
        description="With `include_ranks=true`: whether sentences have ranks. False where the engine chooses "
        "anew for each length (`kmeans`).",
    )
    model: Model
    text: Text
    summary: list[Chosen]
    sentences: list[Scored]
    pinned: list[PinnedLine] = Field(description="By rule; of each rule in the order of the note.")
    pinned_rules: list[PinnedRule] = Field(description="The rules that found something.")
    left_out: LeftOut


class ProblemDocument(BaseModel):
    """RFC 9457. `code` is stable; the list of codes is on the page `/docs`."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    reason: str | None = Field(None, description="Reason code, where a note could not be used.")
    errors: list[dict[str, str]] | None = Field(
        None,
        description="For `invalid`: `where` in the request, the `problem` there, and what is `allowed`.",
        examples=[[{"where": "query.count", "problem": "less than equal", "allowed": "at most 200"}]],
    )
    request_id: str | None = Field(None, description="Names the request, as `X-Request-Id` and the log do.")


class BatchItem(BaseModel):
    """What became of one text: a result or a problem."""

    index: int
    result: SummaryResult | None = None
    problem: ProblemDocument | None = None


class BatchResult(BaseModel):
    """What became of every text, in their order."""

    results: list[BatchItem]
    failed: int


class Listed(BaseModel):
    """A Composition that this product wrote, as it stands on the FHIR server; nothing of the note's text."""

    composition: str = Field(examples=["Composition/6f3c1c9e-1f0e-5a51-9a3c-0a3a6d2f7c11"])
    status: str
    current: bool = Field(description="Neither ended nor entered in error.")
    ended_because: str | None = Field(None, description="Code of why it is no longer current.")
    needs_review: bool = Field(
        description="It comes after one that a person changed or attested, and waits for somebody to compare."
    )
    source: str = Field(description="`Type/id` of the note.")
    version: str = Field(description="The note's version that was summarised.")
    author: str = Field(description="`Device/id` of software and model; `#id` where the summary contains it.")
    sentences: int
    date: str | None = None
    last_updated: str | None = None
    title: str | None = None
    patient: str | None = Field(None, description="`Patient/id`.")


class StoredSentence(BaseModel):
    """A sentence as the Composition shows it, and where it is said to stand in the note's text."""

    start: int
    end: int
    text: str
    score: float | None = None


class StoredSummary(Listed):
    """A Composition with what it shows."""

    shown: list[StoredSentence] = Field(description="In the order of the note.")


class Listing(BaseModel):
    """A page of Compositions, the latest first."""

    compositions: list[Listed]
    next: str | None = Field(None, description="`cursor` of the following page; absent on the last one.")


class AuditedSentence(BaseModel):
    """A sentence as claimed: `text` is what the source holds there, `shown` what the summary shows."""

    start: int
    end: int
    text: str
    shown: str
    score: float | None
    ok: bool
    source: str | None = Field(None, description="`Type/id` of the note; in timelines only.")


class AuditProblem(BaseModel):
    """A finding: its stable code, a hint, and plain words."""

    code: str
    detail: str
    message: str


class AuditResult(BaseModel):
    """The verdict over one Composition, as `clinsum audit --json` prints it."""

    composition: str
    ok: bool
    source: str
    version: str
    author: str
    sentences: list[AuditedSentence]
    unproven: list[str] = Field(description="Sentences shown that no offsets vouch for.")
    problems: list[AuditProblem]


def _day(value: object) -> object:
    """A day as ISO 8601 writes it; pydantic would take a number of seconds too."""
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("not a day")
    return value


class NoteQuery(BaseModel):
    """Which notes; what is not given leaves all in."""

    model_config = ConfigDict(extra="forbid")

    status: NoteStatus | None = Field(None, description="How they ended.")
    reason: Reason | None = Field(None, description="Why they have no summary.")
    kind: Literal["DocumentReference", "DiagnosticReport"] | None = Field(
        None, description="Type of the resource that holds the note."
    )
    since: Annotated[date, BeforeValidator(_day)] | None = Field(
        None, description="Handled on this day (UTC) or later.", examples=["2026-01-31"]
    )

    def chosen(self) -> NoteFilter:
        """As the ledger takes it."""
        start = datetime.combine(self.since, time(), UTC) if self.since else None
        return NoteFilter(self.status or "", self.reason or "", self.kind or "", start)


class NotesQuery(NoteQuery):
    """Which page of which notes."""

    count: int = Field(50, ge=1, le=200, description="At most so many on a page.")
    cursor: str | None = Field(None, pattern=r"^[0-9]{1,17}\.[0-9]{1,18}$", description="`next` of a page.")


class NoteEntry(BaseModel):
    """What the ledger knows of a note; nothing of its text or its patient."""

    source: str = Field(description="`Type/id` of the note.", examples=["DocumentReference/123"])
    version: str = Field(description="The version that was handled last.")
    status: NoteStatus
    reason: str | None = Field(None, description="Reason code.")
    message: str | None = Field(None, description="The reason in plain words.")
    detail: str | None = Field(None, description="A technical hint.")
    composition: str | None = None
    sentences: int
    declared_type: str | None = None
    media_type: str | None = Field(None, description="What the bytes are, whatever was declared.")
    attempts: int = Field(description="How often this version was tried without success.")
    ms: int
    handled_at: datetime
    retry_at: datetime | None = Field(None, description="When a pass tries it again by itself.")

    @classmethod
    def of(cls, row: NoteRow) -> "NoteEntry":
        """A row of the ledger, its times in UTC."""
        return cls(
            source=row.source,
            version=row.version,
            status=row.status,
            reason=row.reason or None,
            message=reason_words(row.reason) or None,
            detail=row.detail or None,
            composition=f"Composition/{row.composition}" if row.composition else None,
            sentences=row.sentences,
            declared_type=row.declared_type or None,
            media_type=row.media_type or None,
            attempts=row.attempts,
            ms=row.milliseconds,
            handled_at=row.handled_at or datetime.now(UTC),
            retry_at=row.retry_at,
        )


class NoteList(BaseModel):
    """A page of notes, the one handled last first."""

    notes: list[NoteEntry]
    next: str | None = Field(None, description="`cursor` of the following page; absent on the last one.")


class RetryRequest(NoteQuery):
    """Which notes are to be tried again: those named, or all that failed and that the rest leaves in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"sources": ["DocumentReference/123"]}, {"reason": "timeout"}]},
    )

    sources: list[Annotated[str, Field(pattern=SOURCE_PATTERN)]] | None = Field(
        None, min_length=1, max_length=1000, description="These, whatever became of them."
    )


class RetryResult(BaseModel):
    """What will be tried again."""

    notes: int = Field(description="How many; sources that the ledger does not know are not counted.")
    running: bool = Field(description="Whether it happens now; else with the next pass.")
