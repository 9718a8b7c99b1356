"""Azure's own client against the service: extractive summaries with offsets in each of its units."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from azure.ai.textanalytics import ExtractiveSummaryAction, TextAnalyticsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from jobs.web.app import create_app
from jobs.web.azure.running import AzureJobs
from jobs.web.azure.units import StringIndexType, in_units, text_elements
from tests.unit.jobs.web.web_parts import MakeSettings, Served, listening

TOKEN = "a-key-of-at-least-24-characters"
OTHER = "another-key-of-24-characters-"
PATH = "/v1/azure/language/analyze-text/jobs"
VERSION = {"api-version": "2023-04-01"}
# An accent of its own, a family of emoji, a flag, CR LF: each unit counts them otherwise.
NOTE = (
    "Cafe\u0301 👩‍👩‍👧 🇩🇪.\r\nThe pain began two hours ago. He takes lisinopril 10 mg daily.\r\n"
    "Troponin I was 2.4 ng/mL. 😀 Heparin was started and cardiology was called."
)


def cut(text: str, offset: int, length: int, unit: str) -> str:
    """What stands there, counted in a unit by means that share nothing with the service."""
    if unit == "Utf16CodeUnit":
        return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")
    if unit == "UnicodeCodePoint":
        return text[offset : offset + length]
    parts = ["Cafe\u0301"[:1], "a", "f", "e\u0301", " ", "👩‍", "👩‍", "👧", " ", "🇩🇪", ".", "\r\n"]
    rest = text[len("".join(parts)) :].replace("\r\n", "\n")  # in the rest each character is an element
    elements = parts + ["\r\n" if c == "\n" else c for c in rest]
    return "".join(elements[offset : offset + length])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from jobs.settings import load_settings

    given = {
        "engine": "lead",
        "fhir_base_url": "http://127.0.0.1:9/fhir",
        "database_url": f"sqlite:///{tmp_path_factory.mktemp('azure') / 'ledger.sqlite'}",
        "service_token": f"{TOKEN},{OTHER}",
    }
    with listening(create_app(load_settings(given))) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[TextAnalyticsClient]:
    with made(address, TOKEN) as found:
        yield found


def made(address: str, key: str) -> TextAnalyticsClient:
    return TextAnalyticsClient(f"{address}/v1/azure", AzureKeyCredential(key))


@pytest.mark.parametrize("unit", ["UnicodeCodePoint", "Utf16CodeUnit", "TextElement_V8"])
def test_azures_client_gets_sentences_with_offsets_in_each_unit(
    client: TextAnalyticsClient, unit: str
) -> None:
    options: Any = {"polling_interval": 0.05, "string_index_type": unit}
    poller = client.begin_extract_summary([NOTE], max_sentence_count=4, **options)
    (result,) = poller.result(timeout=600)
    assert not result.is_error
    assert len(result.sentences) == 4
    named = {"TextElement_V8": "TextElements_v8"}.get(unit, unit)
    for sentence in result.sentences:
        assert sentence.text in NOTE
        assert cut(NOTE, sentence.offset, sentence.length, named) == sentence.text
        assert 0 <= sentence.rank_score <= 1
    offsets = [sentence.offset for sentence in result.sentences]
    assert offsets == sorted(offsets)
    assert poller.status() == "succeeded"


def test_documents_keep_their_order_and_one_that_fails_spares_the_others(
    client: TextAnalyticsClient,
) -> None:
    documents: Any = [
        {"id": "b", "text": "No fever. Cough for two days.", "language": "en-GB"},
        {"id": "x", "text": "Kein Fieber.", "language": "de"},
        {"id": "a", "text": NOTE, "language": "en"},
        {"id": "e", "text": " ", "language": "en"},
    ]
    found = list(client.begin_extract_summary(documents, polling_interval=0.05).result(timeout=600))
    assert [result.id for result in found] == ["b", "x", "a", "e"]
    assert [result.is_error for result in found] == [False, True, False, False]
    assert found[1].error.code == "UnsupportedLanguageCode"  # type: ignore[union-attr]
    assert [s.text for s in found[0].sentences] == ["No fever.", "Cough for two days."]  # type: ignore[union-attr]


def test_several_actions_the_best_first(client: TextAnalyticsClient) -> None:
    actions: Any = [
        ExtractiveSummaryAction(max_sentence_count=1),
        ExtractiveSummaryAction(max_sentence_count=3, order_by="Rank"),
    ]
    poller = client.begin_analyze_actions([NOTE], actions, display_name="two", polling_interval=0.05)
    ((short, ranked),) = [list(page) for page in poller.result(timeout=600)]
    assert len(short.sentences) == 1  # type: ignore[union-attr]
    scores = [sentence.rank_score for sentence in ranked.sentences]  # type: ignore[union-attr]
    assert scores == sorted(scores, reverse=True)
    assert poller.details["display_name"] == "two"


def test_a_wrong_key_is_no_way_in(address: str) -> None:
    with made(address, "x" * 30) as client, pytest.raises(ClientAuthenticationError) as raised:
        client.begin_extract_summary([NOTE])
    assert "The request has no valid credentials." in str(raised.value.message)


def test_what_is_not_done_here_is_said_as_azure_says_it(client: TextAnalyticsClient) -> None:
    with pytest.raises(HttpResponseError) as raised:
        client.begin_abstract_summary([NOTE])
    assert raised.value.status_code == 400
    assert "InvalidRequest" in str(raised.value)
    assert "tasks.0.kind" in str(raised.value)


TASK = {"kind": "ExtractiveSummarization"}


def body(**more: Any) -> dict[str, Any]:
    documents = [{"id": "1", "text": NOTE}]
    return {"analysisInput": {"documents": documents}, "tasks": [{"kind": "ExtractiveSummarization"}]} | more


def test_a_job_is_its_owners_alone_and_can_be_ended(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False, timeout=600, params=VERSION) as http:
        own = {"Ocp-Apim-Subscription-Key": TOKEN}
        begun = http.post(PATH, json=body(), headers=own)
        assert begun.status_code == 202
        place = begun.headers["operation-location"]
        assert place.startswith(f"{address}{PATH}/")
        assert http.get(place, headers={"Ocp-Apim-Subscription-Key": OTHER}).status_code == 404
        assert http.get(place, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        ended = http.post(place.replace("?", ":cancel?"), headers=own)
        assert ended.status_code == 202
        deadline = time.monotonic() + 600
        while (state := http.get(place, headers=own).json())["status"] == "running":
            assert time.monotonic() < deadline
        assert state["status"] in ("cancelled", "succeeded")
        missing = http.get(f"{PATH}/nobody-has-this-one", headers=own)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NotFound")
        # The key counts below the address of Azure alone.
        assert http.get("/v1/notes", headers=own).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"tasks": []}, "tasks"),
        ({"analysisInput": {"documents": []}}, "analysisInput.documents"),
        (
            {"tasks": [{"kind": "ExtractiveSummarization", "parameters": {"sentenceCount": 0}}]},
            "sentenceCount",
        ),
    ],
)
async def test_requests_that_are_none(served: Served, wrong: dict[str, Any], where: str) -> None:
    async with served() as client:
        answer = await client.post(PATH, json=body(**wrong), params=VERSION)
        unversioned = await client.post(PATH, json=body())
    assert answer.status_code == 400
    assert where in answer.json()["error"]["message"]
    assert unversioned.status_code == 422


async def test_of_two_documents_with_one_id_the_first_counts(served: Served) -> None:
    documents = [{"id": "1", "text": "One is first."}, {"id": "1", "text": "Two."}]
    async with served() as client:
        begun = await client.post(PATH, json=body(analysisInput={"documents": documents}), params=VERSION)
        place = begun.headers["operation-location"]
        while (state := (await client.get(place)).json())["status"] != "succeeded":
            assert state["status"] in ("notStarted", "running")
    results = state["tasks"]["items"][0]["results"]
    assert [s["text"] for d in results["documents"] for s in d["sentences"]] == ["One is first."]
    assert results["errors"][0]["error"]["code"] == "InvalidDocument"


async def test_as_many_jobs_are_kept_as_may_be(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.web.azure.running._MOST_OF_ONE", 2)
    async with served() as client:
        answers = [await client.post(PATH, json=body(), params=VERSION) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].headers["retry-after"]


async def test_a_job_is_forgotten_behind_its_end(make_settings: MakeSettings, served: Served) -> None:
    from datetime import timedelta

    async with served() as client:
        begun = await client.post(PATH, json=body(), params=VERSION)
        place = begun.headers["operation-location"]
        jobs: AzureJobs = client.app.state.service.azure  # type: ignore[attr-defined]
        (job,) = jobs._jobs.values()
        assert job.work
        await job.work
        assert (await client.get(place)).json()["status"] == "succeeded"
        job.updated -= timedelta(minutes=16)
        assert (await client.get(place)).status_code == 404
        assert not jobs._jobs


def test_text_elements_are_those_of_unicode_8() -> None:
    def parts(text: str) -> list[str]:
        return [text[start:end] for start, end in text_elements(text)]

    assert parts("a\r\nb") == ["a", "\r\n", "b"]
    assert parts("e\u0301a") == ["e\u0301", "a"]
    assert parts("각가\u11a8") == ["각", "가\u11a8"]
    assert parts("\u1100\u1161\u11a8x") == ["\u1100\u1161\u11a8", "x"]
    assert parts("👍🏽") == ["👍", "🏽"]
    assert parts("👩‍👧") == ["👩‍", "👧"]
    assert parts("🇩🇪🇫🇷") == ["🇩🇪🇫🇷"]
    assert parts("நி") == ["நி"]
    assert parts("") == []


@pytest.mark.parametrize("text", ["", "a\r\nb\r\n", "x\ry\n\r\n", NOTE, "e\u0301" * 3 + "\r\n"])
def test_units_are_counted_at_every_place(text: str) -> None:
    places = range(len(text) + 1)
    points = in_units(text, places, StringIndexType.CODE_POINTS)
    assert points == {place: place for place in places}
    words = in_units(text, places, StringIndexType.UTF16)
    assert words == {p: len(text[:p].encode("utf-16-le")) // 2 for p in places}
    elements = in_units(text, places, StringIndexType.TEXT_ELEMENTS)
    ends = [end for _, end in text_elements(text)]
    assert elements == {place: sum(end <= place for end in ends) for place in places}


def test_no_word_of_a_text_is_in_a_log_line(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    with httpx.Client(base_url=address, trust_env=False, timeout=600, params=VERSION) as http:
        wrong = json.dumps(body()).replace("ExtractiveSummarization", "Lisinopril")
        answer = http.post(PATH, content=wrong, headers={"Ocp-Apim-Subscription-Key": TOKEN})
    assert answer.status_code == 400
    assert "Lisinopril" not in answer.text
    shown = capfd.readouterr()
    assert "isinopril" not in shown.out + shown.err
