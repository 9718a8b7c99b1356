"""Notes that are small as they come and cost much to read: as (name, bytes, media type)."""

import gzip
import json

from tests.faults.seeds import cda, docx, rtf, zipped

Note = tuple[str, bytes, str]

_WORDS = ("pain", "No fever", "a", "Is it?", "- item", "1.", "HEADING:\nyes", "Na 140", "x  y  z", "e.g")


def _paragraphs(words: str, times: int) -> bytes:
    return docx(f"<w:p><w:r><w:t>{words} </w:t></w:r></w:p>" * times)


def _one_paragraph(words: str, times: int) -> bytes:
    return docx("<w:p><w:r><w:t>" + f"{words} " * times + "</w:t></w:r></w:p>")


def _documents() -> list[Note]:
    """Word-processor files of a few kilobytes that hold hundreds of thousands of words."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    found: list[Note] = []
    for i, word in enumerate(_WORDS):
        word = word.replace("\n", " ")
        found.append((f"docx-sentences-{i}", _one_paragraph(f"{word}.", 250_000 // len(word)), kind))
        found.append((f"docx-paragraphs-{i}", _paragraphs(f"{word}.", 20_000), kind))
    return found


def _packed() -> list[Note]:
    """Text in gzip and ZIP."""
    found: list[Note] = []
    for i, word in enumerate(_WORDS):
        text = f"{word}\n".encode() * (1_500_000 // (len(word) + 1))
        found.append((f"gzip-lines-{i}", gzip.compress(text, 9), "text/plain"))
        flow = f"{word}   ".encode() * (1_500_000 // (len(word) + 3))
        found.append((f"zip-flow-{i}", zipped({"note.txt": flow}), "application/zip"))
    return found


def _plain() -> list[Note]:
    """Texts of one line, as flow sheets have them, and of none."""
    lines = ["a   b: ", "x: y; ", "12/12/2020 ", "(a) ", "|  ", "[ ] ", "____ ", "Dr. ", "\t\t1", "?! "]
    return [
        (f"plain-{i}", line.encode() * (700_000 // len(line)), "text/plain") for i, line in enumerate(lines)
    ]


def _marked_up() -> list[Note]:
    """HTML, C-CDA, RTF and FHIR of the same kind."""
    cells = "<td>No</td>" * 300_000
    items = "<item>Pain.</item>" * 60_000
    div = "<div>" + "<p>Pain.</p>" * 60_000 + "</div>"
    written = {"resourceType": "Composition", "text": {"status": "generated", "div": div}}
    return [
        ("html-cells", gzip.compress(f"<table><tr>{cells}</tr></table>".encode()), "text/html"),
        ("html-rows", gzip.compress(b"<p>Pain. No fever.</p>" * 60_000), "text/html"),
        ("html-breaks", gzip.compress(b"Pain.<br>" * 120_000), "text/html"),
        (
            "cda-items",
            gzip.compress(cda().replace("<paragraph>", f"<list>{items}</list><paragraph>", 1).encode()),
            "",
        ),
        (
            "rtf-lines",
            gzip.compress(rtf().replace("\\pard End", "Pain.\\par " * 100_000).encode()),
            "application/rtf",
        ),
        ("fhir-text", gzip.compress(json.dumps(written).encode()), "application/fhir+json"),
    ]


def costly() -> list[Note]:
    """All of them."""
    return [*_documents(), *_packed(), *_plain(), *_marked_up()]
