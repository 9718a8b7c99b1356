"""Every corpus gives the same kind of article, from every kind of file."""

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from pyarrow import Table, parquet

from tests.unit.training.invented import RECORDS
from training.corpora.records import Record
from training.corpora.schemas import (
    SCHEMAS,
    Article,
    ArticleSection,
    Corpus,
    Dropped,
    articles,
    convert,
    schema_of,
)
from training.corpora.splitting import split_text
from training.errors import CorpusError

ARTICLES = [name for name in RECORDS if name not in ("radiology", "mtsamples")]
EXPECTED = (
    "iron was low in 12 of 40 runners .",
    "all of them trained on hills .",
    "tablets raised their iron within six weeks .",
    "the shoes were blue .",
)


def article(name: str, schema: str = "auto") -> Article:
    found = convert(Record(0, RECORDS[name]), "invented.jsonl", schema=schema)
    assert isinstance(found, Article)
    return found


@pytest.mark.parametrize("name", ARTICLES)
def test_one_article_comes_out_of_every_schema(name: str) -> None:
    found = article(name)
    assert found.source == name
    number = "2" if name == "sumpubmed" else "12"
    assert found.sentences == (EXPECTED[0].replace("12", number), *EXPECTED[1:])
    assert found.summary[0] == EXPECTED[0].replace("12", number)


@pytest.mark.parametrize("name", RECORDS)
def test_schemas_are_told_by_their_fields(name: str) -> None:
    assert schema_of(RECORDS[name]) == name


def test_sections_cover_the_sentences() -> None:
    assert article("pmc").sections == (ArticleSection("methods", 0, 2), ArticleSection("results", 2, 4))
    assert article("cohan").sections == article("pmc").sections
    names = [section.title for section in article("sumpubmed").sections or ()]
    assert names == ["methods", "results / tablets"]
    assert article("ccdv").sections is None


def test_ids_are_the_corpus_s_own_or_its_name_and_place() -> None:
    assert [article(name).id for name in ("cohan", "pmc", "radiology")] == ["runner-1", "PMC1", "7"]
    assert article("ccdv").id == "invented.jsonl:0"


def test_an_impression_is_the_reference_for_the_rest_of_the_report() -> None:
    report = article("radiology")
    assert report.summary == ("no acute disease .",)
    assert report.sentences[-2:] == ("the lungs are clear .", "no effusion .")
    note = article("mtsamples")
    assert note.summary == ("rupture of the tendon .",)
    assert not any("rupture" in sentence for sentence in note.sentences)
    assert {section.title for section in note.sections or ()} == {"history", "allergies", "plan"}


def test_a_description_is_the_reference_for_the_whole_note() -> None:
    note = article("mtsamples", "mtsamples-description")
    assert note.summary == ("torn tendon .",)
    assert "rupture of the tendon ." in note.sentences


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (None, Dropped.UNREADABLE),
        ({"title": "x"}, Dropped.UNREADABLE),
        ({"article": 3, "abstract": "x"}, Dropped.UNREADABLE),
        ({"article": "some words ."}, Dropped.UNREADABLE),
        ({"sections": [{"title": "a"}], "abstract": []}, Dropped.UNREADABLE),
        ({"article": "", "abstract": "some words ."}, Dropped.NO_SENTENCES),
        ({"article": "some words .", "abstract": " "}, Dropped.NO_REFERENCE),
        ({"findings": "", "indication": "Cough.", "impression": "Clear."}, Dropped.NO_SENTENCES),
    ],
)
def test_a_record_without_an_article_says_why(fields: dict[str, Any] | None, why: Dropped) -> None:
    assert convert(Record(4, fields), "x") is why


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(ValueError, match="schema must be auto or one of ccdv"):
        convert(Record(0, {}), "x", schema="arxiv")
    assert set(RECORDS) < set(SCHEMAS)


def test_files_of_every_kind_hold_the_same_articles(tmp_path: Path) -> None:
    record = RECORDS["ccdv"]
    line = (json.dumps(record) + "\n").encode()
    (tmp_path / "a.jsonl").write_bytes(line)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(line))
    (tmp_path / "c.jsonl.xz").write_bytes(lzma.compress(line))
    parquet.write_table(Table.from_pylist([record]), tmp_path / "d.parquet")
    (tmp_path / "README.md").write_text("not data")
    found = list(articles(Corpus(str(tmp_path))))
    assert [one.sentences for one in found] == [EXPECTED] * 4
    assert [one.id.rpartition(":")[2] for one in found] == ["0", "1", "2", "3"]


def test_reading_begins_anywhere(corpus_file: Path) -> None:
    corpus = Corpus(str(corpus_file))
    everything = list(articles(corpus))
    assert len(everything) == 40
    assert list(articles(corpus, start=37)) == everything[37:]


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("config", ["document", "section"])
def test_the_hub_s_library_loads_by_name_and_configuration(
    tmp_path: Path, config: str, streaming: bool
) -> None:
    repository = tmp_path / "ccdv" / "pubmed-summarization"
    for name in ("document", "section"):
        (repository / name).mkdir(parents=True)
        rows = [RECORDS["ccdv"] | {"article": f"the {name} form , row {i} ."} for i in range(3)]
        parquet.write_table(Table.from_pylist(rows), repository / name / "validation-00000-of-00001.parquet")
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n  - split: validation\n    path: {name}/validation-*\n"
        for name in ("document", "section")
    )
    (repository / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    corpus = Corpus(str(repository), config, "validation", streaming, str(tmp_path / "cache"))
    found = list(corpus.from_hub(1))
    assert [fields["article"] for fields in found] == [f"the {config} form , row {i} ." for i in (1, 2)]


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR?")
    (tmp_path / "bad.jsonl.xz").write_bytes(b"\xfd7zXZ\x00 cut")
    for name in ("bad.parquet", "bad.jsonl.xz", "missing.jsonl"):
        with pytest.raises(CorpusError, match=name):
            list(Corpus(str(tmp_path / name)).records())
    with pytest.raises(CorpusError, match="neither a file"):
        list(Corpus(str(tmp_path / "nothing")).records())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match="neither a file"):
        list(Corpus("data/missing.jsonl").records())
    wrong = Corpus(str(tmp_path), "section", "validation", cache=str(tmp_path / "cache"))
    with pytest.raises(CorpusError, match="cannot be loaded"):
        list(wrong.from_hub(0))


def test_splitting_knows_print_the_benchmark_and_lower_case() -> None:
    assert split_text("Dr. Roe saw him. He slept [2].\n\nA new line") == [
        "Dr. Roe saw him.",
        "He slept [2].",
        "A new line",
    ]
    assert split_text("it fell by 2.5 mg ( fig . 3 ) . then it rose .")[-1] == "then it rose ."
    assert split_text("we saw m. avium subsp. hominis in all. it grew. . <dig> of them died.") == [
        "we saw m. avium subsp. hominis in all.",
        "it grew. .",
        "<dig> of them died.",
    ]
    assert split_text(" \n ") == []
