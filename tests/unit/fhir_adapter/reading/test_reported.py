"""What engineers report of servers, as a reader meets it; each case names where it was reported."""

from urllib.parse import quote

import pytest

from fhir_adapter.stamps import nanoseconds
from tests.unit.fhir_adapter.reading.test_walk import Holding, notes, walked
from tests.unit.fhir_adapter.reading.walking import at, doc, ids
from tests.unit.fhir_adapter.rest.scripted_server import Answer

ALL = [f"n{number}" for number in range(6)]


def linked(change):
    """Has the next link of each page changed."""

    def alter(found):
        for link in found["link"]:
            link["url"] = change(link["url"])
        return found

    return alter


def without_base(url):
    return "?" + url.partition("?")[2]


def from_the_root(url):
    return "/" + url.partition("://")[2].partition("/")[2]


@pytest.mark.parametrize(
    "change",
    [
        without_base,  # FirelyTeam/firely-net-sdk#2021
        from_the_root,  # POLAR-fhiR/fhircrackr#110
        lambda url: f"{from_the_root(url)}&type=http://a.example/CodeSystem|v",  # fhircrackr#123
        lambda url: url.replace("127.0.0.1", "LOCALHOST"),
        lambda url: f" {url}\n",
        lambda url: url.replace("http:", "HTTP:"),
        lambda url: f"{url}&ct={quote('{}' * 2000)}",  # microsoft/fhir-server#2250
    ],
    ids=["query alone", "from the root", "an address in it", "host", "blanks", "scheme", "long"],
)
async def test_next_links_in_other_forms_are_followed(change):
    server = Holding(*notes(6), alter=linked(change))
    assert ids(await walked(server, page_size=2)) == ALL


@pytest.mark.parametrize(
    "change",
    [
        lambda url: "http://127.0.0.1:443:443/fhir?_getpages=1",  # opensrp/fhircore#1714
        lambda url: "<th:block th:text=1/>",  # hapifhir/hapi-fhir#500
    ],
    ids=["two ports", "a template"],
)
async def test_where_next_links_lead_nowhere_nothing_is_lost(change):
    server = Holding(*notes(6), alter=linked(change))
    found = await walked(server, page_size=2)
    assert set(ids(found)) >= set(ALL)


async def test_outcomes_and_includes_that_are_counted_in_the_total_are_no_lack():
    """hapifhir/hapi-fhir#7153: `total` counts them too."""

    def alter(found):
        said = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "x"}]}
        found["entry"] += [
            {"search": {"mode": "outcome"}, "resource": said},
            {"search": {"mode": "include"}, "resource": {"resourceType": "Patient", "id": "p"}},
        ]
        found["total"] += 2
        return found

    server = Holding(*notes(6), alter=alter)
    pages = await walked(server)
    assert ids(pages) == ALL
    assert all(page.whole and not page.notice for page in pages)
    assert pages[-1].newest == at(5 * 600)


async def test_entries_of_other_types_are_no_notes_where_the_server_gives_no_mode():
    """R4: servers SHOULD give `search.mode`; without it the type tells a match from an include."""

    def alter(found):
        organization = {"resourceType": "Organization", "id": "o", "name": "Ward"}
        found["entry"] += [
            {"resource": {"resourceType": "Patient", "id": "p"}},
            {"fullUrl": "urn:uuid:1", "resource": organization, "search": {"score": 1}},
            {"fullUrl": f"{server.base_url}/Practitioner/d"},
        ]
        found["total"] += 3
        return found

    server = Holding(*notes(6), alter=alter)
    pages = await walked(server)
    assert ids(pages) == ALL
    assert all(page.whole and not page.notice for page in pages)
    assert pages[-1].newest == at(5 * 600)


async def test_what_is_stamped_within_the_last_millisecond_of_a_half_is_not_lost():
    """microsoft/fhir-server#1286: `lt` with milliseconds leaves out what lies in the one before."""
    stamps = [f"2024-05-01T12:00:00.{number:03d}9999Z" for number in range(1, 200, 7)]
    documents = [doc(f"m{i}", meta={"lastUpdated": stamp}) for i, stamp in enumerate(stamps)]

    class Cutting(Holding):
        def matching(self, params):
            bounds = [value for name, value in params if name == "_lastUpdated" and value.startswith("lt")]
            found = super().matching(params)
            cut = [(nanoseconds(value[2:]) or 0) - 1_000_000 for value in bounds]
            return [one for one in found if all(nanoseconds(one["meta"]["lastUpdated"]) <= at for at in cut)]

    def alter(found):  # a search that is cut short, so that its span is halved
        return {**found, "entry": found["entry"][:3], "link": []}

    pages = await walked(Cutting(*documents, alter=alter), page_size=1000)
    assert set(ids(pages)) == {f"m{i}" for i in range(len(stamps))}
    assert len(ids(pages)) == len(stamps)


async def test_a_larger_page_than_the_server_allows_is_asked_for_without_its_size():
    """microsoft/fhir-server#1263: 400 for a `_count` above the limit."""

    def before(request, page):
        return Answer(400) if int(dict(request.params).get("_count", 0)) > 100 else None

    assert ids(await walked(Holding(*notes(6), before=before), page_size=1000)) == ALL


async def test_a_last_page_that_is_empty_ends_the_walk():
    """microsoft/fhir-server#4847: a next link that leads to an empty page."""

    def alter(found):
        if found["entry"] and not found["link"]:
            found["link"] = [
                {"relation": "next", "url": f"{server.base_url}/DocumentReference?_offset=99&_count=2"}
            ]
        return found

    server = Holding(*notes(6), alter=alter)
    pages = await walked(server, page_size=2)
    assert ids(pages) == ALL
    assert pages[-1].is_last
