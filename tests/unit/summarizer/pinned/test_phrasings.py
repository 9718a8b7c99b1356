"""Kinds of phrasing in which notes tell what is pinned, and what looks like them."""

import pytest

from tests.unit.summarizer.pinned.test_pinned import lines


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        # Who tells of it is not who has it.
        ("allergies", "Per father, the boy is allergic to sesame."),
        ("allergies", "His mother states that he is allergic to wasps."),
        ("allergies", "Came out in blisters after her second course of cefuroxime."),
        ("allergies", "Penicillin-allergic."),
        ("allergies", "Ramipril -> angio-oedema"),
        ("allergies", "Carbimazole (neutropenia), latex: childhood reaction"),
        ("allergies", "Allergic: shellfish"),
        ("allergies", "Has an adrenaline pen because of peanuts."),
        ("allergies", "Hausstaubmilbenallergie, Allergien: Latex"),
        ("allergies", "Allergique aux sulfamides."),
        ("allergies", "Alérgica a la aspirina."),
        ("allergies", "Allergisch voor pleisters."),
        ("code-status", "NFR form signed."),
        ("code-status", "She is not suitable for intensive care."),
        ("code-status", "For full treatment including CPR."),
        ("code-status", "CPR: No"),
        ("code-status", "He would accept oxygen but not intubation."),
        ("code-status", "Keine Reanimation, keine Dialyse."),
        ("code-status", "Ne pas réanimer."),
        ("high-alert-medicines", "Innohep recommenced on day three."),
        ("high-alert-medicines", "Omit edoxaban on the day of the biopsy."),
        ("high-alert-medicines", "Actrapid uptitrated to 10 units."),
        ("follow-up", "OPD rheumatology in 8/52."),
        ("follow-up", "Outpatients in 3 months."),
        ("follow-up", "RTC 4 weeks postpartum."),
        ("follow-up", "Kontrolle in 14 Tagen."),
        ("follow-up", "Please book a gastroscopy after discharge."),
        ("critical-results", "Panic result phoned to Dr. Roe: calcium 14.2."),
        ("critical-results", "Lactate 9.1 was called to the ward as a critical value."),
        ("pending-results", "Der Abstrich steht noch aus."),
        ("pending-results", "QuantiFERON still outstanding."),
    ],
)
def test_one_kind_of_phrasing_after_another_is_found(rule: str, text: str) -> None:
    assert lines(text, rule) == [text]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("allergies", "Mother says her sister is allergic to nuts."),
        ("allergies", "His father is allergic to penicillin."),
        ("allergies", "Her mother reacted to codeine."),
        ("allergies", "Ibuprofen (headache) twice a day."),
        ("allergies", "Home medicines: unknown."),
        ("allergies", "Phenytoin - seizures"),
        ("code-status", "The parents were taught CPR; trained for resuscitation."),
        ("code-status", "CPR was given for ten minutes."),
        ("code-status", "She is a candidate for surgery."),
        ("code-status", "No ICU bed was free."),
        ("code-status", "The CPT code status was corrected."),
        ("critical-results", "Sodium 140 was called to the ward."),
        ("pending-results", "Der Patient steht noch auf."),
        ("follow-up", "Die Kontrolle im OP war frei."),
        ("follow-up", "It was done as an outpatient on 8/10."),
        ("follow-up", "The follow-up period of the registry was two years."),
        ("high-alert-medicines", "The insulin chart was reviewed."),
    ],
)
def test_what_looks_like_it_is_not(rule: str, text: str) -> None:
    assert lines(text, rule) == []
