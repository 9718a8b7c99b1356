"""Why a note has no summary: stable codes for machines, plain words for people."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason code. `words` says it plainly; `failure` tells a fault from a decision."""

    # Decisions: there is nothing to summarise, or it is not ours to do. Ledger status `skipped`.
    NO_ATTACHMENT = "no-attachment"
    UNSUPPORTED_TYPE = "unsupported-type"
    EMPTY_TEXT = "empty-text"
    DELETED = "deleted"
    SUPERSEDED = "superseded"
    COPY = "copy"
    OWN_SUMMARY = "own-summary"
    WITHDRAWN = "withdrawn"
    NOT_FINAL = "not-final"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
    NOT_SELECTED = "not-selected"
    CONSENT = "consent"
    UNKNOWN_MODIFIER = "unknown-modifier"
    SCANNED_IMAGE = "scanned-image"
    ENCRYPTED = "encrypted"
    FOREIGN_HOST = "foreign-host"
    TOO_LARGE = "too-large"
    # Faults: something that should have worked did not. Ledger status `failed`.
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    WRONG_ANSWER = "wrong-answer"
    BAD_BASE64 = "bad-base64"
    HASH_MISMATCH = "hash-mismatch"
    BAD_ENCODING = "bad-encoding"
    MALFORMED = "malformed"
    TOO_MANY_SENTENCES = "too-many-sentences"
    TOO_MANY_TOKENS = "too-many-tokens"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    SERVER_ERROR = "server-error"
    REJECTED_BY_SERVER = "rejected-by-server"
    NOT_VERBATIM = "not-verbatim"
    INTERNAL_ERROR = "internal-error"

    @property
    def words(self) -> str:
        """One plain sentence for a person."""
        return _WORDS[self]

    @property
    def failure(self) -> bool:
        """True for a fault (listed as failed, exit code 1), False for a decision (skipped)."""
        return self in _FAULTS

    @property
    def transient(self) -> bool:
        """True where the same note may succeed later unchanged, so a pass tries it again by itself."""
        return self in _TRANSIENT

    @property
    def gone(self) -> bool:
        """True where waiting will hardly help with this format of a document, and another may do."""
        return self in (Reason.NOT_FOUND, Reason.HASH_MISMATCH) or not self.transient


_WORDS: dict[Reason, str] = {
    Reason.NO_ATTACHMENT: "The resource carries no note: no attachment, conclusion or narrative.",
    Reason.UNSUPPORTED_TYPE: "The attachment is of a kind that holds no text we can read.",
    Reason.EMPTY_TEXT: "The note has no sentence in it.",
    Reason.DELETED: "The note is no longer on the server.",
    Reason.SUPERSEDED: "Another document replaces this one.",
    Reason.COPY: "The same text is filed under another resource too, and its summary names both.",
    Reason.OWN_SUMMARY: "It is a summary that this software filed as a document, and no note.",
    Reason.WITHDRAWN: "The summary was withdrawn, and the same one is not made again.",
    Reason.NOT_FINAL: "The note is not finished yet, by its status.",
    Reason.CANCELLED: "The note was cancelled.",
    Reason.ENTERED_IN_ERROR: "The note was marked as entered in error.",
    Reason.NOT_SELECTED: "The settings ask for other notes.",
    Reason.CONSENT: "A Consent of the patient forbids it.",
    Reason.UNKNOWN_MODIFIER: "The note carries a modifier, not known here, that may turn its meaning.",
    Reason.SCANNED_IMAGE: "The PDF holds pictures of pages and no text.",
    Reason.ENCRYPTED: "The file is encrypted.",
    Reason.FOREIGN_HOST: "The attachment lies on a host that the settings do not allow.",
    Reason.TOO_LARGE: "The attachment, or the text in it, is larger than the settings allow.",
    Reason.NOT_FOUND: "The attachment's address answers that there is nothing to be had.",
    Reason.FORBIDDEN: "The server does not let this software read the note, or write its summary.",
    Reason.WRONG_ANSWER: "The server answered with something other than the note, or with a part of it.",
    Reason.BAD_BASE64: "The attachment's data is not valid base64.",
    Reason.HASH_MISMATCH: "The attachment's bytes do not match the hash stated beside them.",
    Reason.BAD_ENCODING: "The bytes are not text in the declared or any likely encoding.",
    Reason.MALFORMED: "The resource or the file is damaged.",
    Reason.TOO_MANY_SENTENCES: "The note has more sentences than the settings allow.",
    Reason.TOO_MANY_TOKENS: "The note has more words than the settings allow.",
    Reason.TIMEOUT: "Fetching, reading or scoring the note took longer than the settings allow.",
    Reason.INTERRUPTED: "The process ended while it worked on the note.",
    Reason.SERVER_ERROR: "The FHIR server failed while the note was fetched or its summary written.",
    Reason.REJECTED_BY_SERVER: "The FHIR server refused the summary.",
    Reason.NOT_VERBATIM: "A chosen sentence did not stand in the note, so nothing was written.",
    Reason.INTERNAL_ERROR: "This software failed on the note; the error's type is in the log.",
}


def reason_words(code: str) -> str:
    """The plain words of a code, also of one that another version of this software wrote into a ledger.

    "" for "", which stands where there is nothing to give a reason for.
    """
    if not code:
        return ""
    try:
        return Reason(code).words
    except ValueError:
        return f"Another version of this software says {code}."


_TRANSIENT = frozenset(
    {
        Reason.NOT_FOUND,
        Reason.FORBIDDEN,
        Reason.WRONG_ANSWER,
        Reason.HASH_MISMATCH,
        Reason.TIMEOUT,
        Reason.INTERRUPTED,
        Reason.SERVER_ERROR,
        Reason.REJECTED_BY_SERVER,
        Reason.INTERNAL_ERROR,
    }
)
_FAULTS = frozenset(list(Reason)[list(Reason).index(Reason.NOT_FOUND) :])
