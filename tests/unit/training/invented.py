"""Invented articles, in every form in which corpora hold them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SENTENCES = [
    "Iron was low in 12 of 40 runners [3].",
    "All of them trained on hills (Roe et al., 2010).",
    "Tablets raised their iron within six weeks.",
    "The shoes were blue.",
]
SUMMARY = ["Iron was low in 12 of 40 runners.", "Tablets raised it within six weeks."]


def spaced(sentence: str) -> str:
    return sentence.lower().replace(".", " .").replace("[3]", "[ 3 ]")


RECORDS: dict[str, dict[str, Any]] = {
    "ccdv": {
        "article": "\n".join(map(spaced, SENTENCES[:2]))
        + "\ntablets raised\ntheir iron within six weeks . the shoes were blue .",
        "abstract": "\n".join(map(spaced, SUMMARY)),
    },
    "cohan": {
        "article_id": "runner-1",
        "article_text": list(map(spaced, SENTENCES)),
        "abstract_text": [f"<S> {spaced(line)} </S>" for line in SUMMARY],
        "section_names": ["methods", "results"],
        "sections": [list(map(spaced, SENTENCES[:2])), list(map(spaced, SENTENCES[2:]))],
    },
    "sentences": {"article": list(map(spaced, SENTENCES)), "abstract": list(map(spaced, SUMMARY))},
    "sumpubmed": {
        "id": "sumpubmed-1",
        "article": "METHODS\niron was low in  <dig>  of 40 runners  <cit> . all of them trained on hills.\n\n"
        "RESULTS\ntablets\ntablets raised their iron within six weeks. the shoes were blue.",
        "abstract": "BACKGROUND\niron was low in  <dig>  of 40 runners.\nRESULTS\n"
        "tablets raised it within six weeks.",
    },
    "text": {"id": "t1", "text": " ".join(SENTENCES), "summary": SUMMARY},
    "pmc": {
        "id": "PMC1",
        "sections": [
            {"title": "Methods", "paragraphs": [" ".join(SENTENCES[:2])]},
            {"title": "Figures", "paragraphs": []},
            {"title": "Results", "paragraphs": [SENTENCES[2], SENTENCES[3]]},
        ],
        "abstract": [{"title": "Methods", "text": SUMMARY[0]}, {"title": "", "text": SUMMARY[1]}],
    },
    "radiology": {
        "uid": "7",
        "indication": "Cough.",
        "comparison": "None.",
        "findings": "The lungs are clear. No effusion.",
        "impression": "No acute disease.",
    },
    "mtsamples": {
        "id": "n1",
        "description": "Torn tendon.",
        "text": "HISTORY: He felt a pop in the heel. He limps.\n\nALLERGIES: None.\n\n"
        "IMPRESSION: Rupture of the tendon.\n\nPLAN: Repair on Monday.",
    },
}


def write_lines(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path
