"""The card of a patient: the sentences that score highest in notes since the last visit, each verified."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_adapter.timeline.clinical_time import readable
from fhir_adapter.timeline.timeline import Timeline, TimelineEntry, TimelineSentence
from jobs.web.cds.schemas import CdsCard, CdsLink, CdsReason, CdsSource

MOST = 3
WITHOUT_VISIT = timedelta(days=30)
REASONS_SYSTEM = "https://clinsum.org/cds/override-reasons"
EXTENSION = "org.clinsum.sentences"
_REASONS = {
    "useful": "It was useful",
    "known": "I knew it",
    "misleading": "It misleads",
    "missed": "It misses what matters",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")
_LABEL = "Clinical AI Summarizer"


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence of a card, with the note that it stands in."""

    entry: TimelineEntry
    sentence: TimelineSentence

    @property
    def composition(self) -> str:
        """Id of the note's summary."""
        return self.sentence.places[0].composition.rpartition("/")[2]


def begin_of(visit: str, today: date) -> str:
    """The day from which on notes count: that of the last visit, or 30 days ago where none is known."""
    return visit or (today - WITHOUT_VISIT).isoformat()


def chosen(found: Timeline, since: str) -> list[Shown]:
    """At most three sentences of notes from that day on that no earlier note has, in the order of time.

    Which: those with the highest scores. Sentences of a timeline are verified, each in its note.
    """
    new = [
        Shown(entry, sentence)
        for entry in found.entries
        if entry.time[:10] >= since
        for sentence in entry.sentences
    ]
    best = sorted(new, key=lambda one: -(one.sentence.places[0].score or 0.0))[:MOST]
    return [one for one in new if one in best]


def card_of(shown: list[Shown], visit: str, since: str, base: str, instance: str) -> CdsCard:
    """The card.

    Args:
        shown: from one to three sentences.
        visit: day of the last visit, or "".
        since: day from which on notes counted.
        base: address under which the service is reached.
        instance: `hookInstance` of the call; with it the card has a name of its own.
    """
    count = f"{len(shown)} sentence" + ("s" if len(shown) != 1 else "")
    when = f"since the visit of {visit}" if visit else f"since {since} (no visit is known)"
    links: dict[str, CdsLink] = {}
    for one in shown:
        label = f"{readable(one.entry.time)}: {one.entry.title}"[:120]
        links.setdefault(one.composition, CdsLink(label=label, url=f"{base}/note/{one.composition}"))
    names = "|".join(f"{one.composition} {one.sentence.places[0].start}" for one in shown)
    return CdsCard(
        uuid=str(uuid.uuid5(uuid.UUID(instance), names)),
        summary=f"{count} of the notes {when}",
        detail="\n\n".join(_lines(shown)),
        source=CdsSource(label=_LABEL, url=f"{base}/model"),
        links=list(links.values()),
        overrideReasons=[
            CdsReason(code=code, display=words, system=REASONS_SYSTEM) for code, words in _REASONS.items()
        ],
        extension={EXTENSION: [_place(one) for one in shown]},
    )


def _lines(shown: list[Shown]) -> Iterator[str]:
    yield "Picked by a machine, word for word, not reviewed. Read the notes."
    for one in shown:
        around = [piece.text for piece in one.sentence.before]
        after = [piece.text for piece in one.sentence.after]
        words = " ".join(_escaped(text) for text in (*around, f"{one.sentence.text}", *after))
        head = _escaped(f"{readable(one.entry.time)}, {one.entry.title}")
        yield f"**{head}**  \n> {words}"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _place(one: Shown) -> dict[str, object]:
    place = one.sentence.places[0]
    return {
        "text": place.text,
        "start": place.start,
        "end": place.end,
        "unit": "unicode-code-point",
        "path": place.path,
        "reference": place.reference,
        "source": place.source,
        "version": place.version,
        "composition": place.composition,
        "before": [piece.text for piece in one.sentence.before],
        "after": [piece.text for piece in one.sentence.after],
    }
