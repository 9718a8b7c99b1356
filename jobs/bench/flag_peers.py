"""Runs medspaCy's ConText over marked passages: a script for any interpreter that has it.

medspaCy needs an older spaCy than this project, so it lives in an environment of its own. The script reads
`{"passages": [{"text", "sentences": [[start, end]], "facts": [[start, end]]}]}` from standard input and
writes `{system: {"version", "flags": [[flag, ...]]}}`.

medspaCy judges given spans: here the facts that the passages mark. A passage has a flag if any of its facts
has it. It has no notion of what was stopped.
"""

import json
import sys
from importlib import import_module, metadata
from typing import Any

ATTRIBUTES = {
    "negated": "is_negated",
    "possible": "is_uncertain",
    "family": "is_family",
    "historical": "is_historical",
    "conditional": "is_hypothetical",
}
SYSTEMS = {
    "medspaCy ConText": ["medspacy_context"],
    "medspaCy ConText + sections": ["medspacy_context", "medspacy_sectionizer"],
}


def flags(pipeline: Any, passage: dict[str, Any]) -> list[str]:
    """The flags that a pipeline gives to any fact of a passage."""
    doc = pipeline.make_doc(passage["text"])
    starts = {start for start, _ in passage["sentences"]}
    for token in doc:
        token.is_sent_start = token.idx in starts or token.i == 0
    spans = [doc.char_span(*fact, label="FACT", alignment_mode="expand") for fact in passage["facts"]]
    doc.ents = spans
    for _, component in pipeline.pipeline:
        doc = component(doc)
    return [flag for flag, name in ATTRIBUTES.items() if any(getattr(fact._, name) for fact in doc.ents)]


def measure(passages: list[dict[str, Any]]) -> dict[str, Any]:
    """The flags of every passage by each system."""
    import_module("medspacy")
    blank = import_module("spacy").blank
    results: dict[str, Any] = {}
    for system, components in SYSTEMS.items():
        pipeline = blank("en")
        for component in components:
            pipeline.add_pipe(component)
        results[system] = {
            "version": metadata.version("medspacy"),
            "flags": [flags(pipeline, passage) for passage in passages],
        }
    return results


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)["passages"]), sys.stdout)
