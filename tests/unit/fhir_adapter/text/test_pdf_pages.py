"""PDF: what stands at the head and the foot of pages parts no sentence; blanks beside slanted letters."""

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from tests.unit.fhir_adapter.text.test_pdf import HEIGHT, at, both, lines_of, pdf

HEAD = ["Harbour Eye Clinic", "Poe, Ann  No 0042"]


def shown(*pages: object) -> list[str]:
    return [line for line in lines_of(pdf(*pages)) if line]  # type: ignore[arg-type]


def test_a_letterhead_of_the_second_page_stands_behind_the_paragraph_that_it_would_part() -> None:
    first = at(["She is not to be given any", "steroid because of the"], top=650)
    second = both(
        at(HEAD, top=40), at(["Glaucoma of her mother.", "She agreed."], top=90), at(["Plan: none."], top=160)
    )
    assert shown(first, second) == [
        "She is not to be given any",
        "steroid because of the",
        "Glaucoma of her mother.",
        "She agreed.",
        *(line.replace("  ", " ") for line in HEAD),
        "Plan: none.",
    ]


def test_the_foot_of_one_page_too() -> None:
    first = both(
        at(["The lens was left in as there is"], top=600), at(["Form 12, printed in May"], top=HEIGHT - 40)
    )
    assert shown(first, at(["Still vision in that eye."], top=90)) == [
        "The lens was left in as there is",
        "Still vision in that eye.",
        "Form 12, printed in May",
    ]


def test_running_feet_stand_on_the_last_page() -> None:
    def page(number: int, line: str) -> object:
        return both(at([line], top=600), at([f"Poe, Ann {number}/2"], top=HEIGHT - 40))

    assert shown(page(1, "She saw no"), page(2, "Light at all.")) == [
        "She saw no",
        "Light at all.",
        "Poe, Ann 2/2",
    ]


@pytest.mark.parametrize(
    ("last", "head", "body"),
    [
        ("Aspirin 81 mg", "Past History", "gout"),  # no sentence that is broken
        ("She went home.", "Harbour Eye Clinic", "she came back."),
        ("Seen with the", "Ward Round", "- well"),  # an item goes on with nothing
    ],
)
def test_a_heading_at_the_top_of_a_page_stays_above_its_text(last: str, head: str, body: str) -> None:
    assert shown(at([last], top=600), both(at([head], top=40), at([body], top=90))) == [last, head, body]


@pytest.mark.parametrize("gap", [2.3, 2.75])
def test_a_slanted_letter_that_hangs_back_over_a_blank_takes_none_of_it(gap: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Times-Italic", 11)
        x = 72.0
        for word in "hold enalapril for a week if pale".split():
            canvas.drawString(x, 500, word)
            x += stringWidth(word, "Times-Italic", 11) + gap

    assert shown(draw) == ["hold enalapril for a week if pale"]
