"""Which lines go on with the sentence of the line above: narrow margins, signs, ranges, labels."""

import pytest

from summarizer.segmentation.segment import segment


def sentences(text: str) -> list[str]:
    return [" ".join(text[one.start : one.end].split()) for one in segment(text).sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wound dry. No\ndischarge. Drain out.", ["Wound dry.", "No discharge.", "Drain out."]),
        ("Aim for an INR of 2.5 -\n3.5 for the valve.", ["Aim for an INR of 2.5 - 3.5 for the valve."]),
        ("Keep sodium at 130 to\n135 mmol/L.", ["Keep sodium at 130 to 135 mmol/L."]),
        (
            "Aunt - ovarian ca, BRCA2+\nPatient: not tested",
            ["Aunt - ovarian ca, BRCA2+", "Patient: not tested"],
        ),
        ("Fever no\nCough yes", ["Fever no", "Cough yes"]),
        (
            "He got Lasix 40 mg i.v.\nHer aunt has gout.",
            ["He got Lasix 40 mg i.v.", "Her aunt has gout."],
        ),
        ("Valium 5 mg p.o. The leg relaxed.", ["Valium 5 mg p.o.", "The leg relaxed."]),
        ("Fair p.o. Intake is better.", ["Fair p.o. Intake is better."]),
        ("LASIX 40 MG I.V.\nTWICE A DAY.", ["LASIX 40 MG I.V. TWICE A DAY."]),
        ("Jo Roe, Ph.D., called. Ed Poe, Pharm.D.", ["Jo Roe, Ph.D., called.", "Ed Poe, Pharm.D."]),
        (
            "Transfused 3 u. FFP before surgery. He bled on.",
            ["Transfused 3 u. FFP before surgery.", "He bled on."],
        ),
        ("Blood cultures grew\nE. coli. He is better.", ["Blood cultures grew E. coli.", "He is better."]),
        ("Class 2 b. Rest advised.", ["Class 2 b.", "Rest advised."]),
        ("-dyspnea, -wheeze, +rash", ["-dyspnea, -wheeze, +rash"]),
        ("Stool neg. for C. perf. toxin.", ["Stool neg. for C. perf. toxin."]),
        ("Digoxin q.a.m. Monday and Friday.", ["Digoxin q.a.m. Monday and Friday."]),
        ("Temp ......... 38.4\nPain ......... none", ["Temp ......... 38.4", "Pain ......... none"]),
        ("NO SIGNS OF SEPSIS\nHeparin restarted.", ["NO SIGNS OF SEPSIS", "Heparin restarted."]),
        ("No rash or itching\nSleep good.", ["No rash or itching", "Sleep good."]),
        ("No signs of a deep\nDVT on the left.", ["No signs of a deep DVT on the left."]),
        ("Es zeigt sich keine akute\nPneumonie.", ["Es zeigt sich keine akute Pneumonie."]),
        ("Sotalol 80 mg - given\nHeparin - held", ["Sotalol 80 mg - given", "Heparin - held"]),
        ("She bled, so held, INR\n7.4 on arrival.", ["She bled, so held, INR 7.4 on arrival."]),
        ("Status post right\nBKA in May.", ["Status post right BKA in May."]),
        ("Sotalol 80 mg\n(stopped)\nramipril", ["Sotalol 80 mg (stopped)", "ramipril"]),
        ("sotalol 80 mg\nTaking? No\nramipril", ["sotalol 80 mg Taking? No", "ramipril"]),
        (
            "sotalol 80 mg\nStatus: held\nReason held: slow pulse\nramipril",
            ["sotalol 80 mg Status: held Reason held: slow pulse", "ramipril"],
        ),
        ("Denies\n1. chest pain\n2. cough", ["Denies", "chest pain", "cough"]),
        ("Contd. Sotalol. Kein Hinw. auf Sepsis.", ["Contd. Sotalol.", "Kein Hinw. auf Sepsis."]),
        ("Patient without Social History: of drink.", ["Patient without Social History: of drink."]),
        ("Results: Ca 3.1 (H), urea 22\n  (H), Na 139", ["Ca 3.1 (H), urea 22 (H), Na 139"]),
        (
            "Undet. Nodule in the lung. No evid. Metastasis.",
            ["Undet. Nodule in the lung.", "No evid. Metastasis."],
        ),
    ],
)
def test_where_a_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The leak has sealed.[7] He may drink.", ["The leak has sealed.[7]", "He may drink."]),
        ("Ca 2. 4, arterial pH 7. 31.", ["Ca 2. 4, arterial pH 7. 31."]),
        ("Am 2. stationären Tag Sturz. Kein Bruch.", ["Am 2. stationären Tag Sturz.", "Kein Bruch."]),
        ("Z. A. Otitis links. Cor o. B.", ["Z. A. Otitis links.", "Cor o. B."]),
        ("No obv. Deformity of the thumb.", ["No obv. Deformity of the thumb."]),
        ("Denies n/v. Ate well. No f/c. Wound dry.", ["Denies n/v.", "Ate well.", "No f/c.", "Wound dry."]),
        ("Has N/V/D. He drinks. Grew B/E. Coli K1.", ["Has N/V/D.", "He drinks.", "Grew B/E. Coli K1."]),
        ("Known h/o. Stroke in May.", ["Known h/o. Stroke in May."]),
        ("Polyp on the left\n>8 mm on the right", ["Polyp on the left", ">8 mm on the right"]),
        ("Known HIV, refused\nART in May.", ["Known HIV, refused ART in May."]),
        ("Colonoscopy refused\nHb stable", ["Colonoscopy refused", "Hb stable"]),
        ("Bisher kein Erfolg, aber\nWundheilung gut.", ["Bisher kein Erfolg, aber Wundheilung gut."]),
        ("ENT: + vertigo\n- tinnitus\n- earache", ["+ vertigo", "- tinnitus", "- earache"]),
        ("ENT: vertigo\n- tinnitus\n- earache", ["vertigo", "tinnitus", "earache"]),
        ("Leukocytes\n+++", ["Leukocytes", "+++"]),
    ],
)
def test_stops_signs_and_open_ends(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize("rule", ["▬▬▬▬▬▬", ".:.:.:.:", "* * * * *", "~=~=~=~", "+-----+----+"])
def test_a_drawn_rule_is_no_sentence(rule: str) -> None:
    assert sentences(f"The stoma works.\n{rule}\nThe skin is intact.") == [
        "The stoma works.",
        "The skin is intact.",
    ]


def test_what_is_to_be_signed_and_a_department_under_a_letter_are_no_sentences() -> None:
    close = "Sincerely,\n\nIda Moe, MD\nDepartment of Surgery\n\nPatient signature: ____"
    assert sentences(f"Dear Dr. Abe:\n\nThe cast is off.\n\n{close}") == ["The cast is off."]


def test_a_known_label_is_no_continuation() -> None:
    text = "Vaccines: tetanus booster - due\nDiet: soft for two weeks"
    assert sentences(text) == ["tetanus booster - due", "soft for two weeks"]


def test_a_code_status_set_apart_leaves_the_list_above_it() -> None:
    text = "ALLERGIES\nPenicillin - rash\n\nCODE STATUS: DNR"
    (last,) = [one for one in segment(text).sentences if "DNR" in text[one.start : one.end]]
    assert last.context == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Drug: enoxaparin\nDose: 40 mg\nAction: stop\nDrug: aspirin\nAction: continue",
            ["Drug: enoxaparin Dose: 40 mg Action: stop", "Drug: aspirin Action: continue"],
        ),
        (
            "1. Codeine\n   Reaction: itching\n2. Eggs\n   Reaction: none",
            ["Codeine Reaction: itching", "Eggs Reaction: none"],
        ),
        ("Test: troponin\nResult: 2.1\nFlag: HH", ["Test: troponin Result: 2.1 Flag: HH"]),
        (
            "PROCEDURE: Hip repair.\nREASON: She fell at home on the stairs and could not stand on the leg "
            "any more that evening.",
            [
                "Hip repair.",
                "She fell at home on the stairs and could not stand on the leg any more that evening.",
            ],
        ),
        (
            "Allergies: iodine      Code: full\nWeight: 80 kg",
            ["Allergies: iodine Code: full", "Weight: 80 kg"],
        ),
        ("IMPRESSION: Stable.     PLAN: Go home.", ["Stable.", "Go home."]),
        (
            "Allergies: nickel      Precautions:\nWeight: 71 kg",
            ["Allergies: nickel Precautions:", "Weight: 71 kg"],
        ),
    ],
)
def test_a_thing_and_what_is_said_of_it_are_one_statement(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected
