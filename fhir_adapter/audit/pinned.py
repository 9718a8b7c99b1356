"""The lines that rules found, against the note, and against the rules where they are the same ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.audit.claims import Claims, Span, pinned_section, read_claims
from fhir_adapter.audit.context import Ruled, against_rules, arranged
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker
from fhir_adapter.audit.shape import ANCHOR
from fhir_adapter.audit.verdict import PinnedAudit, StatedRule
from fhir_adapter.audit.words import against_text, unvouched
from fhir_adapter.lenient import JsonObject, as_count, dicts
from fhir_adapter.narrative import Piece, read_ruled_list
from fhir_adapter.writing.sections import rule_words
from fhir_adapter.writing.stretches import rule_address
from summarizer.types import PinnedRule

_WHERE = "section[1]"


@dataclass(frozen=True, slots=True)
class PinnedClaims:
    """The section of what rules found, as claimed.

    Attributes:
        lines: the section, read as that of the sentences is: `r1` as `s1`.
        heads: our words before each item.
        rules: as stated, in their order.
    """

    lines: Claims
    heads: tuple[str, ...]
    rules: tuple[StatedRule, ...]


def read_pinned(composition: JsonObject, base_url: str = "") -> PinnedClaims | None:
    """Reads the section leniently; None where there is none."""
    section = pinned_section(composition)
    if section is None:
        return None
    heads: list[str] = []

    def read(div: str) -> Any:
        listed = read_ruled_list(div)
        heads.extend(listed.heads)
        return listed

    claims = read_claims({**composition, "section": [section]}, base_url, read)
    stated = tuple(_rule(e) for e in dicts(section.get("extension")) if e.get("url") == canonical.PINNED_RULE)
    return PinnedClaims(_renamed(claims), tuple(heads), stated)


def _rule(extension: JsonObject) -> StatedRule:
    parts = dicts(extension.get("extension"))
    values = {
        str(part.get("url")): value
        for part in parts
        for name, value in part.items()
        if name.startswith("value")
    }

    whole = sorted(str(part.get("url")) for part in parts) == ["found", "rule", "shown", "title"]
    words = [str(values.get(name, "")) for name in ("rule", "title")]
    return StatedRule(
        words[0] if whole else "", words[1], as_count(values.get("shown")), as_count(values.get("found"))
    )


def _renamed(claims: Claims) -> Claims:
    """The claims with `r1` in place of `s1`; an id of another form leads nowhere."""

    def name(anchor: str) -> str:
        return f"s{anchor[1:]}" if anchor.startswith("r") else f"?{anchor}"

    def spans(found: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(replace(span, link=name(span.link)) for span in found)

    return replace(
        claims,
        spans=spans(claims.spans),
        contexts=spans(claims.contexts),
        items=tuple((name(anchor), text) for anchor, text in claims.items),
        links=tuple(map(name, claims.links)),
        shown=tuple(
            tuple(Piece(name(piece.anchor), piece.text, piece.kind) for piece in item)
            for item in claims.shown
        ),
    )


def audited_pinned(
    pinned: PinnedClaims | None, text: str, maker: Maker | None, ruled: Ruled | None
) -> tuple[PinnedAudit | None, list[Found]]:
    """The section against the note, and against what the rules find.

    Args:
        pinned: as claimed; None where there is no such section.
        text: of the note, read again; "" where it could not be.
        maker: the Device that made the summary.
        ruled: what the rules of this version find, where they are those of the maker's software.
    """
    if pinned is None:
        return None, [] if ruled is None else [_missing(rule) for rule in _again(ruled, maker)]
    claims = pinned.lines
    unruly = {} if ruled is None else against_rules(claims, ruled.contexts)
    lines, wrong = against_text(claims, text, unruly)
    found = [*_shape(pinned), *arranged(claims), *unvouched(claims, text), *wrong]
    found += [(finding, f"sentence {link[1:]}") for link, some in unruly.items() for finding in some]
    found = [(finding, detail.replace("sentence", "rule line", 1)) for finding, detail in found]
    found += [*_of_maker(pinned, maker), *(_against(pinned, ruled, maker) if ruled else [])]
    stated = {rule.address: rule for rule in pinned.rules}
    rules = [stated.get(span.rule or "") for span in claims.spans]
    named = tuple(zip(rules, lines, strict=True))
    unlooked = ruled is None or any(rule.name not in ruled.rules for rule in pinned.rules)
    return PinnedAudit(claims, lines, pinned.rules, named, not unlooked), found


def _shape(pinned: PinnedClaims) -> Iterator[Found]:
    """What can be told without the note: ids, order, and that each line has its rule's words before it."""
    claims = pinned.lines
    if claims.narrative_error:
        yield Finding.NARRATIVE_UNREADABLE, f"{_WHERE}: {claims.narrative_error}"
    if not claims.plain_list:
        yield Finding.NARRATIVE_CHANGED, f"{_WHERE}.text"
    if claims.section_authors != claims.authors:
        yield Finding.AUTHOR_MISSING, f"{_WHERE}.author"
    linked, shown = [span.link for span in claims.spans], [anchor for anchor, _ in claims.items]
    for number, span in enumerate(claims.spans, 1):
        if not span.well_formed or span.rule is None or not ANCHOR.fullmatch(span.link):
            yield Finding.SPAN_MALFORMED, f"sentence {number}"
        if span.link not in shown:
            yield Finding.SPAN_WITHOUT_SENTENCE, f"sentence {number}"
    if len(set(linked)) < len(linked) or len(set(shown)) < len(shown):
        yield Finding.DUPLICATE_ID, "of lines found by rule"
    wanted = [f"s{number}" for number in range(1, len(linked) + 1)]
    if linked != wanted:
        yield Finding.SENTENCE_REMOVED if set(linked) != set(wanted) else Finding.WRONG_ORDER, _WHERE
    if shown != linked:
        yield Finding.WRONG_ORDER, _WHERE
    yield from _by_rule(pinned)


def _by_rule(pinned: PinnedClaims) -> Iterator[Found]:
    """Lines stand by rule, each rule's in the order of the note, under its words, as many as are stated."""
    stated = {rule.address: rule for rule in pinned.rules}
    if len(stated) < len(pinned.rules) or not all(rule.whole for rule in pinned.rules):
        yield Finding.PINNED_DIFFERS, "rules"
    spans = pinned.lines.spans
    if [span.rule for span in spans] != [r.address for r in pinned.rules for _ in range(max(0, r.shown))]:
        yield Finding.PINNED_DIFFERS, "number or order"
    for one, next_ in pairwise(spans):
        if one.rule == next_.rule and one.offset + one.length > next_.offset:
            yield Finding.WRONG_ORDER, _WHERE
    heads = dict(zip((anchor for anchor, _ in pinned.lines.items), pinned.heads, strict=False))
    for number, span in enumerate(spans, 1):
        rule = stated.get(span.rule or "")
        if span.link in heads and (rule is None or heads[span.link] != rule.words):
            yield Finding.PINNED_DIFFERS, f"rule line {number}"


def _of_maker(pinned: PinnedClaims, maker: Maker | None) -> list[Found]:
    """Rules that the Device does not have."""
    if maker is None:
        return []  # which is a finding of its own
    known = {rule_address(*_parted(rule)) for rule in maker.rules}
    named = [rule.address for rule in pinned.rules if rule.address not in known]
    return [(Finding.PINNED_DIFFERS, f"rule {_short(address)} is none of the Device's") for address in named]


def _again(ruled: Ruled, maker: Maker | None) -> list[PinnedRule]:
    """The rules that find something, of those that the maker had in the same version."""
    known = maker.rules if maker else ()
    return [rule for rule in ruled.pinned.rules if f"{rule.rule}|{rule.version}" in known]


def _against(pinned: PinnedClaims, ruled: Ruled, maker: Maker | None) -> list[Found]:
    """What a rule finds and is not shown, and what is shown and it does not find."""
    found: list[Found] = []
    stated = {rule.address: rule for rule in pinned.rules}
    again = {rule_address(rule.rule, rule.version): rule for rule in _again(ruled, maker)}
    shown: dict[str, set[tuple[int, int]]] = {}
    for span in pinned.lines.spans:
        shown.setdefault(span.rule or "", set()).add((span.offset, span.offset + span.length))
    for address, rule in again.items():
        lines = {(line.start, line.end) for line in ruled.pinned.lines if line.rule == rule.rule}
        there = shown.get(address, set())
        if lines - there:
            found.append(_missing(rule))
        told = stated.get(address)
        as_told = told is None or (told.words, told.shown, told.found) == (
            rule_words(rule),
            rule.shown,
            rule.found,
        )
        if there - lines or not as_told:
            found.append((Finding.PINNED_DIFFERS, f"rule {rule.rule}"))
    known = {rule_address(*_parted(rule)) for rule in ruled.rules if rule in (maker.rules if maker else ())}
    nothing = [address for address in stated if address in known and address not in again]
    return found + [(Finding.PINNED_DIFFERS, f"rule {_short(address)}") for address in nothing]


def _missing(rule: PinnedRule) -> Found:
    return Finding.PINNED_MISSING, f"rule {rule.rule}"


def _parted(rule: str) -> tuple[str, int]:
    name, _, version = rule.partition("|")
    return name, int(version) if version.isascii() and version.isdigit() else 0


def _short(address: str) -> str:
    """A rule's name, if it is one that a rule can have: findings hold no text of a note."""
    name = address.rpartition("/")[2].partition("|")[0]
    return name if name.replace("-", "").isalpha() and name.isascii() and len(name) < 40 else "?"
