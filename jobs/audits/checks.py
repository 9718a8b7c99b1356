"""What an audit checked, in words, and how each part of it came out: the answer to "how do you know?"."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.standing import Standing
from fhir_adapter.audit.verdict import Audit, Examined, Kind
from fhir_adapter.lenient import as_dict


class Outcome(StrEnum):
    """How a check ended."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNKNOWN = "could not be checked"
    OVER = "out of date"


class Check(StrEnum):
    """A part of the audit; the value is its name."""

    SOURCE = "The note"
    TEXT = "Its text"
    SENTENCES = "The sentences"
    FILING = "Filing"
    PROTECTION = "Labels"
    MAKER = "The maker"
    PROVENANCE = "Provenance"


CHECKS: Mapping[Finding, Check] = {
    finding: check
    for check, findings in {
        Check.SOURCE: (
            Finding.COMPOSITION_GONE,
            Finding.NOT_OURS,
            Finding.SOURCE_GONE,
            Finding.SOURCE_CHANGED,
            Finding.SOURCE_UNREADABLE,
            Finding.SOURCE_MISMATCH,
            Finding.COPY_DIFFERS,
            Finding.COPY_CHANGED,
        ),
        Check.TEXT: (
            Finding.TEXT_DIFFERS,
            Finding.EXTRACTOR_DIFFERS,
            Finding.EXTRACTED_TEXT_DIFFERS,
            Finding.NOTICE_DIFFERS,
        ),
        Check.SENTENCES: (
            Finding.OFFSET_OUTSIDE,
            Finding.SENTENCE_ALTERED,
            Finding.SENTENCE_ADDED,
            Finding.SENTENCE_REMOVED,
            Finding.SENTENCE_CUT,
            Finding.CONTEXT_ALTERED,
            Finding.CONTEXT_ADDED,
            Finding.CONTEXT_MISSING,
            Finding.CONTEXT_DIFFERS,
            Finding.PINNED_MISSING,
            Finding.PINNED_DIFFERS,
            Finding.LEFT_OUT_DIFFERS,
            Finding.SPAN_MISSING,
            Finding.SPAN_WITHOUT_SENTENCE,
            Finding.SPAN_MALFORMED,
            Finding.DUPLICATE_ID,
            Finding.WRONG_ORDER,
            Finding.WRONG_PLACE,
            Finding.REPEAT_DIFFERS,
            Finding.NARRATIVE_UNREADABLE,
            Finding.NARRATIVE_CHANGED,
            Finding.SECTION_ADDED,
            Finding.UNIT_UNKNOWN,
        ),
        Check.FILING: (
            Finding.STATUS_WRONG,
            Finding.SUBJECT_DIFFERS,
            Finding.ELEMENT_DIFFERS,
            Finding.DOCUMENT_DIFFERS,
        ),
        Check.PROTECTION: (Finding.LABEL_REMOVED, Finding.PROTECTION_LOWERED),
        Check.MAKER: (Finding.AUTHOR_MISSING, Finding.MODEL_UNKNOWN, Finding.CONFIDENCE_UNFOUNDED),
        Check.PROVENANCE: (Finding.PROVENANCE_MISSING, Finding.PROVENANCE_DIFFERS),
    }.items()
    for finding in findings
}
"""The part of the audit that each finding belongs to."""

# Without the note's text these can find something wrong, but not that all is right.
_NEED_TEXT = (Check.TEXT, Check.SENTENCES, Check.FILING, Check.PROTECTION)

_ONLY_UNREAD = frozenset({Finding.SOURCE_GONE, Finding.SOURCE_UNREADABLE})


@dataclass(frozen=True, slots=True)
class Checked:
    """One part of the audit: what was compared, in a sentence, where it holds; else why not."""

    check: Check
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole in a few words and a sentence."""

    outcome: Outcome
    headline: str
    words: str


def checked(examined: Examined) -> tuple[Checked, ...]:
    """Every part of the audit of one Composition, in the order in which one would ask."""
    failed = {CHECKS[finding] for finding, _ in examined.audit.findings}
    return tuple(_checked(examined, check, check in failed) for check in Check)


def _checked(examined: Examined, check: Check, failed: bool) -> Checked:
    if failed and check is Check.SOURCE and examined.audit.sound:
        return Checked(check, Outcome.OVER, "")
    if failed:
        return Checked(check, Outcome.FAILS, "")
    if any(finding is Finding.NOT_OURS for finding, _ in examined.audit.findings):
        return Checked(check, Outcome.UNKNOWN, "The Composition does not say what it was made from.")
    if check in _NEED_TEXT and not readable(examined):
        return Checked(
            check, Outcome.UNKNOWN, "The text could not be read again, so nothing to compare with."
        )
    if check is Check.FILING and not _has_text(examined):
        return Checked(check, Outcome.UNKNOWN, "The text read again is empty.")
    return Checked(check, Outcome.HOLDS, _WORDS[examined.kind](examined)[check])


def readable(examined: Examined) -> bool:
    """Whether the text of the note, or of every note of a timeline, could be read again."""
    return bool(examined.sections) and all(section.read for section in examined.sections)


def _has_text(examined: Examined) -> bool:
    readings = (section.source.reading for section in examined.sections)
    return all(reading is None or reading.text.text.strip() for reading in readings)


def _summary_words(examined: Examined) -> dict[Check, str]:
    claims, count = examined.sections[0].claims, len(examined.audit.sentences)
    stands = f"Each of the {count} sentences stands" if count != 1 else "The one sentence stands"
    return {
        Check.SOURCE: _source_words(examined),
        Check.TEXT: f"It was extracted again from the note and is the same: {claims.length:,} characters "
        "with the same SHA-256.",
        Check.SENTENCES: f"{stands} in the note at the stated offsets, character for character and in the "
        f"note's order{_around(examined)}.{_by_rule(examined)} Nothing else is shown.",
        Check.FILING: "Patient, type, title, dates and relations are those that the note gives; the status "
        "is one that it may have.",
        Check.PROTECTION: "It is marked as made by a machine and keeps every security label of the note.",
        Check.MAKER: "Its only author is a Device on the server, an AI by its type, that names software and "
        "model.",
        Check.PROVENANCE: "A Provenance on the server names this version of the note and this Device.",
    }


def _by_rule(examined: Examined) -> str:
    """What is said of the lines that rules found, as a sentence."""
    pinned = examined.sections[0].pinned
    if pinned is None:
        return ""
    count = len(pinned.lines)
    stands = (
        f"So do the {count} lines that rules found"
        if count != 1
        else "So does the one line that a rule found"
    )
    return f" {stands}{'; the rules, run again, find just these' if pinned.ruled else ''}."


def _around(examined: Examined) -> str:
    """What is said of the context, as a part of a sentence."""
    pieces = sum(len(sentence.context) for sentence in examined.audit.sentences)
    stands = f", and so does all that is shown around them ({pieces} in all)" if pieces else ""
    if examined.sections and all(section.ruled for section in examined.sections):
        return f"{stands}; by the rules of this version nothing is missing there"
    return stands


def _source_words(examined: Examined) -> str:
    claims, source = examined.sections[0].claims, examined.sections[0].source
    version = f"Version {claims.version} of the note" if claims.version else "The note"
    now = str(as_dict((source.current or {}).get("meta")).get("versionId", ""))
    read = f"{version} was read again from the server"
    if source.current is None:
        return f"{read}, through its history; the note itself was deleted, as the summary says."
    if now == claims.version:
        return f"{read}; it is the newest one."
    return (
        f"{read}, through its history. Version {now} has come since, and the summary is marked or replaced."
    )


def _timeline_words(examined: Examined) -> dict[Check, str]:
    notes, places = len(examined.sections), len(examined.audit.sentences)
    every = f"each of the {notes} notes" if notes != 1 else "the note"
    return {
        Check.SOURCE: f"The stated version of {every} was read again from the server.",
        Check.TEXT: f"The text of {every} was extracted again and has the stated length and SHA-256.",
        Check.SENTENCES: f"Every sentence stands in each of its places ({places} in all), character for "
        f"character or in the words that are stated{_around(examined)}. Nothing else is shown.",
        Check.FILING: "The timeline was built anew from the notes; order, times, titles and patient are the "
        "same.",
        Check.PROTECTION: "It is marked as made by a machine and keeps every security label of every note.",
        Check.MAKER: "Its authors are the Devices that put it together and chose the sentences.",
        Check.PROVENANCE: "A Provenance on the server names exactly these versions of these notes.",
    }


_WORDS = {Kind.SUMMARY: _summary_words, Kind.TIMELINE: _timeline_words}
_WHERE = {Kind.SUMMARY: "the note, character for character", Kind.TIMELINE: "every place named"}


_HEADLINES = {
    Standing.WITHDRAWN: "This {} was withdrawn",
    Standing.RECALLED: "What made this {} was recalled",
    Standing.SUPERSEDED: "This {} is superseded",
    Standing.OUTDATED: "This {} is out of date",
}


def verdict(examined: Examined, proven: int, shown: int) -> Verdict:
    """The verdict for people.

    Args:
        examined: the audit.
        proven: how many sentences stand in their note.
        shown: of how many.
    """
    audit, readable_now = examined.audit, readable(examined)
    truth = _truth(audit, proven, shown, readable_now)
    if audit.state.current:
        return truth
    headline = _HEADLINES[audit.state.standing].format(audit.kind)
    words = f"{audit.state.words} Do not rely on it."
    if truth.outcome is Outcome.FAILS:
        return Verdict(Outcome.FAILS, f"{headline}, and it does not hold", f"{words} {truth.words}")
    if truth.outcome is Outcome.UNKNOWN:
        return Verdict(Outcome.OVER, headline, f"{words} Its note could not be read again.")
    stands = f"{_count(proven, shown)} stand in the version that it was made from, word for word."
    return Verdict(Outcome.OVER, headline, f"{words} {stands}")


def headline(audit: Audit) -> Verdict:
    """The verdict over an audit alone, for lists and reports."""
    proven = sum(sentence.ok for sentence in audit.sentences)
    unread = {finding for finding, _ in audit.findings} <= _ONLY_UNREAD and not audit.ok
    truth = _truth(audit, proven, len(audit.sentences) + len(audit.unproven), readable_now=not unread)
    if audit.state.current:
        return truth
    words = _HEADLINES[audit.state.standing].format(audit.kind)
    fails = truth.outcome is Outcome.FAILS
    ended = f"{words}, and it does not hold" if fails else words
    return Verdict(Outcome.FAILS if fails else Outcome.OVER, ended, audit.state.words)


def _count(proven: int, shown: int) -> str:
    return f"{proven} of {shown} sentences" if shown != 1 else f"{proven} of 1 sentence"


def _truth(audit: Audit, proven: int, shown: int, readable_now: bool) -> Verdict:
    """Whether it is true, whatever became of it since."""
    what, sentences = audit.kind, _count(proven, shown)
    count = len(audit.findings)
    found = f"{count} findings" if count != 1 else "1 finding"
    if audit.ok or (audit.sound and proven == shown):
        words = f"{sentences} proven to stand in {_WHERE[what]}. All {len(Check)} checks passed."
        return Verdict(Outcome.HOLDS, f"This {what} holds", words)
    if {finding for finding, _ in audit.findings} <= _ONLY_UNREAD and not readable_now:
        return Verdict(
            Outcome.UNKNOWN,
            f"This {what} cannot be proven",
            f"{found}. The text it was made from could not be read again: what is shown below is what the "
            "Composition says of itself. Do not rely on it.",
        )
    return Verdict(
        Outcome.FAILS, f"This {what} does not hold", f"{found}; {sentences} proven. Do not rely on it."
    )
