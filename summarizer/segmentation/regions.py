"""Names of body systems, regions and domains of an examination, and of studies."""

import re


def entries(block: str) -> frozenset[str]:
    """The names of a semicolon-separated block, white space collapsed."""
    return frozenset(" ".join(item.split()) for item in block.split(";") if item.strip())


EXAM_REGIONS = entries("""general; general appearance; appearance; constitutional; gen; heent; head; eyes;
    eye; ears; ear;
    nose; throat; mouth; ent; neck; chest; lungs; lung; heart; cardiovascular; cv; cvs; cardiac;
    respiratory; resp; pulmonary; pulm; abdomen; abd; abdominal; gastrointestinal; gi; genitourinary;
    gu; genitalia; genital; rectal; pelvic; pelvis; extremities; extremity; ext; exts; upper
    extremities; lower extremities; lower extremity; upper extremity; skin; integumentary; integument;
    musculoskeletal; msk; ms; back; spine; neurologic; neurological; neuro; psychiatric; psych;
    lymphatic; lymphatics; lymph; lymph nodes; nodes; hematologic; heme; hematological; endocrine;
    breasts; breast; dermatologic; derm; vascular; peripheral vascular; pulses; cranial nerves; cn;
    motor; sensory; sensation; reflexes; deep tendon reflexes; dtrs; dtr; gait; station; coordination;
    coord; cerebellar; mood; affect; speech; thought process; thought processes; thought content;
    insight; judgment; insight and judgment; cognition; orientation; memory; attention; behavior;
    attitude; psychomotor; perception; perceptions; concentration; eye contact; language; pupils;
    motility; fundi; oropharynx; pharynx; nares; teeth; tongue; thyroid; adnexa; uterus; cervix;
    vagina; prostate; penis; scrotum; testes; bladder; kidneys; kidney; liver; spleen; pancreas;
    gallbladder; biliary; bowel; colon; stomach; duodenum; esophagus; aorta; mediastinum; pleura;
    bones; bone; soft tissues; airways; airway; diaphragm; hila; brain; ventricles; sinuses; orbits;
    mastoids; calvarium; knee; hip; shoulder; ankle; foot; wrist; elbow; hand; hands; feet; hips;
    knees; joints; joint; face; facial; nails; hair; lids; conjunctiva; cornea; lens; retina; iris;
    sclera; anterior chamber; anterior segment; posterior segment; optic nerve; macula; vitreous;
    allergic/immunologic; immunologic; allergy/immunology; cardiopulmonary; cardiorespiratory;
    hematologic/lymphatic; heme/lymph; hem-onc; id; infectious disease; fen; fen/gi; renal; cns;
    central nervous system; neuropsychiatric; locomotor; respiratory system; cardiovascular system;
    gastrointestinal system; nervous system; strength; tone; range of motion; inspection; palpation;
    percussion; auscultation; tenderness; lymphatic system; adrenals; adrenal glands; lines; lines and
    tubes; tubes; thorax; appendix; ovaries; peritoneum; vasculature; vessels; retroperitoneum;
    mesentery; right coronary artery; left coronary artery; left main; left main coronary artery; left
    anterior descending; left anterior descending artery; circumflex; left circumflex; lad; rca; lcx;
    left ventricle; right ventricle; left atrium; right atrium; mitral valve; aortic valve; tricuspid
    valve; pulmonic valve; pericardium; aortic root; right kidney; left kidney; right; left; right
    eye; left eye; right breast; left breast; cardio; consciousness; level of consciousness;
    suicidal/homicidal ideation; psychosis; thoughts; hearing; incision; wound; wounds; plantars;
    muscle tone; fine motor; gross motor; heart and lungs; bimanual; speculum; perineum; anus;
    external genitalia; gums; lips; mucous membranes; mucosa; placenta; amniotic fluid; fetal
    position; fetal anatomy; membranes; medial meniscus; lateral meniscus; ligaments; cartilage;
    tendons; rotator cuff; labrum; menisci; marrow; alignment; ac joint; impulse control; urinary;
    urologic; urological; reproductive; gynecologic; gyn; metabolic; renal/gu; nutritional; visual
    fields; visual acuity/fields; extraocular movements; hygiene; dress; association; associations;
    fund of knowledge; intellect; abstraction; appearance and behavior; hallucinations; delusions;
    sensorium; peripheral pulses; carotids; tympanic membranes; trachea; external; bones and joints;
    heent/neck; stage; oral; nasal; oral cavity; larynx; vocal cords; trunk; cor; gait and station;
    diet tolerance; epididymides; epididymis; testicles; urethra; urethral meatus; meatus; seminal
    vesicles; sphincter tone; anal sphincter; bulbar urethra; ureters; trigone; fetus; cord""")

STUDIES = entries("""mri; mra; ct; cta; cat scan; pet; pet/ct; pet scan; ekg; ecg; electrocardiogram; echo;
    echocardiogram; tte; tee; cxr; kub; eeg; emg; ncs; emg/ncs; chest x-ray; chest xray; chest
    radiograph; x-ray; xray; radiograph; ultrasound; us; doppler; carotid duplex; carotid doppler;
    mammogram; mammography; bone scan; stress test; cardiac catheterization; cardiac cath;
    colonoscopy; endoscopy; egd; cystoscopy; bronchoscopy; angiogram; venogram; dexa; dxa; pfts;
    pulmonary function tests; spirometry; telemetry; polysomnogram; myelogram; biopsy; pathology;
    cytology; bone marrow biopsy; 12-lead ekg; arteriogram; mrcp; ercp; hida scan; v/q scan; upper gi;
    barium enema; barium swallow; fluoroscopy; scintigraphy; nst; biophysical profile; holter; holter
    monitor; ultrasonography; sonogram; renal ultrasound; pelvic ultrasound; abdominal ultrasound""")

_STUDY_WORDS = re.compile(
    r"\b(?:mri|mra|cta?|cat scan|pet|ekg|ecg|echo|echocardiogram|cxr|kub|eeg|emg|x-?rays?|radiographs?|"
    r"ultrasound|doppler|duplex|"
    r"mammograms?|scans?|angiograms?|angiography|catheterization|endoscopy|colonoscopy|egd|films?|"
    r"biopsy|(?!(?:pro|kilo|milli|micro|centi|deca)grams?\b)[a-z]{3,}(?:graphy|grams?|scopy))\b"
)
_STUDY_FILLERS = re.compile(
    r"\b(?:of|the|and|with|without|w/o?|w|contrast|chest|head|brain|abdomen|pelvis|spine|cervical|"
    r"lumbar|thoracic|neck|left|right|bilateral|"
    r"pa|lateral|ap|portable|view|views|two|2|two-view|renal|carotid|transthoracic|transesophageal|knee|"
    r"hip|shoulder|ankle|foot|wrist|"
    r"hand|elbow|sinus|sinuses|cardiac|stress|bone|marrow|abdominal|pelvic|obstetric|ob|venous|arterial|"
    r"lower|upper|extremity|extremities|"
    r"pre|post|gadolinium|iv|initial|repeat|follow-?up|maxillofacial|orbits?|c-spine|l-spine|t-spine|"
    r"plain|12-lead|12|lead|nuclear|"
    r"myocardial|perfusion|prostate|liver|breast|thyroid|skin|coronary|screening|diagnostic)\b"
)
_REGION_SPLIT = re.compile(r"\s*(?:/|,|&|\band\b|-)\s*|\s+")
_REGION_FILLERS = frozenset(
    "exam examination of the left right bilateral upper lower and or system ros anterior posterior lateral "
    "medial male female external".split()
)


def is_region(name: str) -> bool:
    """Whether a label is made of exam regions alone (`Coordination/Station/Gait`)."""
    if name in EXAM_REGIONS:
        return True
    if name.startswith("exam ") and name[5:] in EXAM_REGIONS:
        return True
    parts = [part for part in _REGION_SPLIT.split(name) if part and part not in _REGION_FILLERS]
    return bool(parts) and len(parts) <= 6 and all(part in EXAM_REGIONS for part in parts)


def is_study(name: str) -> bool:
    """Whether a label is a study with no more than its region and manner (`CT abdomen`)."""
    if not _STUDY_WORDS.search(name):
        return False
    rest = _STUDY_FILLERS.sub(" ", _STUDY_WORDS.sub(" ", name))
    return not rest.strip(" /-,.&+")
