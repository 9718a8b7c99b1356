"""Names of the ways from bytes to text: versioned URIs that travel with every offset.

A recipe is `{CANONICAL_BASE}/text-extraction/{name}|{version}`. The version is raised whenever the same bytes
may give another text than before. Where a third-party engine decides what the text is (PDFium's reading
order), its own version is part of ours (`pdf|1+pdfium-7191`), so that an auditor who gets another text from
the same bytes sees why; where the code that decides is in this package (plain, html, fhir), a number is
enough. A wrapper around the note goes in front of the name: `gzip+cda|1`.
"""

from fhir_adapter.canonical import CANONICAL_BASE

_FOLDER = f"{CANONICAL_BASE}/text-extraction/"


def recipe(name: str, version: str = "1") -> str:
    """The URI of a recipe.

    Args:
        name: the format in lower case: `plain`, `html`, `rtf`, `pdf`, `cda`, `docx`, `fhir`.
        version: our version, and after a plus sign the engine's where it can change the text.
    """
    return f"{_FOLDER}{name}|{version}"


def wrapped(wrapper: str, normalization: str) -> str:
    """The recipe of a note inside a wrapper: `gzip` around `.../cda|1` is `.../gzip+cda|1`."""
    folder, _, name = normalization.rpartition("/")
    return f"{folder}/{wrapper}+{name}"
