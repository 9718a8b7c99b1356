"""What a summary says that it does not show, against the note."""

from collections import Counter

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.context import Ruled
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.narrative import displayed
from summarizer.types import LeftOutSection


def against_note(claims: Claims, text: str, ruled: Ruled | None) -> list[Found]:
    """Whether the sections named are those of the note of which nothing is shown.

    How many further sentences scored high enough, the model alone could tell again.

    Args:
        claims: of the Composition.
        text: of the note, read again.
        ruled: as of `pinned.audited_pinned`.
    """
    stated = claims.left_out
    if ruled is None:
        words = displayed(text)
        strange = any(not part.title or part.title not in words for part in stated.sections)
        return [(Finding.LEFT_OUT_DIFFERS, "a section")] if strange else []
    shown = {(span.offset, span.offset + span.length) for span in claims.spans}
    of = Counter(one.section for one in ruled.sentences)
    chosen = {one.section for one in ruled.sentences if (one.start, one.end) in shown}
    wanted = tuple(
        LeftOutSection(displayed(section.title), of[number])
        for number, section in enumerate(ruled.sections)
        if of[number] and number not in chosen
    )
    return [] if stated.sections == wanted and stated.sentences >= 0 else [(Finding.LEFT_OUT_DIFFERS, "")]
