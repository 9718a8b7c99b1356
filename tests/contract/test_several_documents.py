"""Several documents in one resource: one summary that holds sentences of each, proven like any other."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.kinds_of_source import KINDS
from tests.contract.passes import Site, reference

CHECK = Path(__file__).parents[2] / "docs" / "check_offsets.py"


@pytest.mark.parametrize(
    ("kind", "later", "count"),
    [("several-documents", "Call us.", 6), ("conclusion-apart", "A nodule on the left.", 4)],
)
def test_every_document_of_a_resource_has_its_sentences_and_each_is_proven(
    site: Site, kind: str, later: str, count: int
) -> None:
    source = reference(KINDS[kind](site))

    ended, _ = site.poll([source])

    assert (ended[source].status, ended[source].sentences) == ("written", count)
    (summary,) = site.written(source)
    shown = summary["section"][0]["text"]["div"]
    assert "[Document 2 of 2" in shown
    assert later in shown
    described = {part["url"]: part for part in summary["extension"][0]["extension"]}
    assert described["path"]["valueString"].count(" | ") == 1
    assert described["mediaType"]["valueString"] == "multipart/mixed"
    proof = site.one_audit(summary["id"])
    assert proof.ok, proof.findings
    address = f"{site.fhir.server.base_url}/Composition/{summary['id']}"
    done = subprocess.run([sys.executable, str(CHECK), address], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert site.poll([source])[0][source].status == "unchanged"


def test_the_audit_sees_a_document_that_was_taken_away(site: Site) -> None:
    note = KINDS["several-documents"](site)
    site.poll([reference(note)])
    (summary,) = site.written(reference(note))
    part = next(p for p in summary["extension"][0]["extension"] if p["url"] == "path")
    part["valueString"] = part["valueString"].partition(" | ")[0]
    site.fhir.put(summary)

    codes = {finding.value for finding, _ in site.one_audit(summary["id"]).findings}

    assert "text-differs" in codes
