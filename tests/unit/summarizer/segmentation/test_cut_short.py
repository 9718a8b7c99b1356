"""What a line, a word or a date cut short still needs behind it; and what ends although it looks so."""

import pytest

from summarizer.segmentation.boilerplate import is_boilerplate
from summarizer.segmentation.run_on import opening
from tests.unit.summarizer.segmentation.test_line_joins import sentences


@pytest.mark.parametrize(
    "whole",
    [
        # Behind an article or a preposition of another language, and where it begins its clause.
        "Pas de sd. Grippal.",
        "Sin ev. De fractura.",
        "Geen aanw. Infarct.",
        "No obs. Movement.",
        "Gen. Practice informed.",
        "Max. Flow reached.",
        # Days of a month.
        "Gips ab dem 4. 10. entfernt.",
        "Am 03.09. 2022 operiert.",
        # A line whose object follows.
        "Weaned off\nECMO.",
        "Off\nKeppra since May.",
        "Unable to maintain\nSpO2.",
        "Awaits\nMRI.",
        "No residual\nDVT.",
        "Chest clear, no\nCVA pain.",
        "Drain removed, no\nSSI.",
        "The midwife was asked and said no\nepidural was wanted.",
    ],
)
def test_what_is_cut_short_goes_on(whole: str) -> None:
    assert sentences(whole) == [" ".join(whole.split())]


@pytest.mark.parametrize(
    "text",
    [
        "Titrated to max.\nHe sleeps.",
        "CPAP weaned off\nBIPAP at night",
        "Chest pain, no\nDVT on the left",
        "Fever no\nrash yes",
        "The INR was 02.5.\n20 mg were given.",
        "Cardiac\nS1 and S2",
    ],
)
def test_what_looks_so_and_ends(text: str) -> None:
    assert sentences(text) == text.split("\n")


def test_a_colon_and_dots_lead_to_an_answer() -> None:
    text = "Stent: ....... Yes\nShunt: ..... No\nCochlear device: . No"
    assert [one.replace(".", "").split() for one in sentences(text)] == [
        ["Stent:", "Yes"],
        ["Shunt:", "No"],
        ["Cochlear", "device:", "No"],
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Electronically signed by Ann Poe, RM, 05/06/2021 08:12",
        "Authenticated by: A. Poe, MD (05/06/2022 09:10)",
        "Sehr geehrter Herr Kollege Poe,",
        "Chère consœur,",
        "Geachte mevrouw Poe,",
        "Mit besten kollegialen Grüßen",
        "Met hartelijke groet,",
        "Un cordial saludo",
    ],
)
def test_signatures_and_letters_of_other_countries_say_nothing(line: str) -> None:
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "Electronically signed by Ann Poe, DNR",
        "Authenticated by: A. Poe, MD (potassium 6.9)",
        "Cher patient, arrêter la warfarine,",
        "Beste Visus rechts 0,5",
        "Mit freundlichen Grüßen: Kalium 6,9",
        "Madame Poe saigne",
    ],
)
def test_what_only_begins_like_them_is_content(line: str) -> None:
    assert not is_boilerplate(line)


def test_the_opening_of_a_long_sentence_holds_what_was_told() -> None:
    told = "The nurses were told never to give oral drugs, eye drops"
    assert told[: opening(told, 0, len(told))] == "The nurses were told never to give"
    taken = "She was allergic to latex, eggs"
    assert taken[: opening(taken, 0, len(taken))] == "She was allergic to"
