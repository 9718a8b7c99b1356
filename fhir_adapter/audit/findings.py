"""The ways in which a summary can be wrong, each with its code and the sentence that people read."""

from enum import StrEnum


class Finding(StrEnum):
    """A way to be wrong; the value is the code, `words` the sentence for a person."""

    COMPOSITION_GONE = "composition-gone"
    NOT_OURS = "not-a-summary"
    SOURCE_GONE = "source-gone"
    SOURCE_CHANGED = "source-changed"
    SOURCE_UNREADABLE = "source-unreadable"
    SOURCE_MISMATCH = "source-mismatch"
    TEXT_DIFFERS = "text-differs"
    EXTRACTOR_DIFFERS = "extractor-differs"
    EXTRACTED_TEXT_DIFFERS = "extracted-text-differs"
    OFFSET_OUTSIDE = "offset-outside-text"
    SENTENCE_ALTERED = "sentence-altered"
    SENTENCE_ADDED = "sentence-added"
    SENTENCE_REMOVED = "sentence-removed"
    SENTENCE_CUT = "sentence-cut"
    CONTEXT_ALTERED = "context-altered"
    CONTEXT_ADDED = "context-added"
    CONTEXT_MISSING = "context-missing"
    CONTEXT_DIFFERS = "context-differs"
    PINNED_MISSING = "pinned-missing"
    PINNED_DIFFERS = "pinned-differs"
    LEFT_OUT_DIFFERS = "left-out-differs"
    NOTICE_DIFFERS = "notice-differs"
    SPAN_MISSING = "span-missing"
    SPAN_WITHOUT_SENTENCE = "span-without-sentence"
    SPAN_MALFORMED = "span-malformed"
    DUPLICATE_ID = "duplicate-id"
    WRONG_ORDER = "wrong-order"
    WRONG_PLACE = "wrong-place"
    REPEAT_DIFFERS = "repeat-differs"
    NARRATIVE_UNREADABLE = "narrative-unreadable"
    NARRATIVE_CHANGED = "narrative-changed"
    SECTION_ADDED = "section-added"
    UNIT_UNKNOWN = "unit-unknown"
    STATUS_WRONG = "status-wrong"
    SUBJECT_DIFFERS = "subject-differs"
    ELEMENT_DIFFERS = "element-differs"
    DOCUMENT_DIFFERS = "document-differs"
    LABEL_REMOVED = "label-removed"
    PROTECTION_LOWERED = "protection-lowered"
    AUTHOR_MISSING = "author-missing"
    MODEL_UNKNOWN = "model-unknown"
    CONFIDENCE_UNFOUNDED = "confidence-unfounded"
    PROVENANCE_MISSING = "provenance-missing"
    PROVENANCE_DIFFERS = "provenance-differs"
    COPY_DIFFERS = "copy-differs"
    COPY_CHANGED = "copy-changed"

    @property
    def words(self) -> str:
        """One plain sentence."""
        return _WORDS[self]


# A finding and a short hint: a number, an element, a version; never text of a note.
Found = tuple[Finding, str]

_WORDS = {
    Finding.COMPOSITION_GONE: "The Composition is not on the server.",
    Finding.NOT_OURS: "The Composition does not say which text it was made from.",
    Finding.SOURCE_GONE: "The version of the source that was summarised is no longer on the server.",
    Finding.SOURCE_CHANGED: "The source has another version now than the one that was summarised.",
    Finding.SOURCE_UNREADABLE: "The source's text could not be read again.",
    Finding.SOURCE_MISMATCH: "The places that name the source do not agree with each other.",
    Finding.TEXT_DIFFERS: "The text read again from the source differs from the one that was summarised.",
    Finding.EXTRACTOR_DIFFERS: "The text is extracted by another recipe now than the one stated.",
    Finding.EXTRACTED_TEXT_DIFFERS: "The extracted text kept beside the source differs from the source.",
    Finding.OFFSET_OUTSIDE: "An offset lies outside the text.",
    Finding.SENTENCE_ALTERED: "A sentence shown differs from the source at the stated offsets.",
    Finding.SENTENCE_ADDED: "A sentence is shown that no offsets vouch for and the source does not hold.",
    Finding.SENTENCE_REMOVED: "A sentence is gone, together with its offsets.",
    Finding.SENTENCE_CUT: "What is shown as a sentence is a part of one in the note, or more than one.",
    Finding.CONTEXT_ALTERED: "What is shown around a sentence differs from the source at the stated offsets.",
    Finding.CONTEXT_ADDED: "Something is shown around a sentence that no offsets vouch for.",
    Finding.CONTEXT_MISSING: "Something of the note that belongs to a sentence is not shown with it.",
    Finding.CONTEXT_DIFFERS: "What is shown around a sentence does not belong to it in the note, or as "
    "context of another kind.",
    Finding.PINNED_MISSING: "A line that a rule finds in the note is not shown.",
    Finding.PINNED_DIFFERS: "A line is shown as found by a rule that does not find it, or in another place, "
    "order or number.",
    Finding.LEFT_OUT_DIFFERS: "What is said to be left out is not what the note has beside what was chosen.",
    Finding.NOTICE_DIFFERS: "What was remarkable in reading the note is not said, or otherwise.",
    Finding.SPAN_MISSING: "A sentence of the source is shown whose offsets are missing.",
    Finding.SPAN_WITHOUT_SENTENCE: "Offsets are stated whose sentence is not shown.",
    Finding.SPAN_MALFORMED: "Offsets are stated in a form other than the agreed one.",
    Finding.DUPLICATE_ID: "Two sentences, or the offsets of two sentences, carry the same id.",
    Finding.WRONG_ORDER: "The sentences are not in the order of the note.",
    Finding.WRONG_PLACE: "Offsets point into something that is neither the source nor its extracted text.",
    Finding.REPEAT_DIFFERS: "A place of a sentence in a timeline holds something else than the sentence.",
    Finding.NARRATIVE_UNREADABLE: "The narrative is not well-formed.",
    Finding.NARRATIVE_CHANGED: "The narrative holds something other than the plain list of sentences.",
    Finding.SECTION_ADDED: "The Composition has other sections than the one of sentences and that of "
    "what rules found.",
    Finding.UNIT_UNKNOWN: "The offsets are stated in an unknown unit.",
    Finding.STATUS_WRONG: "The status is none that a summary may have, or claims a person's approval that "
    "nobody signed.",
    Finding.SUBJECT_DIFFERS: "The summary is filed under another subject than its source.",
    Finding.ELEMENT_DIFFERS: "An element differs from what the source gives.",
    Finding.DOCUMENT_DIFFERS: "The document that the summary is filed in says something else than "
    "the summary.",
    Finding.LABEL_REMOVED: "The label that marks the summary as made by a machine is missing.",
    Finding.PROTECTION_LOWERED: "The summary is less protected than its source.",
    Finding.AUTHOR_MISSING: "The author is missing, or is not the one Device.",
    Finding.MODEL_UNKNOWN: "The Device that names software and model is not on the server, or another one.",
    Finding.CONFIDENCE_UNFOUNDED: "A score is called a confidence, but the Device does not say that "
    "the scores of its model are calibrated.",
    Finding.PROVENANCE_MISSING: "No Provenance points at the Composition.",
    Finding.PROVENANCE_DIFFERS: "The Provenance names another source, version or author.",
    Finding.COPY_DIFFERS: "A further resource is named that does not hold the text, or cannot be read again.",
    Finding.COPY_CHANGED: "A further resource that is named has another version now than the one compared.",
}
