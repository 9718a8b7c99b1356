"""A small client of the web service: typed, in one file to copy. Needs httpx.

Run it against a service: python examples/client.py http://127.0.0.1:8000 [note.txt]
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx


@dataclass(frozen=True)
class Sentence:
    """A sentence of a note, word for word; `note[start:end] == text`, counted in code points."""

    start: int
    end: int
    text: str
    score: float | None = None


@dataclass(frozen=True)
class Stored:
    """A summary on the FHIR server."""

    composition: str
    source: str
    status: str
    current: bool
    sentences: int
    patient: str = ""
    title: str = ""


@dataclass(frozen=True)
class Change:
    """How a note ended; `composition` is empty where it has no summary, and `reason` says why."""

    source: str
    version: str
    status: str
    reason: str = ""
    composition: str = ""


class ProblemError(Exception):
    """The service says no: `code` is stable, `request_id` names the request in its log."""

    def __init__(self, body: dict[str, Any]) -> None:
        places = [f"{e['where']}: {e['problem']} ({e.get('allowed', '')})" for e in body.get("errors", ())]
        super().__init__("; ".join([body.get("title", ""), body.get("detail", ""), *places]))
        self.code, self.request_id = body.get("code", ""), body.get("request_id", "")


class Client:
    """The service at an address; a token where it asks for one."""

    def __init__(self, address: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=60)
        self.cursor = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def summarise(self, text: str, budget: int | str = "auto") -> list[Sentence]:
        """The sentences of a text that matter, in its own order."""
        found = self._ask("POST", "/v1/summaries", json={"text": text, "budget": budget})
        return [_sentence(one) for one in found["summary"]]

    def stored(self, patient: str = "", source: str = "") -> Iterator[Stored]:
        """The summaries on the FHIR server, the latest first: of a patient, of a note, or all."""
        query = {"patient": patient, "source": source}
        params = {name: value for name, value in query.items() if value}
        while True:
            page = self._ask("GET", "/v1/compositions", params=params)
            for one in page["compositions"]:
                yield Stored(**{name: one[name] for name in Stored.__dataclass_fields__ if name in one})
            if "next" not in page:
                return
            params["cursor"] = page["next"]

    def sentences(self, composition: str) -> list[Sentence]:
        """What a summary on the FHIR server shows."""
        shown = self._ask("GET", f"/v1/compositions/{composition.rpartition('/')[2]}")["shown"]
        return [_sentence(one) for one in shown]

    def proven(self, composition: str) -> bool:
        """Whether every sentence stands in its note, read again from the FHIR server."""
        return bool(self._ask("GET", f"/v1/compositions/{composition.rpartition('/')[2]}/audit")["ok"])

    def changes(self) -> Iterator[Change]:
        """What has changed since the last call; keep `cursor` to go on after a restart."""
        while True:
            params = {"since": self.cursor} if self.cursor else {}
            page = self._ask("GET", "/v1/changes", params=params)
            for one in page["changes"]:
                yield Change(**{name: one[name] for name in Change.__dataclass_fields__ if name in one})
            self.cursor = page["next"]
            if not page["more"]:
                return

    def _ask(self, method: str, path: str, **what: Any) -> Any:
        answer = self._http.request(method, path, **what)
        if answer.is_error:
            raise ProblemError(answer.json())
        return answer.json()


def _sentence(one: dict[str, Any]) -> Sentence:
    return Sentence(one["start"], one["end"], one["text"], one.get("score"))


def main() -> None:
    """Prints the summary of a file, or what has changed."""
    with Client(sys.argv[1]) as client:
        if len(sys.argv) > 2:
            for sentence in client.summarise(Path(sys.argv[2]).read_text("utf-8")):
                print(f"{sentence.start}-{sentence.end} {sentence.text}")
        else:
            for change in client.changes():
                print(change.source, change.status, change.reason)


if __name__ == "__main__":
    main()
