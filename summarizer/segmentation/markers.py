"""What a line begins with: a list marker, which is left out of the sentence, or content, which is not.

A bullet marks by its shape. A number or a letter marks where it counts: where it opens at 1 or `a`, or the
lines around it count on. Signs (`-fever` beside `+cough`), sides, amounts, comparisons and the state of a box
never do.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from summarizer.segmentation.lines import Line
from summarizer.segmentation.vocabulary import alternatives, words

_BULLET = re.compile(
    r"[•·●○▪■□‣►◦⁃∙❖➢](?=\s|\w|\")|[-–—]{1,2}(?=\s|[A-Za-z(\"\[☐☑☒])|\*(?=\s|[A-Za-z\"(\[])|\*\*(?=\s)|>(?=\s+[^\s\d$€])|o(?=\s+[A-Z])"
)
_NUMBER = re.compile(r"(?P<open>\()?(?P<digits>\d{1,2})(?P<close>\.\)|[.)]:?)(?=\s|[A-Za-z(\"\[]|$)")
_FIRST_BEHIND_LABEL = re.compile(r"[A-Z][\w /&-]{0,30}: {1,8}(?P<open>\()?1(?P<close>\.\)|[.)])\s")
"""`Goals: 1. Stairs`, where the lines below count on."""
_HASHED = re.compile(r"\#\s?(?P<digits>\d{1,2})[.:)]*(?=\s|[A-Za-z]|$)")
_LETTER = re.compile(r"(?P<open>\()?(?P<letter>[A-Za-z])(?P<close>[.)])(?=\s)")
_ROMAN = re.compile(r"(?P<open>\()?(?P<roman>[ivxIVX]{1,5})(?P<close>[.)])(?=\s)")
_HASH = re.compile(r"\#(?=\s?[A-Za-z])")
BOX = re.compile(r"(?:[\[(][ xX_✓✔*•]{0,3}[\])](?=\s|\w)|[☐☑☒□▢◻⬜❏❑■✓✔✗✘⊠⊗◉◯])(?!\w*[\])])")
"""A box to be ticked, with its state."""
_NEXT_BOX = re.compile(rf"\s{BOX.pattern}")
_SIGN = re.compile(r"[-–−+±]\s?(?=[A-Za-z])")
_SIGNS_INSIDE = re.compile(r"[-–−][A-Za-z].{0,200}?(?:[,;]\s?[-–−+±]|\s\+)(?=[A-Za-z])")
_SIGN_BEHIND_LABEL = re.compile(r"[A-Z][\w /]{0,24}:\s{1,8}\+\s?[A-Za-z]")
"""`GI: + nausea`, above lines of signs of the same label."""
_DASHED_NUMBER = re.compile(r"[-–—]\s+[\d.]")
_COUNTED = re.compile(rf"\s{{0,80}}(?:{alternatives('markers', 'counted')})\b")
_DAY = re.compile(rf"\. (?i:{alternatives('abbreviations', 'months')})\.?(?::|,?\s(?:19|20)\d\d\b)")
"""Behind a number, a month: `24. März: Fieber`; `1. July 18, 2007` is a number and then a date."""
_SIDES = words("markers", "sides")
_FRACTURED = words("markers", "fractured")
_ANSWERS = words("answers", "answers")
_AFTER_INITIALS = words("markers", "after_initials")
_NEAR = 40
"""In how many lines a list counts on."""
_VALUES = {"i": 1, "v": 5, "x": 10}


def find_markers(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """For each line the length of its marker and what that counts: 0 and 0 where it has none."""
    found = [(0, 0)] * len(lines)
    counted: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    hashes: list[tuple[int, int]] = []
    signs: list[int] = []
    for index, line in enumerate(lines):
        text = line.text
        first = text[0]
        if first in "-–−+±":
            signs.append(index)
        if first in "(#" or first.isalnum():
            _count(text, index, counted, hashes)
        elif (bullet := _BULLET.match(text)) is not None and not _is_box(text, bullet.end()):
            found[index] = (bullet.end(), 0)
        if first == "o" and text[1:2] == " " and (bullet := _BULLET.match(text)) is not None:
            found[index] = (bullet.end(), 0)
    for index, length in hashes if len(hashes) > 1 else ():
        found[index] = (length, 0)
    for (style, shape), entries in counted.items():
        if shape != "#" or any(
            value == 1 for _, _, value in entries
        ):  # else teeth, beds, rooms: `#3 missing`
            _keep_series(style, entries, found, lines)
    _drop_signs(lines, signs, found)
    for index, line in enumerate(lines):
        if line.text[0] == "■" and any(near.text[0] == "□" for near in lines[max(0, index - 3) : index + 4]):
            found[index] = (0, 0)
    return found


def _count(
    text: str,
    index: int,
    counted: dict[tuple[str, str], list[tuple[int, int, int]]],
    hashes: list[tuple[int, int]],
) -> None:
    """Note what a line's beginning would count, by its style."""
    if text[0] == "#":
        hashed = _HASHED.match(text)
        if hashed is not None:
            if int(hashed["digits"]):
                counted["number", "#"].append((index, hashed.end(), int(hashed["digits"])))
        elif (mark := _HASH.match(text)) is not None and not is_fracture(text[mark.end() :]):
            hashes.append((index, mark.end()))
        return
    if ": " in text[:40] and (labelled := _FIRST_BEHIND_LABEL.match(text)) is not None:
        counted["number", (labelled["open"] or "") + labelled["close"]].append((index, 0, 1))
        return
    head = text[:7]
    if "." not in head and ")" not in head:
        return
    number = _NUMBER.match(text)
    if number is not None and int(number["digits"]):
        if number["close"] == "." and _DAY.match(text, number.end() - 1):
            return
        style = (number["open"] or "") + number["close"]
        counted["number", style].append((index, number.end(), int(number["digits"])))
        return
    roman = _ROMAN.match(text)
    if roman is not None:
        style = ("(" if roman["open"] else "") + roman["close"] + ("I" if roman["roman"].isupper() else "i")
        counted["roman", style].append((index, roman.end(), _roman(roman["roman"])))
    letter = _LETTER.match(text)
    if letter is not None:
        upper = letter["letter"].isupper()
        style = ("(" if letter["open"] else "") + letter["close"] + ("A" if upper else "a")
        counted["letter", style].append((index, letter.end(), ord(letter["letter"].lower()) - 96))


def _keep_series(
    style: str, entries: list[tuple[int, int, int]], found: list[tuple[int, int]], lines: Sequence[Line]
) -> None:
    """Take for markers those of one style that count."""
    for at, (index, length, value) in enumerate(entries):
        if not length:
            continue
        rest = lines[index].text[length:]
        near = [entry[2] for entry in entries[max(0, at - 8) : at + 9] if abs(entry[0] - index) <= _NEAR]
        before = [entry[2] for entry in entries[max(0, at - 8) : at] if index - entry[0] <= _NEAR]
        in_series = value - 1 in before or value + 1 in [entry[2] for entry in entries[at + 1 : at + 9]]
        if not _counts(style, lines[index], rest, value, near, in_series):
            continue
        if found[index][0] == 0 or style == "roman":
            found[index] = (length, value)


def _counts(style: str, line: Line, rest: str, value: int, near: Sequence[int], in_series: bool) -> bool:
    """Whether a number, a letter or a Roman number counts and is not content."""
    opened = line.text[0] == "("
    if style == "number":
        if _COUNTED.match(rest):
            return in_series and not opened and 1 in near and rest[:2].strip()[:1].isupper()
        if value == 1 or in_series:
            return True
        return (not opened and rest[:2].strip()[:1].isupper()) or (not rest and value > 0)
    if style == "roman":
        return in_series and 1 in near
    word = rest.split(None, 1)[0].strip(".,;:").lower() if rest.strip() else ""
    mark = line.text.lstrip("(")[0]
    if word in _AFTER_INITIALS:
        return False
    if mark.lower() in _SIDES and not in_series:
        return False
    if in_series and 1 in near:
        return mark.islower() or not rest.strip()[:1].islower()
    if mark.isupper():
        late = value in range(2, 8) and line.after_blank and len(line.text.split()) > 3 and not opened
        return (in_series or (late and line.start > 0)) and not rest.strip()[:1].islower()
    return value == 1 or (in_series and value > 1)


def _roman(text: str) -> int:
    """The value of a small Roman number."""
    values = [_VALUES[char] for char in text.lower()]
    return sum(-value if value < following else value for value, following in pairwise([*values, 0]))


def is_fracture(rest: str) -> bool:
    """Whether what stands behind `#` is a bone, so that `#` means a fracture."""
    first = rest.split(None, 1)[0].strip(".,;:()").lower() if rest.strip() else ""
    return first in _FRACTURED


def _is_box(text: str, behind: int) -> bool:
    """Whether a mark that could be a bullet is a box: `□`, `■` beside words."""
    return text[0] in "□■✓✔" and behind == 1 and BOX.match(text) is not None and text[0] != "■"


def _drop_signs(lines: Sequence[Line], signs: list[int], found: list[tuple[int, int]]) -> None:
    """Leave `-` to the sentence where it is a sign: beside other signs, or before a number in a column."""
    run: list[int] = []
    for index in [*signs, -9]:
        if run and index != run[-1] + 1:
            _judge_run(lines, run, found)
            run = []
        run.append(index)


def _judge_run(lines: Sequence[Line], run: list[int], found: list[tuple[int, int]]) -> None:
    texts = [lines[index].text for index in run]
    signed = any(text[0] in "+±" or _SIGNS_INSIDE.match(text) for text in texts)
    if run[0] and not lines[run[0]].after_blank:
        signed = signed or _SIGN_BEHIND_LABEL.match(lines[run[0] - 1].text) is not None
    numbers = all(_DASHED_NUMBER.match(text) for text in texts)
    if signed or numbers:
        for index in run:
            found[index] = (0, 0)


def begins_item(text: str) -> bool:
    """Whether a line without a marker still begins anew: a sign or a box before its words."""
    return _SIGN.match(text) is not None or BOX.match(text) is not None


def boxes(text: str) -> list[int]:
    """Where the boxes of a line begin that each stand before their own words; none if one has no words.

    Boxes of a mere yes and no stay together, since the question is the same.
    """
    first = BOX.match(text)
    if first is None:
        return []
    starts = [0, *(found.start() + 1 for found in _NEXT_BOX.finditer(text, first.end()))]
    pieces = [text[start:stop] for start, stop in pairwise([*starts, len(text)])]
    labels = [BOX.sub("", piece, count=1).strip(" \t,;|") for piece in pieces]
    if len(starts) < 2 or any(not label or label.lower() in _ANSWERS for label in labels):
        return []
    return starts
