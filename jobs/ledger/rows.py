"""What the ledger knows of one source, and how it fails; without the database's packages."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Status = Literal["written", "unchanged", "skipped", "failed"]

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(days=3)


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
        attempts: how often this version was tried without success.
        retry_at: when a pass tries it again by itself, or None.
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
    declared_type: str = ""
    media_type: str = ""
    milliseconds: int = 0
    attempts: int = 0
    handled_at: datetime | None = None
    retry_at: datetime | None = None


def next_retry(attempts: int) -> datetime:
    """When to try again after so many failed attempts: in the next pass, then after a minute, doubling to days.

    Without end: a server that is down for a week, or a right that is given late, costs no note its summary.
    """
    pause = _FIRST_PAUSE * 2 ** min(attempts - 2, 16) if attempts > 1 else timedelta()
    return datetime.now(UTC) + min(pause, _LONGEST_PAUSE)
