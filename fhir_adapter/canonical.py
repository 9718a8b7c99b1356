"""The canonical base of everything we define, and the URLs under it; the base appears nowhere else."""

import os

CANONICAL_BASE = os.environ.get("CLINSUM_CANONICAL_BASE", "https://clinsum.org/fhir").rstrip("/")

SOURCE_TEXT = f"{CANONICAL_BASE}/StructureDefinition/source-text"
EXTRACT_SCORE = f"{CANONICAL_BASE}/StructureDefinition/extract-score"
CONTENT_DIGEST = f"{CANONICAL_BASE}/StructureDefinition/content-digest"
ENDED_BECAUSE = f"{CANONICAL_BASE}/StructureDefinition/ended-because"
WITHDRAWAL_REASON = f"{CANONICAL_BASE}/StructureDefinition/withdrawal-reason"
RECALL = f"{CANONICAL_BASE}/StructureDefinition/recall"
EXTRACT_CONTEXT = f"{CANONICAL_BASE}/StructureDefinition/extract-context"
EXTRACT_TEXT = f"{CANONICAL_BASE}/StructureDefinition/extract-text"
EXTRACT_RULE = f"{CANONICAL_BASE}/StructureDefinition/extract-rule"
PINNED_RULE = f"{CANONICAL_BASE}/StructureDefinition/pinned-rule"
LEFT_OUT = f"{CANONICAL_BASE}/StructureDefinition/left-out"
RULES = f"{CANONICAL_BASE}/rules"
COMPOSITION_KIND = f"{CANONICAL_BASE}/CodeSystem/composition-kind"
FEEDBACK = f"{CANONICAL_BASE}/CodeSystem/reader-feedback"
TAGS = f"{CANONICAL_BASE}/CodeSystem/tags"
SUMMARIES = f"{CANONICAL_BASE}/summaries"
SUMMARY_VERSIONS = f"{CANONICAL_BASE}/summary-versions"  # servers may cut the version off a reference
TIMELINES = f"{CANONICAL_BASE}/timelines"
EXTRACTED_TEXTS = f"{CANONICAL_BASE}/extracted-texts"
DEVICES = f"{CANONICAL_BASE}/devices"
# Identifiers of a document that a summary is filed in, where a server takes no Compositions.
FILED = f"{CANONICAL_BASE}/filed"  # `Type/id` of what is in it
FILED_SOURCES = f"{CANONICAL_BASE}/filed-sources"  # `Type/id` of the notes that it was made from
FILED_VERSIONS = f"{CANONICAL_BASE}/filed-versions"  # of just this content: never filed twice
FEEDBACK_ABOUT = f"{CANONICAL_BASE}/feedback-about"  # tags: R4 has no search by Communication.about
PROVENANCE_KEY = f"{CANONICAL_BASE}/provenances"  # tags: R4 gives a Provenance no identifier
MADE_BY = f"{CANONICAL_BASE}/made-by"  # tags: no search finds a contained author
TEXTS = f"{CANONICAL_BASE}/texts"  # tags: a Composition has one identifier in R4, and that is its source's

# Profiles that what we write claims in `meta.profile`; the definitions are in `fhir_adapter/profiles/`.
SUMMARY_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/extractive-summary"
PROVENANCE_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/summary-provenance"
DEVICE_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/summarizer-device"
DEFINITION_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/summarizer-definition"
EXTRACTED_TEXT_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/extracted-text"
TIMELINE_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/timeline"
TIMELINE_PROVENANCE_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/timeline-provenance"
MODEL_CARD_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/model-card"
FILED_PROFILE = f"{CANONICAL_BASE}/StructureDefinition/filed-summary"

# Others' definitions that we use.
DERIVATION_REFERENCE = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
NARRATIVE_LINK = "http://hl7.org/fhir/StructureDefinition/narrativeLink"
MODEL_CARD = "http://hl7.org/fhir/uv/aitransparency/StructureDefinition/aitransparency.modelCardDescription"
AI_CONFIDENCE = "http://hl7.org/fhir/uv/aitransparency/StructureDefinition/AIconfidence"
AI_DEVICE_TYPE = "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIdeviceTypeCS"
AI_INPUTS = "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIinputsCS"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PARTICIPANT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
LIST_ORDER = "http://terminology.hl7.org/CodeSystem/list-order"
W3C_ACTIVITY = "http://hl7.org/fhir/w3c-provenance-activity-type"
LOINC = "http://loinc.org"
SUMMARY_NOTE = "68608-9"  # of LOINC
US_CORE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
FORMAT_CODES = "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem"
URI = "urn:ietf:rfc:3986"
MXDE_POLICY = "urn:ihe:iti:mxde:2023:document-provenance-policy"

# Every resource that we write carries one of these; `EXTRACTED_TEXT_TAG` keeps our own texts out of the poll.
SUMMARY_TAG = (TAGS, "extractive-summary")
TIMELINE_TAG = (TAGS, "timeline")
EXTRACTED_TEXT_TAG = (TAGS, "extracted-text")
FILED_TAG = (TAGS, "filed-summary")

# What a reader said of a summary.
FEEDBACK_TAG = (TAGS, "reader-feedback")

# A summary that came after one that a person has changed or attested: somebody should compare the two.
REVIEW_TAG = (TAGS, "needs-review")
