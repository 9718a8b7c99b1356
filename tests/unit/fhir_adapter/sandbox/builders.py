"""Small resources, and short ways to look at answers."""

from collections.abc import Callable
from typing import Any

import httpx

Json = dict[str, Any]
Serve = Callable[..., httpx.Client]


def patient(id_: str, **more: Any) -> Json:
    return {"resourceType": "Patient", "id": id_, **more}


def note(id_: str | None = None, **more: Any) -> Json:
    identity = {} if id_ is None else {"id": id_}
    return {"resourceType": "DocumentReference", **identity, "status": "current", **more}


def put(client: httpx.Client, *resources: Json) -> None:
    for resource in resources:
        answer = client.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text


def found(client: httpx.Client, query: str) -> list[str]:
    """The ids of the matches on the first page, in order."""
    answer = client.get(query)
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [entry["resource"]["id"] for entry in entries if entry["search"]["mode"] == "match"]


def link(bundle: Json, relation: str) -> str | None:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


def diagnostics(answer: httpx.Response) -> str:
    """The text of the first issue; fails where the answer is no OperationOutcome."""
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"].startswith("application/fhir+json")
    return str(outcome["issue"][0]["diagnostics"])


def entry(
    method: str, url: str, resource: Json | None = None, full_url: str | None = None, **more: str
) -> Json:
    made: Json = {"request": {"method": method, "url": url, **more}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
