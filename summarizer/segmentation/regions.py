"""Names of body systems, regions and domains of an examination, and of studies."""

import re
from functools import lru_cache

from summarizer.segmentation.vocabulary import read, words

EXAM_REGIONS = words("regions", "regions")
LABORATORY = words("regions", "laboratory")
STUDIES = words("regions", "studies")
_VITALS = words("regions", "vitals")

_STUDY_WORDS = re.compile(rf"\b(?:{'|'.join(read('regions')['study_words'])})\b")
_STUDY_FILLERS = re.compile(rf"\b(?:{'|'.join(read('regions')['study_fillers'])})\b")
_REGION_SPLIT = re.compile(r"\s*(?:/|,|&|\band\b|-)\s*|\s+")
_REGION_FILLERS = words("regions", "region_fillers")


@lru_cache(maxsize=8192)
def is_region(name: str) -> bool:
    """Whether a label is made of exam regions alone (`Coordination/Station/Gait`)."""
    if name in EXAM_REGIONS:
        return True
    if name.startswith("exam ") and name[5:] in EXAM_REGIONS:
        return True
    parts = [part for part in _REGION_SPLIT.split(name) if part and part not in _REGION_FILLERS]
    return bool(parts) and len(parts) <= 6 and all(part in EXAM_REGIONS for part in parts)


def begins_with_region(text: str) -> str:
    """The region or vital sign that a statement begins with (`Lungs are clear`), "" for another."""
    first = [word.strip(".,;:") for word in text[:80].lower().split()[:3]]
    if first[:1] in (["the"], ["her"], ["his"]):
        first = first[1:]
    for count in (3, 2, 1):
        name = " ".join(first[:count])
        if len(first) >= count and (name in _VITALS or name in EXAM_REGIONS):
            return name
    return ""


@lru_cache(maxsize=8192)
def is_study(name: str) -> bool:
    """Whether a label is a study with no more than its region and manner (`CT abdomen`)."""
    if not _STUDY_WORDS.search(name):
        return False
    rest = _STUDY_FILLERS.sub(" ", _STUDY_WORDS.sub(" ", name))
    return not rest.strip(" /-,.&+")
