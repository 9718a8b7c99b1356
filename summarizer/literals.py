"""What must stand in a text for a pattern to match in it, so that most texts need not be searched.

Looking for some letters in a text takes a hundredth of the time of a search by a pattern that begins with
a list of words. The parse tree is that of `re` itself; a part of it that is not known here is taken to need
nothing, which costs time and never a match.
"""

import re
import re._constants as signs  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

__all__ = ["folded", "needed"]

_MOST = 96  # strings that one part is taken apart into
_LONG = 5  # characters from which a string tells texts apart well enough
_SHORT = 2  # characters below which it does not tell them apart at all
_FEW = 8  # characters of a class that are taken one by one
_WIDTHLESS = frozenset({signs.AT, signs.ASSERT_NOT})
_AHEAD = 1  # of `ASSERT`: what stands behind
# All that `re.IGNORECASE` takes for a letter of ASCII beside the letter's other case, which `lower` mends.
_ALIKE = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}

_Strings = frozenset[str]
_NOTHING: _Strings = frozenset({""})


def folded(text: str) -> str:
    """The text with every letter of ASCII in lower case, and so whatever a pattern takes for one."""
    return text.lower() if text.isascii() else text.translate(_ALIKE).lower()


def needed(pattern: str) -> tuple[frozenset[str], ...]:
    """Sets of strings of each of which one at least stands in `folded` of every text in which it matches.

    The set comes first that the fewest texts hold one of. None where there is no telling.

    Args:
        pattern: of `re`, in which case is not minded.

    Raises:
        re.error: it is none.
    """
    run, parts = _read(parser.parse(pattern, re.IGNORECASE))
    found = {_shortest(part) for part in [*parts, run] if _worth(part)[0] >= _SHORT}
    return tuple(sorted(found, key=lambda part: (_worth(part), sorted(part)), reverse=True))


def _read(items: Iterable[tuple[Any, Any]], run: _Strings = _NOTHING) -> tuple[_Strings, list[_Strings]]:
    """What each match of a sequence ends with, and sets of which each has one in any match.

    Args:
        items: of a parse tree.
        run: what stands right before; it stands before what is found, too.

    Returns:
        Strings of which one ends each match, all of it where there are no sets; and the sets.
    """
    parts: list[_Strings] = []
    for operator, argument in _flat(items):
        if operator is signs.BRANCH:
            run, more = _branches([_read(branch, run) for branch in argument[1]], run)
            parts += more
            continue
        exact, inner = _one(operator, argument)
        joined = None if exact is None else _joined(run, exact)
        if joined is not None:
            run = joined
            continue
        parts += [run, *inner]
        run = _NOTHING if exact is None else exact
    return run, parts


def _flat(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The items with those of groups in their place."""
    for operator, argument in items:
        if operator is signs.SUBPATTERN:
            yield from _flat(argument[3])
        else:
            yield operator, argument


def _joined(before: _Strings, after: _Strings) -> _Strings | None:
    if len(before) * len(after) > _MOST:
        return None
    return frozenset(a + b for a, b in product(before, after))


def _one(operator: Any, argument: Any) -> tuple[_Strings | None, list[_Strings]]:
    """All that a node of the tree matches, if it is little; sets of which each has one in any match."""
    if operator in _WIDTHLESS:
        return _NOTHING, []
    if operator is signs.LITERAL and argument < 128:
        return frozenset({chr(argument).lower()}), []
    if operator is signs.IN:
        return _letters(argument), []
    if operator is signs.ASSERT and argument[0] == _AHEAD:
        run, parts = _read(argument[1])
        return None, [*parts, run]
    if operator in (signs.MAX_REPEAT, signs.MIN_REPEAT):
        least, most, inner = argument
        run, parts = _read(inner)
        if most == 1 and not parts:
            return (run if least else run | _NOTHING), []
        return None, [*parts, run] if least else []
    return None, []


def _letters(members: Sequence[tuple[Any, Any]]) -> _Strings | None:
    plain = all(operator is signs.LITERAL and letter < 128 for operator, letter in members)
    return frozenset(chr(letter).lower() for _, letter in members) if plain and len(members) <= _FEW else None


def _branches(
    read: Sequence[tuple[_Strings, list[_Strings]]], before: _Strings
) -> tuple[_Strings, list[_Strings]]:
    """As `_read`, of branches that were read with what stands before them."""
    if not any(parts for _, parts in read):
        every: _Strings = frozenset().union(*(run for run, _ in read))
        return (every, []) if len(every) <= _MOST else (_NOTHING, [every])
    best = [max([*parts, run], key=_worth) for run, parts in read]
    return _NOTHING, [frozenset().union(*best) if all(_worth(one)[0] for one in best) else before]


def _worth(part: _Strings) -> tuple[int, int]:
    """How well a set tells texts apart: by its shortest string, then by how few they are."""
    return min(min(map(len, part), default=0), _LONG), -len(part)


def _shortest(part: _Strings) -> _Strings:
    """Without what holds another."""
    return frozenset(one for one in part if not any(other in one for other in part - {one}))
