"""A label in a sentence that speaks of the fragments behind it too."""

import pytest

from summarizer.segmentation.segment import segment


def leads(text: str) -> list[tuple[str, list[str]]]:
    """Each sentence with the labels that stand beside it."""
    return [
        (text[one.start : one.end], [text[piece.start : piece.end] for piece in one.context])
        for one in segment(text).sentences
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("On hold: Xarelto 20 mg. Coreg 3 mg.", "On hold:"),
        ("Father: Gout. Colon cancer.", "Father:"),
        ("Twin B: Transverse lie. No fluid.", "Twin B:"),
        ("Suspected: Sarcoid. Lymphoma.", "Suspected:"),
        ("If vomiting: Stop feeds. Call us.", "If vomiting:"),
        ("Verneint: Husten. Auswurf.", "Verneint:"),
    ],
)
def test_a_fragment_stands_under_the_label_before_it(text: str, label: str) -> None:
    first, second = leads(text)
    assert first[0].startswith(label)
    assert second[1] == [label]


@pytest.mark.parametrize(
    "text",
    [
        "Suspected: Sarcoid. He is short of breath.",
        "Held: Xarelto. Continue Coreg.",
        "Father: Gout. The patient has asthma.",
        "Father: Gout. Weight: 80 kg.",
        "Weight: 80 kg. No oedema.",
        "Father: Gout.\n\nRash on the arm.",
    ],
)
def test_what_is_a_statement_or_has_a_label_does_not(text: str) -> None:
    assert leads(text)[1][1] == []
