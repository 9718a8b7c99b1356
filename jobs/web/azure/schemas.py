"""What Azure AI Language's analyze-text jobs take and give, as far as extractive summarization goes.

After the REST reference of Azure AI Language, version 2023-04-01. Fields that are not named here are let by:
Azure's clients send more of them with each version.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from jobs.web.azure.units import StringIndexType
from jobs.web.schemas import EXAMPLE_NOTE, MAX_CHARACTERS

KIND = "ExtractiveSummarization"
MOST_DOCUMENTS = 25
MOST_SENTENCES = 20
MOST_TASKS = 10

_UNITS = {unit.lower(): unit for unit in StringIndexType} | {
    "textelement_v8": StringIndexType.TEXT_ELEMENTS  # as earlier versions and Azure's Python client write it
}


def _unit(value: object) -> object:
    """Azure takes its names in capitals and small letters."""
    return _UNITS.get(value.lower(), value) if isinstance(value, str) else value


Unit = Annotated[StringIndexType, BeforeValidator(_unit)]

_LENIENT = ConfigDict(extra="ignore")


class AzureDocument(BaseModel):
    """A text with the client's own name for it."""

    model_config = _LENIENT

    id: str = Field(min_length=1, max_length=512)
    text: str = Field(max_length=MAX_CHARACTERS)
    language: str = Field("", description="English (`en`, `en-US`, ...) or absent.")


class AzureAnalysis(BaseModel):
    """The texts."""

    model_config = _LENIENT

    documents: list[AzureDocument] = Field(min_length=1, max_length=MOST_DOCUMENTS)


class AzureParameters(BaseModel):
    """Of one task."""

    model_config = _LENIENT

    sentenceCount: Annotated[int, Field(ge=1, le=MOST_SENTENCES)] = 3  # noqa: N815 - Azure's name
    sortBy: Literal["Offset", "Rank"] = "Offset"  # noqa: N815
    stringIndexType: Unit = StringIndexType.TEXT_ELEMENTS  # noqa: N815


class AzureTask(BaseModel):
    """What is to be done with the texts; no other kind is known here."""

    model_config = _LENIENT

    kind: Literal["ExtractiveSummarization"]
    taskName: str = Field("", max_length=512)  # noqa: N815
    parameters: AzureParameters = Field(default_factory=AzureParameters)


class AzureJobsInput(BaseModel):
    """A job: texts, and what is to be done with all of them."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "displayName": "One note",
                    "analysisInput": {"documents": [{"id": "1", "language": "en", "text": EXAMPLE_NOTE}]},
                    "tasks": [
                        {
                            "kind": KIND,
                            "taskName": "summary",
                            "parameters": {"sentenceCount": 3, "stringIndexType": "UnicodeCodePoint"},
                        }
                    ],
                }
            ]
        },
    )

    displayName: str = Field("", max_length=512)  # noqa: N815
    analysisInput: AzureAnalysis  # noqa: N815
    tasks: list[AzureTask] = Field(min_length=1, max_length=MOST_TASKS)


class AzureSentence(BaseModel):
    """A sentence of the text, word for word; offset and length in the unit that was asked for."""

    text: str
    rankScore: float  # noqa: N815
    offset: int
    length: int


class AzureDocumentResult(BaseModel):
    """The summary of one text."""

    id: str
    sentences: list[AzureSentence]
    warnings: list[dict[str, str]]


class AzureProblem(BaseModel):
    """Why something was not done."""

    code: str
    message: str


class AzureDocumentProblem(BaseModel):
    """Why a text has no summary."""

    id: str
    error: AzureProblem


class AzureResults(BaseModel):
    """Of one task."""

    documents: list[AzureDocumentResult]
    errors: list[AzureDocumentProblem]
    modelVersion: str  # noqa: N815


class AzureTaskResult(BaseModel):
    """One task as it stands."""

    kind: Literal["ExtractiveSummarizationLROResults"] = "ExtractiveSummarizationLROResults"
    taskName: str  # noqa: N815
    lastUpdateDateTime: datetime  # noqa: N815
    status: str
    results: AzureResults | None = None


class AzureTasks(BaseModel):
    """The tasks of a job, those that are done with their results."""

    completed: int
    failed: int
    inProgress: int  # noqa: N815
    total: int
    items: list[AzureTaskResult]


class AzureJobState(BaseModel):
    """A job as it stands."""

    jobId: str  # noqa: N815
    displayName: str  # noqa: N815
    createdDateTime: datetime  # noqa: N815
    lastUpdateDateTime: datetime  # noqa: N815
    expirationDateTime: datetime  # noqa: N815
    status: Literal["notStarted", "running", "succeeded", "failed", "partiallyCompleted", "cancelled"]
    errors: list[AzureProblem]
    tasks: AzureTasks


class AzureErrorAnswer(BaseModel):
    """An answer other than success, as Azure gives it."""

    error: AzureProblem
