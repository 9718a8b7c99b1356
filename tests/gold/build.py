"""Makes gold.jsonl from the marked-up passages: `python tests/gold/build.py`.

The mark-up: `=== id kind of note` begins a passage; `«sentence»`, `‹section kind|heading›`, `¤marker¤`,
`⟪boilerplate⟫`; `␉ ␌ ␍ ␨` stand for tab, form feed, carriage return and U+2028. Outside of marks there is
only white space. `␍` before a line's end makes a CRLF.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SPLITS = ("development", "heldout", "statements")
_CONTROLS = str.maketrans({"␉": "\t", "␌": "\f", "␍": "\r", "␨": "\u2028"})
_HEADER = re.compile(r"^=== (\S+) (.+)\n", re.M)
_KINDS = {"«": "sentence", "‹": "heading", "¤": "marker", "⟪": "boilerplate"}
_CLOSE = {"«": "»", "‹": "›", "¤": "¤", "⟪": "⟫"}


def read_passage(marked: str) -> tuple[str, list[tuple[int, int, str]], list[tuple[str, int, int, str]]]:
    """The bare text of a marked-up passage, its spans, and its sections as (kind, start, end, title)."""
    text, at = "", 0
    spans: list[tuple[int, int, str]] = []
    heads: list[tuple[str, int, str]] = []
    while at < len(marked):
        opener = marked[at]
        if opener not in _KINDS:
            if not opener.isspace():
                raise ValueError(f"unmarked text at {marked[at : at + 20]!r}")
            text += opener
            at += 1
            continue
        close = marked.index(_CLOSE[opener], at + 1)
        inner = marked[at + 1 : close]
        if opener == "‹":
            kind, inner = inner.split("|", 1)
            heads.append((kind, len(text), inner))
        if inner != inner.strip() or not inner or set(inner) & set("«»‹›¤⟪⟫"):
            raise ValueError(f"bad mark at {inner[:30]!r}")
        spans.append((len(text), len(text) + len(inner), _KINDS[opener]))
        text += inner
        at = close + 1
    sections = []
    for index, (kind, start, title) in enumerate(heads):
        stop = heads[index + 1][1] if index + 1 < len(heads) else len(text)
        title = title.strip("#* ").rstrip(":,. *")
        sections.append((kind, start, start + len(text[start:stop].rstrip()), title))
    return text, spans, sections


def section_kinds(split: str) -> set[str]:
    """The section kinds that the mark-up of one part uses."""
    return set(re.findall(r"‹([^|›]*)\|", (HERE / f"{split}.txt").read_text(encoding="utf-8")))


def build() -> str:
    """The gold standard as JSON lines."""
    rows = []
    for split in SPLITS:
        parts = _HEADER.split((HERE / f"{split}.txt").read_text(encoding="utf-8").translate(_CONTROLS))[1:]
        for name, note, marked in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            text, spans, sections = read_passage(marked.removesuffix("\n"))
            row = {
                "id": name,
                "split": split,
                "note": note,
                "text": text,
                "spans": spans,
                "sections": sections,
            }
            rows.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    (HERE / "gold.jsonl").write_text(build(), encoding="utf-8", newline="\n")
    sys.stdout.write("gold.jsonl written\n")
