"""PDF: reading order, tables, running margins, hyphens, forms, and pages that hold no text."""

import io
import random
import re
from collections import Counter
from collections.abc import Callable

import pypdf
import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.pagesizes import letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.pdf.reader import pdf_text

WIDTH, HEIGHT = letter
Draw = Callable[[Canvas], None]


def pdf(*pages: Draw, **options: object) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=letter, invariant=1, **options)
    for draw in pages:
        canvas.setFont("Helvetica", 11)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def at(lines: list[str], x: float = 72, top: float = 150, step: float = 14) -> Draw:
    def draw(canvas: Canvas) -> None:
        for number, line in enumerate(lines):
            canvas.drawString(x, HEIGHT - top - number * step, line)

    return draw


def both(*draws: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        for each in draws:
            each(canvas)

    return draw


def picture(canvas: Canvas) -> None:
    image = Image.new("RGB", (60, 80), "white")
    canvas.drawImage(ImageReader(image), 0, 0, WIDTH, HEIGHT)


def grid(xs: list[float], tops: list[float]) -> Draw:
    return lambda canvas: canvas.grid(xs, [HEIGHT - top for top in tops])


def lines_of(data: bytes) -> list[str]:
    return pdf_text(data).text.split("\n")


def test_lines_and_paragraphs() -> None:
    note = pdf_text(
        pdf(both(at(["Chest pain since", "this morning.", "No fever."]), at(["PLAN", "Rest."], top=240)))
    )

    assert note.text == "Chest pain since\nthis morning.\nNo fever.\n\nPLAN\nRest."
    build = pypdfium2.version.PDFIUM_INFO.build
    assert note.normalization.endswith(f"/text-extraction/pdf|6+pdfium-{build}")
    assert note.media_type == "application/pdf"
    assert note.notice == ""


LEFT = [
    "The patient was seen in clinic for a",
    "routine visit after her discharge and",
    "has been well since then without any",
    "further episodes of chest discomfort.",
]
RIGHT = [
    "Her medications were reviewed and no",
    "changes were made today, except that",
    "the dose of metoprolol was increased",
    "to fifty milligrams twice every day.",
]


def test_columns_follow_one_another() -> None:
    title = at(["A title that runs over both of the columns of this page, from left to right"], top=120)
    end = at(["And a closing line that again runs over the whole of this page, left to right"], top=230)
    text = pdf_text(pdf(both(title, at(LEFT), at(RIGHT, x=320), end))).text

    assert text.split("\n\n")[1].split("\n") == LEFT
    assert text.split("\n\n")[2].split("\n") == RIGHT
    assert text.startswith("A title")
    assert text.endswith("left to right")


def test_order_is_that_of_the_page_and_not_of_the_file() -> None:
    draw = both(at(["third"], top=180), at(["first"], top=150), at(["second"], top=165))
    assert lines_of(pdf(draw)) == ["first", "second", "third"]


def test_labels_and_values_stay_on_their_line() -> None:
    labels, values = ["MRN:", "Sex:", "Age:", "Ward:"], ["12", "F", "61", "B2"]
    assert lines_of(pdf(both(at(labels), at(values, x=300)))) == ["MRN: 12", "Sex: F", "Age: 61", "Ward: B2"]


def test_table_without_rules_is_read_row_by_row() -> None:
    columns = [["Test", "Sodium", "Potassium"], ["Value", "140", "4.1"], ["Range", "135-145", "3.5-5.0"]]
    draw = both(*(at(column, x=72 + 150 * n) for n, column in enumerate(columns)))
    assert lines_of(pdf(draw)) == [
        "Test | Value | Range",
        "Sodium | 140 | 135-145",
        "Potassium | 4.1 | 3.5-5.0",
    ]


def test_ruled_table_keeps_wrapped_cells_together() -> None:
    draw = both(
        grid([70, 170, 270, 370], [140, 160, 190, 220]),
        at(["Drug"], x=75, top=154), at(["Dose"], x=175, top=154), at(["Note"], x=275, top=154),
        at(["Ceftriaxone", "100 mg/ml"], x=75, top=172, step=13), at(["twice daily"], x=275, top=172),
        at(["Aspirin"], x=75, top=204), at(["81 mg"], x=175, top=204),
        at(["S: 1", "T: 2"], x=275, top=203, step=12),
    )  # fmt: skip
    assert lines_of(pdf(draw)) == [
        "Drug | Dose | Note",
        "Ceftriaxone; 100 mg/ml | | twice daily",
        "Aspirin | 81 mg | S: 1; T: 2",
    ]


def test_wrap_inside_a_cell_is_a_space() -> None:
    wrapped = at(["Introduction of cardiac", "pacemaker system via", "vein"], x=75, top=154, step=12)
    draw = both(grid([70, 200, 300], [140, 185]), wrapped, at(["2011"], x=210, top=154))
    assert lines_of(pdf(draw)) == ["Introduction of cardiac pacemaker system via vein | 2011"]


def test_cells_merged_by_missing_rules() -> None:
    def rules(canvas: Canvas) -> None:
        for y0, y1, x0, x1 in [(140, 140, 70, 270), (160, 160, 170, 270), (180, 180, 70, 270),
                               (140, 180, 70, 70), (140, 180, 170, 170), (140, 180, 270, 270)]:  # fmt: skip
            canvas.line(x0, HEIGHT - y0, x1, HEIGHT - y1)

    draw = both(
        rules, at(["Day 1"], x=75, top=154), at(["BP 120/80"], x=175, top=154), at(["HR 60"], x=175, top=174)
    )
    assert lines_of(pdf(draw)) == ["Day 1 | BP 120/80", "| HR 60"]


def test_frame_around_a_page_is_no_table() -> None:
    draw = both(grid([40, 570], [60, 740]), at(["Inside the frame", "and more."]))
    assert lines_of(pdf(draw)) == ["Inside the frame", "and more."]


def running(page: int) -> Draw:
    return both(
        at([f"General Hospital  MRN 4711  Page {page} of 3"], top=40),
        at([f"Body text of the {['first', 'second', 'third'][page - 1]} page."]),
        at(["Confidential"], top=HEIGHT - 40),
        at([str(page)], x=300, top=HEIGHT - 25),
    )


def test_running_lines_stand_once_and_page_numbers_never() -> None:
    assert [line for line in lines_of(pdf(*(running(page) for page in (1, 2, 3)))) if line] == [
        "General Hospital MRN 4711 Page 1 of 3",
        "Body text of the first page.",
        "Body text of the second page.",
        "Body text of the third page.",
        "Confidential",
    ]


def test_lines_that_only_look_alike_are_kept() -> None:
    first, second = at(["Height 170 cm"], top=40), at(["Height 168 cm"], top=40)
    assert [line for line in lines_of(pdf(first, second)) if line] == ["Height 170 cm", "Height 168 cm"]


def test_sentence_goes_on_across_pages() -> None:
    text = pdf_text(pdf(at(["She was given"], top=600), at(["two units of blood."], top=300))).text
    assert text == "She was given\ntwo units of blood."


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["Known hyper-", "tension. Treated hypertension."],
            ["Known hypertension.", "Treated hypertension."],
        ),
        (["Seen for a follow-", "up visit"], ["Seen for a follow-up", "visit"]),
        (["Read by the C-", "CDA team"], ["Read by the C-CDA", "team"]),
        (["One thing -", "and another"], ["One thing -", "and another"]),
    ],
)
def test_words_parted_at_a_line_end(lines: list[str], expected: list[str]) -> None:
    assert lines_of(pdf(at(lines))) == expected


def test_powers_ligatures_and_text_drawn_twice() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 600, "WBC 10")
        canvas.setFont("Helvetica", 7)
        canvas.drawString(72 + canvas.stringWidth("WBC 10", "Helvetica", 11), 604.5, "9")
        canvas.setFont("Helvetica", 11)
        canvas.drawString(120, 600, "per litre")
        for shift in (0, 0.3):
            canvas.drawString(72 + shift, 560, "Bold by overprint")

    assert lines_of(pdf(draw)) == ["WBC 10^9 per litre", "", "Bold by overprint"]


def set_apart(words: list[str], gap: float, font: str) -> Draw:
    """Words with gaps of a part of their size between them and no blank in the file."""

    def draw(canvas: Canvas) -> None:
        x = 72.0
        for word in words:
            canvas.setFont(font, 10)
            canvas.drawString(x, HEIGHT - 100, word)
            x += canvas.stringWidth(word, font, 10) + 10 * gap

    return draw


@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman", "Courier"])
@pytest.mark.parametrize("gap", [0.15, 0.18, 0.25])
def test_a_narrow_gap_is_a_blank(font: str, gap: float) -> None:
    words = "half of 4 mg if BP is over 90, two of 5 days".split()
    assert lines_of(pdf(set_apart(words, gap, font))) == [" ".join(words)]


@pytest.mark.parametrize("space", [0.5, 1.2, 1.8])
def test_spaced_letters_are_one_word(space: float) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, HEIGHT - 100)
        text.setCharSpace(space)
        text.textOut("FINAL REPORT OF TODAY")
        canvas.drawText(text)

    assert lines_of(pdf(draw)) == ["FINAL REPORT OF TODAY"]


def test_ligatures_are_written_out() -> None:
    """The canvas cannot write a ligature, so a ToUnicode map is made to say that `#` is one."""
    data = pdf(at(["de#nite"]))
    document = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    font = document.pages[0]["/Resources"]["/Font"]["/F1"].get_object()
    stream = pypdf.generic.StreamObject()
    stream.set_data(
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange "
        b"1 beginbfchar <23> <FB01> endbfchar endcmap end"
    )
    font[pypdf.generic.NameObject("/ToUnicode")] = document._add_object(stream)
    out = io.BytesIO()
    document.write(out)
    assert pdf_text(out.getvalue()).text == "definite"


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_pages(rotation: int) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(rotation)
        x, y = {90: (400, 72), 180: (540, 600), 270: (200, 700)}[rotation]
        canvas.translate(x, y)
        canvas.rotate(rotation)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(0, 0, "Seen today.")
        canvas.drawString(0, -14, "Doing well.")

    assert lines_of(pdf(draw)) == ["Seen today.", "Doing well."]


def test_text_at_an_angle_comes_last() -> None:
    def stamp(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.rotate(45)
        canvas.drawString(300, 100, "DRAFT COPY")
        canvas.restoreState()

    assert lines_of(pdf(both(stamp, at(["The note."])))) == ["The note.", "", "DRAFT COPY"]


def test_filled_form_fields_are_text() -> None:
    def form(canvas: Canvas) -> None:
        canvas.drawString(72, 600, "Allergies:")
        canvas.acroForm.textfield(
            name="a", value="Penicillin", x=150, y=590, width=150, height=20, fontSize=11
        )

    assert "Allergies: Penicillin" in pdf_text(pdf(form)).text


def test_half_scanned_says_so() -> None:
    note = pdf_text(pdf(at(["Typed page."]), picture, both(picture, at(["Fax 1/2"], top=20))))
    assert note.notice == "text on 1 of 3 pages"
    assert "Typed page." in note.text
    assert "Fax 1/2" in note.text


def test_page_that_shows_nothing_is_counted() -> None:
    assert pdf_text(pdf(at(["Typed page."]), lambda canvas: None)).notice == "text on 1 of 2 pages"


def test_scan_with_recognised_text_is_text() -> None:
    words = at([f"Line {n} of a page that was scanned and read by a machine." for n in range(5)])
    assert pdf_text(pdf(both(picture, words))).notice == ""


@pytest.mark.parametrize(
    ("made", "reason", "detail"),
    [
        (lambda: b"", Reason.MALFORMED, "PDF"),
        (lambda: b"%PDF-1.4\nrubbish", Reason.MALFORMED, "PDF"),
        (lambda: pdf(at(["Secret."]), encrypt="password"), Reason.ENCRYPTED, "PDF"),
        (lambda: pdf(picture, picture), Reason.SCANNED_IMAGE, "text on 0 of 2 pages"),
        (lambda: pdf(both(picture, at(["Fax 1/1"], top=20))), Reason.SCANNED_IMAGE, "text on 0 of 1 pages"),
        (lambda: pdf(lambda canvas: None), Reason.EMPTY_TEXT, "text on 0 of 1 pages"),
        (lambda: pdf(*[lambda canvas: None] * 2001), Reason.TOO_LARGE, "2001 pages"),
    ],
    ids=["empty", "rubbish", "encrypted", "scanned", "fax-line", "blank", "pages"],
)
def test_refused_with_a_reason(made: Callable[[], bytes], reason: Reason, detail: str) -> None:
    with pytest.raises(NoteError) as caught:
        pdf_text(made())
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


@pytest.mark.parametrize("seed", range(5))
def test_no_word_is_lost_by_a_second_reader(seed: int) -> None:
    """What pypdf finds on pages of prose, columns and a table is in our text, word for word."""
    chance = random.Random(seed)
    words = ["patient", "reports", "no", "pain", "dyspnea", "metoprolol", "25", "mg", "daily", "stable"]

    def prose(count: int, size: int) -> list[str]:
        return [" ".join(chance.choice(words) for _ in range(size)) for _ in range(count)]

    pages = [
        both(at(prose(8, 9), top=100), at(prose(8, 5), top=300), at(prose(9, 5), top=300, x=330)),
        both(
            grid([70, 270, 470], [100, 130, 160]),
            at(prose(1, 3), x=75, top=115), at(prose(1, 3), x=275, top=145), at(prose(4, 8), top=300),
        ),
    ]  # fmt: skip
    data = pdf(*pages)
    second = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    source = Counter(re.findall(r"\w+", second))
    assert sum(source.values()) > 100
    assert source - Counter(re.findall(r"\w+", pdf_text(data).text)) == Counter()


def test_same_bytes_same_text() -> None:
    data = pdf(*(running(page) for page in (1, 2, 3)))
    assert pdf_text(data) == pdf_text(data)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_give_text_or_a_reason(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(pdf(both(at(["Some text."]), grid([70, 170, 270], [100, 130])), picture))
    for _ in range(chance.randint(1, 30)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]
    outcome: str | Reason
    try:
        outcome = pdf_text(bytes(data)).text
    except NoteError as error:
        outcome = error.reason
    if isinstance(outcome, Reason):
        assert outcome in (Reason.MALFORMED, Reason.EMPTY_TEXT, Reason.ENCRYPTED, Reason.SCANNED_IMAGE)
    else:
        assert outcome.encode("utf-8")


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [("Her culture is free of", "Yeast.", True), ("Drains were pulled today", "Diet is advanced.", False)],
)
def test_a_page_that_ends_in_an_open_word_goes_on_on_the_next(above: str, below: str, joined: bool) -> None:
    first = "The patient ate a large meal with his family and slept well the whole night"
    text = pdf_text(pdf(at([first, above]), at([below]))).text
    assert ("\n\n" not in text) is joined
