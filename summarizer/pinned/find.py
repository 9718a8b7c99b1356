"""Finds the lines that are pinned; the same for the same text and segmentation, whatever the model."""

import re

from summarizer.pinned.rules import Answered, Rule, Statement, load_rules, looked_up, words_of
from summarizer.types import ContextKind, Pinned, PinnedLine, PinnedRule, Segmentation, Sentence

__all__ = ["find_pinned"]

# Read before the statement by the rules; what corrects it or is struck out is shown with it and not read.
_READ = frozenset(
    {ContextKind.HEADING, ContextKind.LEAD_IN, ContextKind.QUESTION, ContextKind.ROW, ContextKind.CAPTION}
)
_COLON = ": "
_MOST_ANSWERS = 50
_SPACES = re.compile(r"\s+")


def find_pinned(text: str, parts: Segmentation) -> Pinned:
    """The statements that the rules find, verbatim.

    The names of a table's columns are no statement. Of a rule's hits the same words stand once, in the order
    of the note; beyond its limit they are counted and not shown. Statements that contradict each other are
    hits of one rule, so they stand together. Where a rule finds nothing, nothing is said.

    Args:
        text: the note.
        parts: of this text.
    """
    heads = {(p.start, p.end) for s in parts.sentences for p in s.context if p.kind is ContextKind.COLUMN}
    told = [sentence for sentence in parts.sentences if (sentence.start, sentence.end) not in heads]
    statements = looked_up([_statement(text, parts, sentence) for sentence in told])
    lines: list[PinnedLine] = []
    rules: list[PinnedRule] = []
    for rule in load_rules():
        hits = [told[at] for at in _hits(rule, statements)]
        if hits:
            shown = hits[: rule.limit]
            lines += [_line(text, sentence, rule) for sentence in shown]
            rules.append(PinnedRule(rule.id, rule.version, rule.title, len(shown), len(hits)))
    return Pinned(tuple(lines), tuple(rules))


def _hits(rule: Rule, statements: list[Statement]) -> list[int]:
    """The places of the statements that a rule finds."""
    seen: set[str] = set()
    found: list[int] = []
    for at, statement in enumerate(statements):
        follows = bool(found) and found[-1] == at - 1 and rule.goes_on(statement)
        if follows or rule.hits(statement):
            words = statement.text.casefold().rstrip(" .")
            if words not in seen:
                seen.add(words)
                found.append(at)
    return _open(rule, found, statements) if rule.answered else found


def _open(rule: Rule, hits: list[int], statements: list[Statement]) -> list[int]:
    """The hits that no other statement answers."""
    if not hits:
        return []
    done: set[int] = set()
    for answered in rule.answered:
        asked = {
            at: words for at in hits if (words := answered.asks(_asked(answered, statements[at]))) is not None
        }
        if asked and answered.without and _any_is(answered.without, statements):
            continue
        answers = _answers(answered, statements) if asked else []
        done |= {
            at
            for at, words in asked.items()
            if any(i != at and (i > at or not answered.later) and words <= told for i, told in answers)
        }
    return [at for at in hits if at not in done]


def _any_is(pattern: re.Pattern[str], statements: list[Statement]) -> bool:
    """Whether a statement, with what it stands under, is of a kind."""
    return any(pattern.search(statement.whole) for statement in statements)


def _asked(answered: Answered, statement: Statement) -> str:
    """What the pattern of a hit is looked for in."""
    return statement.whole if answered.headed else statement.text


def _answers(answered: Answered, statements: list[Statement]) -> list[tuple[int, frozenset[str]]]:
    """The last answers of a note, a bounded number, and their words."""
    found: list[tuple[int, frozenset[str]]] = []
    for at in range(len(statements) - 1, -1, -1):
        if answered.is_answer(statements[at].whole):
            found.append((at, words_of(statements[at].text)))
            if len(found) == _MOST_ANSWERS:
                break
    return found


def _statement(text: str, parts: Segmentation, sentence: Sentence) -> Statement:
    kind = None if sentence.section is None else parts.sections[sentence.section].kind
    return Statement(_one_line(text, sentence), _before(text, parts, sentence), kind)


def _one_line(text: str, sentence: Sentence) -> str:
    return _SPACES.sub(" ", text[sentence.start : sentence.end])


def _before(text: str, parts: Segmentation, sentence: Sentence) -> str:
    """The heading and labels that a statement stands under, as one line."""
    before = [
        text[piece.start : piece.end]
        for piece in sentence.context
        if piece.kind in _READ and piece.end <= sentence.start
    ]
    if sentence.section is not None:
        title = parts.sections[sentence.section].title
        if not any(title in piece for piece in before):
            before.insert(0, title)
    pieces = [piece.strip().rstrip(":").rstrip() for piece in before]
    return _SPACES.sub(" ", "".join(f"{piece}{_COLON}" for piece in pieces if piece))


def _line(text: str, sentence: Sentence, rule: Rule) -> PinnedLine:
    return PinnedLine(
        sentence.start,
        sentence.end,
        text[sentence.start : sentence.end],
        rule.id,
        rule.version,
        sentence.context,
        sentence.flags,
    )
