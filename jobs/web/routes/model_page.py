"""`/model`: which model chooses, and its card. Showing it neither loads the model nor waits for it."""

import asyncio

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from jobs.web.guard.access import known
from jobs.web.problems import ProblemError
from jobs.web.service import TheService
from jobs.web.views.model_card import PICTURE, named_model, picture_of
from jobs.web.views.pages import render

router = APIRouter(include_in_schema=False, dependencies=[Depends(known)])

METHODS = {
    "bertsum": "The model scores every sentence of a note, by what its card says it was trained on. A score "
    "is a rank within the note. From the scores the summary is put together, without repeats and in the "
    "order of the note.",
    "kmeans": "The sentences of a note are grouped by the vectors that an encoder gives them, as many groups "
    "as the summary has sentences, and of each group the one nearest its centre is chosen. Nothing was "
    "trained for this; a score is a cosine, no probability.",
    "lead": "The first sentences of a note are chosen. There are no weights and nothing was trained; a score "
    "is the sentence's place, no probability.",
    "lexrank": "A sentence scores high that is like many others of the note, by the vectors that an encoder "
    "gives them. Nothing was trained for this; a score is relative to the highest, no probability.",
}
"""What each engine does, in a sentence or two for who reads the summary."""

# A picture is not a page: it needs its own styles and nothing else.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@router.get("/model")
async def page(request: Request, service: TheService) -> HTMLResponse:
    """The model of the settings, and where it is loaded what it says of itself."""
    settings = service.settings
    named = await asyncio.to_thread(named_model, settings)
    summarizer = service.model.summarizer
    return render(
        request,
        "model.html",
        named=named,
        loaded=summarizer,
        info=summarizer.model if summarizer else None,
        state=service.model.state.value,
        engine=settings.engine,
        method=METHODS[settings.engine],
        length=settings.budget,
        picture=f"/model/{PICTURE}" if named.picture else "",
    )


@router.get(f"/model/{PICTURE}")
async def picture(service: TheService) -> Response:
    """The picture of the calibration that lies in the model's folder."""
    found = await asyncio.to_thread(picture_of, service.settings)
    if found is None:
        raise ProblemError("not-found")
    return Response(found, media_type="image/svg+xml", headers={"Content-Security-Policy": _PICTURE_POLICY})
