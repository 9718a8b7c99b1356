"""Invented notes with marked facts, written as the files that are read."""

import hashlib
import json
from pathlib import Path

NOTE = (
    "HISTORY: Cough for two days. He smokes.\n\n"
    "ALLERGIES: Penicillin, hives.\n\n"
    "PLAN:\n1. Start doxycycline 100 mg twice a day for one week.\n2. Return to clinic in two weeks.\n"
)
PLAIN = "FINDINGS: Lungs clear.\n\nIMPRESSION: Fracture of the left hip."


def spans(text: str, *quotes: str) -> list[list[int]]:
    return [[text.index(quote), text.index(quote) + len(quote)] for quote in quotes]


def fact(text: str, kind: str, importance: str, *quotes: str) -> dict[str, object]:
    return {"fact": kind, "kind": kind, "importance": importance, "spans": spans(text, *quotes)}


def write_marked(folder: Path) -> tuple[Path, Path]:
    """The file of marks and the file of notes."""
    marked = {
        NOTE: [
            fact(NOTE, "allergy", "must", "ALLERGIES: Penicillin, hives."),
            fact(NOTE, "medication", "must", "Start doxycycline 100 mg twice a day"),
            fact(NOTE, "follow-up", "must", "Return to clinic in two weeks."),
            fact(NOTE, "social", "should", "He smokes."),
        ],
        PLAIN: [fact(PLAIN, "diagnosis", "must", "Fracture of the left hip.")],
    }
    trap = {
        "shown": spans(NOTE, "Cough for two days.")[0],
        "needs": spans(NOTE, "He smokes."),
        "why": "invented",
    }
    marks, notes = folder / "marks.jsonl", folder / "notes.jsonl"
    rows = [
        {
            "id": f"note-{i}",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "note_kind": ("progress note", "imaging")[i],
            "facts": facts,
            "traps": [trap] if text == NOTE else [],
        }
        for i, (text, facts) in enumerate(marked.items())
    ]
    marks.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    texts = [{"id": f"note-{i}", "text": text} for i, text in enumerate(marked)]
    notes.write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    return marks, notes
