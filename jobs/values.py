"""What settings hold, read from text: durations, budgets, secrets in files, and where state is kept."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fhir_adapter.stamps import nanoseconds
from summarizer.types import Budget


def default_database_url() -> str:
    """SQLite in the user's state folder (XDG Base Directory Specification)."""
    import os

    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return f"sqlite:///{Path(state) / 'clinsum' / 'ledger.sqlite'}"


def default_health_file() -> str:
    """Beside the ledger of `default_database_url`."""
    return str(Path(default_database_url().removeprefix("sqlite:///")).with_name("run.prom"))


def parse_duration(text: str) -> timedelta:
    """Reads `90`, `60s`, `5m`, `2h`, `7d`.

    Raises:
        ValueError: not a duration.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?", text.strip())
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a duration such as 60s, 5m or 2h")
    return timedelta(seconds=float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2] or "s"])


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """Reads a day or an instant (`2026-01-31`, `2026-01-31T08:00:00Z`), or how long ago (`24h`, `7d`).

    Args:
        text: what was given; a day begins at midnight UTC.
        now: aware; the present, if not given.

    Raises:
        ValueError: neither.
    """
    stamp = nanoseconds(text)
    if stamp is not None and not text.strip().isdecimal():
        return datetime.fromtimestamp(stamp / 1e9, UTC)
    try:
        return (now or datetime.now(UTC)) - parse_duration(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither a time such as 2026-01-31 or 2026-01-31T08:00:00Z nor an age such as 24h"
        ) from None


def parse_budget(text: str) -> Budget | None:
    """Reads `5` (sentences), `120w` (words), `15%` (share of the sentences) or `auto`.

    Raises:
        ValueError: none of these.
    """
    text = text.strip().lower()
    if text in ("", "auto"):
        return None
    if match := re.fullmatch(r"(\d+)(?:\s*s(?:entences)?)?", text):
        return Budget(sentences=int(match[1]))
    if match := re.fullmatch(r"(\d+)\s*w(?:ords)?", text):
        return Budget(words=int(match[1]))
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text):
        return Budget(ratio=float(match[1]) / 100)
    raise ValueError(f"{text!r} is not a budget such as 5, 120w, 15% or auto")


def read_secret(path: str) -> str:
    """A secret out of a file, without the line end that editors leave.

    Raises:
        ValueError: it cannot be read; without anything of its content.
    """
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file {path} cannot be read ({type(error).__name__})") from None
