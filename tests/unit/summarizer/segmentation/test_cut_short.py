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
        # Behind words that tell more of the same noun, behind `there is`, before a small letter.
        "No right lat. Tenderness.",
        "There was mod. Ascites.",
        "Pas d'argt. en faveur.",
        "Stool grew C. diff. Toxin.",
        "Hosp. Stay was short.",
        # Behind a measured thing that begins its clause stands its value.
        "Hct. 31,2, Leuko. 4,1 today.",
        # An article or a negation that begins a sentence at the end of its line.
        "Keine\nLymphome.",
        "Paziente allergica al\nTramadolo.",
        "Esclusa\nFrattura.",
        "Still using no\nInsulin.",
        "A cyst of 12 x\n9 mm.",
        "Wurde ab dem 7.5. mobilisiert.",
        # Leader dots of two, and a heading inside of a clause.
        "Murmur .. No",
        "She has no relevant Past Medical History: apart from gout.",
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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The swab was neg.", "Ampicillin was stopped."),
        ("Pulses are weak in the left ext.", "Dressing dry."),
        ("The pulse was 4.", "3 hours later he was warm."),
        ("He moved to bed 6.", "10 minutes before that he fell."),
        ("Seen on O2.", "2 stents were placed."),
    ],
)
def test_what_ends_behind_an_abbreviation_or_a_number(first: str, second: str) -> None:
    assert sentences(f"{first} {second}") == [first, second]


def test_a_day_before_its_month_is_no_list_number() -> None:
    assert sentences("3. Juni: Sturz\n4. Juni: CT ohne Blutung") == [
        "3. Juni: Sturz",
        "4. Juni: CT ohne Blutung",
    ]
    assert sentences("1. May eat\n2. March in place") == ["May eat", "March in place"]


def test_a_labelled_answer_stands_with_a_question_and_its_printed_choices() -> None:
    assert sentences("Any implants? Yes / No\nAnswer: No\nAny fits? Y N\nResponse: two") == [
        "Any implants? Yes / No Answer: No",
        "Any fits? Y N Response: two",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hill Clinic\n12 Oak Road\nLeeds, UK 12345\n\nThe scar is dry.",
        "The scar is dry.\n\nYours sincerely\n\nDr B Roe\nCardiology Registrar\nBR/jd",
        "The scar is dry.\n\nMit freundlichen Grüßen\n\nProf. Dr. Roe\nLeitende Oberärztin",
        "The scar is dry.\nT: 03/04/2021 09:10 P\nMT: xy/889",
        "The scar is dry.\n\nPrivacy notice: This e-mail is intended solely for the addressee.",
    ],
)
def test_furniture_of_letters_is_left_out(text: str) -> None:
    assert sentences(text) == ["The scar is dry."]


def test_lines_that_look_like_furniture_and_tell_something_stay() -> None:
    text = "Hill Clinic\nTel: none\nSeen at home.\n"
    assert "Hill Clinic" in sentences(text)
    assert sentences("This fax is intended for the ward: stop 5 mg warfarin.") != []
