"""Section titles of clinical notes and the kind each one names.

The kinds follow the LOINC document section names (loinc.org, class DOC.SECTION; codes as used by
HL7 C-CDA R2.1), with the spellings that dictated and typed notes use.
"""

import re
from functools import lru_cache

from summarizer.segmentation.loinc import LOINC_KINDS
from summarizer.segmentation.regions import entries, is_region, is_study
from summarizer.types import SectionKind as K

_TITLES_BY_KIND: dict[K, str] = {
    K.CHIEF_COMPLAINT: """chief complaint; chief complaints; cc; c/c; presenting complaint; presenting
    complaints;
        complaint; complaints; chief concern; reason for visit; reason for consultation; reason for
        consult; reason for admission; reason for referral; chief reason for consultation; reason
        for evaluation; presenting problem; presenting problems; present complaint; identification
        and chief complaint""",
    K.HISTORY: """history of present illness; history of the present illness; history of presenting illness;
        hpi; history of present complaint; history of presenting complaint; history of present
        problem; history; present illness; interval history; brief history; subjective; s; hx;
        clinical history; interim history; subjective complaints; history of present injury;
        background; relevant history; narrative; summary of present illness; story; event; events;
        interval events; overnight events; hx of present illness; history and physical; pertinent
        history; current symptoms; symptoms; background information; patient history; history of
        injury; mechanism of injury; signs and symptoms; history of presenting problem; onset;
        relevant background information; identifying data; identification; information source""",
    K.PAST_HISTORY: """past medical history; pmh; pmhx; past history; medical history; past surgical
    history; psh;
        pshx; surgical history; past medical and surgical history; past medical/surgical history;
        past psychiatric history; psychiatric history; obstetric history; ob history; gyn history;
        ob/gyn history; gynecologic history; obstetrical history; birth history; developmental
        history; immunizations; immunization; immunization history; vaccines; past illnesses;
        surgeries; operations in the past; past ocular history; ocular history; past oncologic
        history; oncologic history; oncology history; cardiac history; previous surgeries; past
        medical history and surgical history; trauma history; injuries; illnesses; childhood
        illnesses; comorbidities; coronary risk factors; cardiac risk factors; risk factors;
        menstrual history; sexual history; past obstetrical history; past gynecological history;
        hospitalizations; previous hospitalizations; transfusion history; past treatment; previous
        treatment; primary medical history; other medical history; growth and development;
        development; prior psychiatric history; devices""",
    K.FAMILY_HISTORY: """family history; fh; fhx; family medical history; family psychiatric history;
    family hx;
        fhx/shx; family and social history; family social history; family/social history; family
        background""",
    K.SOCIAL_HISTORY: """social history; sh; shx; soc hx; social hx; personal history; personal and social
    history;
        habits; psychosocial history; social; lifestyle; living situation; substance abuse history;
        substance use history; legal history; military history; work history; occupational history;
        educational history; social and developmental history; shx/fhx; employment history;
        substance use; substance abuse; psychosocial; exposure history; travel history;
        environmental history; functional history; functional status; prior level of function;
        hobbies; personal habits; home environment; academic background""",
    K.ALLERGIES: """allergies; allergy; drug allergies; medication allergies; allergies to medications;
        allergies and intolerances; allergies and adverse reactions; adverse reactions; known
        allergies; food allergies; medicine allergies; allergies and reactions; drug intolerances;
        allergies/intolerances""",
    K.MEDICATIONS: """medications; medication; meds; current medications; home medications; medication list;
        current meds; home meds; outpatient medications; discharge medications; admission
        medications; medications on admission; medications on discharge; medications at home;
        medications prior to admission; medications on transfer; present medications; prescriptions;
        preadmission medications; medications prescribed; inpatient medications; scheduled
        medications; prn medications; medications administered; transfer medications; rx; medication
        history; medications and allergies; medications upon discharge; medications at discharge;
        current medication; active medications; current outpatient medications; infusions; drips;
        premedication; premedications; medications given; treatment medications; supplements;
        vitamins; otc medications; herbals""",
    K.REVIEW_OF_SYSTEMS: """review of systems; ros; systems review; review of symptoms; system review;
    systemic review;
        review of system; functional inquiry""",
    K.VITALS: """vital signs; vitals; vs; vital sign; vital; vit; vital signs on admission; admission vital
        signs; vital signs on arrival; initial vital signs; triage vital signs; discharge vital
        signs; vss""",
    K.EXAM: """physical examination; physical exam; exam; examination; pe; px; physical; objective; o;
        general examination; clinical examination; mental status examination; mental status exam;
        mental status; mse; neurological examination; neurologic examination; neurologic exam;
        neurological exam; cardiac exam; gen exam; general exam; admission physical examination;
        discharge physical examination; on examination; objective findings; clinical/physical
        examination; focused exam; exam on admission; exam on discharge; physical findings; external
        examination; internal examination; behavioral observations; discharge exam; admission exam;
        pe on admission; pelvic exam; rectal exam; breast exam; eye exam; ophthalmic exam; slit lamp
        exam; slit lamp; primary survey; secondary survey; skin exam; joint exam; male physical
        examination; multisystem exam; musculoskeletal exam; motor exam; sensory exam; fundus exam;
        dilated fundus exam; physical examination on admission""",
    K.RESULTS: """laboratory data; labs; lab; laboratory; laboratory studies; lab data; laboratory results;
        lab results; laboratory findings; laboratory tests; results; test results; diagnostic data;
        diagnostic studies; diagnostics; data; studies; pertinent results; imaging; imaging studies;
        radiology; radiology data; radiologic data; radiologic studies; radiographs; x-rays;
        pertinent laboratory data; ekg/labs; labs and studies; procedures and results; admission
        labs; discharge labs; labs on admission; labs on discharge; pertinent labs; radiographic
        studies; microbiology; diagnostic tests; diagnostic testing; hemodynamic data; hemodynamics;
        device data; pathology results; investigations; laboratory evaluation; laboratory and
        diagnostic data; pertinent studies; laboratory examination; x-ray findings; stress ecg
        results; radiology/studies; testing; lab studies; culture results; cultures; results review;
        diagnostic evaluation; laboratory/radiology; toxicology""",
    K.FINDINGS: """findings; finding; operative findings; intraoperative findings; gross findings; major
        findings; procedure findings; surgical findings; gross operative findings; history and gross
        findings; angiographic findings; endoscopic findings; indications and findings; findings and
        procedure; interpretation; microscopic description; gross description; microscopic; gross;
        microscopic examination; description; clinical interpretation; incidental findings; abnormal
        findings; other findings; postoperative findings; radiographic findings; findings at
        surgery; findings at operation; findings at the time of surgery; angiographic data; left
        ventriculogram; ventriculogram; angiography; coronary angiography; macroscopic description;
        gross examination; immunohistochemistry; special stains; key findings; estimated blood loss
        findings; diagnostic findings; complications; complication; operative complications; drains;
        tubes and drains; implants; hardware; specimens removed; disposition of specimens; condition
        of patient; ct findings; mri findings; ultrasound findings""",
    K.PROCEDURE: """procedure; procedures; procedure performed; procedures performed; operation; operations;
        operation performed; operations performed; operative procedure; operative procedures;
        description of procedure; description of the procedure; description of operation;
        description of the operation; procedure in detail; procedure details; procedure detail;
        details of procedure; details of the procedure; title of operation; title of procedure;
        title of procedures; name of procedure; name of operation; operation in detail; operative
        note; operative procedure in detail; procedure note; procedure description; procedure done;
        procedures done; surgery; surgery performed; surgical procedure; surgical procedures;
        operative report; report of operation; details of the operation; details of operation;
        operative technique; technique in detail; procedure and findings; anesthesia; anesthetic;
        anesthesia type; type of anesthesia; anaesthesia; reported procedure; major procedures;
        procedures during this hospitalization; major surgical or invasive procedure; invasive
        procedures; preparation; consent; informed consent; procedures planned and performed;
        procedure(s) performed; operative course; surgical technique; intervention; interventions;
        hemostasis; closure; positioning; position; prep; treatments and procedures; bedside
        procedure; course of procedure; procedure summary; description of procedure in detail;
        operation/procedure; counts; needle and sponge count; delivery note; procedures and
        immunizations; operative indications and procedure; timeout; time out""",
    K.HOSPITAL_COURSE: """hospital course; brief hospital course; course; course in hospital; course in the
    hospital;
        hospital course by problem; hospital course by system; emergency department course; ed
        course; er course; emergency room course; clinical course; history and hospital course;
        summary of hospital course; hospital summary; postoperative course; inpatient course;
        treatment course; brief summary; course of treatment; summary of stay; icu course; hospital
        course and treatment; clinical summary; treatment; treatment rendered; treatment given;
        course and treatment; medical decision making; mdm; emergency department treatment; therapy;
        intake; progress""",
    K.ASSESSMENT: """assessment; assessment and plan; assessment/plan; assessment & plan; a/p; a&p; a;
        assessments; ap; impression and plan; impression/plan; impression & plan; formulation;
        discussion; opinion; clinical assessment; summary and impression; medical assessment;
        assessment and recommendations; assessment/recommendations; nursing assessment;
        problem-based assessment; problem list and plan; case formulation; risk assessment; summary
        & impressions; diagnostic summary and impression; evaluation/treatment plan; evaluation;
        analysis; clinical formulation; imp/plan; prognosis; summary and recommendations; overall
        assessment; initial assessment; cognitive assessment; pain assessment; fall risk assessment;
        skin assessment; conclusions and recommendations""",
    K.IMPRESSION: """impression; impressions; conclusion; conclusions; clinical impression; final impression;
        initial impression; diagnostic impression; summary; imp; endoscopic impression; overall
        impression; prognostic impression; diagnostic impressions; clinical impressions; opinions""",
    K.DIAGNOSIS: """diagnosis; diagnoses; final diagnosis; final diagnoses; preoperative diagnosis;
    preoperative
        diagnoses; postoperative diagnosis; postoperative diagnoses; pre-operative diagnosis;
        post-operative diagnosis; pre-operative diagnoses; post-operative diagnoses; preop
        diagnosis; postop diagnosis; pre-op diagnosis; post-op diagnosis; admitting diagnosis;
        admitting diagnoses; admission diagnosis; admission diagnoses; discharge diagnosis;
        discharge diagnoses; principal diagnosis; secondary diagnosis; secondary diagnoses; primary
        diagnosis; preprocedure diagnosis; postprocedure diagnosis; differential diagnosis;
        differential diagnoses; differential; ddx; working diagnosis; problem list; problems; active
        problems; diagnoses on admission; diagnoses on discharge; problems/diagnoses; pathologic
        diagnosis; pathological diagnosis; dx; current diagnoses; clinical diagnosis; active
        diagnoses; chronic problems; problems diagnoses; cytologic diagnosis; microscopic diagnosis;
        encounter diagnoses; visit diagnoses; psychiatric diagnoses; axis i; axis ii; axis iii; axis
        iv; axis v; diagnosis list; associated diagnoses; additional diagnoses; health concerns;
        resolved problems; discharge problems; allowed conditions; contested condition; medical
        problems; current problems; pathology diagnosis; cause of death; conditions; provisional
        diagnosis""",
    K.PLAN: """plan; plans; recommendations; recommendation; treatment plan; p; plan of care; care plan;
        plan of treatment; follow up plan; postoperative plan; discharge plan; disposition; dispo;
        follow-up; followup; follow up; follow-up plan; discharge planning; disposition and plan;
        plan and recommendations; plan/recommendations; orders; goals; goal; plan of action;
        suggestions; rec; recs; next steps; patient's goal; short-term goals; long-term goals;
        recommendations and plan; advice; plan/disposition; treatment recommendations;
        rehabilitation plan; patient goals; discharge disposition; follow-up care; nursing plan;
        safety plan; pending results; pending studies; plan of management; management; management
        plan; to do; discharge goals; disposition plan; referrals; consults requested""",
    K.INSTRUCTIONS: """discharge instructions; instructions; patient instructions; follow-up instructions;
    followup
        instructions; follow up instructions; activity; diet; discharge diet; discharge activity;
        activities; patient education; education; post procedure instructions; postoperative
        instructions; home instructions; wound care; aftercare; precautions; discharge instructions
        and follow-up; activity and diet; diet and activity; restrictions; activity restrictions;
        return precautions; nutrition; discharge instruction; home care; when to call; warnings;
        special instructions; teaching; counseling""",
    K.INDICATION: """indication; indications; indications for procedure; indication for procedure; indications
        for surgery; indication for surgery; indications for operation; indication for operation;
        indications for the procedure; reason for exam; reason for examination; reason for study;
        reason for test; clinical indication; clinical information; reason for procedure;
        indications for the operation; indication for study; clinical data; reason for this
        examination; clinical indications; indication for the procedure; indications for study;
        clinical; reason for the exam; reason for operation; medical necessity; pre-procedure
        history; clinical note; operative indications; indications for exam; study indication""",
    K.TECHNIQUE: """technique; comparison; comparisons; protocol; method; methods; procedure/technique; exam
        technique; contrast; scan technique; views; imaging technique; comparison studies; study
        quality; medications at the time of study; examination performed; exam type; examination
        type; mammography information; type of study; test performed; tests administered; tasks
        administered; materials used; materials; components; specifications; equipment; stress
        protocol""",
    K.ADMINISTRATIVE: """addendum; addenda; consultations; consultants; consultation; consults; advance
    directives;
        advance directive; code status/advance directives; payers; encounters; insurance providers;
        participants; comments; comment; note; administrative; demographics; patient information;
        patient demographics; medical equipment; discharge summary; progress note; consultation
        note; history and physical examination; operative summary; emergency department note;
        nursing note; radiology report; pathology report; surgical pathology report; admission note;
        transfer summary; transfer note; social work note; case management; condition on discharge;
        discharge condition; condition at discharge; condition; condition upon discharge; clinical
        documentation; document information; care team; care team members; question; answer; family
        contact; communication; critical care note; attestation; sources of information; source of
        information; reliability; informant; sources; independent medical examination; discharge
        details; admission details; encounter details""",
    K.OTHER: """other; miscellaneous; general comments; problem; problem 1; problem 2; access; prophylaxis;
        shift summary; nursing; situation; action; response; handoff; report; situation/background;
        sleep; pain; equipment and supplies; barriers; strengths; assets; limitations; sleep
        history; caregiver""",
}

TITLE_KINDS: dict[str, K] = {
    title: kind for kind, block in _TITLES_BY_KIND.items() for title in entries(block)
}

_TAIL_KINDS: dict[str, K] = {
    "history": K.HISTORY,
    "examination": K.EXAM,
    "exam": K.EXAM,
    "diagnosis": K.DIAGNOSIS,
    "dx": K.DIAGNOSIS,
    "hx": K.HISTORY,
    "diagnoses": K.DIAGNOSIS,
    "findings": K.FINDINGS,
    "impression": K.IMPRESSION,
    "impressions": K.IMPRESSION,
    "plan": K.PLAN,
    "procedure": K.PROCEDURE,
    "procedures": K.PROCEDURE,
    "operation": K.PROCEDURE,
    "medications": K.MEDICATIONS,
    "meds": K.MEDICATIONS,
    "allergies": K.ALLERGIES,
    "assessment": K.ASSESSMENT,
    "course": K.HOSPITAL_COURSE,
    "data": K.RESULTS,
    "studies": K.RESULTS,
    "results": K.RESULTS,
    "labs": K.RESULTS,
    "instructions": K.INSTRUCTIONS,
    "recommendations": K.PLAN,
    "summary": K.IMPRESSION,
    "conclusion": K.IMPRESSION,
    "indications": K.INDICATION,
    "indication": K.INDICATION,
    "technique": K.TECHNIQUE,
    "complaint": K.CHIEF_COMPLAINT,
    "complications": K.FINDINGS,
    "problems": K.DIAGNOSIS,
    "goals": K.PLAN,
    "note": K.ADMINISTRATIVE,
    "addendum": K.ADMINISTRATIVE,
    "report": K.ADMINISTRATIVE,
    "system": K.EXAM,
    "systems": K.REVIEW_OF_SYSTEMS,
}
_HEAD_KINDS: tuple[tuple[str, K], ...] = (
    ("indication for", K.INDICATION),
    ("indications for", K.INDICATION),
    ("reason for", K.INDICATION),
    ("history of", K.HISTORY),
    ("description of", K.PROCEDURE),
    ("details of", K.PROCEDURE),
    ("title of", K.PROCEDURE),
    ("name of procedure", K.PROCEDURE),
    ("name of operation", K.PROCEDURE),
    ("findings at", K.FINDINGS),
    ("findings on", K.FINDINGS),
    ("condition on", K.ADMINISTRATIVE),
    ("condition at", K.ADMINISTRATIVE),
    ("condition upon", K.ADMINISTRATIVE),
    ("condition of", K.ADMINISTRATIVE),
    ("course in", K.HOSPITAL_COURSE),
    ("review of", K.REVIEW_OF_SYSTEMS),
    ("diagnoses on", K.DIAGNOSIS),
    ("diagnosis on", K.DIAGNOSIS),
    ("medications on", K.MEDICATIONS),
    ("medications at", K.MEDICATIONS),
    ("medications prior", K.MEDICATIONS),
)
_HEADS = tuple(head for head, _ in _HEAD_KINDS)
_FRAMES = re.compile(r"^(?:ros|exam|the|patient'?s|current|past|final|brief|pertinent|additional|other) ")
_NORMALISE = re.compile(r"\([^)]*\)|\[[^\]]*\]|[*_#]+")
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=8192)
def normalise(title: str) -> str:
    """Lower case, without parentheses, mark-up, outer punctuation and repeated white space."""
    text = _NORMALISE.sub(" ", title).lower().replace("’", "'")
    return _SPACES.sub(" ", text).strip(" \t.,;:-–—=")


@lru_cache(maxsize=8192)
def section_kind(title: str, code: str | None = None) -> K:
    """The kind a heading names, by its LOINC code if that is known, else by its words."""
    if code is not None and code in LOINC_KINDS:
        return LOINC_KINDS[code]
    return _kind_of_words(normalise(title))


def _kind_of_words(name: str) -> K:
    """The kind of a normalised title, OTHER if none is known."""
    name = re.sub(r"^(?:\d{1,2}|[ivx]{1,4}|[a-h])[.)]\s*", "", name)
    if name in TITLE_KINDS:
        return TITLE_KINDS[name]
    spelled = name.replace(" & ", " and ")
    if spelled in TITLE_KINDS:
        return TITLE_KINDS[spelled]
    if is_region(name):
        return K.EXAM
    if is_study(name):
        return K.RESULTS
    framed = _FRAMES.sub("", name)
    if framed != name:
        return _kind_of_words(framed)
    for head, kind in _HEAD_KINDS:
        if name.startswith(head):
            return kind
    return _TAIL_KINDS.get(name.rpartition(" ")[2], K.OTHER)


def names_section(name: str) -> bool:
    """Whether a normalised title names a section by itself or by its first or last words."""
    if name in TITLE_KINDS or name.replace(" & ", " and ") in TITLE_KINDS:
        return True
    if name.startswith(_HEADS):
        return len(name.split()) <= 12
    return len(name.split()) <= 7 and name.rpartition(" ")[2] in _TAIL_KINDS
