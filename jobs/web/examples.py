"""An example answer for each operation of the API; the tests hold each against the schema of its route."""

from typing import Any

_COMPOSITION = "Composition/6f3c1c9e-1f0e-5a51-9a3c-0a3a6d2f7c11"
_MODEL = {"name": "clinsum-bertsum-minilm", "sha256": "5b1f0c7e" * 8, "engine": "bertsum"}
_TEXT = {"sha256": "0a4d55a8" * 8, "length": 37, "unit": "unicode-code-point"}
_SUMMARY: dict[str, Any] = {
    "model": _MODEL,
    "text": _TEXT,
    "summary": [
        {
            "start": 12,
            "end": 37,
            "text": "Heparin was started again",
            "score": 0.81,
            "section": "Assessment",
            "context": [{"start": 0, "end": 11, "kind": "heading"}],
            "flags": [],
        }
    ],
    "sentences": [{"start": 12, "end": 37, "score": 0.81}],
    "pinned": [],
    "pinned_rules": [],
    "left_out": {"sections": [], "sentences": 0},
}
_LISTED: dict[str, Any] = {
    "composition": _COMPOSITION,
    "status": "preliminary",
    "current": True,
    "needs_review": False,
    "source": "DocumentReference/123",
    "version": "2",
    "author": "Device/clinsum-extractive-1",
    "sentences": 1,
    "date": "2026-01-31T08:00:00Z",
    "last_updated": "2026-01-31T08:00:05Z",
    "title": "Summary of discharge note of 2026-01-31",
    "patient": "Patient/7",
}
_NOTE: dict[str, Any] = {
    "source": "DocumentReference/124",
    "version": "1",
    "status": "failed",
    "reason": "timeout",
    "message": "Fetching, reading or scoring the note took longer than the settings allow.",
    "sentences": 0,
    "attempts": 1,
    "ms": 60012,
    "handled_at": "2026-01-31T08:00:05Z",
    "retry_at": "2026-01-31T08:01:05Z",
}
_JOB: dict[str, Any] = {
    "jobId": "Zk1aQ3d1d2VydHl1aW9wYQ",
    "displayName": "One note",
    "createdDateTime": "2026-01-31T08:00:00Z",
    "lastUpdateDateTime": "2026-01-31T08:00:01Z",
    "expirationDateTime": "2026-01-31T08:15:01Z",
    "status": "succeeded",
    "errors": [],
    "tasks": {
        "completed": 1,
        "failed": 0,
        "inProgress": 0,
        "total": 1,
        "items": [
            {
                "kind": "ExtractiveSummarizationLROResults",
                "taskName": "summary",
                "lastUpdateDateTime": "2026-01-31T08:00:01Z",
                "status": "succeeded",
                "results": {
                    "documents": [
                        {
                            "id": "1",
                            "sentences": [
                                {
                                    "text": "Heparin was started again",
                                    "rankScore": 0.81,
                                    "offset": 12,
                                    "length": 25,
                                }
                            ],
                            "warnings": [],
                        }
                    ],
                    "errors": [],
                    "modelVersion": "clinsum-bertsum-minilm",
                },
            }
        ],
    },
}

ANSWERS: dict[tuple[str, str], tuple[str, Any]] = {
    ("post", "/v1/summaries"): ("200", _SUMMARY),
    ("post", "/v1/summaries:batch"): ("200", {"results": [{"index": 0, "result": _SUMMARY}], "failed": 0}),
    ("get", "/v1/compositions"): ("200", {"compositions": [_LISTED], "next": "YWJj"}),
    ("get", "/v1/compositions/{id}"): (
        "200",
        _LISTED | {"shown": [{"start": 12, "end": 37, "text": "Heparin was started again", "score": 0.81}]},
    ),
    ("get", "/v1/compositions/{id}/audit"): (
        "200",
        {
            "composition": _COMPOSITION,
            "ok": True,
            "source": "DocumentReference/123",
            "version": "2",
            "author": "Device/clinsum-extractive-1",
            "sentences": [
                {
                    "start": 12,
                    "end": 37,
                    "text": "Heparin was started again",
                    "shown": "Heparin was started again",
                    "score": 0.81,
                    "ok": True,
                }
            ],
            "unproven": [],
            "problems": [],
        },
    ),
    ("get", "/v1/notes"): ("200", {"notes": [_NOTE], "next": "1769846405000000.124"}),
    ("get", "/v1/changes"): ("200", {"changes": [_NOTE], "next": "1769846405000000.124", "more": False}),
    ("post", "/v1/notes:retry"): ("202", {"notes": 1, "running": True}),
    ("get", "/v1/azure/language/analyze-text/jobs/{job_id}"): ("200", _JOB),
    ("get", "/cds-services"): (
        "200",
        {
            "services": [
                {
                    "hook": "patient-view",
                    "title": "What is new in the notes",
                    "description": "At most three sentences of the notes since the last visit.",
                    "id": "clinsum-patient-view",
                    "prefetch": {},
                }
            ]
        },
    ),
    ("post", "/cds-services/{id}"): (
        "200",
        {
            "cards": [
                {
                    "uuid": "4e0a3a1e-3283-5575-ab82-028d55fe2719",
                    "summary": "1 sentence of the notes since the visit of 2026-01-30",
                    "detail": "**2026\\-01\\-31, Discharge note**  \n> Heparin was started again\\.",
                    "indicator": "info",
                    "source": {"label": "Clinical AI Summarizer", "url": "https://clinsum.example.org/model"},
                    "links": [
                        {
                            "label": "2026-01-31: Discharge note",
                            "url": "https://clinsum.example.org/note/6f3c1c9e-1f0e-5a51-9a3c-0a3a6d2f7c11",
                            "type": "absolute",
                        }
                    ],
                    "overrideReasons": [
                        {
                            "code": "misleading",
                            "display": "It misleads",
                            "system": "https://clinsum.org/cds/override-reasons",
                        }
                    ],
                    "extension": {"org.clinsum.sentences": []},
                }
            ]
        },
    ),
    ("get", "/health/live"): ("200", {"status": "live"}),
    ("get", "/health/ready"): (
        "200",
        {"ready": True, "parts": [{"name": "model", "ready": True, "required": True, "state": "ready"}]},
    ),
    ("get", "/.well-known/jwks.json"): (
        "200",
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "key-1", "x": "AAAA", "y": "AAAA"}]},
    ),
    ("get", "/metrics"): ("200", 'clinsum_notes{reason="timeout",status="failed"} 1.0\n'),
}
"""By method and path: the status, and the body of the example."""


def with_examples(document: dict[str, Any]) -> None:
    """Puts the examples into an OpenAPI document."""
    for (method, path), (status, body) in ANSWERS.items():
        operation = document["paths"].get(path, {}).get(method)
        if operation is None:  # the demonstration has no FHIR server
            continue
        for media in operation["responses"][status].get("content", {}).values():
            if media.get("schema", {}).get("type") != "string" or isinstance(body, str):
                media["example"] = body
