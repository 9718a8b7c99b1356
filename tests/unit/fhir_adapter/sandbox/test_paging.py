"""Pages: complete, stable while others write, and gone when they expire."""

from array import array

import httpx
import pytest

from fhir_adapter.sandbox.embedded.outcome import RequestRefusedError
from fhir_adapter.sandbox.embedded.paging import Shape, Snapshot, Snapshots
from tests.unit.fhir_adapter.sandbox.builders import (
    Serve,
    bundle,
    diagnostics,
    entry,
    link,
    note,
    patient,
    put,
)


def fill(client: httpx.Client, count: int) -> list[str]:
    ids = [f"n-{number:04}" for number in range(count)]
    entries = [entry("PUT", f"DocumentReference/{id_}", note(id_)) for id_ in ids]
    assert client.post("", json=bundle("transaction", *entries)).status_code == 200
    return ids


def walk(client: httpx.Client, query: str) -> list[str]:
    ids: list[str] = []
    url: str | None = query
    while url is not None:
        page = client.get(url).json()
        ids += [one["resource"]["id"] for one in page.get("entry", [])]
        url = link(page, "next")
    return ids


@pytest.mark.parametrize("count", [1, 7, 25, 26])
def test_pages_together_hold_every_match_once_in_order(fresh: httpx.Client, count: int) -> None:
    # All share one stamp: the boundary of a page falls between equals.
    ids = fill(fresh, 25)
    assert walk(fresh, f"DocumentReference?_sort=_lastUpdated&_count={count}") == ids
    assert walk(fresh, f"DocumentReference?_sort=-_id&_count={count}") == ids[::-1]
    assert walk(fresh, f"DocumentReference/_history?_count={count}") == ids[::-1]


def test_links_and_totals(fresh: httpx.Client) -> None:
    fill(fresh, 5)
    first = fresh.get("DocumentReference?_count=2&status=current").json()
    assert "total" not in first
    assert link(first, "self") == f"{fresh.base_url}DocumentReference?_count=2&status=current"
    assert link(first, "previous") is None
    second_url = link(first, "next") or ""
    assert second_url.startswith(f"{str(fresh.base_url).rstrip('/')}?_getpages=")
    second = fresh.get(second_url).json()
    assert [one["resource"]["id"] for one in second["entry"]] == ["n-0002", "n-0003"]
    assert fresh.get(link(second, "previous") or "").json()["entry"] == first["entry"]
    last = fresh.get(link(second, "next") or "").json()
    assert link(last, "next") is None
    assert fresh.get("DocumentReference?_count=2&_total=accurate").json()["total"] == 5
    assert fresh.get("DocumentReference").json()["total"] == 5


def test_default_and_largest_page(serve: Serve) -> None:
    client = serve(page_size=3, max_page_size=4)
    fill(client, 6)
    assert len(client.get("DocumentReference").json()["entry"]) == 3
    assert len(client.get("DocumentReference?_count=100").json()["entry"]) == 4
    assert walk(client, "DocumentReference?_count=100") == [f"n-{n:04}" for n in range(6)]


def test_what_others_write_does_not_move_the_pages(fresh: httpx.Client) -> None:
    fill(fresh, 6)
    first = fresh.get("DocumentReference?_sort=-_lastUpdated,_id&_count=2").json()
    put(fresh, note("new"), note("n-0000", description="moved to the top"), note("n-0005", description="now"))
    fresh.delete("DocumentReference/n-0003")
    second = fresh.get(link(first, "next") or "").json()
    third = fresh.get(link(second, "next") or "").json()
    shown = [one["resource"]["id"] for page in (first, second, third) for one in page["entry"]]
    assert shown == ["n-0000", "n-0001", "n-0002", "n-0004", "n-0005"]
    # As on HAPI, the matches are a snapshot and each is shown as it stands now.
    assert third["entry"][1]["resource"]["description"] == "now"


def test_pages_keep_elements_and_includes(fresh: httpx.Client) -> None:
    put(fresh, patient("p"))
    put(fresh, *(note(f"i-{n}", subject={"reference": "Patient/p"}, description="d") for n in range(2)))
    query = "DocumentReference?_count=1&_include=DocumentReference:subject&_elements=status"
    second = fresh.get(link(fresh.get(query).json(), "next") or "").json()
    assert [one["search"]["mode"] for one in second["entry"]] == ["match", "include"]
    assert "description" not in second["entry"][0]["resource"]


def test_expired_pages_are_gone(serve: Serve) -> None:
    client = serve(page_ttl=0.0)
    fill(client, 3)
    answer = client.get(link(client.get("DocumentReference?_count=1").json(), "next") or "")
    assert answer.status_code == 410
    assert "expired" in diagnostics(answer)


def test_altered_page_links(fresh: httpx.Client) -> None:
    fill(fresh, 3)
    url = link(fresh.get("DocumentReference?_count=1").json(), "next") or ""
    assert fresh.get("?_getpages=unknown").status_code == 410
    assert fresh.get(url.replace("_getpagesoffset=1", "_getpagesoffset=x")).status_code == 400
    assert "entry" not in fresh.get(url.replace("_getpagesoffset=1", "_getpagesoffset=99")).json()
    assert fresh.get("?_id=x").status_code == 400


def test_the_oldest_snapshots_make_room() -> None:
    snapshots = Snapshots(ttl=1e9)
    rows = array("q", bytes(8 * 3_000_000))
    made = [snapshots.hold(Snapshot(Shape("searchset", 1), rows, "", float(n))) for n in range(1, 4)]
    with pytest.raises(RequestRefusedError) as caught:
        snapshots.get(made[0])
    assert caught.value.status == 410
    assert [len(snapshots.get(token).rows) for token in made[1:]] == [3_000_000] * 2
