"""`clinsum withdraw` reaches what was written wherever it is, and no later pass brings it back by itself."""

from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.writing.lifecycle import stamp_of
from fhir_adapter.writing.recall import RecalledError
from jobs.runtime import open_ledger
from summarizer.engines.baselines import LeadEngine
from summarizer.types import ModelInfo
from tests.contract.contract_fhir import new_id
from tests.contract.lives import (
    another,
    command,
    extracted,
    html_document,
    of_its_own,
    only,
    revised,
    sentences,
    signed,
    state,
)
from tests.contract.passes import Site, reference

Capture = pytest.CaptureFixture[str]


def device_of(composition: dict[str, Any]) -> str:
    found: str = composition["author"][0]["reference"]
    return found


def pipeline_version(composition: dict[str, Any]) -> str:
    return stamp_of(composition).pipeline.rpartition("-")[2]


def lost(site: Site, tmp_path: Path, **options: str) -> Site:
    """The same pipeline, or one with other options, and a ledger that knows nothing."""
    return another(site, tmp_path / f"{new_id('lost')}.sqlite", **options)


def test_a_recalled_pipeline_version_loses_all_that_it_wrote_and_writes_no_more(
    site: Site, capsys: Capture, tmp_path: Path
) -> None:
    notes = [html_document(site), site.document()]
    site.poll()
    other = of_its_own(Site(site.fhir, tmp_path / "other.sqlite"))
    other.poll([reference(notes[0])])
    mine = [c for n in notes for c in site.written(reference(n)) if pipeline_is(site, c)]
    version = pipeline_version(mine[0])

    dry_code, dry, dry_summary = command(site, capsys, "withdraw", "--pipeline", version, "--dry-run")
    untouched = [state(site.fhir.get(f"Composition/{c['id']}")) for c in mine]
    code, lines, summary = command(site, capsys, "withdraw", "--pipeline", version)
    again_code, again, again_summary = command(site, capsys, "withdraw", "--pipeline", device_of(mine[0]))

    expected = {(f"Composition/{c['id']}", "recalled") for c in mine}
    assert (dry_code, code, again_code) == (0, 0, 0)
    assert {(line["composition"], line["reason"]) for line in dry} >= expected
    assert {line["status"] for line in dry} == {"due"}
    assert untouched == [("preliminary", None)] * 2
    assert {(line["composition"], line["reason"]) for line in lines} == {
        (line["composition"], line["reason"]) for line in dry
    }
    assert {line["source"] for line in lines} >= {reference(note) for note in notes}
    assert {line["status"] for line in lines} == {"withdrawn"}
    assert summary["withdrawn"] == summary["seen"] == dry_summary["due"] == len(lines)
    assert {line["status"] for line in again} == {"unchanged"}
    assert again_summary["unchanged"] == len(lines)
    for composition in mine:
        now = site.fhir.get(f"Composition/{composition['id']}")
        assert state(now) == ("entered-in-error", "recalled")
        assert site.one_audit(now["id"]).ok
    assert extracted(site, mine[0])["status"] == "entered-in-error"
    assert [state(c) for c in site.written(reference(notes[0])) if pipeline_is(other, c)] == [
        ("preliminary", None)
    ]
    assert site.fhir.get(device_of(mine[0]))["status"] == "inactive"
    for worker in (site, lost(site, tmp_path)):
        with pytest.raises(RecalledError, match="pipeline version was recalled"):
            worker.poll()
    assert site.fhir.get(device_of(mine[0]))["status"] == "inactive"
    code, lines, _ = command(site, capsys, "poll")
    assert (code, lines) == (2, [])


def pipeline_is(site: Site, composition: dict[str, Any]) -> bool:
    value = str(composition.get("identifier", {}).get("value"))
    return value.endswith(f".{site.options['PIPELINE']}")


def test_after_a_recall_another_version_of_the_pipeline_makes_the_summaries_anew(
    site: Site, capsys: Capture, tmp_path: Path
) -> None:
    note = site.document()
    site.poll()
    before = only(site, note)
    command(site, capsys, "withdraw", "--pipeline", pipeline_version(before))
    newer = lost(site, tmp_path, BUDGET="1")

    code, lines, _ = command(newer, capsys, "poll", "--resummarise")

    assert code == 0
    assert {line["status"] for line in lines} == {"written"}
    assert reference(note) in {line["source"] for line in lines}
    after = only(site, note)
    assert (after["id"], state(after)) == (before["id"], ("preliminary", None))
    assert device_of(after) != device_of(before)


def test_a_recalled_model_is_recalled_under_every_setting(
    site: Site, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By another name than in the other tests: all that they left on the server would be withdrawn with these.
    model = ModelInfo(new_id("lead"), "", "lead")
    monkeypatch.setattr("summarizer.engines.registry.engine_model", lambda *_: model)
    monkeypatch.setattr(LeadEngine, "model", model)
    note = site.document()
    site.poll()
    other = lost(site, tmp_path, BUDGET="1", PIPELINE=f"other-{new_id()}")
    other.poll([reference(note)])
    wrong_code, _, _ = command(site, capsys, "withdraw", "--model", "no-such-model")

    code, lines, _ = command(site, capsys, "withdraw", "--model", model.name, "--dry-run")
    found = {line["composition"] for line in lines}
    command(site, capsys, "withdraw", "--model", model.name, "--attested")

    assert wrong_code == 2
    assert code == 0
    both = site.written(reference(note))
    assert len(both) == 2
    assert {f"Composition/{c['id']}" for c in both} <= found
    assert {state(c) for c in both} == {("entered-in-error", "recalled")}
    with pytest.raises(RecalledError, match="This model was recalled"):
        lost(site, tmp_path, BUDGET="2").poll()


def test_an_attested_summary_is_reported_and_reached_only_when_asked_for(site: Site, capsys: Capture) -> None:
    attested, changed = site.document(), site.document()
    site.poll([reference(attested), reference(changed)])
    theirs = signed(site, only(site, attested))
    site.fhir.put({**only(site, changed), "title": "Mine now"})
    version = pipeline_version(theirs)

    code, lines, summary = command(site, capsys, "withdraw", "--pipeline", version)
    left = [state(only(site, note)) for note in (attested, changed)]
    full_code, full, _ = command(site, capsys, "withdraw", "--pipeline", version, "--attested")

    assert code == 1
    assert {(line["source"], line["status"]) for line in lines} == {
        (reference(attested), "attested"),
        (reference(changed), "changed"),
    }
    assert (summary["attested"], summary["changed"], summary["withdrawn"]) == (1, 1, 0)
    assert left == [("final", None), ("preliminary", None)]
    assert full_code == 0
    assert {line["status"] for line in full} == {"withdrawn"}
    assert state(only(site, attested)) == ("entered-in-error", "recalled")
    assert only(site, attested)["attester"] == theirs["attester"]


def test_what_came_from_a_source_is_withdrawn_and_comes_back_only_with_a_new_version(
    site: Site, capsys: Capture, tmp_path: Path
) -> None:
    note, other = html_document(site), site.document()
    site.poll()
    second = of_its_own(Site(site.fhir, tmp_path / "second.sqlite"))
    second.poll([reference(note)])
    foreign = site.fhir.put(
        {
            "resourceType": "Composition",
            "id": new_id("hospital"),
            "status": "final",
            "type": {"text": "Discharge letter"},
            "date": "2026-01-02",
            "author": [{"display": "A person"}],
            "title": "Letter",
            "section": [{"entry": [{"reference": reference(note)}]}],
        }
    )

    code, lines, summary = command(site, capsys, "withdraw", "--source", reference(note))
    quiet, _ = site.poll()
    with open_ledger(site.settings) as ledger:
        row = ledger.known([reference(note)])[reference(note)]
    again, _ = lost(site, tmp_path).poll([reference(note)])
    settings, _ = lost(site, tmp_path, BUDGET="1").poll([reference(note)])
    _, brought, _ = command(lost(site, tmp_path, BUDGET="1"), capsys, "poll", "--resummarise")

    ours = [c for c in site.written(reference(note)) if c["id"] != foreign["id"]]
    assert (code, summary["withdrawn"], len(ours)) == (0, 2, 2)
    assert {line["composition"] for line in lines} == {f"Composition/{c['id']}" for c in ours}
    assert {state(c) for c in ours} == {("entered-in-error", "source-withdrawn")}
    assert site.fhir.get(reference(foreign))["meta"]["versionId"] == "1"
    assert state(only(site, other)) == ("preliminary", None)
    assert "written" not in {o.status for source, o in quiet.items() if source == reference(note)}
    assert row.reason == "withdrawn"
    for ends in (again, settings):
        assert (ends[reference(note)].status, ends[reference(note)].reason) == ("skipped", "withdrawn")
    assert reference(note) not in {line["source"] for line in brought}

    revised(site, note, "Corrected. Improving.")
    ends, _ = site.poll()
    (mine,) = [c for c in site.written(reference(note)) if pipeline_is(site, c)]
    assert ends[reference(note)].status == "written"
    assert state(mine) == ("preliminary", None)
    assert "Corrected." in sentences(mine)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--model", "a", "--pipeline", "b"), ("--source", "Patient/1"), ("--source", "DocumentReference")],
)
def test_wrong_use_is_told_apart(site: Site, capsys: Capture, arguments: tuple[str, ...]) -> None:
    code, lines, _ = command(site, capsys, "withdraw", *arguments)

    assert (code, lines) == (2, [])
