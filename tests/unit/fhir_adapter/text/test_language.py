"""Which notes are told to be in another language than English."""

import pytest

from fhir_adapter.note import Content
from fhir_adapter.text import Limits
from fhir_adapter.text.formats import read
from fhir_adapter.text.language import NOTICE, language_notice

_GERMAN = """Sehr geehrte Frau Kollegin,
wir berichten über den Patienten, der sich am Montag bei uns vorstellte.
Er klagt seit drei Tagen über Schmerzen im Knie und kann nicht auftreten. Ein Sturz ist nicht erinnerlich.
Das Röntgen zeigte keine Fraktur. Wir empfehlen eine
Kühlung und eine Kontrolle nach einer Woche."""
_FRENCH = """La patiente est vue ce jour pour une toux qui dure depuis dix jours, sans fièvre.
Elle n'a pas de douleur. Les poumons sont clairs dans les deux champs. Une radiographie est faite sur place,
aucune anomalie. Nous proposons un traitement avec un sirop, et elle revient chez nous dans une semaine."""
_SPANISH = """Paciente que acude por dolor en la rodilla desde hace dos semanas, sin fiebre.
Presenta una inflamación que no mejora con las pastillas. Fue tratado por su médico hasta el lunes.
Se pide una placa, que no muestra lesiones, y se cita para más adelante; también hielo entre las comidas."""
_DUTCH = """Het betreft een vrouw van 54 jaar, die sinds twee dagen pijn heeft bij het lopen.
Zij is niet gevallen en heeft geen koorts. De knie werd onderzocht, ook werd een foto gemaakt.
Wij zien geen breuk.
Advies is rust en een controle bij de huisarts na een week, zonder medicatie voor de nacht."""
_SWEDISH = """Kvinna som sedan två dagar har ont i knät och inte kan gå. Det började efter ett fall på isen.
Hon har inte haft feber. Vid undersökning är knät svullet, men inga tecken till fraktur på bilden från i dag.
Får vila och kommer åter efter en vecka för kontroll, eller tidigare om det blir sämre."""
_POLISH = """Pacjentka zgłosiła się z bólem kolana, który trwa od trzech dni i nie ustępuje. Nie było urazu.
Kolano jest obrzęknięte, bez gorączki. Wykonano zdjęcie, które nie wykazało złamania, oraz badanie krwi.
Zalecono odpoczynek i kontrolę przez lekarza przed końcem tygodnia;
była również u ortopedy, który zmienił leki."""
_RUSSIAN = "Больная жалуется на боли в колене в течение трёх дней. Травмы не было. Рекомендован покой."


@pytest.mark.parametrize("note", [_GERMAN, _FRENCH, _SPANISH, _DUTCH, _SWEDISH, _POLISH, _RUSSIAN])
def test_a_note_in_another_language_is_told_so(note: str) -> None:
    assert language_notice(note) == NOTICE


@pytest.mark.parametrize("note", [_GERMAN, _POLISH])
def test_it_is_a_remark_on_the_reading(note: str) -> None:
    told = read(Content("note", note.encode(), "text/plain"), Limits())
    assert told.notices == (NOTICE,)
    assert told.text == note


def test_it_stands_behind_what_else_is_remarkable() -> None:
    told = read(Content("note", _GERMAN.encode("cp1252"), "text/plain"), Limits())
    assert told.notices == (
        "no charset stated",
        "read as windows-1252",
        NOTICE,
    )


@pytest.mark.parametrize(
    "note",
    [
        "",
        "NKDA.",
        "Schmerzen.",
        "Follow up with Dr. van der Berg and Dr. de la Cruz in a week.",
        # Drugs, and abbreviations that are words elsewhere.
        "Lisinopril 10 mg PO\nKetorolac 30 mg IM\nPrednisolone OD\nLatanoprost OU\nTimolol OS\nASA 81 mg PO",
        "Na 140 | K 4.0 | Cl 102 | CO2 24\nAST 22 | ALT 18 | ALP 70\nPT 12 | INR 1.0 | PTT 30 | Se 1",
        "OM1 patent, DES to LAD, LES tone low, LE edema, LOS 3 days, EST 9:00, HA, no AF, AV block",
        "Gravida 2, para 1. IM nailing. ER visit in May, met with OP team, IL-6 high, TE fistula.",
        "In vitro and in vivo; per os, ad lib, status post CABG; a priori; et al.; sine die.",
        "He says: «Ich habe Schmerzen, und das Bein ist nicht gut, der Arm auch nicht.» She said that this "
        "is the leg that was hurt at the time of the fall, and that he has not been to the clinic for it. He "
        "was told to come to the office with the film, as there is no pain.",
        "β-blocker, α1-antitrypsin, 5 µg, → 37 °C, ≥ 90%, Σ 12, Ω, λ, κ free light chains, γ GT",
    ],
)
def test_an_english_note_is_not(note: str) -> None:
    assert language_notice(note) == ""


def test_of_a_long_note_the_beginning_is_looked_at() -> None:
    assert (
        language_notice("The patient was seen and is well, as he was at the last visit. " * 400 + _GERMAN)
        == ""
    )
    assert language_notice(_GERMAN + "\n" + "x " * 100_000) == NOTICE
