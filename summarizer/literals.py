"""What must stand in a text for a pattern to match in it, so that most texts need not be searched.

Looking for some letters in a text takes a hundredth of the time of a search by a pattern that begins with
a list of words. The parse tree is that of `re` itself; a part of it that is not known here is taken to need
nothing, which costs time and never a match.
"""

import re
import re._constants as signs  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

__all__ = ["folded", "needed"]

_MOST = 96  # strings that one part is taken apart into
_LONG = 5  # characters from which a string tells texts apart well enough
_FEW = 8  # characters of a class that are taken one by one
_WIDTHLESS = frozenset({signs.AT, signs.ASSERT, signs.ASSERT_NOT})
# All that `re.IGNORECASE` takes for a letter of ASCII beside the letter's other case, which `lower` mends.
_ALIKE = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}

_Strings = frozenset[str]
_NOTHING: _Strings = frozenset({""})


def folded(text: str) -> str:
    """The text with every letter of ASCII in lower case, and so whatever a pattern takes for one."""
    return text.lower() if text.isascii() else text.translate(_ALIKE).lower()


def needed(expression: re.Pattern[str]) -> frozenset[str]:
    """Strings of which one at least stands in `folded` of every text in which the pattern matches.

    Empty where there is no telling.
    """
    whole, parts = _read(parser.parse(expression.pattern, expression.flags))
    found = _best([*parts, *([whole] if whole is not None else [])])
    return frozenset(one for one in found if not any(other in one for other in found - {one}))


def _read(items: Iterable[tuple[Any, Any]]) -> tuple[_Strings | None, list[_Strings]]:
    """All strings that a sequence matches, if they are few; and sets of which each has one in any match."""
    run, parts, whole = _NOTHING, list[_Strings](), True
    for operator, argument in items:
        exact, inner = _one(operator, argument)
        joined = None if exact is None else _joined(run, exact)
        if joined is not None:
            run = joined
            continue
        whole = False
        parts += [run, *inner]
        run = _NOTHING if exact is None else exact
    return (run, []) if whole else (None, [*parts, run])


def _joined(before: _Strings, after: _Strings) -> _Strings | None:
    if len(before) * len(after) > _MOST:
        return None
    return frozenset(a + b for a, b in product(before, after))


def _one(operator: Any, argument: Any) -> tuple[_Strings | None, list[_Strings]]:
    """As `_read`, of one node of the tree."""
    if operator in _WIDTHLESS:
        return _NOTHING, []
    if operator is signs.LITERAL and argument < 128:
        return frozenset({chr(argument).lower()}), []
    if operator is signs.IN:
        return _letters(argument), []
    if operator is signs.SUBPATTERN:
        return _read(argument[3])
    if operator is signs.BRANCH:
        return _branches([_read(branch) for branch in argument[1]])
    if operator in (signs.MAX_REPEAT, signs.MIN_REPEAT):
        least, most, inner = argument
        exact, parts = _read(inner)
        if most == 1 and exact is not None:
            return (exact if least else exact | _NOTHING), []
        return None, [*parts, *([exact] if exact is not None else [])] if least else []
    return None, []


def _letters(members: Sequence[tuple[Any, Any]]) -> _Strings | None:
    plain = all(operator is signs.LITERAL and letter < 128 for operator, letter in members)
    return frozenset(chr(letter).lower() for _, letter in members) if plain and len(members) <= _FEW else None


def _branches(
    read: Sequence[tuple[_Strings | None, list[_Strings]]],
) -> tuple[_Strings | None, list[_Strings]]:
    exact = [whole for whole, _ in read if whole is not None]
    if len(exact) == len(read):
        every: _Strings = frozenset().union(*exact)
        return (every, []) if len(every) <= _MOST else (None, [every])
    each = [_best([*parts, *([whole] if whole is not None else [])]) for whole, parts in read]
    return None, [frozenset().union(*each)] if all(each) else []


def _best(parts: Sequence[_Strings]) -> _Strings:
    """Of sets of which each would do, the one that the fewest texts hold; empty where none would."""
    useful = [part for part in parts if part and "" not in part]
    return max(useful, key=lambda part: (min(min(map(len, part)), _LONG), -len(part)), default=frozenset())
