"""Whether `Label:` is a heading or the beginning of a value that belongs to the sentence."""

import re
from enum import Enum, auto
from functools import lru_cache

from summarizer.segmentation.regions import EXAM_REGIONS, STUDIES, is_region, is_study
from summarizer.segmentation.section_titles import TITLE_KINDS, names_section, normalise
from summarizer.types import SectionKind

LISTING_KINDS = frozenset({SectionKind.EXAM, SectionKind.REVIEW_OF_SYSTEMS, SectionKind.FINDINGS})
"""Sections whose short labels are regions and domains, known by name or not."""

LABEL = re.compile(
    r"(?:\*\*|__)?(?P<words>(?:Gen\. (?=E))?[A-Za-z][\w \t/&,'’#()+\-]{0,70}+)"
    r"(?:\*\*)?(?:(?<!\d):|:(?!\d))(?:\*\*|__)?(?=[\s,;.:A-Za-z(\[\"*+\-~<>\d]|$)"
)
AFTER_COLON = re.compile(r"[:,;]*(?:[ \t]+[,;]+)?(?:[-–—][ \t]+)?")

_VALUES = """temp; temperature; t; tmax; bp; blood pressure; b/p; hr; heart rate; pulse; p; r; rr; resp;
    respirations; respiratory rate; spo2; o2 sat; o2 sats; sats; sat; o2 saturation; oxygen
    saturation; saturation; pulse oximetry; pulse ox; wt; weight; ht; height; bmi; map; cvp; pain
    score; pain scale; pain level; gcs; fio2; peep; i/o; intake/output; uop; urine output; blood loss;
    estimated blood loss; ebl; fluids; iv fluids; iv fluid;
    intravenous fluid; intravenous fluids; fluids received; tourniquet time; total tourniquet
    time; fluoroscopy time; head circumference; cbc; bmp; cmp; chem 7; chem-7; chem7; sma-7; lfts;
    lft; coags; ua; urinalysis; u/a; abg; abgs; vbg; csf; wbc; hgb; hct; hemoglobin; hematocrit;
    platelets; plt; plts; na; k; cl; co2; bun; cr; creatinine; glucose; ca; mg; phos; ast; alt; alk
    phos; tbili; bilirubin; albumin; inr; pt; ptt; pt/inr; troponin; ck; ck-mb; bnp; lactate; tsh;
    ft4; a1c; hba1c; hgb a1c; ldl; hdl; vldl; triglycerides; lipid panel; lipid profile; lipids;
    cholesterol; total cholesterol; esr; sed rate; crp; psa; cea; electrolytes; serum chemistries;
    chemistries; chemistry; urine; blood; blood cultures; blood culture; urine culture; sputum; sputum
    culture; stool; wound culture; gram stain; culture; serum; serology; serologies; hiv; rpr; hcg;
    specimen; specimens; specimen type; accession; sputum gram stain; drug screen; urine drug screen;
    tox screen; gravida; para; g; lmp; edc; edd; ega; ga; menarche; menses; apgars; apgar; birth
    weight; code status; employer; occupation; employment; education; marital status; religion; race;
    ethnicity; sex; gender; age; dob; d.o.b; date of birth; name; patient name; patient; mrn; mr; mr#;
    medical record number; account number; acct; room; bed; unit; location; facility; hospital;
    service; pcp; primary care physician; attending; attending physician; surgeon; surgeons;
    assistant; assistants; first assistant; anesthesiologist; referring physician; consulting
    physician; physician; provider; author; nurse; requesting physician; requesting party; ordering
    physician; pathologist; radiologist; date; time; admitted; discharged; dos; doa; dod; date of
    admission; date of discharge; admission date; discharge date; date of service; date of procedure;
    date of surgery; date of operation; date of consultation; date of injury; procedure date; visit
    date; collected; received; reported; smoking; smoking history; smoking status; tobacco; tobacco
    use; tobacco history; alcohol; alcohol use; alcohol history; etoh; ethanol; drugs; drug use;
    illicit drugs; illicits; caffeine; caffeine use; drug history; alcohol and drug history; exercise;
    marijuana; cigarettes; recreational drugs; ivdu; children; language spoken; preferred language;
    insurance; phone; fax; address; city; state; zip; ssn; gaf; current gaf; icd9 code(s); icd-9;
    icd-10; cpt; cpt code; priority; status; severity; quality; duration; timing; context; frequency;
    size; diameter; length; width; depth; volume; dose; dosage; route; manufacturer; model #; serial
    #; model; serial; lot; bpd; hc; ac; fl; fl/hc; hc/ac; efw; afi; fhr; ef; lvef; ejection fraction;
    lvedp; mets; visual acuity; va; iop; intraocular pressure; keratometry; axis; score; total; total
    time; grade; number; quantity; refills; estimated length of stay; length of stay; highest in the
    past year; re; subject; regarding; to; from; cc to; maiden name; interpreter; informant
    relationship; admit wt; dry weight; next of kin; emergency contact; last menstrual period;
    gestational age; last dose; last meal; onset date; work status; sex and race; wife's name; attn;
    ref; case number; case; ph; po2; pco2; hco3; anion gap; osmolality; ammonia; lipase; amylase;
    ferritin; iron; b12; folate"""
_VALUE_LABELS = frozenset(" ".join(item.split()) for item in _VALUES.split(";"))
_VALUE_TAIL = frozenset(
    """date time number rate pressure weight height count counts level levels status age id no # score
    size volume loss output index ratio dose temperature width length depth grade culture cultures
    serologies panel specimen name phone percent days hours minutes scale acuity panel chemistry
    chemistries gas gases electrolytes race sex habits employer hospital physician surgeon assistant
    nurse""".split()
)
_VALUE_HEAD = re.compile(
    r"(?:date|dates|time|times|duration|amount|volume|number|no|name|total|estimated|place|today'?s|last|next|baseline|peak|"
    r"serum|urine|smoking|tobacco|"
    r"alcohol|drug|illicit|caffeine|cigarette)\b"
)
_PROSE = re.compile(
    r"(?<!-)\b(?:was|were|is|are|has|had|have|will|be|been|include|includes|included|including|follow|follows|"
    r"following|revealed|reveals|showed|"
    r"shows|demonstrated|demonstrates|recommended|recommend|noted|found|conducted|performed today|done "
    r"today|because|that|which|there|"
    r"he|she|they|we|i|it|you|please|should|may|can|did|does|do|given the|states|stated|reports|said|"
    r"says|asked|would|consist|consists|"
    r"consisted|yielded)\b"
)
_LEAD_IN_HEAD = re.compile(
    r"(?:of|in|at|with|by|for|to|as|since|after|because|per|if|when|while|once|upon|until|from|given|"
    r"based|during|before|please|this|these|"
    r"those|addendum to|on (?!exam|admission|discharge|physical)|the (?:following|patient))\b"
)
_OPEN_ENDS = (" for", " of", " with", " as", " to", " by", " that", " the", " and")
_NARRATIVE = re.compile(r"(?:The|This|There|Patient|He|She|They|We)\s+\w+\s")
_SUFFIXES = re.compile(r"\S+")


class Role(Enum):
    """What a label is by its words."""

    SECTION = auto()
    EITHER = auto()
    VALUE = auto()
    LEAD_IN = auto()
    UNKNOWN = auto()


@lru_cache(maxsize=8192)
def role(label: str) -> Role:
    """The role of the words before a colon, whatever follows it."""
    name = normalise(label)
    if not name:
        return Role.UNKNOWN
    known = name in TITLE_KINDS or name in EXAM_REGIONS or name in STUDIES
    if name.endswith(_OPEN_ENDS):
        return Role.LEAD_IN
    if name in _VALUE_LABELS:
        return Role.EITHER if known else Role.VALUE
    if known:
        return Role.SECTION
    if (
        (len(name.split()) > 9 and not (label.isupper() and names_section(name)))
        or _LEAD_IN_HEAD.match(name)
        or _PROSE.search(name)
    ):
        return Role.LEAD_IN
    if is_region(name) or (is_study(name) and not re.search(r"\d[/-]\d", name)):
        return Role.SECTION
    if _VALUE_HEAD.match(name) or any(map(str.isdigit, name)) or name.rpartition(" ")[2] in _VALUE_TAIL:
        return Role.VALUE
    return Role.SECTION if "," not in name and names_section(name) else Role.UNKNOWN


def known_heading(label: str, rest: str = "") -> bool:
    """Whether a label (as written, without colon) names a section, region, domain or study."""
    found = role(label)
    return found is Role.SECTION or (found is Role.EITHER and not rest[:1].isdigit())


def opens_section(label: str, rest: str, context: SectionKind | None = None, *, nested: bool = False) -> bool:
    """Whether `label:` before `rest` (the remainder of its line) is a heading.

    Args:
        label: the words before the colon.
        rest: what follows on the line, stripped; "" when the label stands alone.
        context: the kind of the section it stands in.
        nested: whether it follows another heading on its line.
    """
    found = role(label)
    if found is Role.SECTION:
        return True
    if found is Role.EITHER:
        return not rest[:1].isdigit()
    if found is Role.LEAD_IN:
        return False
    if not rest:
        return True
    if found is Role.VALUE and label.isupper() and _NARRATIVE.match(rest):
        return normalise(label) not in _VALUE_LABELS
    if found is Role.VALUE or len(label) < 3 or (nested and _ends_in_region(label)):
        return False
    if label.isupper():
        return len(rest.split()) >= 4 or rest[-1] in ".,"
    return (
        context in LISTING_KINDS and label[0].isupper() and len(label.split()) <= 3 and not rest[0].isdigit()
    )


@lru_cache(maxsize=4096)
def _ends_in_region(label: str) -> bool:
    """Whether a label is other text and then a region (`WNL LUNGS`)."""
    return any(role(label[word.start() :]) is Role.SECTION for word in list(_SUFFIXES.finditer(label))[1:])
