"""Every regular expression of the code on hostile inputs: prints as JSON those whose time grows as a square.

Run as `python -m tests.faults.patterns`. Patterns are caught as they are compiled, so none is forgotten; each
is tried the way the code uses it (`match` at the beginning, or everywhere). A pattern that sees only so much
from where it begins is not tried: for each character its work is bounded.
"""

import contextlib
import importlib
import json
import pkgutil
import re
import re._parser as parser  # type: ignore[import-not-found]
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("summarizer", "fhir_adapter", "jobs")  # what notes and servers reach; corpora are chosen by hand
UNITS = (
    *"\n\ta.:([<-_|A,é'\"/#*={&1% ",
    *("a |1.|a: |a   b: |a\n|AB |1/|1-|1,|a/|\r\n|- a\n|1. a\n|a. |Aa |A: a\n| a  |mg |no ".split("|")),
)
LENGTH = 1000
SLOW = 0.002  # seconds of processor time from which growth is looked at; a linear pattern needs a tenth
GROWTH = 9.0  # of time on an input four times as long; 4 is linear and 16 a square
_EVERYWHERE = ("search", "finditer", "findall", "sub", "subn", "split", "scanner")


def caught() -> dict[tuple[str, int], str]:
    """Each pattern that importing and using the code compiles, and the file that does."""
    real, found = re._compile, {}  # type: ignore[attr-defined]

    def spy(pattern: Any, flags: Any) -> Any:
        frame = sys._getframe(1)
        for _ in range(3):
            if frame.f_back is None or frame.f_code.co_filename.startswith(str(ROOT)):
                break
            frame = frame.f_back
        if isinstance(pattern, str) and frame.f_code.co_filename.startswith(str(ROOT)):
            place = str(Path(frame.f_code.co_filename).relative_to(ROOT))
            if place.startswith(PACKAGES):
                found.setdefault((pattern, int(flags)), place)
        return real(pattern, flags)

    re._compile = spy  # type: ignore[attr-defined]
    for name in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / name)], f"{name}."):
            if (
                not module.name.endswith((".worker", ".child", ".env", "__main__"))
                and "migrations" not in module.name
            ):
                with contextlib.suppress(ImportError):  # an extra that is not installed
                    importlib.import_module(module.name)
    from summarizer import Summarizer
    from summarizer.pinned.rules import load_rules

    for rule in load_rules():  # these are compiled when a note asks for them
        answers = [pattern for answered in rule.answered for pattern in (answered.pattern, answered.by)]
        for each in (*rule.match, *rule.unless, *rule.follows, *answers):
            assert each.expression
    Summarizer.from_pretrained(engine="lead").summarize(
        ["PLAN:\n1. Aspirin. It was stopped.\n\nAddendum: no."]
    )
    re._compile = real  # type: ignore[attr-defined]
    return found


class Uses:
    """What the code does with the names of its modules: `NAME.method(`, and whether NAME is handed on."""

    def __init__(self, source: str) -> None:
        self.methods: dict[str, set[str]] = {}
        for name, method in re.findall(r"\b(\w+)\.(\w+)\(", source):
            self.methods.setdefault(name, set()).add(method)
        self.handed_on = set(re.findall(r"\b(\w+)[,)]", source))

    def at_the_beginning_alone(self, pattern: str, place: str) -> bool:
        """Whether the name that a module gives the pattern is used with `match` and `fullmatch` only."""
        module = sys.modules.get(place.removesuffix(".py").replace("/", "."))
        values = vars(module).items() if module else ()
        names = [name for name, value in values if getattr(value, "pattern", None) == pattern]
        return any(
            name in self.methods
            and not self.methods[name].intersection(_EVERYWHERE)
            and not any(each.endswith(name) for each in self.handed_on)
            for name in names
        )


def sample(pattern: str, flags: int, repeats: int) -> str:
    """A text that begins as the pattern asks, with each repeat so often where it may be."""
    return _text(parser.parse(pattern, flags), repeats)


def _text(parts: Any, repeats: int) -> str:
    return "".join(_part(str(op), value, repeats) for op, value in parts)


def _part(op: str, value: Any, repeats: int) -> str:
    match op:
        case "LITERAL":
            return chr(value)
        case "ANY" | "NOT_LITERAL":
            return "a"
        case "IN":
            return _member(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _text(value[2], repeats) * max(value[0], min(int(value[1]), repeats))
        case "SUBPATTERN":
            return _text(value[3], repeats)
        case "BRANCH":
            return _text(value[1][0], repeats)
        case "ATOMIC_GROUP":
            return _text(value, repeats)
    return ""


def _member(choices: Any) -> str:
    """One character of a set."""
    kinds = {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_NOT_WORD": " "}
    op, value = choices[0]
    if str(op) == "LITERAL":
        return chr(value)
    return chr(value[0]) if str(op) == "RANGE" else kinds.get(str(value), "a")


def reach(pattern: str, flags: int) -> int:
    """How many characters from where it begins a pattern may see, in what it matches or looks ahead at."""
    return _reach(parser.parse(pattern, flags))


def _reach(parts: Any) -> int:
    return sum(_of_part(str(op), value) for op, value in parts)


def _of_part(op: str, value: Any) -> int:
    match op:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return int(value[1]) * _reach(value[2])
        case "SUBPATTERN":
            return _reach(value[3])
        case "BRANCH":
            return max(map(_reach, value[1]))
        case "ATOMIC_GROUP":
            return _reach(value)
        case "ASSERT" | "ASSERT_NOT":
            return _reach(value[1])
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT":
            return 1
    return LENGTH  # what is not known here, such as a reference to a group


def units(pattern: str, flags: int) -> Iterator[str]:
    """What is repeated to make hostile inputs of a pattern."""
    found = dict.fromkeys(UNITS)
    for repeats in (1, 2):
        text = sample(pattern, flags, repeats)
        found.update(dict.fromkeys([text, text[:-1], text[:-2], text[1:], text[:1]]))
    return (unit for unit in found if unit)


def seconds(use: Callable[[str], object], text: str, tries: int) -> float:
    """The least processor time of several tries."""
    found = []
    for _ in range(tries):
        started = time.process_time()
        use(text)
        found.append(time.process_time() - started)
    return min(found)


def grows(use: Callable[[str], object], pattern: str, flags: int) -> str:
    """The unit of an input on which the time grows as a square; "" where there is none."""
    for unit in units(pattern, flags):
        for tail in ("", "\x01"):
            texts = [(unit * (size // len(unit) + 1))[:size] + tail for size in (LENGTH, 4 * LENGTH)]
            if seconds(use, texts[0], 1) < SLOW or (short := seconds(use, texts[0], 3)) < SLOW:
                continue
            if all(seconds(use, texts[1], 1) > GROWTH * short for _ in range(3)):  # as the least of three
                return unit
    return ""


def main() -> None:
    """Looks at every pattern."""
    found = caught()
    source = "\n".join(path.read_text("utf-8") for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    uses, square = Uses(source), []
    for (pattern, flags), place in found.items():
        # On an input four times as long it takes at most 4 / (1 - 1 / 4) times as long: less than GROWTH.
        if reach(pattern, flags) <= LENGTH // 4:
            continue
        compiled = re.compile(pattern, flags)
        use: Callable[[str], object] = compiled.match
        if not uses.at_the_beginning_alone(pattern, place):
            use = lambda text, compiled=compiled: sum(1 for _ in compiled.finditer(text))  # noqa: E731
        if unit := grows(use, pattern, flags):
            square.append({"place": place, "pattern": pattern, "unit": unit})
            print(place, repr(unit), repr(pattern[:80]), file=sys.stderr, flush=True)  # noqa: T201
    print(json.dumps({"patterns": len(found), "square": square}))  # noqa: T201


if __name__ == "__main__":
    main()
