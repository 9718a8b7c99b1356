"""Names of the ways from bytes to text: versioned URIs that travel with every offset.

A recipe is `{CANONICAL_BASE}/text-extraction/{name}|{version}`. The version is raised whenever the same bytes
may give another text than before. Where a third-party engine decides what the text is (PDFium's reading
order), its own version is part of ours (`pdf|5+pdfium-7191`), so that an auditor who gets another text from
the same bytes sees why; where the code that decides is in this package (plain, html, fhir), a number is
enough. A wrapper around the note goes in front of the name: `gzip+cda|3`. A text of several documents names
the recipes of all of them: `documents|1+html-2.rtf-3`.

What was written under an earlier version can be audited wherever the present one gives the same text: most
notes hold nothing of what changed. Where the text is another one now, the audit says which recipe wrote it,
and that this version no longer reads it.
"""

import re
from collections.abc import Iterable

from fhir_adapter.canonical import CANONICAL_BASE

_FOLDER = f"{CANONICAL_BASE}/text-extraction/"
_NAME = re.compile(r"[a-z0-9+]{1,60}\|[0-9]{1,4}(?:\+[a-z0-9.-]{1,120})?")
_DOCUMENTS = "documents"
_VERSION = re.compile(r"(.{1,300}\|)([0-9]{1,4})((?:\+.{1,100})?)")


def recipe(name: str, version: str = "1") -> str:
    """The URI of a recipe.

    Args:
        name: the format in lower case: `plain`, `html`, `rtf`, `pdf`, `cda`, `docx`, `fhir`.
        version: our version, and after a plus sign the engine's where it can change the text.
    """
    return f"{_FOLDER}{name}|{version}"


def wrapped(wrapper: str, normalization: str) -> str:
    """The recipe of a note inside a wrapper: `gzip` around `.../cda|3` is `.../gzip+cda|3`."""
    folder, _, name = normalization.rpartition("/")
    return f"{folder}/{wrapper}+{name}"


def joined_recipe(normalizations: Iterable[str]) -> str:
    """The recipe of one text that holds several documents, by those of their texts."""
    names = sorted({re.sub(r"[|+]", "-", recipe_name(one)) for one in normalizations} - {""})
    return recipe(_DOCUMENTS, "+".join(filter(None, ["1", ".".join(names)])))


def is_earlier(stated: str, present: str) -> bool:
    """Whether `stated` is an earlier version of the recipe `present`, by the same engine.

    Of several documents any recipe is: each of theirs may have been raised.
    """
    if all(recipe_name(one).startswith(f"{_DOCUMENTS}|") for one in (stated, present)):
        return True
    old, new = _VERSION.fullmatch(stated), _VERSION.fullmatch(present)
    if old is None or new is None:
        return False
    return (old[1], old[3]) == (new[1], new[3]) and int(old[2]) < int(new[2])


def recipe_name(normalization: str) -> str:
    """A recipe without its folder, `html|2`; "" for what is none."""
    name = normalization.rpartition("/")[2]
    return name if _NAME.fullmatch(name) else ""
