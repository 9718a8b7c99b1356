"""Clock times at the beginning of a line: each begins an entry of its own (`0955 CT head: no bleed.`)."""

import re

_CLOCK = r"(?:[01]?\d|2[0-3])[:.]?[0-5]\d(?:[ \t]?(?:[ap]\.?m\.?|hrs?|h|uhr))?"
_BEFORE = re.compile(rf"(?:\A|\n)[ \t]{{0,12}}[(\[@]?{_CLOCK}[)\]]?[ \t,;–-]{{1,4}}\Z", re.I)
_BEGINS = re.compile(
    r"[(\[@]?(?:(?:[01]?\d|2[0-3]):[0-5]\d\b|(?!19|20)(?:[01]\d|2[0-3])[0-5]\d(?=[)\]]?[ \t,;–-]{1,4}[A-Z]))"
)


def begins_with_time(line: str) -> bool:
    """Whether a line begins with a time; four digits are one before a capital where they are no year."""
    return line[0] in "([@0123456789" and _BEGINS.match(line) is not None


def time_alone_before(text: str, at: int) -> bool:
    """Whether a time and nothing else stands before a place on its line."""
    return _BEFORE.search(text, max(0, at - 24), at) is not None
