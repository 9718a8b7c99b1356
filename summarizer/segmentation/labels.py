"""Whether `Label:` is a heading or the beginning of a value that belongs to the sentence."""

import re
from functools import lru_cache

from summarizer.segmentation.section_titles import (
    EXAM_REGIONS,
    STUDIES,
    TITLE_KINDS,
    names_section,
    normalise,
)

LABEL = re.compile(
    r"(?:\*\*|__)?(?P<words>[A-Za-z][\w \t/&,'’#()+\-]{0,70}+)(?:\*\*)?:(?:\*\*|__)?(?=[\s,;.:A-Za-z(\[\"*+\-~<>\d]|$)"
)
AFTER_COLON = re.compile(r"[:,;]*(?:[-–—][ \t]+)?")

_VALUES = """temp; temperature; t; tmax; bp; blood pressure; b/p; hr; heart rate; pulse; p; r; rr; resp; respirations; respiratory
    rate; spo2; o2 sat; o2 sats; sats; sat; o2 saturation; oxygen saturation; saturation; pulse oximetry; pulse ox; wt; weight; ht;
    height; bmi; map; cvp; pain score; pain scale; pain level; gcs; fio2; peep; i/o; intake/output; uop; urine output; blood loss;
    estimated blood loss; ebl; fluids; iv fluids; fluids received; tourniquet time; total tourniquet time; fluoroscopy time; head
    circumference; cbc; bmp; cmp; chem 7; chem-7; chem7; sma-7; lfts; lft; coags; ua; urinalysis; u/a; abg; abgs; vbg; csf; wbc; hgb; hct;
    hemoglobin; hematocrit; platelets; plt; plts; na; k; cl; co2; bun; cr; creatinine; glucose; ca; mg; phos; ast; alt; alk phos; tbili;
    bilirubin; albumin; inr; pt; ptt; pt/inr; troponin; ck; ck-mb; bnp; lactate; tsh; ft4; a1c; hba1c; hgb a1c; ldl; hdl; vldl; triglycerides;
    lipid panel; lipid profile; lipids; cholesterol; total cholesterol; esr; sed rate; crp; psa; cea; electrolytes; serum chemistries;
    chemistries; chemistry; urine; blood; blood cultures; blood culture; urine culture; sputum; sputum culture; stool; wound culture; gram
    stain; culture; serum; serology; serologies; hiv; rpr; hcg; specimen; specimens; specimen type; accession; sputum gram stain; drug screen;
    urine drug screen; tox screen; gravida; para; g; lmp; edc; edd; ega; ga; menarche; menses; apgars; apgar; birth weight; code status;
    employer; occupation; employment; education; marital status; religion; race; ethnicity; sex; gender; age; dob; d.o.b; date of birth; name;
    patient name; patient; mrn; mr; mr#; medical record number; account number; acct; room; bed; unit; location; facility; hospital; service;
    pcp; primary care physician; attending; attending physician; surgeon; surgeons; assistant; assistants; first assistant; anesthesiologist;
    referring physician; consulting physician; physician; provider; author; nurse; requesting physician; requesting party; ordering
    physician; pathologist; radiologist; date; time; admitted; discharged; dos; doa; dod; date of admission; date of discharge; admission date;
    discharge date; date of service; date of procedure; date of surgery; date of operation; date of consultation; date of injury; procedure
    date; visit date; collected; received; reported; smoking; smoking history; smoking status; tobacco; tobacco use; tobacco history; alcohol;
    alcohol use; alcohol history; etoh; ethanol; drugs; drug use; illicit drugs; illicits; caffeine; caffeine use; drug history; alcohol and
    drug history; exercise; marijuana; cigarettes; recreational drugs; ivdu; children; language spoken; preferred language; insurance; phone;
    fax; address; city; state; zip; ssn; gaf; current gaf; icd9 code(s); icd-9; icd-10; cpt; cpt code; priority; status; severity; quality;
    duration; timing; context; frequency; size; diameter; length; width; depth; volume; dose; dosage; route; manufacturer; model #; serial #;
    model; serial; lot; bpd; hc; ac; fl; fl/hc; hc/ac; efw; afi; fhr; ef; lvef; ejection fraction; lvedp; mets; visual acuity; va; iop;
    intraocular pressure; keratometry; axis; score; total; total time; grade; number; quantity; refills; estimated length of stay; length of stay;
    highest in the past year; re; subject; regarding; to; from; cc to; maiden name; interpreter; informant relationship; admit wt; dry weight;
    next of kin; emergency contact; last menstrual period; gestational age; last dose; last meal; onset date; work status; sex and race; wife's
    name; attn; ref; case number; case; ph; po2; pco2; hco3; anion gap; osmolality; ammonia; lipase; amylase; ferritin; iron; b12; folate"""
_VALUE_LABELS = frozenset(" ".join(item.split()) for item in _VALUES.split(";"))
_VALUE_TAIL = frozenset(
    """date time number rate pressure weight height count counts level levels status age id no # score size volume loss output index
    ratio dose temperature width length depth grade culture cultures serologies panel specimen name phone percent days hours minutes
    scale acuity panel chemistry chemistries gas gases electrolytes race sex habits employer hospital physician surgeon assistant nurse""".split()
)
_VALUE_HEAD = re.compile(
    r"(?:date|dates|time|times|number|no|name|total|estimated|place|today'?s|last|next|baseline|peak|serum|urine|smoking|tobacco|"
    r"alcohol|drug|illicit|caffeine|cigarette)\b"
)
_STUDY_WORDS = re.compile(
    r"\b(?:mri|mra|cta?|cat scan|pet|ekg|ecg|echo|echocardiogram|cxr|kub|eeg|emg|x-?rays?|radiographs?|ultrasound|doppler|duplex|"
    r"mammograms?|scans?|angiograms?|angiography|catheterization|endoscopy|colonoscopy|egd|films?|ventriculogram|sonogram|biopsy)\b"
)
_STUDY_FILLERS = re.compile(
    r"\b(?:of|the|and|with|without|w/o?|w|contrast|chest|head|brain|abdomen|pelvis|spine|cervical|lumbar|thoracic|neck|left|right|bilateral|"
    r"pa|lateral|ap|portable|view|views|two|2|two-view|renal|carotid|transthoracic|transesophageal|knee|hip|shoulder|ankle|foot|wrist|"
    r"hand|elbow|sinus|sinuses|cardiac|stress|bone|marrow|abdominal|pelvic|obstetric|ob|venous|arterial|lower|upper|extremity|extremities|"
    r"pre|post|gadolinium|iv|initial|repeat|follow-?up|maxillofacial|orbits?|c-spine|l-spine|t-spine|plain|12-lead|12|lead|nuclear|"
    r"myocardial|perfusion|prostate|liver|breast|thyroid|skin|coronary|screening|diagnostic)\b"
)
_PROSE = re.compile(
    r"\b(?:was|were|is|are|has|had|have|will|be|been|include|includes|included|including|follow|follows|following|revealed|reveals|showed|"
    r"shows|demonstrated|demonstrates|recommended|recommend|noted|found|conducted|performed today|done today|because|that|which|there|"
    r"he|she|they|we|i|it|you|please|should|may|can|did|does|do|given the|states|stated|reports|said|says|asked|would|consist|consists|"
    r"consisted|yielded)\b"
)
_REGION_SPLIT = re.compile(r"\s*(?:/|,|&|\band\b|-)\s*|\s+")
_REGION_FILLERS = frozenset(
    "exam examination of the left right bilateral upper lower and system ros anterior posterior lateral medial male female external".split()
)


@lru_cache(maxsize=4096)
def known_heading(label: str) -> bool:
    """Whether a label (as written, without colon) names a section, region, domain or study."""
    name = normalise(label)
    if not name:
        return False
    if name in TITLE_KINDS:
        return name not in _VALUE_LABELS or len(name) > 1
    if name in _VALUE_LABELS:
        return False
    if name in EXAM_REGIONS or name in STUDIES:
        return True
    if _VALUE_HEAD.match(name) or any(char.isdigit() for char in name.replace("12-lead", "")):
        return False
    if _PROSE.search(name):
        return False
    return names_section(name) or _regions_only(name) or _study(name)


def _regions_only(name: str) -> bool:
    """Whether a label is made of exam regions alone (`Coordination/Station/Gait`)."""
    parts = [part for part in _REGION_SPLIT.split(name) if part and part not in _REGION_FILLERS]
    return bool(parts) and len(parts) <= 6 and all(part in EXAM_REGIONS for part in parts)


def _study(name: str) -> bool:
    """Whether a label is a study with no more than its region and manner (`CT abdomen`)."""
    if not _STUDY_WORDS.search(name):
        return False
    rest = _STUDY_FILLERS.sub(" ", _STUDY_WORDS.sub(" ", name))
    return not rest.strip(" /-,.&+")


@lru_cache(maxsize=4096)
def is_value_label(label: str) -> bool:
    """Whether a label names a quantity, analyte, specimen, date, demographic or habit."""
    name = normalise(label)
    return name in _VALUE_LABELS or name.rpartition(" ")[2] in _VALUE_TAIL or bool(_VALUE_HEAD.match(name))


@lru_cache(maxsize=4096)
def is_lead_in(label: str) -> bool:
    """Whether the words before a colon are a clause and not a name."""
    name = normalise(label)
    return len(name.split()) > 9 or bool(_PROSE.search(name))


def opens_section(label: str, rest: str) -> bool:
    """Whether `label:` before `rest` (the remainder of its line) is a heading.

    Args:
        label: the words before the colon.
        rest: what follows on the line, stripped; "" when the label stands alone.
    """
    if known_heading(label):
        return True
    if is_lead_in(label):
        return False
    if not rest:
        return True
    if is_value_label(label) or not label.isupper():
        return False
    if any(char.isdigit() for char in label) or len(label) < 3:
        return False
    return len(rest.split()) >= 4 or rest[-1] in ".,"
