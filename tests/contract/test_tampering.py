"""Whatever is altered in a summary or around it is found, by the audit and by the independent checker."""

import asyncio
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import tests.contract.alterations_beside  # noqa: F401  (registers its alterations)
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.verdict import Audit
from fhir_adapter.canonical import AI_CONFIDENCE, EXTRACT_SCORE
from tests.contract.alterations import ALL, Alteration, Resource
from tests.contract.alterations_around import AROUND, as_before
from tests.contract.alterations_ruled import NOTE, RULED
from tests.contract.checker import check
from tests.contract.contract_fhir import Fhir, FhirServer, new_id
from tests.contract.lives import beginning_now
from tests.contract.passes import Site, encoded, reference
from tests.contract.remembered import Answers, auditing_again

SENTENCES = (
    "No café-au-lait spots at 38.5 °C.",
    "Naïve to warfarin for 12 days – once só far.",
    "Aspirin 100 mg à day, to go on.",
    "Home tomorrow.",
)
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SECURITY = [
    {"system": CONFIDENTIALITY, "code": "R"},
    {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"},
]
FORMATS = ("plain", "html", "rtf", "conclusion")
SEED = 20250601
HAPI_SAMPLE = 28


def rtf(text: str) -> bytes:
    escaped = "".join(c if ord(c) < 128 else f"\\u{ord(c)}?" for c in text)
    return b"{\\rtf1\\ansi " + escaped.replace("\n", "\\par ").encode() + b"}"


def note(kind: str, sentences: tuple[str, ...], subject: str) -> Resource:
    """A note of these sentences, as the source is put on the server."""
    text = "\n".join(
        [sentences[0], "MEDICATIONS TO STOP:", *sentences[1:]] if kind == "headed" else sentences
    )
    resource: Resource = {
        "subject": {"reference": subject},
        "meta": {"security": SECURITY},
    }
    if kind == "conclusion":
        report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Chest X-ray"}}
        return {**report, **resource, "conclusion": text}
    html = "<html><body>" + "".join(f"<p>{s}</p>" for s in sentences) + "</body></html>"
    content = {
        "plain": ("text/plain; charset=utf-8", text.encode()),
        "headed": ("text/plain; charset=utf-8", text.encode()),
        "html": ("text/html; charset=utf-8", html.encode()),
        "rtf": ("application/rtf", rtf(text)),
    }
    content_type, data = content[kind]
    attachment = {"contentType": content_type, "data": encoded(data)}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        **resource,
        "content": [{"attachment": attachment}],
    }


@dataclass
class Summarised:
    """One source of two versions, the second of them summarised."""

    site: Site
    source: Resource
    composition: Resource

    @property
    def url(self) -> str:
        return f"{self.site.fhir.server.base_url}/Composition/{self.composition['id']}"

    def audit(self) -> Audit:
        return self.site.one_audit(self.composition["id"])

    def provenance(self) -> Resource:
        (found,) = self.site.fhir.matches(
            self.site.fhir.get("Provenance", target=f"Composition/{self.composition['id']}")
        )
        return found

    def text_beside(self) -> Resource:
        where = self.composition["section"][0]["extension"][0]["extension"][0]["valueReference"]
        found: Resource = self.site.fhir.get(where["reference"])
        return found


def summarised(site: Site, kind: str) -> Summarised:
    patient = site.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    ident = {"id": new_id("note")}
    before = (*SENTENCES[:3], "Home today.")
    site.fhir.put(note(kind, before, reference(patient)) | ident)
    source = site.fhir.put(note(kind, SENTENCES, reference(patient)) | ident)
    site.poll()
    (composition,) = site.written(reference(source))
    return Summarised(site, source, composition)


@pytest.fixture
def site(fhir: Fhir, tmp_path: Path) -> Site:
    fhir.put({"resourceType": "Patient", "id": "tamper"})
    fhir.put({"resourceType": "Device", "id": "tamper"})
    fhir.put(
        {
            "resourceType": "DocumentReference",
            "id": "tamper",
            "status": "entered-in-error",
            "content": [{"attachment": {"contentType": "text/plain", "data": encoded("Not read.")}}],
        }
    )
    return beginning_now(Site(fhir, tmp_path / "ledger.sqlite"))


@dataclass
class Tally:
    """What became of the alterations, by name."""

    found: int = 0
    refused: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    missed_by_checker: list[str] = field(default_factory=list)


def stored(fhir: Fhir, resource: Resource) -> bool:
    """Puts a resource; False where the server refuses it.

    Servers keep labels and tags that an update leaves out; here they go, by the ways that a server has.
    """
    url = reference(resource)
    if fhir.send("PUT", url, resource).status_code not in (200, 201):
        return False
    there, wanted = fhir.get(url)["meta"], resource["meta"]
    surplus = {
        name: [coding for coding in there.get(name, []) if coding not in wanted.get(name, [])]
        for name in ("security", "tag")
    }
    meta = {name: codings for name, codings in surplus.items() if codings}
    if meta and fhir.server.engine == "hapi":
        body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
        assert fhir.send("POST", f"{url}/$meta-delete", body).status_code == 200
    elif meta:
        assert fhir.send("DELETE", url).status_code == 204
        fhir.put(resource)
    return True


async def tampered(one: Summarised, alterations: list[Alteration]) -> Tally:
    """Makes each alteration in turn, each of the untouched Composition, and undoes the last."""
    tally = Tally()
    answers = Answers(reference(one.composition))
    async with auditing_again(one.site, one.composition) as auditor:
        for alteration in alterations:
            if not stored(one.site.fhir, alteration.of(one.composition)):
                tally.refused.append(alteration.name)
                continue
            audit = await auditor.audit(one.composition["id"])
            codes = {finding for finding, _ in audit.findings}
            tally.found += not audit.ok
            if audit.ok:
                tally.missed.append(alteration.name)
            elif alteration.finding not in codes:
                tally.misnamed.append(f"{alteration.name}: {sorted(codes)}, not {alteration.finding}")
            if alteration.by_checker and check(one.url, answers) == 0:
                tally.missed_by_checker.append(alteration.name)
    assert stored(one.site.fhir, one.composition)
    return tally


def untouched_holds(one: Summarised, capsys: pytest.CaptureFixture[str]) -> None:
    audit = one.audit()
    assert (audit.findings, len(audit.sentences)) == ((), 3)
    code = check(one.url)
    assert code == 0, capsys.readouterr().out


def kinds_and_samples(engine: str) -> Iterator[tuple[str, list[Alteration]]]:
    """Every alteration of every kind of source; on HAPI a sample, the same in each run."""
    chosen = {kind: list(ALL) for kind in FORMATS}
    if engine == "hapi":
        pairs = random.Random(SEED).sample([(k, a) for k in FORMATS for a in ALL], HAPI_SAMPLE)
        chosen = {kind: [a for k, a in pairs if k == kind] for kind in FORMATS}
    yield from chosen.items()


def test_every_alteration_is_found_by_audit_and_checker(
    site: Site, fhir_server: FhirServer, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = 0
    for kind, alterations in kinds_and_samples(fhir_server.engine):
        one = summarised(site, kind)
        untouched_holds(one, capsys)

        tally = asyncio.run(tampered(one, alterations))
        capsys.readouterr()

        assert not tally.missed, f"{kind}: {'; '.join(tally.missed)}"
        assert not tally.misnamed, f"{kind}: {'; '.join(tally.misnamed)}"
        assert not tally.missed_by_checker, f"{kind}: {'; '.join(tally.missed_by_checker)}"
        untouched_holds(one, capsys)
        tried += tally.found
        if fhir_server.engine == "embedded":
            assert not tally.refused, f"{kind}: {'; '.join(tally.refused)}"
    assert tried >= (200 if fhir_server.engine == "embedded" else HAPI_SAMPLE)


def all_are_found(
    one: Summarised, alterations: list[Alteration], engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each alteration, on HAPI a sample, is found by audit and checker; before and after, all holds."""
    untouched_holds(one, capsys)
    if engine == "hapi":
        alterations = random.Random(SEED).sample(alterations, HAPI_SAMPLE // 2)

    tally = asyncio.run(tampered(one, alterations))
    capsys.readouterr()

    assert [*tally.missed, *tally.misnamed, *tally.missed_by_checker] == []
    assert tally.found + len(tally.refused) == len(alterations)
    if engine == "embedded":
        assert not tally.refused
    untouched_holds(one, capsys)


def test_every_alteration_of_what_is_around_a_sentence_is_found(
    site: Site, fhir_server: FhirServer, capsys: pytest.CaptureFixture[str]
) -> None:
    one = summarised(site, "headed")
    headings = [[piece.text for piece in sentence.context] for sentence in one.audit().sentences]
    assert headings == [[], ["MEDICATIONS TO STOP:"], ["MEDICATIONS TO STOP:"]]
    all_are_found(one, AROUND, fhir_server.engine, capsys)


def test_every_alteration_of_what_rules_found_is_found(
    site: Site, fhir_server: FhirServer, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = site.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    attachment = {"contentType": "text/plain; charset=utf-8", "data": encoded(NOTE)}
    subject = {"reference": reference(patient)}
    made = {"resourceType": "DocumentReference", "status": "current", "subject": subject}
    source = site.fhir.put({**made, "id": new_id("note"), "content": [{"attachment": attachment}]})
    site.poll()
    (composition,) = site.written(reference(source))
    one = Summarised(site, source, composition)
    pinned = one.audit().pinned
    assert pinned is not None
    assert pinned.ruled
    assert [(head, [line.text for line in lines]) for head, lines in pinned.by_rule] == [
        ("Allergies", ["Penicillin gives her hives.", "No allergy to latex."]),
        ("Code status and directives", ["DNR, as she signed on 3 May."]),
    ]
    assert [section.title for section in one.audit().left_out.sections] == [
        "ALLERGIES",
        "CODE STATUS",
        "PLAN",
    ]
    all_are_found(one, RULED, fhir_server.engine, capsys)


def test_alterations_have_names_of_their_own() -> None:
    names = [alteration.name for alteration in (*ALL, *AROUND, *RULED)]
    assert len(set(names)) == len(names)


def delete(one: Summarised, resource: Resource) -> None:
    answer = one.site.fhir.send("DELETE", reference(resource))
    assert answer.status_code in (200, 204), answer.text


def provenance_deleted(one: Summarised) -> None:
    delete(one, one.provenance())


def provenance_of_another_target(one: Summarised) -> None:
    one.site.fhir.put({**one.provenance(), "target": [{"reference": "DocumentReference/tamper"}]})


def provenance_of_another_source(one: Summarised) -> None:
    resource = one.provenance()
    resource["entity"][0]["what"]["reference"] = "DocumentReference/tamper"
    one.site.fhir.put(resource)


def provenance_of_another_version(one: Summarised) -> None:
    resource = one.provenance()
    identifier = resource["entity"][0]["what"]["identifier"]
    identifier["value"] = identifier["value"].replace("_history/2", "_history/1")
    resource["entity"][0]["what"]["reference"] = reference(one.source)
    one.site.fhir.put(resource)


def provenance_of_another_author(one: Summarised) -> None:
    resource = one.provenance()
    resource["agent"][0]["who"] = {"reference": "Device/tamper"}
    one.site.fhir.put(resource)


def device_renamed(one: Summarised) -> None:
    device = one.site.fhir.get(one.composition["author"][0]["reference"])
    device["identifier"][0]["value"] += "x"
    one.site.fhir.put(device)


def source_changed(one: Summarised) -> None:
    one.site.fhir.put({**one.source, "language": "en"})


def text_beside_altered(one: Summarised) -> None:
    resource = one.text_beside()
    attachment = resource["content"][0]["attachment"]
    attachment["data"] = encoded("\n".join(SENTENCES).replace("No ", "An"))
    attachment.pop("hash")
    attachment.pop("size")
    one.site.fhir.put(resource)


def text_beside_no_longer_labelled(one: Summarised) -> None:
    resource = one.text_beside()
    resource["meta"]["security"] = SECURITY[:1]
    assert stored(one.site.fhir, resource)


@pytest.mark.parametrize(
    ("change", "finding", "by_checker"),
    [
        (provenance_deleted, Finding.PROVENANCE_MISSING, False),
        (provenance_of_another_target, Finding.PROVENANCE_MISSING, False),
        (provenance_of_another_source, Finding.PROVENANCE_DIFFERS, False),
        (provenance_of_another_version, Finding.PROVENANCE_DIFFERS, False),
        (provenance_of_another_author, Finding.PROVENANCE_DIFFERS, False),
        (device_renamed, Finding.MODEL_UNKNOWN, False),
        (source_changed, Finding.SOURCE_CHANGED, True),
        (text_beside_altered, Finding.EXTRACTED_TEXT_DIFFERS, True),
        (text_beside_no_longer_labelled, Finding.PROTECTION_LOWERED, True),
    ],
)
def test_what_is_altered_around_a_summary_is_found(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Summarised], None],
    finding: Finding,
    by_checker: bool,
) -> None:
    one = summarised(site, "html")
    untouched_holds(one, capsys)

    change(one)

    assert {found for found, _ in one.audit().findings} == {finding}
    if by_checker:
        assert check(one.url) == 1


def test_a_person_who_signs_a_summary_leaves_it_whole(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    one = summarised(site, "plain")
    signed: dict[str, Any] = {"status": "final", "attester": [{"mode": "professional"}]}
    one.site.fhir.put({**one.composition, **signed})
    untouched_holds(one, capsys)


def test_a_summary_of_the_version_before_holds_and_says_what_it_lacks(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its list showed no context, its Device stated no form; a calibrated model's scores were confidences."""
    one = summarised(site, "headed")
    device = site.fhir.get(one.composition["author"][0]["reference"])
    device["version"] = [v for v in device["version"] if v["type"]["text"] != "form"]
    scores = {"type": {"text": "scores"}, "valueCode": [{"text": "calibrated probabilities"}]}
    site.fhir.put({**device, "property": [scores]})
    before = deepcopy(one.composition)
    as_before(before)
    del before["section"][1:]  # rules found no lines then
    for span in before["section"][0]["extension"]:
        score = next(p["valueDecimal"] for p in span["extension"] if p["url"] == EXTRACT_SCORE)
        span["extension"].append({"url": AI_CONFIDENCE, "valueDecimal": score})
    site.fhir.put(before)

    audit = one.audit()

    assert audit.findings == ()
    assert any("without what stands around them" in notice for notice in audit.notices)
    assert check(one.url) == 0, capsys.readouterr().out
