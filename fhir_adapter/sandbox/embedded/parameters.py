"""The search parameters that the server knows (definitions: hl7.org/fhir/R4/searchparameter-registry.html).

A line of the table is `name kind element | element`, optionally `-> Type` where only references to that
type count. Kinds: token, reference, date, string, uri.
"""

from dataclasses import dataclass
from functools import cache

LAST_UPDATED = "_lastUpdated"

_COMMON = """
_profile            uri        meta.profile
_security           token      meta.security
_source             uri        meta.source
_tag                token      meta.tag
"""

_TABLE = """
AllergyIntolerance
  clinical-status   token      clinicalStatus
  code              token      code | reaction.substance
  date              date       recordedDate
  identifier        token      identifier
  patient           reference  patient
AuditEvent
  action            token      action
  agent             reference  agent.who
  agent-name        string     agent.name
  agent-role        token      agent.role
  date              date       recorded
  entity            reference  entity.what
  entity-name       string     entity.name
  entity-role       token      entity.role
  entity-type       token      entity.type
  outcome           token      outcome
  patient           reference  agent.who | entity.what -> Patient
  policy            uri        agent.policy
  site              token      source.site
  source            reference  source.observer
  subtype           token      subtype
  type              token      type
CarePlan
  category          token      category
  date              date       period
  encounter         reference  encounter
  identifier        token      identifier
  patient           reference  subject -> Patient
  status            token      status
  subject           reference  subject
CodeSystem
  name              string     name
  status            token      status
  url               uri        url
  version           token      version
Communication
  category          token      category
  encounter         reference  encounter
  identifier        token      identifier
  patient           reference  subject -> Patient
  received          date       received
  recipient         reference  recipient
  sender            reference  sender
  sent              date       sent
  status            token      status
  subject           reference  subject
Composition
  attester          reference  attester.party
  author            reference  author
  category          token      category
  confidentiality   token      confidentiality
  context           token      event.code
  date              date       date
  encounter         reference  encounter
  entry             reference  section.entry
  identifier        token      identifier
  patient           reference  subject -> Patient
  period            date       event.period
  related-id        token      relatesTo.targetIdentifier
  related-ref       reference  relatesTo.targetReference
  section           token      section.code
  status            token      status
  subject           reference  subject
  title             string     title
  type              token      type
Condition
  asserter          reference  asserter
  category          token      category
  clinical-status   token      clinicalStatus
  code              token      code
  encounter         reference  encounter
  identifier        token      identifier
  onset-date        date       onsetDateTime | onsetPeriod
  patient           reference  subject -> Patient
  recorded-date     date       recordedDate
  subject           reference  subject
  verification-status token    verificationStatus
Device
  device-name       string     deviceName.name | type.coding.display | type.text
  identifier        token      identifier
  location          reference  location
  manufacturer      string     manufacturer
  model             string     modelNumber
  organization      reference  owner
  patient           reference  patient
  status            token      status
  type              token      type
  udi-carrier       string     udiCarrier.carrierHRF
  udi-di            string     udiCarrier.deviceIdentifier
  url               uri        url
Consent
  category          token      category
  date              date       dateTime
  identifier        token      identifier
  patient           reference  patient
  scope             token      scope
  status            token      status
DeviceDefinition
  identifier        token      identifier
  parent            reference  parentDevice
  type              token      type
DiagnosticReport
  based-on          reference  basedOn
  category          token      category
  code              token      code
  conclusion        token      conclusionCode
  date              date       effectiveDateTime | effectivePeriod
  encounter         reference  encounter
  identifier        token      identifier
  issued            date       issued
  media             reference  media.link
  patient           reference  subject -> Patient
  performer         reference  performer
  result            reference  result
  results-interpreter reference resultsInterpreter
  specimen          reference  specimen
  status            token      status
  subject           reference  subject
DocumentReference
  authenticator     reference  authenticator
  author            reference  author
  category          token      category
  contenttype       token      content.attachment.contentType
  custodian         reference  custodian
  date              date       date
  description       string     description
  encounter         reference  context.encounter
  event             token      context.event
  facility          token      context.facilityType
  format            token      content.format
  identifier        token      masterIdentifier | identifier
  language          token      content.attachment.language
  location          uri        content.attachment.url
  patient           reference  subject -> Patient
  period            date       context.period
  related           reference  context.related
  relatesto         reference  relatesTo.target
  relation          token      relatesTo.code
  security-label    token      securityLabel
  setting           token      context.practiceSetting
  status            token      status
  subject           reference  subject
  type              token      type
Encounter
  class             token      class
  date              date       period
  diagnosis         reference  diagnosis.condition
  episode-of-care   reference  episodeOfCare
  identifier        token      identifier
  location          reference  location.location
  part-of           reference  partOf
  participant       reference  participant.individual
  patient           reference  subject -> Patient
  practitioner      reference  participant.individual -> Practitioner
  reason-code       token      reasonCode
  reason-reference  reference  reasonReference
  service-provider  reference  serviceProvider
  status            token      status
  subject           reference  subject
  type              token      type
Immunization
  date              date       occurrenceDateTime
  identifier        token      identifier
  patient           reference  patient
  status            token      status
  vaccine-code      token      vaccineCode
Location
  identifier        token      identifier
  name              string     name | alias
  organization      reference  managingOrganization
  status            token      status
  type              token      type
Medication
  code              token      code
  identifier        token      identifier
  status            token      status
MedicationRequest
  authoredon        date       authoredOn
  code              token      medicationCodeableConcept
  encounter         reference  encounter
  identifier        token      identifier
  intent            token      intent
  medication        reference  medicationReference
  patient           reference  subject -> Patient
  requester         reference  requester
  status            token      status
  subject           reference  subject
Observation
  category          token      category
  code              token      code
  date              date       effectiveDateTime | effectivePeriod | effectiveInstant | effectiveTiming
  derived-from      reference  derivedFrom
  encounter         reference  encounter
  has-member        reference  hasMember
  identifier        token      identifier
  patient           reference  subject -> Patient
  performer         reference  performer
  status            token      status
  subject           reference  subject
  value-concept     token      valueCodeableConcept
Organization
  active            token      active
  identifier        token      identifier
  name              string     name | alias
  partof            reference  partOf
  type              token      type
Patient
  active            token      active
  address           string     address
  address-city      string     address.city
  address-country   string     address.country
  address-postalcode string    address.postalCode
  address-state     string     address.state
  birthdate         date       birthDate
  death-date        date       deceasedDateTime
  email             token      telecom.email
  family            string     name.family
  gender            token      gender
  general-practitioner reference generalPractitioner
  given             string     name.given
  identifier        token      identifier
  language          token      communication.language
  link              reference  link.other
  name              string     name
  organization      reference  managingOrganization
  phone             token      telecom.phone
  telecom           token      telecom
Practitioner
  active            token      active
  family            string     name.family
  given             string     name.given
  identifier        token      identifier
  name              string     name
PractitionerRole
  active            token      active
  identifier        token      identifier
  organization      reference  organization
  practitioner      reference  practitioner
  role              token      code
  specialty         token      specialty
Procedure
  category          token      category
  code              token      code
  date              date       performedDateTime | performedPeriod
  encounter         reference  encounter
  identifier        token      identifier
  patient           reference  subject -> Patient
  performer         reference  performer.actor
  status            token      status
  subject           reference  subject
Provenance
  agent             reference  agent.who
  agent-role        token      agent.role
  agent-type        token      agent.type
  entity            reference  entity.what
  location          reference  location
  patient           reference  target -> Patient
  recorded          date       recorded
  signature-type    token      signature.type
  target            reference  target
  when              date       occurredDateTime
ServiceRequest
  authored          date       authoredOn
  category          token      category
  code              token      code
  encounter         reference  encounter
  identifier        token      identifier
  intent            token      intent
  patient           reference  subject -> Patient
  requester         reference  requester
  status            token      status
  subject           reference  subject
Specimen
  collected         date       collection.collectedDateTime | collection.collectedPeriod
  identifier        token      identifier
  patient           reference  subject -> Patient
  status            token      status
  subject           reference  subject
  type              token      type
StructureDefinition
  name              string     name
  status            token      status
  url               uri        url
  version           token      version
  type              uri        type
ValueSet
  name              string     name
  status            token      status
  url               uri        url
  version           token      version
"""

_TYPES = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent
Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam
CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem
Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent
Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device
DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest
DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse
EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy
Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan
Invoice Library Linkage List Location Measure MeasureReport Media Medication
MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
MedicationStatement MedicinalProduct MedicinalProductAuthorization
MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition OperationDefinition
OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice
PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure Provenance
Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis
Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition
StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery
SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
VisionPrescription
"""

RESOURCE_TYPES = frozenset(_TYPES.split())
"""Every resource type of R4. All can be stored and read; those in the table can be searched further."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one resource type.

    Attributes:
        name: as in the query.
        kind: token, reference, date, string or uri.
        paths: element paths below the resource, each a tuple of element names.
        target: the one type that references must point at, or None for any.
        key: name under which index rows are kept, `Type.name`.
    """

    name: str
    kind: str
    paths: tuple[tuple[str, ...], ...]
    target: str | None
    key: str


@cache
def parameters_of(resource_type: str) -> dict[str, Parameter]:
    """The indexed parameters of a type by name (`_id` and `_lastUpdated` are columns, not in here)."""
    lines = _COMMON.strip().splitlines() + list(_lines_of(resource_type))
    found = (_parse(resource_type, line) for line in lines)
    return {parameter.name: parameter for parameter in found}


def _lines_of(resource_type: str) -> list[str]:
    lines: list[str] = []
    current = ""
    for line in _TABLE.strip().splitlines():
        if not line.startswith(" "):
            current = line
        elif current == resource_type:
            lines.append(line)
    return lines


def _parse(resource_type: str, line: str) -> Parameter:
    name, kind, rest = line.split(maxsplit=2)
    elements, _, target = rest.partition(" -> ")
    paths = tuple(tuple(path.strip().split(".")) for path in elements.split("|"))
    return Parameter(name, kind, paths, target.strip() or None, f"{resource_type}.{name}")
