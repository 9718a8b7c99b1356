"""`POST /v1/summaries`: one text, or one file of any supported kind."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from fhir_adapter.note import Content, NoteText
from fhir_adapter.reading.media import declared
from fhir_adapter.text.language import language_notice
from jobs.web.answers import MANY_SENTENCES, admit, json_answer, parsed, problems, while_wanted
from jobs.web.guard.access import Scope, requires
from jobs.web.problems import ProblemError
from jobs.web.schemas import BUDGET_PATTERN, SummaryRequest, SummaryResult, as_budget
from jobs.web.service import Service, TheService
from summarizer import Document, Summary

router = APIRouter(tags=["summaries"], dependencies=[Depends(requires(Scope.SUMMARISE))])

_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/SummaryRequest"}},
        "text/plain": {"schema": {"type": "string"}},
        **{
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in (
                "text/html",
                "application/pdf",
                "application/rtf",
                "application/xml",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/octet-stream",
            )
        },
    },
}

BudgetQuery = Annotated[
    str | None,
    Query(pattern=BUDGET_PATTERN, description="For a body that is not JSON: as `budget` there."),
]
IncludeText = Annotated[bool, Query(description="Whether the answer holds the text, as `text.content`.")]
IncludeRanks = Annotated[
    bool, Query(description="Whether each of `sentences` has its `section` and its `rank`.")
]


@router.post(
    "/v1/summaries",
    response_model=SummaryResult,
    response_model_exclude_none=True,
    responses=problems(408, 413, 415, 422, 503),
    openapi_extra={"requestBody": _BODY},
    summary="Summarise a text or a file",
)
async def summarise(
    request: Request,
    service: TheService,
    budget: BudgetQuery = None,
    include_text: IncludeText = False,
    include_ranks: IncludeRanks = False,
) -> Response:
    """Chooses the sentences that matter, verbatim and in the order of the note.

    The body is JSON with `text` and `budget`, or the bytes of a note with their media type: plain text, HTML,
    RTF, PDF, C-CDA, DOCX or FHIR. What the bytes are decides, not what is declared.
    """
    admit(service)
    body = await request.body()
    media_type, charset = declared(request.headers.get("content-type"))
    if media_type == "application/json":
        asked = await parsed(SummaryRequest, body)
        document, note = Document(asked.text), None
        notice = language_notice(asked.text)
        wanted = as_budget(asked.budget, service.settings.summary_budget)
    elif not body and not media_type:
        raise ProblemError("invalid", "The body is missing.")
    else:
        wanted = as_budget(budget, service.settings.summary_budget)
        content = Content("body", body, media_type, charset)
        note = await while_wanted(request, service, service.read(content))
        document, notice = note.document(), note.notice
    summary = await while_wanted(request, service, service.model.summarize(document, wanted))
    shown = _shown(summary, note, notice, document.text if include_text else None)
    if include_ranks:
        shown |= await _ranked(service, document.text, summary)
    return await json_answer(shown, large=len(summary.sentences) > MANY_SENTENCES)


async def _ranked(service: Service, text: str, summary: Summary) -> dict[str, Any]:
    """`sentences` with their sections and, where the engine has such an order, their ranks."""
    summarizer = service.model.summarizer
    ranks = await asyncio.to_thread(summarizer.ranks, text, summary) if summarizer else None
    shown: list[dict[str, Any]] = [
        {
            "start": s.start,
            "end": s.end,
            "score": s.score,
            "section": s.section,
            "context": [piece.to_json() for piece in s.context],
        }
        for s in summary.sentences
    ]
    for sentence, rank in zip(shown, ranks or (), strict=bool(ranks)):
        if rank is not None:
            sentence["rank"] = rank
    return {"ranked": ranks is not None, "sentences": shown}


def _shown(summary: Summary, note: NoteText | None, notice: str, content: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = summary.to_json()
    if note:
        shown["text"] |= {"media_type": note.media_type, "normalization": note.normalization}
    if notice:
        shown["text"]["notice"] = notice
    if content is not None:
        shown["text"]["content"] = content
    return shown
