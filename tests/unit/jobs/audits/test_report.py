"""The files that an audit leaves for people."""

import csv
import stat
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from lxml import html

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.standing import Standing, State
from fhir_adapter.audit.verdict import Audit, AuditedSentence
from jobs.audits.report import COLUMNS, open_private, write_csv, write_html

HOSTILE = "<script>alert('x')</script> & \"said\""


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
    write_html(audits(), "https://fhir.example.org/r4", out, datetime(2025, 6, 1, 8, 30, tzinfo=UTC))
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
    page, table = StringIO(), StringIO()
    write_html([good, ended], "https://fhir.example.org/r4", page)
    write_csv([good, ended], table)
    tree = html.document_fromstring(page.getvalue())
    first, second = (article.text_content() for article in tree.xpath("//article"))
    assert "This summary was withdrawn." in first
    assert "holds" not in first
    assert "holds" in second
    assert [row["standing"] for row in csv.DictReader(StringIO(table.getvalue()))] == ["current", "withdrawn"]


def test_an_altered_sentence_shows_both() -> None:
    text = "Metoprolol 2.5 mg daily."
    bad = AuditedSentence(0, len(text), text, 0.5, False, text.replace("2.5", "25"))
    audit = replace(audits()[1], sentences=(bad,))
    out = StringIO()
    write_html([audit], "https://fhir.example.org/r4", out)
    words = html.document_fromstring(out.getvalue()).text_content()
    assert "summary says “25 mg”, note says “2.5 mg”" in words


def test_an_audit_of_nothing_is_a_page_too() -> None:
    out = StringIO()
    write_html([], "https://fhir.example.org/r4", out)
    assert "There are no summaries" in out.getvalue()


def test_the_table_has_a_row_for_each_finding_and_no_words_of_notes() -> None:
    out = StringIO()
    write_csv(audits(), out)
    rows = list(csv.DictReader(StringIO(out.getvalue())))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["composition"], row["ok"], row["code"]) for row in rows] == [
        ("Composition/1", "yes", ""),
        ("Composition/2", "no", "sentence-altered"),
        ("Composition/2", "no", "sentence-added"),
        ("Composition/3", "no", "composition-gone"),
    ]
    assert rows[2]["detail"] == "'=HYPERLINK(1)"
    assert "fever" not in out.getvalue()
    assert "script" not in out.getvalue()


def test_the_file_is_for_its_owner_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    for _ in range(2):
        with open_private(path) as file:
            write_csv(audits(), file)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("utf-8").count("Composition/1") == 1
