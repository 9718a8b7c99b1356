"""The files that an audit leaves for people."""

import csv
import stat
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from lxml import html

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.standing import Standing, State
from fhir_adapter.audit.verdict import Audit, AuditedSentence, Filed
from fhir_adapter.sandbox.running import running_embedded
from jobs.audits.coverage import coverage, without_summary
from jobs.audits.paged import A_PAGE, ONE_PAGE, HtmlReport
from jobs.audits.report import COLUMNS, CsvReport, Head, write_html
from jobs.cli import run
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from summarizer.files import replaced

HOSTILE = "<script>alert('x')</script> & \"said\""
HEAD = Head("https://fhir.example.org/r4", datetime(2025, 6, 1, 8, 30, tzinfo=UTC))


def table_of(found: list[Audit], without: list[NoteRow] | None = None) -> str:
    out = StringIO()
    report = CsvReport(out)
    for audit in found:
        report.add(audit)
    report.add_without(without or [])
    return out.getvalue()


def audits() -> list[Audit]:
    good = AuditedSentence(0, 8, "No fever", 0.9, True, "No fever")
    bad = AuditedSentence(9, 9 + len(HOSTILE), HOSTILE, 0.5, False, HOSTILE.replace("x", "y"))
    found = ((Finding.SENTENCE_ALTERED, "sentence 2"), (Finding.SENTENCE_ADDED, "=HYPERLINK(1)"))
    return [
        Audit("Composition/1", "DocumentReference/1", (good,), (), (), "3", "Device/1"),
        Audit("Composition/2", "DocumentReference/2", (good, bad), found, (HOSTILE,), "1", "Device/1"),
        Audit("Composition/3", "", (), ((Finding.COMPOSITION_GONE, ""),)),
    ]


def page() -> str:
    out = StringIO()
    write_html(audits(), HEAD, out)
    return out.getvalue()


def test_the_page_needs_no_network_and_runs_nothing() -> None:
    text = page()
    assert "url(" not in text
    assert "@import" not in text
    tree = html.document_fromstring(text)
    assert tree.xpath("//script | //link | //img | //iframe | //@src") == []
    assert all(target.startswith("#") for target in tree.xpath("//@href"))


def test_what_comes_from_notes_is_escaped_and_shown_in_full() -> None:
    tree = html.document_fromstring(page())
    shown = [cell.text_content() for cell in tree.xpath("//span[@class='text']")]
    assert shown.count(HOSTILE) == 2  # in the note, and as the sentence that no offsets vouch for
    assert HOSTILE.replace("x", "y") in shown


def test_the_page_has_every_verdict_the_bad_ones_first_and_every_finding_in_words() -> None:
    tree = html.document_fromstring(page())
    assert [a.text_content() for a in tree.xpath("//td/a")] == [f"Composition/{n}" for n in (2, 3, 1)]
    for link in tree.xpath("//td/a/@href"):
        assert tree.get_element_by_id(link.removeprefix("#")) is not None
    assert [b.text for b in tree.xpath("//ul[@class='sums']//b")] == ["3", "2", "0", "3", "2"]
    words = " ".join(li.text_content() for li in tree.xpath("//ul[@class='findings']/li"))
    for finding in (Finding.SENTENCE_ALTERED, Finding.SENTENCE_ADDED, Finding.COMPOSITION_GONE):
        assert finding.words in words
        assert finding.value in words


def test_what_is_no_longer_current_is_headed_by_that() -> None:
    good = audits()[0]
    ended = replace(good, state=State(Standing.WITHDRAWN, "It is marked as entered in error."))
    page = StringIO()
    write_html([good, ended], HEAD, page)
    tree = html.document_fromstring(page.getvalue())
    first, second = (article.text_content() for article in tree.xpath("//article"))
    assert "This summary was withdrawn." in first
    assert "holds" not in first
    assert "holds" in second
    assert [row["standing"] for row in csv.DictReader(StringIO(table_of([good, ended])))] == [
        "current",
        "withdrawn",
    ]


def test_an_altered_sentence_shows_both() -> None:
    text = "Metoprolol 2.5 mg daily."
    bad = AuditedSentence(0, len(text), text, 0.5, False, text.replace("2.5", "25"))
    audit = replace(audits()[1], sentences=(bad,))
    out = StringIO()
    write_html([audit], HEAD, out)
    words = html.document_fromstring(out.getvalue()).text_content()
    assert "summary says “25 mg”, note says “2.5 mg”" in words


def test_an_audit_of_nothing_is_a_page_too() -> None:
    out = StringIO()
    write_html([], HEAD, out)
    assert "There are no summaries" in out.getvalue()


def test_the_table_has_a_row_for_each_finding_and_no_words_of_notes() -> None:
    table = table_of(audits())
    rows = list(csv.DictReader(StringIO(table)))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["composition"], row["ok"], row["code"]) for row in rows] == [
        ("Composition/1", "yes", ""),
        ("Composition/2", "no", "sentence-altered"),
        ("Composition/2", "no", "sentence-added"),
        ("Composition/3", "no", "composition-gone"),
    ]
    assert rows[2]["detail"] == "'=HYPERLINK(1)"
    assert "fever" not in table
    assert "script" not in table


FILED = Filed("Summary of discharge note of 2025-06-01", "Patient/7", "preliminary")


def test_page_and_table_say_whose_which_and_how_it_stands() -> None:
    audit = replace(audits()[0], filed=FILED)
    out = StringIO()
    write_html([audit], HEAD, out)
    words = " ".join(html.document_fromstring(out.getvalue()).text_content().split())
    for shown in (FILED.title, FILED.patient, "preliminary", "DocumentReference/1 version 3"):
        assert shown in words
    (row,) = csv.DictReader(StringIO(table_of([audit])))
    assert (row["title"], row["patient"], row["status"], row["version"]) == (*tuple_of(FILED), "3")


def tuple_of(filed: Filed) -> tuple[str, str, str]:
    return filed.title, filed.patient, filed.status


def test_notes_without_a_summary_are_told_with_their_reasons(tmp_path: Path) -> None:
    rows = [
        NoteRow("DocumentReference/1", "3", "v", "written", composition="1"),
        NoteRow("DocumentReference/8", "1", "v", "failed", reason="timeout"),
        NoteRow("DocumentReference/9", "1", "v", "skipped", reason="scanned-image"),
    ]
    with Ledger(f"sqlite:///{tmp_path / 'l.sqlite'}", server="s", pipeline="p") as ledger:
        ledger.record(rows)
        found, without = coverage(ledger, None), list(without_summary(ledger, None))
    out = StringIO()
    write_html(audits(), HEAD, out, found)
    words = " ".join(html.document_fromstring(out.getvalue()).text_content().split())
    assert "1 of 3 notes that were handled have a summary." in words
    assert "DocumentReference/8 version 1: timeout" in words
    *_, eighth, ninth = csv.DictReader(StringIO(table_of(audits(), without)))
    assert (eighth["source"], eighth["code"], eighth["standing"]) == (
        "DocumentReference/8",
        "timeout",
        "no summary",
    )
    assert (ninth["code"], ninth["composition"]) == ("scanned-image", "")
    assert eighth["standing_words"] == "The note could not be summarised."


def many(count: int) -> list[Audit]:
    good, wrong, _ = audits()
    return [
        replace(wrong if n % 100 == 7 else good, composition=f"Composition/{n}", filed=FILED)
        for n in range(count)
    ]


def made(path: Path, found: list[Audit]) -> int:
    """The report; returns how many audits were held at most."""
    most = 0
    with replaced(path) as file:
        report = HtmlReport(path, file, HEAD)
        for audit in found:
            report.add(audit)
            most = max(most, len(report._held))
        report.finish(None)
    return most


def test_a_report_of_many_is_a_list_with_pages_beside_it(tmp_path: Path) -> None:
    path, count = tmp_path / "audit.html", 3 * A_PAGE + 150
    assert made(path, many(count)) <= ONE_PAGE
    tree = html.document_fromstring(path.read_text("utf-8"))
    hrefs = list(dict.fromkeys(tree.xpath("//td/a/@href")))
    assert sorted(hrefs) == [f"audit-pages/{n:05d}.html" for n in range(1, 5)]
    assert [b.text for b in tree.xpath("//ul[@class='sums']//b")][:2] == [str(count), "8"]
    named = []
    for href in sorted(hrefs):
        page = html.document_fromstring((tmp_path / href).read_text("utf-8"))
        named += [a.text_content() for a in page.xpath("//td/a")]
        assert page.xpath("//header//a/@href") == ["../audit.html"]
    assert set(named) == {f"Composition/{n}" for n in range(count)}
    assert stat.S_IMODE((tmp_path / "audit-pages").stat().st_mode) == 0o700

    made(path, many(A_PAGE * 2))  # again, shorter: no page of the former report is left
    assert len(list((tmp_path / "audit-pages").iterdir())) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"audit.html", "audit-pages"}


def test_the_file_is_for_its_owner_and_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    for content in ("first", "second"):
        with replaced(path) as file:
            file.write(content)
            assert path.exists() == (content == "second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("utf-8") == "second"

    with suppress(RuntimeError), replaced(path) as file:
        file.write("half of it")
        raise RuntimeError
    assert path.read_text("utf-8") == "second"
    assert [p.name for p in tmp_path.iterdir()] == ["audit.csv"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_embedded() as base_url:
        sets = [f"--set=FHIR_BASE_URL={base_url}", f"--set=DATABASE_URL=sqlite:///{tmp_path / 'none.sqlite'}"]
        assert run(["audit", "--all", "--csv", "/dev/full", *sets]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("clinsum: ")]
    assert said == ["clinsum: A file cannot be written: No space left on device."]
    assert not (tmp_path / "none.sqlite").exists()  # an audit makes no ledger
