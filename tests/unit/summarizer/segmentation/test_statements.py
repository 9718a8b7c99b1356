"""Statements of notes in English, German, Spanish and French: what belongs together and what not."""

import pytest

from summarizer.assertion.statements import with_neighbours
from summarizer.segmentation.segment import segment


def own(text: str) -> list[str]:
    """The sentences, with white space as one blank."""
    return [" ".join(text[s.start : s.end].split()) for s in segment(text).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Keine Thrb. nachweisbar. Verlauf gut.", ["Keine Thrb. nachweisbar.", "Verlauf gut."]),
        ("Pas d'ant. Chirurgicaux. Suivi.", ["Pas d'ant. Chirurgicaux.", "Suivi."]),
        ("Discharged on 3. 11. 2021 to her son.", ["Discharged on 3. 11. 2021 to her son."]),
        ("Bleeding in the 3. trimester. Now well.", ["Bleeding in the 3. trimester.", "Now well."]),
        ("pH 7. 19 before dialysis. Better now.", ["pH 7. 19 before dialysis.", "Better now."]),
        ("Kreatinin war 1. 84 bei Aufnahme.", ["Kreatinin war 1. 84 bei Aufnahme."]),
        ("Her score is 11. 4 stitches are loose.", ["Her score is 11.", "4 stitches are loose."]),
        (
            "Apgar was 9. 3 vessels were seen in the cord.",
            ["Apgar was 9.", "3 vessels were seen in the cord."],
        ),
        ("He walked 6. 5 kilometers were planned.", ["He walked 6. 5 kilometers were planned."]),
        ("[3] cm mass of the tail. [2] nodes positive.", ["[3] cm mass of the tail.", "[2] nodes positive."]),
        ("It was closed. [5] He went home.", ["It was closed. [5]", "He went home."]),
        (
            "Sonographisch kein Hinweis auf eine tiefe\nVenenthrombose. Kontrolle in zwei\nWochen.",
            ["Sonographisch kein Hinweis auf eine tiefe Venenthrombose.", "Kontrolle in zwei Wochen."],
        ),
        ("Fraktur des linken\nRadius ohne Dislokation.", ["Fraktur des linken Radius ohne Dislokation."]),
    ],
)
def test_what_belongs_together(text: str, expected: list[str]) -> None:
    assert own(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Medikament: Torasemid 5 mg\nGrund: Ödeme\nMedikament: Digitoxin\nStatus: abgesetzt",
            ["Medikament: Torasemid 5 mg Grund: Ödeme", "Medikament: Digitoxin Status: abgesetzt"],
        ),
        (
            "Medicamento: digoxina\nEstado: suspendido\nMedicamento: apixabán\nEstado: activo",
            ["Medicamento: digoxina Estado: suspendido", "Medicamento: apixabán Estado: activo"],
        ),
        (
            "Médicament : Cordarone\nStatut : arrêté\nMédicament : Eliquis\nStatut : en cours",
            ["Médicament : Cordarone Statut : arrêté", "Médicament : Eliquis Statut : en cours"],
        ),
    ],
)
def test_records_in_other_languages(text: str, expected: list[str]) -> None:
    assert own(text) == expected


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Medikament | Dosis | Bemerkung", "Digitoxin | 0,07 mg | pausiert"),
        ("Medicamento | Dosis | Estado", "digoxina | 0,25 mg | suspendido"),
        ("Médicament\tPosologie\tArrêt", "Cordarone\t1 cp\toui"),
        ("Muestra      Resultado", "Esputo       negativo"),
        ("Analyt | Heute | Gestern | In", "Laktat | 4.1 | 2.0 | mmol/l"),
    ],
)
def test_column_heads_in_other_languages(head: str, row: str) -> None:
    text = f"{head}\n{row}\n{row.swapcase()}"
    (found,) = [s for s in segment(text).sentences if text[s.start : s.end] == row]
    assert [text[piece.start : piece.end] for piece in found.context] == [head]


@pytest.mark.parametrize("label", ["Blood group", "Weight", "Blutgruppe", "Groupe sanguin"])
def test_an_empty_field_of_one_value_heads_nothing(label: str) -> None:
    text = f"{label}:\nIsolation: contact\nFalls risk: high"
    assert all(piece.end > len(label) + 1 for s in segment(text).sentences for piece in s.context)


def test_an_addendum_above_its_report_corrects_it() -> None:
    text = "ADDENDUM: The fracture is of the LEFT fibula, not the right.\n\nREPORT: Fracture of right fibula."
    parts = with_neighbours(text, segment(text))
    (found,) = [s for s in parts.sentences if text[s.start : s.end].startswith("Fracture")]
    assert any("not the right" in text[piece.start : piece.end] for piece in found.context)
