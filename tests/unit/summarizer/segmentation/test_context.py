"""What must be shown with a sentence is found, and nothing else is shown with it."""

import pytest

from summarizer.segmentation.segment import segment
from summarizer.types import ContextKind, Mark, MarkKind


def shown(text: str, words: str, marks: tuple[Mark, ...] = ()) -> list[tuple[str, str]]:
    """The context of the one sentence that holds `words`, as (kind, text)."""
    [sentence] = [s for s in segment(text, (), marks).sentences if words in text[s.start : s.end]]
    return [(piece.kind.value, " ".join(text[piece.start : piece.end].split())) for piece in sentence.context]


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        ("FAMILY HISTORY: Gout in his brother.", "Gout", [("heading", "FAMILY HISTORY:")]),
        ("EXAM:\nABDOMEN: Soft.", "Soft", [("heading", "EXAM:"), ("heading", "ABDOMEN:")]),
        ("EXAM:\nABDOMEN: Soft.\nNECK: Supple.", "Supple", [("heading", "EXAM:"), ("heading", "NECK:")]),
        ("LEFT HIP: Worn.\n\nHe walks with a stick.", "stick", []),
        ("ALLERGIES: Latex.\n\nPLAN: Use nitrile gloves.", "nitrile", [("heading", "PLAN:")]),
        (
            "DRUGS ON ADMISSION: Lasix.\n\nDRUGS DISCONTINUED: Zocor.",
            "Zocor",
            [("heading", "DRUGS DISCONTINUED:")],
        ),
        ("DISCHARGE SUMMARY\n\nPLAN:\nRest.", "Rest", [("heading", "PLAN:")]),
        ("ECG: sinus. XR hip: fracture of the neck.", "fracture", [("heading", "XR hip:")]),
        ("CXR: clear. Troponin: 2.1.", "Troponin", []),
        ("UA: leukocytes. Lactate: 5.", "Lactate", []),
        ("MRI knee: torn meniscus. Effusion: large.", "Effusion", [("heading", "MRI knee:")]),
        ("SURGERIES: Appendectomy.\nTOBACCO: Quit in 2001.", "TOBACCO", []),
        ("1. Warfarin held. Goal: INR 2 to 3.\n2. Resume metformin.", "INR", [("heading", "Goal:")]),
        ("1. Warfarin held. Goal: INR 2 to 3.\n2. Resume metformin.", "metformin", []),
        (
            "WORK:\nBronchoscopy: No tumor.\nRemoval of a stent: It was moved.",
            "moved",
            [("heading", "WORK:")],
        ),
        ("EXAM:\nMood: Low.\nForm and flow of thought: Slow.", "flow", [("heading", "EXAM:")]),
        ("EXAM:\nVitals: BP 130/80.\nWeight: 80 kg.\nSkin: Dry.", "80 kg", [("heading", "EXAM:")]),
        ("EXAM:\nFeet: Warm.\nBlood pressure was 80/40 on arrival.", "80/40", [("heading", "EXAM:")]),
        ("Heart: Regular.\nLungs are wet at both bases.", "wet", []),
        ("Abdomen: Soft.\nThe abdomen is large.", "large", [("heading", "Abdomen:")]),
        ("CT head: No bleed.\nBrain is normal.", "Brain", [("heading", "CT head:")]),
        ("AXIS IV: Divorce.\nAXIS V: 55.\n\nHe is 40 years old.", "40", []),
        ("Town: Ulm\nPersons present (if any):\n\nShe has hepatitis.", "hepatitis", []),
        ("HISTORY: Fall.\nIMPRESSION 1. Broken rib.\n2. Bruise.", "rib", [("heading", "IMPRESSION")]),
        ("HISTORY: Fall.\nIMPRESSION 1. Broken rib.\n2. Bruise.", "Bruise", [("heading", "IMPRESSION")]),
        ("He smokes. Allergies: none.\n\nHe takes aspirin.", "aspirin", []),
    ],
)
def test_headings_that_are_open(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


def test_a_label_within_a_line_names_no_section_of_the_lines_below() -> None:
    parts = segment("He lives alone. Allergies: none.\n\nHe takes aspirin daily.")
    assert [s.section for s in parts.sentences] == [None, 0, None]
    assert [section.title for section in parts.sections] == ["Allergies"]


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        (
            "DRAINS: None.\n\nSPECIMENS: Two nodes.\n\nBLOOD LOSS: 90 mL.",
            ["DRAINS", "SPECIMENS", "BLOOD LOSS"],
        ),
        (
            "Speech: Slow.\nForm of thought: Loose.\nFlow of thought: Fast.",
            ["Speech", "Form of thought", "Flow of thought"],
        ),
        ("AXIS V: 55.\n\nHe is 40 years old.", ["AXIS V", None]),
        (
            "PENDING AT TRANSFER: Blood culture.\n\nCode status: DNI.",
            ["PENDING AT TRANSFER", "Code status"],
        ),
        ("Pending labs: ferritin.\nDiet: soft.\nCode status: full.", ["Pending labs", "Diet", "Code status"]),
    ],
)
def test_each_line_stands_in_the_section_of_its_own_label(text: str, sections: list[str | None]) -> None:
    parts = segment(text)
    assert [
        None if s.section is None else parts.sections[s.section].title for s in parts.sentences
    ] == sections


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        ("2. Call us for:\n   Swelling.\n   Pus.\n3. Eat well.", "Pus", [("lead-in", "Call us for:")]),
        ("2. Call us for:\n   Swelling.\n   Pus.\n3. Eat well.", "Eat", []),
        ("2. Call us for:\n\nSwelling is usual.", "usual", []),
        ("1. Gout. Start colchicine.\n2. Pain.", "colchicine", [("lead-in", "Gout.")]),
        ("1. Gout. Start colchicine.\n2. Low sodium. It is 128.", "128", [("lead-in", "Low sodium.")]),
        ("1. He has gout. Start colchicine.", "colchicine", []),
        (
            "Plan: 1. Gout. Start colchicine. 2. Rash. Watch it.",
            "Watch",
            [("heading", "Plan:"), ("lead-in", "Rash.")],
        ),
        ("1. Bypass.\na. The graft is open.\n2. Valve.", "graft", [("lead-in", "Bypass.")]),
        ("She refuses:\n- insulin\n- statins", "statins", [("lead-in", "She refuses:")]),
        ("She refuses\n- insulin\n- statins", "insulin", [("lead-in", "She refuses")]),
        ("She refuses:\n\n* insulin\n\n* statins", "statins", [("lead-in", "She refuses:")]),
        ("She refuses:\n- insulin\n\nShe eats well.", "eats", []),
        ("She refuses:\n- insulin\nShe eats well.", "eats", []),
        ("He is free of:\nTremor\nRigidity\n\nGait is slow.", "Rigidity", [("lead-in", "He is free of:")]),
        ("He is free of:\nTremor\nRigidity\n\nGait is slow.", "Gait", []),
        ("- Stop:\n  - aspirin\n- Start:\n  - heparin", "heparin", [("heading", "Start:")]),
        ("1. Stop\n   a. aspirin\n2. Start\n   a. heparin", "aspirin", [("lead-in", "Stop")]),
        ("1. Stop\n   a. aspirin\n2. Start\n   a. heparin", "heparin", [("lead-in", "Start")]),
        ("1. Stop:\n   a. aspirin\n2. Give iron.", "iron", []),
        ("DRUGS TO STOP:\n- aspirin\n\nHe agrees.", "aspirin", [("heading", "DRUGS TO STOP:")]),
        ("DRUGS TO STOP:\n- aspirin\n\nHe agrees.", "agrees", []),
        ("The following were held.\n- digoxin", "digoxin", [("lead-in", "The following were held.")]),
        ("Grip\nR: 5/5\nL: 3/5", "3/5", [("lead-in", "Grip")]),
    ],
)
def test_lead_ins_of_lists(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


@pytest.mark.parametrize(
    ("text", "words", "context"),
    [
        ("Can she be pregnant?\n\nNo\n\nHer chest is clear.", "No", [("question", "Can she be pregnant?")]),
        ("Can she be pregnant?\n\nNo\n\nHer chest is clear.", "clear", []),
        ("Which of these?\n- Asthma\n- Gout", "Gout", [("question", "Which of these?")]),
        ("Can she be pregnant? No", "No", []),
    ],
)
def test_questions(text: str, words: str, context: list[tuple[str, str]]) -> None:
    assert shown(text, words) == context


TABLE = "Clotting\nTest      Result    Flag\nINR       4.9       HIGH\nAPTT      31\n\nHe bled."


def test_a_row_has_its_column_heads_and_caption() -> None:
    head = [("caption", "Clotting"), ("column", "Test Result Flag")]
    assert shown(TABLE, "INR") == head
    assert shown(TABLE, "APTT") == head
    assert shown(TABLE, "He bled") == []


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Time    SpO2   HR", "0615    91%    104"),
        ("Vit B12   HbA1c   TSH", "210 L     8.4     2.1"),
        ("Agent      Last given", "Fentanyl   04:15"),
    ],
)
def test_rows_have_the_names_of_their_columns(head: str, row: str) -> None:
    text = f"{head}\n{row}"
    first, second = segment(text).sentences
    assert first.context == ()
    assert [(str(c.kind), text[c.start : c.end]) for c in second.context] == [("column", head)]


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("warfarin | 5 mg | stopped", "| 2.5 mg | new"),
        ("| warfarin | 5 mg | stopped |", "| | 2.5 mg | new |"),
        ("Warfarin    5 mg     stopped", "            2.5 mg   new"),
    ],
)
def test_a_row_without_a_name_has_that_of_the_row_above(above: str, row: str) -> None:
    bar = "| " if above[0] == "|" else ""
    text = f"{bar}Drug | Dose | Status\n{above}\n{row}\n{bar}aspirin | 81 mg | active"
    assert ("row", above.strip("| ").split()[0]) in shown(text, "2.5 mg")
    assert not any(kind == "row" for kind, _ in shown(text, "81 mg"))


def test_a_declared_row_without_a_name_has_that_of_the_row_above() -> None:
    text = "Drug | Dose\nwarfarin | 5 mg\n| 2.5 mg\n\nDrug | Dose\n| 7.5 mg"
    marks = tuple(
        Mark(start, start + len(line), MarkKind.COLUMNS if line == "Drug | Dose" else MarkKind.ROW)
        for start, line in (
            (0, "Drug | Dose"),
            (12, "warfarin | 5 mg"),
            (28, "| 2.5 mg"),
            (38, "Drug | Dose"),
            (50, "| 7.5 mg"),
        )
    )
    assert shown(text, "| 2.5", marks) == [("column", "Drug | Dose"), ("row", "warfarin")]
    assert shown(text, "| 7.5", marks) == [("column", "Drug | Dose")]


def test_a_first_row_of_values_is_no_head() -> None:
    assert shown("aspirin | 81 mg | daily\nheparin | 5000 units | stopped", "heparin") == []


def test_declared_rows_are_sentences_with_their_heads() -> None:
    text = "Drugs\nDrug Use\nA. One. Two.\nB. Three."
    marks = (
        Mark(0, 5, MarkKind.CAPTION),
        Mark(6, 14, MarkKind.COLUMNS),
        Mark(15, 27, MarkKind.ROW),
        Mark(28, 37, MarkKind.ROW),
    )
    assert [text[s.start : s.end] for s in segment(text, (), marks).sentences][1:] == [
        "Drug Use",
        "A. One. Two.",
        "B. Three.",
    ]
    assert shown(text, "Three", marks) == [("caption", "Drugs"), ("column", "Drug Use")]


def rows_of(text: str) -> tuple[Mark, ...]:
    """Every line of a text that is not blank, declared as a row and as nothing more."""
    marks, at = [], 0
    for line in text.split("\n"):
        if line:
            marks.append(Mark(at, at + len(line), MarkKind.ROW))
        at += len(line) + 1
    return tuple(marks)


def test_a_first_row_names_columns_by_its_words_where_the_format_does_not_say() -> None:
    text = "Drug | Dose | Status\nEliquis | 5 mg | stopped\n\nEye | colour\nLeft | brown"
    assert shown(text, "Eliquis", rows_of(text)) == [("column", "Drug | Dose | Status")]
    assert shown(text, "Left", rows_of(text)) == []


def test_a_name_with_its_value_names_no_columns() -> None:
    text = "Blood type | A\nRhesus | positive"
    assert shown(text, "Rhesus", rows_of(text)) == shown(text, "Rhesus") == []


def test_the_columns_of_one_table_are_not_those_of_the_next() -> None:
    text = "Drug | Use\nA | yes\n\nHeight | 170 cm"
    marks = (Mark(0, 10, MarkKind.COLUMNS), *rows_of(text)[1:])
    assert shown(text, "A |", marks) == [("column", "Drug | Use")]
    assert shown(text, "Height", marks) == []


def test_each_number_of_a_list_in_a_line_has_what_leads_in_to_it() -> None:
    text = "His aunt had: 1. gout 2. lupus 3. goiter\nHe is well."
    assert shown(text, "lupus") == shown(text, "goiter") == [("lead-in", "His aunt had:")]
    assert shown(text, "gout") == shown(text, "He is well") == []


def test_an_empty_field_between_filled_ones_leads_in_to_nothing() -> None:
    text = "Feeding: by tube\nAntibiotics: for comfort only\nVentilation:\nSeen by: Jo Roe.\nHe agrees."
    assert [text[s.start : s.end] for s in segment(text).sentences] == text.split("\n")
    assert shown(text, "He agrees") == []
    assert (
        shown(
            text.replace("Roe.", "Roe and a son who lives with him and wants to be called at night."), "son"
        )
        == []
    )


def test_a_table_below_a_list_stands_under_no_lead_in_of_it() -> None:
    text = "She denies:\n- cough\n- fever\n\nAllergies | Latex"
    assert shown(text, "Latex", (Mark(29, 46, MarkKind.ROW),)) == []


def test_what_leads_in_to_a_table_is_shown_with_its_rows_alone() -> None:
    text = "She denies:\n\ncough | now:\nrash | pain\n\nLatex allergy."
    rows = (Mark(13, 25, MarkKind.ROW), Mark(26, 37, MarkKind.ROW))
    assert shown(text, "cough", rows) == shown(text, "rash", rows) == [("lead-in", "She denies:")]
    assert shown(text, "Latex", rows) == []


def test_a_row_that_holds_rows_or_headings_lays_out_a_page() -> None:
    text = "One. Two.\nThree. Four."
    whole = (Mark(0, 22, MarkKind.ROW), Mark(0, 9, MarkKind.ROW), Mark(10, 22, MarkKind.ROW))
    assert [text[s.start : s.end] for s in segment(text, (), whole).sentences] == [
        "One. Two.",
        "Three. Four.",
    ]
    headed = segment(text, [(0, 4, None)], (Mark(0, 22, MarkKind.ROW),))
    assert [text[s.start : s.end] for s in headed.sentences] == ["Two.", "Three.", "Four."]


def test_words_struck_out_are_shown_so_in_every_sentence() -> None:
    text = "[struck out: Stop aspirin. Start heparin.]"
    pieces = shown(text, "heparin", (Mark(0, len(text), MarkKind.STRIKE),))
    assert pieces == [("strike", "[struck out: Stop aspirin.")]


def test_pieces_of_a_long_denial_keep_its_opening() -> None:
    text = "The child has never had " + ", ".join(f"seizures in month {n}" for n in range(200)) + "."
    pieces = segment(text).sentences
    assert len(pieces) > 2
    for piece in pieces[1:]:
        assert [(c.kind, text[c.start : c.end]) for c in piece.context] == [
            (ContextKind.LEAD_IN, "The child has never had")
        ]


@pytest.mark.parametrize("marks", [[(5, 3)], [(2, 4), (0, 1)], [(0, 99)]])
def test_marks_must_be_in_order_and_inside(marks: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="marks"):
        segment("Ten letters", (), [Mark(a, b, MarkKind.ROW) for a, b in marks])
