"""What the ledger knows of one source, and how it fails; without the database's packages."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Status = Literal["written", "unchanged", "skipped", "failed"]

_FIRST_RETRY = timedelta(minutes=1)
_FIRST_OTHER = timedelta(hours=6)
_LONGEST_RETRY = timedelta(days=2)


class LedgerError(Exception):
    """The database cannot be used; the message is one sentence without credentials."""


class LedgerAddressError(LedgerError):
    """`DATABASE_URL` cannot be right, whatever the database is doing."""


class PassRunningError(Exception):
    """Another pass over the same server and pipeline is running."""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """The ledger's knowledge of one source.

    Attributes:
        source: `Type/id`.
        version: the source's version that was handled last.
        status: `written` or `unchanged` (a Composition is there), `skipped`, `failed`.
        reason: a reason code, or "".
        detail: a technical hint without note text.
        text_key: which text of which patient it is (`fhir_adapter.writing.summary.text_key`), or "".
        attempts: how often this version was tried without success.
        retry_at: when a pass tries it again by itself; None for what did not fail.
    """

    source: str
    version: str
    pipeline_version: str
    status: Status
    reason: str = ""
    detail: str = ""
    composition: str = ""
    sentences: int = 0
    text_sha256: str = ""
    text_key: str = ""
    declared_type: str = ""
    media_type: str = ""
    milliseconds: int = 0
    attempts: int = 0
    handled_at: datetime | None = None
    retry_at: datetime | None = None


def next_retry(attempts: int, *, passing: bool = True) -> datetime:
    """When to try again after so many failed attempts: pauses double up to two days, and never end.

    Args:
        attempts: without success, at least 1.
        passing: the fault is one that passes by itself, so that the next pass tries again, and the pause
            after that is a minute; else the first pause is six hours.
    """
    now = datetime.now(UTC)
    if passing and attempts == 1:
        return now
    first = _FIRST_RETRY / 2 if passing else _FIRST_OTHER
    pause: timedelta = min(first * 2 ** min(attempts - 1, 20), _LONGEST_RETRY)
    return now + pause
