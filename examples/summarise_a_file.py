"""Prints the sentences of a note that matter, with their place in its text.

python examples/summarise_a_file.py discharge.pdf
"""

import mimetypes
import sys
from pathlib import Path

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content
from fhir_adapter.text import extract
from summarizer import Budget, Summarizer

path = Path(sys.argv[1])
media_type, _ = mimetypes.guess_type(path.name)

try:
    note = extract(Content(path.name, path.read_bytes(), media_type or ""))  # in a child process
except NoteError as error:
    sys.exit(f"{path.name}: {error.reason.value}")  # such as scanned-image; see docs/reference.md

summarizer = Summarizer.from_pretrained()  # the model that ships
(summary,) = summarizer.summarize([note.document()], budget=Budget(sentences=5))

for chosen in summary.summary:
    assert note.text[chosen.start : chosen.end] == chosen.text
    print(f"{chosen.start}-{chosen.end}", f"{chosen.score:.2f}", " ".join(chosen.text.split()))
