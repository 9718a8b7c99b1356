"""A note of a timeline, out of what a Composition states of it and its source read again."""

from collections.abc import Iterable
from dataclasses import replace

from fhir_adapter.audit.claims import Claims
from fhir_adapter.lenient import JsonObject
from fhir_adapter.note import Reading
from fhir_adapter.timeline.clinical_time import note_times
from fhir_adapter.timeline.pieces import PinnedLine, Place
from fhir_adapter.timeline.timeline import TimelineNote


def timeline_note(
    claims: Claims,
    reading: Reading,
    stated: JsonObject,
    authors: tuple[str, ...],
    composition: str = "",
    places: Iterable[Place] = (),
    pinned: Iterable[PinnedLine] = (),
) -> TimelineNote:
    """Puts a note together.

    Args:
        claims: what the Composition, or its section of this note, states.
        reading: the source's stated version with its text.
        stated: that version as the server has it.
        authors: of what chose the sentences.
        composition: `Composition/id` of the summary; "" where there is a section alone.
        places: its sentences, in any order.
        pinned: what rules found, by rule.
    """
    return TimelineNote(
        note=replace(reading.note, attachments=()),
        times=note_times(stated),
        composition=composition,
        authors=authors,
        pipeline=claims.pipeline,
        url=claims.source_url,
        path=claims.path,
        media_type=reading.text.media_type,
        normalization=claims.normalization,
        sha256=claims.sha256,
        length=claims.length,
        notice=claims.notice,
        pinned=tuple(pinned),
        left_out=claims.left_out,
        sentences=tuple(sorted(places, key=lambda place: (place.start, place.end))),
    )
