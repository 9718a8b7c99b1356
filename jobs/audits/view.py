"""An audit as people see it, on a page or in a report: what is shown beside what the note holds.

Plain data for templates. A Composition that somebody made to be expensive stays cheap: long texts, and more
than a hundred wrong sentences, are not compared letter by letter.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from fhir_adapter.audit.claims import Span
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.shape import ANCHOR
from fhir_adapter.audit.verdict import AuditedContext, AuditedSentence, Examined, Kind, SectionAudit
from fhir_adapter.narrative import displayed, folded, printable
from jobs.audits.shown import Around, AuditRow, Pieces, Place, under

_MOST_COMPARED = 20_000  # product of the lengths that are compared letter by letter; beyond it takes seconds
_MOST_WRONG = 100
_ALIKE = 0.7  # share of common characters below which two sentences are simply different ones
_MOST_SAID = 12  # words of a difference
_FEW = 3  # characters that a difference names one by one
_BY_SPAN = (
    Finding.SENTENCE_ALTERED,
    Finding.OFFSET_OUTSIDE,
    Finding.SPAN_MALFORMED,
    Finding.SPAN_WITHOUT_SENTENCE,
)
_BY_ITEM = (Finding.SENTENCE_ADDED, Finding.SPAN_MISSING, Finding.DUPLICATE_ID)


@dataclass(frozen=True, slots=True)
class Ruled:
    """Lines that one rule found; `words` are the rule's."""

    words: str
    rows: tuple[AuditRow, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the note's text.

    Attributes:
        row: that of the sentence or line it belongs to, or None.
        ruled: of a line that a rule found.
    """

    text: str
    row: AuditRow | None = None
    anchor: str = ""
    ruled: bool = False


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A finding in words; `row` is the number of the sentence it is about, or 0."""

    finding: Finding
    detail: str
    row: int = 0


def difference(sentence: AuditedSentence | AuditedContext) -> tuple[Pieces, Pieces, str]:
    """A sentence as shown and as in the note, cut where they differ, and the first difference by name.

    Two letters can look the same and be different ones, so the name is what tells.

    Returns:
        Pieces of both as (text, differs), and words such as `U+0430 CYRILLIC SMALL LETTER A instead of ...`,
        or "" where a name says no more than the text.
    """
    shown, text = folded(sentence.shown), displayed(sentence.text)
    if sentence.ok or not shown or not text or shown == text:
        return _whole(shown), _whole(text), ""
    head, tail = _common(shown, text)
    one, other = shown[head : len(shown) - tail], text[head : len(text) - tail]
    middle: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(one), 0, len(other))]
    same = head + tail
    if one and other and len(one) * len(other) <= _MOST_COMPARED:
        compared = SequenceMatcher(None, one, other, autojunk=False)
        middle, same = (
            compared.get_opcodes(),
            same + sum(block.size for block in compared.get_matching_blocks()),
        )
    if 2 * same < _ALIKE * (len(shown) + len(text)):
        return [(shown, True)], [(text, True)], ""
    left, right, named = _whole(shown[:head]), _whole(text[:head]), ""
    for tag, a, b, c, d in middle:
        left.append((one[a:b], tag != "equal"))
        right.append((other[c:d], tag != "equal"))
        if tag != "equal" and not named and b - a <= _FEW and d - c <= _FEW:
            named = f"{_names(one[a:b])} instead of {_names(other[c:d])}"
    left += _whole(shown[len(shown) - tail :] if tail else "")
    right += _whole(text[len(text) - tail :] if tail else "")
    return [part for part in left if part[0]], [part for part in right if part[0]], named


def _whole(text: str) -> Pieces:
    return [(text, False)] if text else []


def _common(one: str, other: str) -> tuple[int, int]:
    """Lengths of the common beginning and of the common end of what is left."""
    shortest = min(len(one), len(other))
    head = next((i for i in range(shortest) if one[i] != other[i]), shortest)
    left = shortest - head
    return head, next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)


def _names(characters: str) -> str:
    return " and ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in characters) or "nothing"


def rows(examined: Examined) -> tuple[AuditRow, ...]:
    """Every sentence in the order in which the Composition shows them, then offsets without a sentence."""
    found: list[AuditRow] = []
    anchors: set[str] = set()
    wrong = 0
    for section in examined.sections:
        claims = section.claims
        linked: dict[str, list[tuple[Span, AuditedSentence]]] = {}
        for pair in zip(claims.spans, section.sentences, strict=False):  # none, where none was looked at
            linked.setdefault(pair[0].link, []).append(pair)
        items = [(shown, linked.get(anchor, [])) for anchor, shown in claims.items]
        named = {anchor for anchor, _ in claims.items}
        items += [("", pairs) for link, pairs in linked.items() if link not in named]
        for shown, pairs in items:
            row = _row(len(found) + 1, shown, pairs, compared=wrong < _MOST_WRONG)
            row = under(row, found)
            places = (_placed(examined, section, place, anchors) for place in row.places)
            found.append(replace(row, places=tuple(places)))
            wrong += not row.ok
    return tuple(found)


def ruled(examined: Examined, shown: Sequence[AuditRow]) -> tuple[Ruled, ...]:
    """The lines that rules found in a summary's note, by rule, beside the sentences already shown."""
    section = examined.sections[0] if examined.sections else None
    if section is None or section.pinned is None:
        return ()
    claims, taken = section.pinned.claims, {place.anchor for row in shown for place in row.places}
    words = dict(claims.items)
    named = list(zip(claims.spans, section.pinned.named, strict=True))
    found: dict[str, list[AuditRow]] = {}
    for number, (span, (rule, line)) in enumerate(named, 1):
        row = _row(number, words.get(span.link, ""), [(span, line)], compared=number <= _MOST_WRONG)
        places = (_placed(examined, section, place, taken) for place in row.places)
        lines = found.setdefault(rule.head if rule else "No rule is stated", [])
        lines.append(replace(under(row, lines), places=tuple(places)))
    linked = {span.link for span in claims.spans}
    alone = [text for anchor, text in claims.items if anchor not in linked]
    for number, text in enumerate(alone, len(named) + 1):
        found.setdefault("No rule is stated", []).append(_row(number, text, (), compared=False))
    return tuple(Ruled(words, tuple(rows)) for words, rows in found.items())


def _row(
    number: int, shown: str, pairs: Sequence[tuple[Span, AuditedSentence]], *, compared: bool
) -> AuditRow:
    """One sentence; its words are cut by how they differ from its first place."""
    left = _whole(shown)
    places: list[Place] = []
    for span, sentence in pairs:
        stated = shown if span.words is None else span.words
        same = stated == printable(sentence.text) or folded(stated) == displayed(sentence.text)
        # Where the same words do not hold, it is what is around them that does not.
        ok = bool(sentence.text) and same and (sentence.ok or span.words is None)
        seen = replace(sentence, shown=stated, ok=ok or not compared)
        cut, text, named = difference(seen)
        if not places:
            left = cut
        places.append(
            Place(
                start=sentence.start,
                end=sentence.end,
                score=sentence.score,
                ok=ok,
                anchor="",
                text=text,
                named=named,
                source=sentence.source,
                said=said(seen),
            )
        )
    first = pairs[0][1] if pairs else AuditedSentence(0, 0, "", None, True)
    before, after = (tuple(map(_around, pieces)) for pieces in (first.before, first.after))
    whole = first.ok or not all(piece.ok for piece in first.context) or not places[0].ok
    return AuditRow(number, left, tuple(places), before, after, whole)


def _around(piece: AuditedContext) -> Around:
    shown, text, _ = difference(piece)
    kind = piece.kind.replace("-", " ")
    return Around(kind, piece.start, piece.end, piece.ok, shown, text, said(piece))


def said(sentence: AuditedSentence | AuditedContext) -> tuple[str, ...]:
    """The words in which a text shown differs from the note, and the one after: what each of them says.

    Returns:
        (`25 mg`, `2.5 mg`); nothing where they do not differ, or where there is nothing to compare.
    """
    one, other = folded(sentence.shown).split(), displayed(sentence.text).split()
    if sentence.ok or not one or not other or one == other:
        return ()
    shortest = min(len(one), len(other))
    head = next((i for i in range(shortest) if one[i] != other[i]), shortest)
    tail = next((i for i in range(shortest - head) if one[-1 - i] != other[-1 - i]), shortest - head)
    tail = max(0, tail - 1)
    if head == shortest - tail and head:  # something is missing on one side, at the end
        head -= 1
    return tuple(_clipped(words[head : len(words) - tail]) for words in (one, other))


def _clipped(words: Sequence[str]) -> str:
    return " ".join(words) if len(words) <= _MOST_SAID else " ".join(words[:_MOST_SAID]) + " …"


def _placed(examined: Examined, own: SectionAudit, place: Place, taken: set[str]) -> Place:
    """A place with what is known of its note and, where its text is on the page, with its name there."""
    sections = examined.sections
    note = next((section for section in sections if section.claims.source == place.source), own)
    placed = replace(place, version=note.claims.version, title=note.title, unread=not note.read)
    reading, anchor = note.source.reading, f"c{place.start}-{place.end}"
    if reading is None or not 0 <= place.start < place.end <= len(reading.text.text) or anchor in taken:
        return placed
    taken.add(anchor)
    return replace(placed, anchor=anchor)


def segments(text: str, shown: Iterable[AuditRow], by_rule: Iterable[Ruled] = ()) -> tuple[Segment, ...]:
    """The note's text, cut at the places of sentences and lines; where two overlap, the first has both."""
    marked = [(row, False) for row in shown] + [(row, True) for one in by_rule for row in one.rows]
    return tuple(_segments(text, marked))


def _segments(text: str, shown: Iterable[tuple[AuditRow, bool]]) -> Iterator[Segment]:
    marked = [
        (place.start, place.end, place.anchor, row, of_rule)
        for row, of_rule in shown
        for place in row.places
        if place.anchor
    ]
    at = 0
    for start, end, anchor, row, of_rule in sorted(marked, key=lambda mark: mark[:2]):
        start = max(start, at)
        if start >= end:
            continue
        if at < start:
            yield Segment(_in_lines(text[at:start]))
        yield Segment(_in_lines(text[start:end]), row, anchor, of_rule)
        at = end
    if at < len(text):
        yield Segment(_in_lines(text[at:]))


def _in_lines(text: str) -> str:
    """A part of a note as a page shows it: a line end of two characters is one."""
    return printable(text.replace("\r\n", "\n"))


def found_rows(examined: Examined, shown: Sequence[AuditRow]) -> tuple[FoundRow, ...]:
    """Every finding with the number of the row it is about, where it is about one."""
    return tuple(
        FoundRow(finding, detail, _about(examined, shown, (finding, detail)))
        for finding, detail in examined.audit.findings
    )


def _about(examined: Examined, shown: Sequence[AuditRow], found: Found) -> int:
    finding, detail = found
    word, _, number = detail.partition(" ")
    if word not in ("sentence", "span", "number") or not number.isdecimal():
        return 0
    stated = int(number)
    items = [anchor for section in examined.sections for anchor, _ in section.claims.items]
    if examined.kind is Kind.TIMELINE:
        numbers = [int(match[1]) if (match := ANCHOR.fullmatch(anchor)) else 0 for anchor in items]
        return numbers.index(stated) + 1 if stated in numbers else 0
    if finding in _BY_ITEM:
        return stated if stated <= len(items) else 0
    spans = examined.sections[0].claims.spans
    if finding in _BY_SPAN and 0 < stated <= len(spans):
        span = spans[stated - 1]
        place = (span.offset, span.offset + span.length)
        return next((row.number for row in shown if any((p.start, p.end) == place for p in row.places)), 0)
    return 0
