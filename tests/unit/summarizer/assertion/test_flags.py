"""Assertion flags: the marked passages, the rules' data, and spaCy's own Matcher beside ours."""

import random
import subprocess
import sys

import pytest
import spacy

from jobs.bench.flags import FlagPassage, given, read_line, read_passages, run
from summarizer.assertion.context import flags_of_matches, modifier_matcher, statement_flags
from summarizer.assertion.flags import sentence_flags, with_flags
from summarizer.assertion.matcher import RuleMatcher
from summarizer.assertion.rules import Direction, heading_exceptions, heading_rules, modifiers, parse_term
from summarizer.assertion.spacy_component import COMPONENT, SpacyRuleMatcher
from summarizer.assertion.words import START, token_spans, tokens
from summarizer.types import ContextKind, ContextSpan, Flag, Segmentation, Sentence
from tests.places import GOLD

PARTS = read_passages()
RULES = (*modifiers(), *heading_rules(), *heading_exceptions())
PASSAGES = [passage for part in PARTS.values() for passage in part]


def flags(text: str) -> set[str]:
    return {flag.value for flag in sentence_flags(text, 0, len(text))}


def under(kind: ContextKind, above: str, text: str) -> set[str]:
    whole = f"{above}\n{text}"
    context = [ContextSpan(0, len(above), kind)]
    return {flag.value for flag in sentence_flags(whole, len(above) + 1, len(whole), context)}


def test_a_minus_right_before_a_finding_denies_it():
    assert flags("+JVD, -edema") == flags("-edema") == flags("-CP, +orthopnea") == {"negated"}
    assert flags("Follow-up in 3 weeks - earlier if febrile") == {"conditional"}
    assert flags("+JVD") == flags("T-wave changes -anterior leads") == set()


def test_an_order_behind_a_dash_stops_the_drug_before_it():
    assert flags("Lisinopril - HOLD") == flags("AKI - hold ACE inhibitor") == {"stopped"}


def test_an_answer_on_the_line_below_is_the_value_of_what_stands_above():
    assert flags("Bleeding\nno") == flags("Gun at home\ndenied.") == {"negated"}
    assert flags("Bleeding\nyes") == set()


def test_at_least_three_hundred_passages_are_marked_and_every_flag_is_among_them():
    assert len(PASSAGES) >= 300
    for part in PARTS.values():
        assert {flag for passage in part for flag in passage.flags} == set(Flag)


def test_the_passages_carry_what_two_readings_settled_on():
    readings = {}
    for line in (GOLD / "flags" / "readings.txt").read_text(encoding="utf-8").splitlines():
        name, first, second, *settled = line.split()
        assert (first != second) == bool(settled)
        readings[name] = settled[0] if settled else first
    marked = {p.id: "".join(sorted(flag.value[0] for flag in p.flags)) or "-" for p in PASSAGES}
    assert marked == {name: "".join(sorted(letters)) for name, letters in readings.items()}


@pytest.mark.parametrize(("part", "least"), [("development", 0.98), ("heldout", 0.93)])
def test_flags_agree_with_the_marked_passages(part: str, least: float):
    total = next(
        row for row in run() if (row.system, row.part, row.flag) == ("this project", part, "all flags")
    )
    assert total.f1 >= least
    assert total.precision >= 0.97


def test_a_passage_is_read_from_its_line():
    passage = read_line("d001", "letter | H:FAMILY HISTORY / L:She has: | Mother had {gout}. | f")
    assert passage.text == "FAMILY HISTORY:\nShe has:\nMother had gout."
    assert passage.text[passage.start : passage.end] == "Mother had gout."
    assert [passage.text[start:end] for start, end in passage.facts] == ["gout"]
    assert [c.kind for c in passage.context] == [ContextKind.HEADING, ContextKind.LEAD_IN]
    assert passage.flags == {Flag.FAMILY}


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.id)
def test_spacys_matcher_finds_what_ours_finds(passage: FlagPassage, spacy_matchers):
    theirs, ours = spacy_matchers
    words = [START, *tokens(passage.text)]
    assert theirs(words) == ours(words)


@pytest.fixture(scope="module")
def spacy_matchers():
    return SpacyRuleMatcher(RULES), RuleMatcher(RULES)


def test_spacys_matcher_finds_what_ours_finds_in_shuffled_words_of_the_rules(spacy_matchers):
    theirs, ours = spacy_matchers
    vocabulary = sorted({word for rule in modifiers() for p in rule.patterns for e in p for word in e.words})
    shuffle = random.Random(3)
    found = 0
    for _ in range(400):
        words = [START, *shuffle.choices([*vocabulary, "12", "2019", "fever", "."], k=14)]
        assert theirs(words) == ours(words)
        found += len(ours(words))
    assert found > 400


def test_every_rule_matches_its_own_words(spacy_matchers):
    ours = spacy_matchers[1]
    classes = {"<n>": "7", "<year>": "2011", "<past>": "walked", "~": "x"}
    for number, rule in enumerate(RULES):
        for pattern in rule.patterns:
            words = [min(e.words) if e.words else classes[e.kind] for e in pattern]
            assert any(m.rule == number and (m.start, m.end) == (0, len(words)) for m in ours(words)), (
                rule.term
            )


def test_a_rule_carries_a_flag_unless_it_is_pseudo_or_ends_scopes():
    for rule in (*modifiers(), *heading_rules()):
        assert rule.flags or rule.direction in (Direction.PSEUDO, Direction.TERMINATE)
    assert {name for rule in heading_rules() for name in rule.unless} == {
        r.kind for r in heading_exceptions()
    }


@pytest.mark.parametrize("term", ["~2 fever", "no? fever", "@nothing"])
def test_a_term_that_begins_with_no_word_is_refused(term: str):
    with pytest.raises(ValueError, match=r"begin with a word|no list"):
        parse_term(term)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No fever, but a cough.", {"negated"}),
        ("NO FEVER", {"negated"}),
        ("She doesn’t smoke.", {"negated"}),
        ("Fever: no", {"negated"}),
        ("Wheeze | none | both lungs", {"negated"}),
        ("Suicidal ideation?\nNo", {"negated"}),
        ("Seizures.......never", {"negated"}),
        ("No change in the infiltrate.", set()),
        ("Hospital day No. 4.", set()),
        ("She may shower tomorrow.", {"conditional"}),
        ("Seen on May 4 for a sprain.", set()),
        ("The rash may be viral.", {"possible"}),
        ("Pneumonia cannot be excluded.", {"possible"}),
        ("Warfarin was not stopped.", set()),
        ("Warfarin was stopped.", {"stopped"}),
        ("The bleeding stopped.", set()),
        ("The needle was withdrawn.", set()),
        ("The knee was held in extension.", set()),
        ("Hold aspirin.", {"stopped"}),
        ("Mom has noticed a rash.", set()),
        ("His mother had a stroke.", {"family"}),
        ("Lives with his wife.", set()),
        ("Prior to surgery she walked.", set()),
        ("Prior stroke.", {"historical"}),
        ("Symptoms began two years ago.", set()),
        ("Fracture of the wrist two years ago.", {"historical"}),
        ("Return if the pain gets worse.", {"conditional"}),
        ("None.", set()),
        ("", set()),
    ],
)
def test_statements(text: str, expected: set[str]):
    assert flags(text) == expected


@pytest.mark.parametrize(
    ("kind", "above", "text", "expected"),
    [
        (ContextKind.HEADING, "FAMILY HISTORY:", "Breast cancer at 40.", {"family"}),
        (ContextKind.HEADING, "MEDICATIONS TO STOP:", "Warfarin 5 mg", {"stopped"}),
        (ContextKind.HEADING, "MEDICATIONS TO CONTINUE:", "Warfarin 5 mg", set()),
        (ContextKind.HEADING, "DISCHARGE MEDICATIONS:", "Warfarin 5 mg", set()),
        (ContextKind.HEADING, "HISTORY OF PRESENT ILLNESS:", "Cough for a week.", set()),
        (ContextKind.HEADING, "Past Medical History", "Asthma.", {"historical"}),
        (ContextKind.HEADING, "PLAN", "Chest CT.", {"conditional"}),
        (ContextKind.HEADING, "PLAN", "The sodium is 131.", set()),
        (ContextKind.HEADING, "ASSESSMENT AND PLAN", "Asthma.", set()),
        (ContextKind.HEADING, "COMPLICATIONS:", "None.", {"negated"}),
        (ContextKind.LEAD_IN, "The patient denies the following:", "Chest pain", {"negated"}),
        (ContextKind.LEAD_IN, "The patient reports the following:", "Chest pain", set()),
        (ContextKind.LEAD_IN, "Please stop:", "Naproxen 500 mg", {"stopped"}),
        (ContextKind.LEAD_IN, "Return if you have:", "Chills", {"conditional"}),
        (ContextKind.QUESTION, "Any chest pain?", "No", {"negated"}),
        (ContextKind.QUESTION, "Any chest pain?", "Yes", set()),
        (ContextKind.ROW, "Naproxen", "| 500 mg | stopped", {"stopped"}),
        (ContextKind.ANTECEDENT, "He denies chest pain.", "It began on Monday.", set()),
        (ContextKind.CORRECTION, "He had no stroke.", "Stroke of the left side.", set()),
    ],
)
def test_context_counts_as_its_kind_says(kind: ContextKind, above: str, text: str, expected: set[str]):
    assert under(kind, above, text) == expected


def test_flags_of_a_segmentation_are_in_order_and_nothing_else_changes():
    text = "No family history of gout."
    plain = Segmentation((Sentence(0, len(text)),))
    [flagged] = with_flags(text, plain).sentences
    assert flagged.flags == (Flag.NEGATED, Flag.FAMILY)
    assert (flagged.start, flagged.end, flagged.context) == (0, len(text), ())


def test_the_component_gives_the_same_flags():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(COMPONENT)
    text = "No fever. Warfarin was stopped. His mother had a stroke. Cough."
    assert [[f.value for f in s._.assertions] for s in nlp(text).sents] == [
        ["negated"],
        ["stopped"],
        ["family"],
        [],
    ]


def test_spacys_matches_give_the_same_flags_over_all_passages():
    matcher = SpacyRuleMatcher(modifiers())
    for passage in PASSAGES:
        own = tokens(passage.text[passage.start : passage.end])
        assert flags_of_matches([START, *own], 1, matcher([START, *own])) == statement_flags((), own)


def test_words_stand_where_their_spans_say():
    text = "No h/o DVT…  “can’t” 2.5 mg......no\tİ"
    found = [text[start:end] for start, end in token_spans(text)]
    assert len(found) == len(tokens(text))
    assert [word.replace("’", "'").lower() for word in found if word.strip()] == [
        word for word in tokens(text) if word != "\x03"
    ]


def test_flags_need_neither_spacy_nor_torch():
    code = (
        "import sys\n"
        "from summarizer.assertion.flags import sentence_flags; sentence_flags('No fever.', 0, 9);"
        "print(sorted({'spacy', 'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_our_own_passages_have_flags_by_their_marked_context():
    by_id = {passage.id: passage for passage in PASSAGES}
    assert given(by_id["d002"]) == {Flag.STOPPED}
    assert modifier_matcher() is modifier_matcher()


@pytest.mark.parametrize(
    "text",
    [
        "Would restart apixaban once the platelets are above 50.",
        "Would not stop the drain yet.",
        "Transfer to the ward once weaned from oxygen.",
    ],
)
def test_what_would_be_done_is_conditional(text: str) -> None:
    assert "conditional" in flags(text)


def test_what_was_done_once_is_not_conditional() -> None:
    assert "conditional" not in flags("He was treated once in 2010.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a decline that is a noun, or a value that fell, and one that is a refusal
        ("Gastric cancer with a steady decline in her appetite.", set()),
        ("His kidney function declined to a clearance of 20.", set()),
        ("Declining renal function since spring.", set()),
        ("There has been functional decline over a month.", set()),
        ("She declined dialysis.", {"negated"}),
        ("The family declines surgery.", {"negated"}),
        ("Colonoscopy was declined.", {"negated"}),
        ("Parkinsonism with an inability to turn in bed.", set()),
        ("Unable to swallow solids.", {"negated"}),
        # what is denied in a condition is only supposed
        ("Give haloperidol by injection if she refuses the syrup.", {"conditional"}),
        ("Come back if the rash does not fade.", {"conditional"}),
        ("If no growth by Friday, stop the vancomycin.", {"conditional", "stopped"}),
        ("Unless she cannot swallow, use tablets.", {"conditional"}),
        ("Do not drive if you are dizzy.", {"negated", "conditional"}),
        ("If the fever returns, do not give ibuprofen.", {"negated", "conditional"}),
        ("She feels as if the room moves but has no nausea.", {"negated"}),
        # an aside in brackets, and a bracket that says what is with the fact before it
        ("Azithromycin was begun (we had no samples of the syrup).", set()),
        ("Seen for asthma (her mother could not bring the inhaler).", set()),
        ("Sotalol 80 mg (I think the label may be wrong) twice daily.", set()),
        ("Fever (never above 38) for a week.", {"negated"}),
        ("Melanoma (no ulceration), excised.", {"negated"}),
        ("Lung nodule (possibly a granuloma).", {"possible"}),
        ("(He has no cough.)", {"negated"}),
        # a history of now
        ("The scan fits the history of recent injury to the spleen.", set()),
        ("He has a history of ongoing heartburn.", set()),
        ("He has a history of splenic injury.", {"historical"}),
        # a trigger that a pseudo trigger of another flag overlaps
        ("Mother denies fever in the infant.", {"negated"}),
        ("Her daughter denied that she drinks.", {"negated"}),
        ("Dad has not noticed a limp.", {"negated"}),
        ("Mother says he has a cough.", set()),
        ("The polyp could not be reached.", {"negated"}),
        # two relatives of the negation that is none
        ("The joint is not without fluid.", set()),
        ("No sooner was he extubated than he tired.", set()),
        ("There is no lack of support.", set()),
        ("The best is to do nothing.", set()),
        ("Nothing by mouth tonight.", {"negated"}),
        ("The scan shows nothing acute.", {"negated"}),
        ("His brother limps, he does not.", {"negated"}),
        ("Transfusion was offered but declined.", {"negated"}),
        ("Two seizures as a boy, none since.", {"negated", "historical"}),
        ("There is no reason to suspect a fracture.", {"negated"}),
        ("Neg Tinel sign at the wrist.", {"negated"}),
        ("She should avoid grapefruit.", {"negated", "conditional"}),
        ("Unable to rule out a leak.", {"possible"}),
        ("We question whether the valve leaks.", {"possible"}),
        # another person, beside the patient
        ("He has asthma, as does his brother.", {"family"}),
        ("Father is alive and well.", {"family"}),
        ("Her husband is a smoker.", {"family"}),
        ("Mother is here with the boy.", set()),
        ("Nobody in the family has kidney stones.", {"negated", "family"}),
        # what was before, and what is now
        ("A previously healthy teacher.", set()),
        ("The ulcer is as previously described.", set()),
        ("Previously treated for syphilis.", {"historical"}),
        ("If the lactate rises, then stop metformin.", {"conditional", "stopped"}),
        ("Off pressors since noon.", {"stopped"}),
        ("Off and on headaches.", set()),
        # a relative who is asked to do something
        ("I told Dad to have the cast checked in ten days.", {"conditional"}),
        ("We asked her mother to have a thermometer at home.", {"conditional"}),
        ("Instructed his wife to call if he is confused.", {"conditional"}),
        ("Mom to have vision tested.", set()),
        ("Mom has poor vision.", {"family"}),
        ("We were asked to see her for a swollen knee.", set()),
        ("She was told to return for suture removal.", {"conditional"}),
    ],
)
def test_a_trigger_that_is_none_here_and_one_that_is(text: str, expected: set[str]) -> None:
    assert flags(text) == expected


@pytest.mark.parametrize(
    ("heading", "text", "expected"),
    [
        ("PLAN:", "We placed a drain under ultrasound.", set()),
        ("PLAN:", "He went home with his son.", set()),
        ("RECOMMENDATIONS:", "I reviewed the film with her.", set()),
        ("PLAN:", "She did tolerate half of the meal.", set()),
        ("PLAN:", "The patient understands this.", set()),
        ("PLAN:", "Thank you for this consult.", set()),
        ("PLAN:", "I referred her to audiology.", {"conditional"}),
        ("PLAN:", "We scheduled a swallow study.", {"conditional"}),
        ("PLAN:", "Reduced salt diet, elevated legs.", {"conditional"}),
        ("PLAN:", "Help keep patient oriented.", {"conditional"}),
        ("PROCEDURE PLANNED AND PERFORMED:", "Cataract extraction.", set()),
        ("PLANNED PROCEDURE:", "Cataract extraction.", {"conditional"}),
        ("DIFFERENTIAL DIAGNOSIS:", "She has bacterial meningitis.", set()),
        ("DIFFERENTIAL:", "The patient presents with a stiff neck.", set()),
        ("DIFFERENTIAL DIAGNOSIS:", "Bacterial meningitis, subarachnoid bleeding.", {"possible"}),
        ("PROVISIONAL DIAGNOSIS:", "The patient has bacterial meningitis.", {"possible"}),
    ],
)
def test_a_heading_gives_its_flag_to_what_is_of_its_kind(heading: str, text: str, expected: set[str]) -> None:
    assert under(ContextKind.HEADING, heading, text) == expected
