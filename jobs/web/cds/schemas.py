"""What CDS Hooks 2.0 takes and gives, as far as `patient-view` goes (https://cds-hooks.hl7.org/2.0/)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ID = r"^[A-Za-z0-9.-]{1,64}$"
Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]

_OPEN = ConfigDict(extra="ignore", strict=True)  # clients send fields and extensions of later versions


class CdsAuthorization(BaseModel):
    """`fhirAuthorization`: a token of the EHR for its FHIR server."""

    model_config = _OPEN

    access_token: str = Field(min_length=1, max_length=16_384, repr=False)
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class CdsContext(BaseModel):
    """Of `patient-view`."""

    model_config = _OPEN

    userId: str = Field(max_length=256)  # noqa: N815 - the specification's names
    patientId: str = Field(pattern=ID)  # noqa: N815
    encounterId: str | None = Field(None, max_length=64)  # noqa: N815


class CdsRequest(BaseModel):
    """A call of the service."""

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "hook": "patient-view",
                    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                    "context": {"userId": "Practitioner/example", "patientId": "123"},
                }
            ]
        },
    )

    hook: Literal["patient-view"]
    hookInstance: Uuid  # noqa: N815
    fhirServer: str | None = Field(None, max_length=2048)  # noqa: N815
    fhirAuthorization: CdsAuthorization | None = None  # noqa: N815
    context: CdsContext
    prefetch: dict[str, Any] | None = None


class CdsServiceEntry(BaseModel):
    """A service in the list."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str]


class CdsServices(BaseModel):
    """What is served."""

    services: list[CdsServiceEntry]


class CdsSource(BaseModel):
    """Whose card it is."""

    label: str
    url: str | None = None


class CdsLink(BaseModel):
    """Where a card leads."""

    label: str
    url: str
    type: Literal["absolute"] = "absolute"


class CdsReason(BaseModel):
    """Why a clinician may set the card aside."""

    code: str
    display: str
    system: str


class CdsCard(BaseModel):
    """A card: sentences of notes, word for word, each with the way to its note."""

    uuid: str
    summary: str = Field(max_length=139)
    detail: str = Field(description="Markdown; signs that would be taken for it are escaped.")
    indicator: Literal["info"] = "info"
    source: CdsSource
    links: list[CdsLink]
    overrideReasons: list[CdsReason]  # noqa: N815
    extension: dict[str, Any] = Field(
        description="The sentences as they stand in the notes, with their places."
    )


class CdsCards(BaseModel):
    """The answer: one card, or none."""

    cards: list[CdsCard]


class CdsOverride(BaseModel):
    """Why a card was set aside. The user's comment is let by and not kept: it may name a patient."""

    model_config = _OPEN

    reason: dict[str, Any] | None = None


class CdsOutcome(BaseModel):
    """What became of one card."""

    model_config = _OPEN

    card: Uuid
    outcome: Literal["accepted", "overridden"]
    overrideReason: CdsOverride | None = None  # noqa: N815
    outcomeTimestamp: datetime  # noqa: N815


class CdsFeedback(BaseModel):
    """What became of cards."""

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "feedback": [
                        {
                            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
                            "outcome": "overridden",
                            "overrideReason": {"reason": {"code": "misleading"}},
                            "outcomeTimestamp": "2026-01-31T08:00:00Z",
                        }
                    ]
                }
            ]
        },
    )

    feedback: list[CdsOutcome] = Field(min_length=1, max_length=100)
