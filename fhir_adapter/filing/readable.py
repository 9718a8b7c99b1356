"""What people read of a summary that is filed as a document: plain text, made of the Composition alone.

It is a function of the Composition, so that an audit makes it again and compares: what stands there is what
was proven.
"""

from fhir_adapter.filed import MARK
from fhir_adapter.lenient import JsonObject, as_dict, dicts
from fhir_adapter.narrative import CAVEAT, Piece, printable, read_ruled_list, words_in
from fhir_adapter.writing.lifecycle import Withdrawal, ended_because, source_facts

_BRACKETS = "In square brackets: what stands around a sentence in the note."
_IN_ERROR = "entered-in-error"


def readable(composition: JsonObject) -> str:
    """The text, in lines; of a summary that was wrong, that it was and nothing of what it said."""
    lines = [MARK, *_ending(composition), "", _line(composition.get("title"))]
    if composition.get("status") == _IN_ERROR:
        return _joined([*lines, *_sources(composition)])
    lines += [_words(as_dict(composition.get("text"))), CAVEAT]
    for section in dicts(composition.get("section")):
        items = _items(as_dict(section.get("text")))
        around = any(part.startswith("[") for _, parts in items for part in parts)
        lines += ["", f"{_line(section.get('title')).upper()}", *([_BRACKETS] if around else [])]
        lines += [
            f"{number}. {' '.join(filter(None, [head, *parts]))}"
            for number, (head, parts) in enumerate(items, 1)
        ]
    return _joined([*lines, "", *_sources(composition)])


def _joined(lines: list[str]) -> str:
    return printable("\n".join(lines)).rstrip() + "\n"


def _ending(composition: JsonObject) -> list[str]:
    why = ended_because(composition)
    if composition.get("status") == _IN_ERROR:
        by = "It was withdrawn" if why in tuple(Withdrawal) else "It was taken back"
        return [f"DO NOT USE. {by} ({why or _IN_ERROR})."]
    return [f"OUT OF DATE ({why})."] if why else []


def _sources(composition: JsonObject) -> list[str]:
    """The addresses of the versions of the notes, as a Composition states them."""
    holders = [composition, *dicts(composition.get("section"))]
    stated = [str(v) for one in holders for name, v in source_facts(one) if name == "source" and v]
    return [f"Source: {url}" for url in dict.fromkeys(stated)]


def _items(narrative: JsonObject) -> list[tuple[str, list[str]]]:
    """Of each item of a list our words before it, and its pieces with the context in brackets."""
    try:
        read = read_ruled_list(str(narrative.get("div", "")))
    except ValueError:
        return [("", ["(not readable)"])]
    if not read.items:
        return [("", [_words(narrative)])]
    return [
        (head, [_piece(piece) for piece in pieces])
        for head, pieces in zip(read.heads, read.items, strict=True)
    ]


def _piece(piece: Piece) -> str:
    return f"[{piece.text}]" if piece.kind else piece.text


def _words(narrative: JsonObject) -> str:
    try:
        return words_in(str(narrative.get("div", "")))
    except ValueError:
        return "(not readable)"


def _line(value: object) -> str:
    return " ".join(str(value or "").split())
