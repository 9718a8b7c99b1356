"""The rules, each by its own examples, and what is made of their hits."""

import pytest

from summarizer import Budget, Summarizer
from summarizer.pinned.find import find_pinned
from summarizer.pinned.rules import (
    Answered,
    Pattern,
    Rule,
    Statement,
    load_rules,
    looked_up,
    read_rule,
    rule_versions,
)
from summarizer.segmentation.segment import segment
from summarizer.types import Pinned, SectionKind

RULES = {rule.id: rule for rule in load_rules()}
MATCHES = [(rule, pattern) for rule in load_rules() for pattern in rule.match]
EXCEPTIONS = [(rule, pattern) for rule in load_rules() for pattern in rule.unless]


def pinned(text: str) -> Pinned:
    return find_pinned(text, segment(text))


def lines(text: str, rule: str) -> list[str]:
    return [line.text for line in pinned(text).lines if line.rule == rule]


def is_hit(rule: Rule, text: str, section: SectionKind | None = None) -> bool:
    return rule.hits(*looked_up([Statement(text, section=section)]))


def named(pair: tuple[Rule, Pattern]) -> str:
    return f"{pair[0].id}: {pair[1].why}"


@pytest.mark.parametrize(("rule", "pattern"), MATCHES, ids=map(named, MATCHES))
def test_a_pattern_finds_its_example(rule: Rule, pattern: Pattern) -> None:
    assert pattern.expression.search(pattern.example)
    assert is_hit(rule, pattern.example)


@pytest.mark.parametrize(("rule", "pattern"), EXCEPTIONS, ids=map(named, EXCEPTIONS))
def test_an_exception_keeps_out_its_example(rule: Rule, pattern: Pattern) -> None:
    assert pattern.expression.search(pattern.example)
    assert not is_hit(rule, pattern.example)


FOLLOWING = [(rule, pattern) for rule in load_rules() for pattern in rule.follows]


@pytest.mark.parametrize(("rule", "pattern"), FOLLOWING, ids=map(named, FOLLOWING))
def test_what_goes_on_with_a_hit_is_one_right_behind_it_alone(rule: Rule, pattern: Pattern) -> None:
    hit, more = rule.match.all[0].example, pattern.example
    assert lines(f"{hit} {more}", rule.id) == [hit, more]
    assert lines(f"{hit} He walks. {more}", rule.id) == [hit]
    assert lines(more, rule.id) == []


ANSWERED = [(rule, answered) for rule in load_rules() for answered in rule.answered]


@pytest.mark.parametrize(
    ("rule", "answered"), ANSWERED, ids=[f"{rule.id}: {answered.pattern.why}" for rule, answered in ANSWERED]
)
def test_a_hit_is_none_where_its_answer_stands_in_the_note(rule: Rule, answered: Answered) -> None:
    hit, answer = answered.pattern.example, answered.by.example
    assert lines(hit, rule.id) == [hit]
    assert lines(f"{hit}\n\n{answer}", rule.id) == []
    if answered.later:
        assert lines(f"{answer}\n\n{hit}", rule.id) == [hit]


@pytest.mark.parametrize(
    "text",
    [
        "PATHOLOGY REPORT: Chronic cholecystitis.\n\nPROCEDURE: The gallbladder was sent to pathology.",
        "COURSE: Punch biopsies were taken from the shin. The pathologist confirmed lichen planus.",
        "SPECIMENS: Left thyroid lobe.\n\nMICROSCOPIC PATHOLOGY: Follicular adenoma, benign.",
        "HISTORY: A brain MRI was ordered for dizziness.\n\nFINDINGS: MRI of the brain showed no mass.",
        "We requested a stat renal ultrasound.\n\nRenal ultrasound was obtained: no hydronephrosis.",
        "Surgery was delayed pending arrival of the family.",
        "Intubation was deferred pending administration of fluids.",
        "She waits in the ward pending transfer to rehabilitation.",
        "He was kept pending placement in a home.",
        "Her insurance application is still pending.",
        "A swallow study was ordered for cough and a stricture was found.",
        "Fluid sent for culture turned out to be sterile.",
        "SPECIMENS:\nA. Colon, polyp.\nB. Rectum, polyp.\n\nFINAL DIAGNOSIS:\nA. Adenoma.\nB. Normal.",
        "SPECIMEN SUBMITTED: Skin of the nose, shave.\n\nDIAGNOSIS: Basal cell carcinoma, margins involved.",
        "GROSS DESCRIPTION: The specimen is submitted entirely in two cassettes.\nMICROSCOPIC: Lipoma.",
    ],
)
def test_where_nothing_is_open_no_result_is_pending(text: str) -> None:
    assert lines(text, "pending-results") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "HPI: Pathology showed a polyp.\n\nPROCEDURE: Tissue was sent to pathology.",
            "Tissue was sent to pathology.",
        ),
        ("PATHOLOGY: Sent.\n\nPROCEDURE: The cyst was sent to pathology.", "The cyst was sent to pathology."),
        ("Biopsies were taken.\n\nTreat if pathology confirms lymphoma.", "Biopsies were taken."),
        ("A brain MRI was ordered.\n\nMRI of the spine was performed.", "A brain MRI was ordered."),
        ("MRI of the brain was normal.\n\nPLAN: A brain MRI was ordered.", "A brain MRI was ordered."),
        ("A repeat chest x-ray was ordered.\n\nA chest x-ray was done.", "A repeat chest x-ray was ordered."),
        ("A chest CT was ordered.\n\nChest CT was done a year ago.", "A chest CT was ordered."),
        ("Cardiology consult is pending.", "Cardiology consult is pending."),
        ("INR pending.", "INR pending."),
        (
            "FINAL DIAGNOSIS: Cyst of the left ovary.\nANESTHESIA: General.\nSPECIMENS: Cyst wall.",
            "SPECIMENS: Cyst wall.",
        ),
        ("SPECIMEN: Bone marrow.\n\nDIAGNOSIS: To follow.", "SPECIMEN: Bone marrow."),
        (
            "SPECIMEN: Node.\n\nDIAGNOSIS: Reactive node.\n\nCOMMENT: Flow cytometry is pending.",
            "Flow cytometry is pending.",
        ),
        (
            "Two viral titers and an HIV test are still pending.",
            "Two viral titers and an HIV test are still pending.",
        ),
        ("Troponin is currently pending.", "Troponin is currently pending."),
    ],
)
def test_what_is_open_stays_a_pending_result(text: str, expected: str) -> None:
    assert lines(text, "pending-results") == [expected]


def test_lines_are_verbatim_with_rule_and_version() -> None:
    text = "ALLERGIES: Penicillin, hives.\n\nPLAN: Return to clinic in\ntwo weeks. Rest."
    found = pinned(text)
    assert [(line.rule, line.text) for line in found.lines] == [
        ("allergies", "Penicillin, hives."),
        ("follow-up", "Return to clinic in\ntwo weeks."),
    ]
    for line in found.lines:
        assert text[line.start : line.end] == line.text
        assert line.version == RULES[line.rule].version >= 1


def test_the_heading_and_label_are_read_with_a_statement() -> None:
    assert lines("CODE STATUS:\nFull.\n\nPLAN:\nRest.", "code-status") == ["Full."]
    assert lines("FOLLOW-UP:\nDr. Roe in one week.", "follow-up") == ["Dr. Roe in one week."]
    assert lines("SPECIMENS:\n1. Left ovary.\n2. Omentum.", "pending-results") == ["Left ovary.", "Omentum."]


def test_the_names_of_columns_are_no_allergy() -> None:
    text = "ALLERGIES\nSubstance | Reaction\nPenicillin | rash\nLatex | hives"
    assert lines(text, "allergies") == ["Penicillin | rash", "Latex | hives"]


@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
def test_a_code_status_beside_the_allergies_is_none_of_them(between: str) -> None:
    text = f"ALLERGIES: Latex.{between}CODE STATUS: Full code."
    assert lines(text, "allergies") == ["Latex."]
    assert lines(text, "code-status") == ["CODE STATUS: Full code."]


def test_a_choice_that_nobody_made_is_no_order() -> None:
    text = "CODE STATUS: [ ] DNR [ ] Full code\n\nALLERGIES:\n[ ] No known allergies\n[x] Latex: hives"
    assert lines(text, "code-status") == []
    assert lines(text, "allergies") == ["[x] Latex: hives"]
    assert lines("CODE STATUS:\n[ ] DNR [x] Full code", "code-status") == ["[x] Full code"]
    assert lines("PLAN:\n[ ] Follow up with Dr. Roe on 12 June", "follow-up") == [
        "[ ] Follow up with Dr. Roe on 12 June"
    ]


def test_what_a_form_says_of_itself_is_no_order() -> None:
    told = "[x] NO CPR: Do not attempt resuscitation."
    text = f"National POLST Model Form\n\nCompleting a POLST form is voluntary.\n\n{told}"
    assert lines(text, "code-status") == [told]


def test_an_allergen_is_read_with_its_reaction() -> None:
    assert lines("Allergen: Eggs\nReaction: throat swelling", "allergies") == [
        "Allergen: Eggs\nReaction: throat swelling"
    ]


def test_harm_by_a_medicine_told_in_prose_is_an_allergy_and_a_warning_of_it_is_none() -> None:
    told = [
        "He was on valproate and had signs of toxicity on that drug, so levetiracetam was begun.",
        "Her lisinopril was discontinued due to angioedema.",
        "He cannot tolerate most statins.",
        "Contact allergy to nickel.",
    ]
    for statement in told:
        assert lines(statement, "allergies") == [statement]
    for statement in (
        "She was told of potential side effects or reactions to the medications.",
        "She has no side effects from her tablets.",
        "He could not tolerate a longer examination.",
        "The cast was switched for comfort.",
    ):
        assert lines(statement, "allergies") == []


def test_a_date_may_have_its_day_first() -> None:
    assert lines("Follow up with Dr. Roe on 12 June.", "follow-up") == ["Follow up with Dr. Roe on 12 June."]


def test_a_list_of_what_is_stopped_or_new_is_a_change() -> None:
    text = "DRUGS STOPPED:\n- Senna\n- Digoxin 125 mcg\n\nNEW MEDICATIONS:\n- Rivaroxaban 20 mg"
    assert lines(text, "high-alert-medicines") == ["Digoxin 125 mcg", "Rivaroxaban 20 mg"]


def test_what_contradicts_stands_together() -> None:
    text = "HISTORY: She is DNR.\n\nALLERGIES: NKDA.\n\nPLAN: Rest. The daughter asks for full code."
    assert [line.rule for line in pinned(text).lines] == ["allergies", "code-status", "code-status"]
    assert lines(text, "code-status") == ["She is DNR.", "The daughter asks for full code."]


def test_beyond_the_limit_hits_are_counted() -> None:
    limit = RULES["allergies"].limit
    text = "ALLERGIES:\n" + "\n".join(f"- Substance {chr(65 + i)}" for i in range(limit + 2))
    (rule,) = pinned(text).rules
    assert (rule.rule, rule.shown, rule.found) == ("allergies", limit, limit + 2)
    assert len(pinned(text).lines) == limit


def test_the_same_words_stand_once() -> None:
    text = "ALLERGIES: Sulfa.\n\nMEDICATIONS: Aspirin.\n\nALLERGIES: SULFA."
    assert lines(text, "allergies") == ["Sulfa."]


def test_where_nothing_is_found_nothing_is_said() -> None:
    assert pinned("HISTORY: Cough for two days.") == Pinned()
    assert pinned("") == Pinned()


@pytest.mark.parametrize(
    "text",
    [
        "K 6.9 HH",
        "Hgb | 5.1 | g/dL | LL",
        "Glucose 31 (critical)",
        "CRITICAL: 2.1",
        "Lactate 9.8 mmol/L CRITICAL",
    ],
)
def test_a_value_flagged_beside_its_number_is_critical(text: str) -> None:
    assert is_hit(RULES["critical-results"], text)


@pytest.mark.parametrize(
    "text",
    [
        "Critical care time 45 minutes.",
        "He remained critical on day 3.",
        "Critical aortic stenosis, valve area 0.6.",
        "The next 24 hours are critical for 2 reasons.",
        "HH clinic, suite 300",
    ],
)
def test_the_word_in_prose_is_no_flag(text: str) -> None:
    assert not is_hit(RULES["critical-results"], text)


def test_a_section_of_its_kind_makes_a_hit_unless_an_exception_does_not() -> None:
    rule = RULES["allergies"]
    assert is_hit(rule, "Allergies: Latex", SectionKind.ALLERGIES)
    assert not is_hit(rule, "Allergies: Refer to chart.", SectionKind.ALLERGIES)


def test_a_rule_that_is_none_is_refused() -> None:
    head = 'id = "x"\nversion = 1\ntitle = "X"\nlimit = 1\n'
    with pytest.raises(ValueError, match="no pattern"):
        read_rule(head + "[[match]]\npattern = '('\nwhy = 'w'\nexample = 'e'\n")
    with pytest.raises(KeyError):
        read_rule(head)


def test_the_summary_of_a_note_brings_its_pinned_lines() -> None:
    text = "HISTORY: Cough.\n\nALLERGIES: Penicillin.\n\nPLAN: Return to clinic in two weeks."
    (summary,) = Summarizer.from_pretrained(engine="lead").summarize([text], Budget(sentences=1))
    found = summary.to_json()
    assert [line["text"] for line in found["pinned"]] == ["Penicillin.", "Return to clinic in two weeks."]
    assert [rule["rule"] for rule in found["pinned_rules"]] == ["allergies", "follow-up"]
    assert found["left_out"] == {
        "sections": [{"title": "ALLERGIES", "sentences": 1}, {"title": "PLAN", "sentences": 1}],
        "sentences": 0,
    }
    (split,) = Summarizer.from_pretrained(engine="lead").summarize_sentences([["Allergic to latex."]])
    assert split.pinned == Pinned()


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("allergies", "Allergies on record: none."),
        ("allergies", "Cephalexin caused facial swelling in 2019."),
        ("allergies", "Her grandson says she broke out in hives after starting doxycycline."),
        ("allergies", "Clindamycin (rash), tramadol - dizziness"),
        ("allergies", "Oral iron was not tolerated."),
        ("allergies", "He gets wheezy and short of breath with naproxen."),
        ("allergies", "Sensitive to latex."),
        ("allergies", "She developed angioedema on ramipril and should never receive it again."),
        ("allergies", "ALL: codeine, tetracycline"),
        ("code-status", "He agreed to be resuscitated but not ventilated."),
        ("code-status", "Resus: for ward measures only."),
        ("code-status", "She never wants a feeding tube."),
        ("code-status", "CODE: Full"),
        ("code-status", "No intubation, pressors are acceptable."),
        ("code-status", "They want to keep her comfortable."),
        ("code-status", "He declined aggressive treatment."),
        ("code-status", "Nephew is the substitute decision maker."),
        ("code-status", "The family chose inpatient hospice."),
        ("code-status", "Life-prolonging treatment was withdrawn at noon."),
        ("pending-results", "Ferritin - pending"),
        ("pending-results", "CSF oligoclonal bands | pending |"),
        ("pending-results", "The parents will be called with the culture results."),
        ("pending-results", "The histology has not come back."),
        ("pending-results", "A Doppler was done; the report is awaited."),
        ("pending-results", "Renal biopsy is scheduled for Wednesday."),
        ("pending-results", "Frozen section clear, permanent sections pending."),
        ("high-alert-medicines", "Edoxaban 30 mg q.d. was begun for a clot."),
        ("follow-up", "RTC 4 wks, sooner if worse."),
        ("follow-up", "INR check in five days."),
        ("follow-up", "Podiatry appt Monday at noon."),
        ("follow-up", "Staples are to be removed on postoperative day 12."),
        ("follow-up", "Back in three weeks for a cast check."),
    ],
)
def test_what_is_told_in_other_words_is_found(rule: str, text: str) -> None:
    assert lines(text, rule) == [text]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("allergies", "The isolate was sensitive to cefazolin and resistant to ampicillin."),
        ("allergies", "Call us if hives appear after the antibiotic."),
        ("allergies", "ALLERGY/IMMUNOLOGY: No frequent infections."),
        ("allergies", "He could not tolerate solid food."),
        ("allergies", "ALL: in remission since 2011."),
        ("code-status", "Comfort measures provided: warm blanket and music."),
        ("code-status", "Resuscitation was not required after birth."),
        ("code-status", "She volunteers at a hospice."),
        ("code-status", "He was not intubated on the way."),
        ("code-status", "The cyst does not need any further treatment."),
        ("pending-results", "Disposition: pending."),
        ("pending-results", "The prescription has been sent."),
        ("pending-results", "It is not known whether he smokes."),
        ("high-alert-medicines", "Edoxaban is taken. Water pills were stopped."),
        ("follow-up", "Return of bowel function was noted after 3 days."),
        ("follow-up", "Followup 3 months status post ankle fusion."),
        ("follow-up", "Weakness due to a stroke in June."),
    ],
)
def test_what_only_sounds_like_it_is_not_found(rule: str, text: str) -> None:
    assert lines(text, rule) == []


def test_contradictory_directives_stand_together() -> None:
    text = "HISTORY: She signed a DNR in May.\n\nPLAN: Today she wants everything done. Full code."
    assert lines(text, "code-status") == [
        "She signed a DNR in May.",
        "Today she wants everything done.",
        "Full code.",
    ]


@pytest.mark.parametrize("title", ["Allergies, Adverse Reactions & Alerts", "Allergy List"])
def test_rows_under_a_longer_title_of_allergies_are_found(title: str) -> None:
    text = f"{title}\nSubstance | Reaction\nQuinine | tinnitus"
    assert lines(text, "allergies") == ["Quinine | tinnitus"]


def test_versions_are_those_of_the_rules() -> None:
    assert rule_versions() == tuple((rule.id, rule.version) for rule in load_rules())
    assert len(rule_versions()) == len(RULES)
