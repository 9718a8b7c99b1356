"""What the feed of changes takes and gives."""

from pydantic import BaseModel, ConfigDict, Field

from jobs.web.schemas import NoteEntry

CURSOR = r"^[0-9]{1,17}\.[0-9]{1,18}$"


class ChangesQuery(BaseModel):
    """From where on."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(None, pattern=CURSOR, description="`next` of an answer; else from the first.")
    count: int = Field(100, ge=1, le=1000, description="At most so many.")


class Changes(BaseModel):
    """How notes ended, the one handled first first."""

    changes: list[NoteEntry]
    next: str = Field(description="`since` of the next request; also where nothing has changed.")
    more: bool = Field(description="Whether to ask again at once.")
