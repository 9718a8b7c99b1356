"""A denial reaches what it denies, and not what stands on the line below it."""

import pytest

from summarizer.segmentation.segment import segment


def sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for s in segment(text).sentences]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("Denies rash, itch", "hives x3 days"),
        ("Denies leg pain, swelling", "orthopnea x 3 pillows"),
        ("No wheeze, stridor", "dyspnea after 1 flight"),
        ("Pt denies fever", "reports night sweats"),
        ("She denied nausea, vomiting", "has loose stools"),
        ("Negative for blood in stool", "occasional cramps"),
        ("- Denies tobacco", "  drinks 3 beers a night"),
        ("Cough: denies sputum", "wheeze x2 weeks"),
        ("Neg for weight loss", "admits to snoring"),
    ],
)
def test_a_finding_below_a_denial_is_a_statement(above: str, below: str) -> None:
    found = sentences(f"{above}\n{below}\n")
    assert len(found) == 2
    assert found[1] == below.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Denies rash, itch,\nhives x3 days",
        "Denies falls, faints\nin the last 3 months",
        "Denies a loss of weight\nmore than 5 lbs",
        "No pain in the left\nknee x 2 weeks",
        "Denies having had\nfever x 2 days",
        "Denies chest pain, shortness\nof breath x 2 days",
        "Denies smoking, stopped\nsmoking 4 years ago",
        "Denies fever, reports\ncough x 3 days",
        "Denies that her brother\nhas seizures",
        "Denies pain in the chest, in the arm or in the jaw, nor any\npalpitations x 2 days",
        "Denies dizziness\nor falls x 1 year",
    ],
)
def test_what_is_denied_over_a_line_end_stays_denied(text: str) -> None:
    assert sentences(text) == [text]
