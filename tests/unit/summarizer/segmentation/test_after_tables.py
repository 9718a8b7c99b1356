"""What stands above a table belongs to the table: rows have it, paragraphs below do not."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import Mark, MarkKind

LINES = ["Drug        Dose", "bumetanide  1 mg", "sotalol     80 mg"]
BARS = ["Drug | Dose", "bumetanide | 1 mg", "sotalol | 80 mg"]


def around(text: str, words: str, marks: tuple[Mark, ...] = ()) -> list[str]:
    """What is shown with the sentence that holds these words."""
    found = [s for s in segment(text, (), marks).sentences if words in text[s.start : s.end]]
    assert len(found) == 1
    return [text[piece.start : piece.end] for piece in found[0].context]


def rows_of(text: str) -> tuple[Mark, ...]:
    marks, at = [], 0
    for line in text.split("\n"):
        if " | " in line:
            marks.append(Mark(at, at + len(line), MarkKind.ROW))
        at += len(line) + 1
    return tuple(marks)


@pytest.mark.parametrize("rows", [LINES, BARS])
@pytest.mark.parametrize("label", ["Hold these:", "Stopped by the renal team:", "Not to be restarted:"])
def test_a_label_above_a_table_ends_with_it(label: str, rows: list[str]) -> None:
    text = "\n".join([label, *rows]) + "\n\nHe takes his other tablets as before."
    assert label in around(text, "sotalol")
    assert around(text, "other tablets") == []
    below = "\n".join([label, *rows, "He takes his other tablets as before."])
    assert around(below, "other tablets") == []


@pytest.mark.parametrize("lead", ["The following were stopped:", "She must not take these:"])
def test_a_lead_in_to_a_declared_table_ends_with_it(lead: str) -> None:
    text = "\n".join([lead, *BARS, "Apixaban was begun in their place."])
    assert lead in around(text, "sotalol", rows_of(text))
    assert around(text, "Apixaban", rows_of(text)) == []


def test_a_section_goes_on_below_its_table() -> None:
    text = (
        "HOSPITAL COURSE:\nHe did well.\n\nLabs on the last day:\nSodium | 141\nUrea | 9\n\nHe walked home."
    )
    assert around(text, "Urea") == ["HOSPITAL COURSE:", "Labs on the last day:"]
    assert around(text, "walked") == ["HOSPITAL COURSE:"]


def test_a_labelled_line_below_a_row_stays_under_their_label() -> None:
    text = "PHYSICAL EXAMINATION:\nVitals:\nBP 110/60    HR 58    RR 12\nTemperature: 36.9 C\n"
    assert around(text, "36.9") == ["PHYSICAL EXAMINATION:", "Vitals:"]


@pytest.mark.parametrize("gap", ["    ", "\u00a0\u00a0\u00a0\u00a0", " | "])
def test_a_section_ends_above_a_table_of_another_kind(gap: str) -> None:
    rows = [["Test", "Value", "Unit"], ["Lithium", "1.9", "mmol/L"]]
    drugs = [["Drug", "Dose", "Route"], ["sotalol", "80 mg", "PO"]]
    first, second = ("\n".join(gap.join(row) for row in table) for table in (rows, drugs))
    text = f"LAB RESULTS:\n{first}\n\n{second}"
    assert around(text, "1.9") == ["LAB RESULTS:", gap.join(rows[0])]
    assert around(text, "sotalol") == [gap.join(drugs[0])]


def test_a_label_with_its_text_ends_above_a_table() -> None:
    text = "Hand-over to night staff:\nAll questions were answered.\n\nDrain      Output\nChest      300 mL"
    assert around(text, "300") == ["Drain      Output"]


@pytest.mark.parametrize("rows", [LINES, BARS])
@pytest.mark.parametrize("name", ["Tablets to avoid", "Given before transfer", "Nicht mehr einnehmen"])
def test_a_line_alone_above_a_table_is_its_caption(name: str, rows: list[str]) -> None:
    text = f"He was seen twice.\n\n{name}\n\n" + "\n".join(rows) + "\n\nHe felt well."
    assert around(text, "sotalol") == [name, rows[0]]
    assert around(text, "felt well") == []


@pytest.mark.parametrize(
    "above", ["He was seen twice. He felt well.", "and so it went on until the day of his discharge home"]
)
def test_a_sentence_above_a_table_is_none(above: str) -> None:
    text = f"{above}\n\n" + "\n".join(BARS)
    assert around(text, "sotalol") == [BARS[0]]


@pytest.mark.parametrize(("name", "gap"), [("spironolactone", 2), ("dofetilide", 6)])
def test_the_last_row_of_a_table_may_have_a_narrow_gap(name: str, gap: int) -> None:
    drugs = ["Drug", "bumetanide", "sotalol", name]
    rows = [
        drug.ljust(len(name) + gap) + dose
        for drug, dose in zip(drugs, ["Dose", "1 mg", "80 mg", "2 mg"], strict=True)
    ]
    assert around("\n".join(rows), name) == [rows[0]]


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("Platelets were 31. 2 pools were given before the drain.", "2 pools were given before the drain."),
        (
            "Haemoglobin was 68. 3 units of red cells were transfused.",
            "3 units of red cells were transfused.",
        ),
        ("INR 8. 4 bags of plasma were ordered.", "4 bags of plasma were ordered."),
        ("Thrombozyten waren 18. 2 Beutel wurden gegeben.", "2 Beutel wurden gegeben."),
        ("La hemoglobina era de 6. 2 unidades fueron transfundidas.", "2 unidades fueron transfundidas."),
        ("L'hémoglobine était à 7. 3 culots ont été transfusés.", "3 culots ont été transfusés."),
    ],
)
def test_a_number_that_counts_begins_a_statement(text: str, second: str) -> None:
    assert [text[s.start : s.end] for s in segment(text).sentences][1:] == [second]


@pytest.mark.parametrize(
    "text",
    [
        "Creatinine was 1. 4 mg/dL and was stable.",
        "She took 1. 5 tablets and was drowsy.",
        "The temperature was 38. 4 and he was well.",
        "Potassium 3. 9 today.",
        "He was given 2. 5 units of insulin at bedtime.",
    ],
)
def test_a_decimal_with_a_blank_stays_whole(text: str) -> None:
    assert [text[s.start : s.end] for s in segment(text).sentences] == [text]


def columns_of(text: str, declared: tuple[str, ...]) -> tuple[Mark, ...]:
    """Marks of the rows of a text; these lines name columns."""
    marks, at = [], 0
    for line in text.split("\n"):
        if " | " in line:
            marks.append(Mark(at, at + len(line), MarkKind.COLUMNS if line in declared else MarkKind.ROW))
        at += len(line) + 1
    return tuple(marks)


def test_heads_in_a_table_of_their_own_are_those_of_the_table_below() -> None:
    head, other = "Lipid panel | North Lab", "Iron panel | South Lab"
    text = f"{head}\n\nCholesterol | 5.1 | mmol/L\nTriglycerides | 1.2 | mmol/L\n\n{other}\n\nFerritin | 80"
    marks = columns_of(text, (head, other))
    assert around(text, "Triglycerides", marks) == [head]
    assert around(text, "Ferritin", marks) == [other]


def test_heads_of_an_empty_table_are_not_those_of_one_with_heads() -> None:
    text = "Drug | Dose\n\nVaccine | Given\nTetanus | 2019"
    assert around(text, "Tetanus", columns_of(text, ("Drug | Dose", "Vaccine | Given"))) == [
        "Vaccine | Given"
    ]


def test_heads_of_a_table_with_rows_end_with_it() -> None:
    text = "Drug | Dose\nsotalol | 80 mg\n\nWard | 4 East"
    assert around(text, "4 East", columns_of(text, ("Drug | Dose",))) == []


def test_a_long_first_cell_is_a_name_of_its_own() -> None:
    long = "Seen for " + "a cough that had kept her awake, " * 8 + "without fever"
    text = f"Admitted for pneumonia | 3 May\n{long} | 9 May\n| 12 May | Ward 2"
    assert around(text, "9 May", columns_of(text, ())) == []
    assert around(text, "12 May", columns_of(text, ())) == [long]


@pytest.mark.parametrize("ditto", ['"', "〃", "ditto", "dito"])
def test_ditto_marks_stand_for_the_name_above(ditto: str) -> None:
    text = f"Alcohol | two units a week | 1990 - 2004\n{ditto} | none | since 2004"
    assert around(text, "since 2004", columns_of(text, ())) == ["Alcohol"]


def test_a_label_in_a_line_does_not_head_the_table_below() -> None:
    text = "He was well. Key: 4711, group A.\nCode | latex\nSince | 2018"
    assert around(text, "2018", rows_of(text)) == []


@pytest.mark.parametrize("title", ["IMPRESSION", "ASSESSMENT", "PLAN"])
def test_a_title_in_capitals_before_a_list_of_one(title: str) -> None:
    text = f"HISTORY: Fall.\n{title} 1. Sprain of the left wrist."
    assert around(text, "Sprain") == [title]


@pytest.mark.parametrize("name", ["Planned Scans", "Sister (alive)", "Brother (died at 40)", "Do not take"])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_line_alone_above_a_declared_table_names_its_rows(name: str, gap: str) -> None:
    text = f"He was seen twice.\n\n{name}{gap}" + "\n".join(BARS) + "\n\nHe felt well."
    assert around(text, "sotalol", rows_of(text)) == [name, BARS[0]]
    assert around(text, "felt well", rows_of(text)) == []


def test_of_two_declared_tables_each_has_its_own_name() -> None:
    text = "Planned\n" + "\n".join(BARS) + "\n\nMother (alive)\nGout | 50\nAsthma | 9\n\nCode | 7\nBed | 4"
    assert around(text, "sotalol", rows_of(text)) == ["Planned", BARS[0]]
    assert around(text, "Asthma", rows_of(text)) == ["Mother (alive)"]
    assert around(text, "Bed", rows_of(text)) == []


@pytest.mark.parametrize("line", ["No drug was stopped", "He takes these at home.", "and some more of them"])
def test_a_statement_above_a_declared_table_names_nothing(line: str) -> None:
    text = f"He was seen twice.\n\n{line}\n" + "\n".join(BARS)
    assert around(text, "sotalol", rows_of(text)) == [BARS[0]]
