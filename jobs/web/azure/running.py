"""Jobs as Azure has them: given in, looked at until they are done, forgotten after a while.

They are kept in memory, each for whoever gave it in: with several replicas a client must come back to the one
that took it.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import summarizer
from jobs.web.azure.schemas import (
    AzureDocument,
    AzureDocumentProblem,
    AzureDocumentResult,
    AzureJobsInput,
    AzureJobState,
    AzureProblem,
    AzureResults,
    AzureSentence,
    AzureTask,
    AzureTaskResult,
    AzureTasks,
)
from jobs.web.azure.units import in_units
from jobs.web.batching import ModelWorker, QueueFullError
from jobs.web.refusals import REFUSALS, refusal
from summarizer import Budget, Summary

KEPT = timedelta(minutes=15)
_MOST_JOBS = 256
_MOST_OF_ONE = 64
_MOST_CHARACTERS = 50_000_000  # of all jobs together
_PATIENCE = 20  # times that a text may wait for a place in the queue
_PROBLEMS = {
    "too-large": "InvalidDocument",
    "timeout": "Timeout",
    "queue-full": "ServiceUnavailable",
    "shutting-down": "ServiceUnavailable",
    "model-unavailable": "ServiceUnavailable",
}


_TWICE = AzureProblem(code="InvalidDocument", message="Another document has the same id.")


class TooManyJobsError(Exception):
    """As many jobs are kept as may be."""


@dataclass
class Job:
    """One job.

    Attributes:
        owner: who gave it in; nobody else finds it.
    """

    id: str
    owner: str
    asked: AzureJobsInput
    created: datetime
    updated: datetime
    status: str = "notStarted"
    done: list[AzureTaskResult] = field(default_factory=list)
    work: asyncio.Task[None] | None = None

    @property
    def characters(self) -> int:
        """Of its texts."""
        return sum(len(document.text) for document in self.asked.analysisInput.documents)

    @property
    def expires(self) -> datetime:
        """When it is forgotten."""
        return self.updated + KEPT

    def state(self) -> AzureJobState:
        """As it is shown."""
        total = len(self.asked.tasks)
        failed = sum(item.status == "failed" for item in self.done)
        over = self.status not in ("notStarted", "running")
        return AzureJobState(
            jobId=self.id,
            displayName=self.asked.displayName,
            createdDateTime=self.created,
            lastUpdateDateTime=self.updated,
            expirationDateTime=self.expires,
            status=self.status,  # type: ignore[arg-type]
            errors=[],
            tasks=AzureTasks(
                completed=len(self.done) - failed,
                failed=failed,
                inProgress=0 if over else total - len(self.done),
                total=total,
                items=self.done,
            ),
        )


class AzureJobs:
    """The jobs of one process.

    Args:
        model: chooses the sentences.
    """

    def __init__(self, model: ModelWorker) -> None:
        self._model = model
        self._jobs: dict[str, Job] = {}

    def begin(self, owner: str, asked: AzureJobsInput) -> Job:
        """Takes a job and begins with it.

        Raises:
            TooManyJobsError: of this owner, or of all together.
        """
        self._forget()
        now = datetime.now(UTC)
        job = Job(secrets.token_urlsafe(16), owner, asked, now, now)
        own = sum(one.owner == owner for one in self._jobs.values())
        characters = job.characters + sum(one.characters for one in self._jobs.values())
        if len(self._jobs) >= _MOST_JOBS or own >= _MOST_OF_ONE or characters > _MOST_CHARACTERS:
            raise TooManyJobsError
        self._jobs[job.id] = job
        job.work = asyncio.create_task(self._run(job), name="azure-job")
        return job

    def find(self, owner: str, job_id: str) -> Job | None:
        """A job of this owner."""
        self._forget()
        job = self._jobs.get(job_id)
        return job if job and job.owner == owner else None

    def cancel(self, job: Job) -> None:
        """Ends a job that is not done."""
        if job.work and not job.work.done():
            job.work.cancel()
            job.status, job.updated = "cancelled", datetime.now(UTC)

    async def end(self) -> None:
        """Ends all of them."""
        running = [job.work for job in self._jobs.values() if job.work]
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._jobs.clear()

    def _forget(self) -> None:
        now = datetime.now(UTC)
        over = [job for job in self._jobs.values() if job.expires < now and job.work and job.work.done()]
        for job in over:
            del self._jobs[job.id]

    async def _run(self, job: Job) -> None:
        job.status = "running"
        for task in job.asked.tasks:
            results = await self._results(task, job.asked.analysisInput.documents)
            failed = not results.documents
            job.updated = datetime.now(UTC)
            status = "failed" if failed else "succeeded"
            job.done.append(
                AzureTaskResult(
                    taskName=task.taskName, lastUpdateDateTime=job.updated, status=status, results=results
                )
            )
        # Texts that failed are told by name in the results: the job itself has done what it could.
        job.status = "succeeded"

    async def _results(self, task: AzureTask, documents: Sequence[AzureDocument]) -> AzureResults:
        found: list[AzureDocumentResult] = []
        errors: list[AzureDocumentProblem] = []
        seen: set[str] = set()
        for document in documents:
            if document.id in seen:
                result: AzureDocumentResult | AzureProblem = _TWICE
            else:
                seen.add(document.id)
                result = await self._one(task, document)
            if isinstance(result, AzureProblem):
                errors.append(AzureDocumentProblem(id=document.id, error=result))
            else:
                found.append(result)
        engine = self._model.summarizer
        version = engine.model.name if engine else ""
        return AzureResults(documents=found, errors=errors, modelVersion=version)

    async def _one(self, task: AzureTask, document: AzureDocument) -> AzureDocumentResult | AzureProblem:
        language = document.language.lower().partition("-")[0]
        if language not in ("", "en"):
            return AzureProblem(code="UnsupportedLanguageCode", message="The model knows English.")
        try:
            summary = await self._summary(document.text, task.parameters.sentenceCount)
        except REFUSALS as error:
            problem = refusal(error)
            code = _PROBLEMS.get(problem.code, "InternalServerError")
            return AzureProblem(code=code, message=problem.detail or problem.body()["title"])
        return await asyncio.to_thread(_result, task, document, summary)

    async def _summary(self, text: str, sentences: int) -> Summary:
        for _ in range(_PATIENCE):
            try:
                return await self._model.summarize(
                    summarizer.Document(text), Budget(sentences=sentences), patient=True
                )
            except QueueFullError as error:
                full = error
                await asyncio.sleep(error.pause)
        raise full


def _result(task: AzureTask, document: AzureDocument, summary: Summary) -> AzureDocumentResult:
    """The chosen sentences with their places in the unit that was asked for. Blocks."""
    parameters = task.parameters
    chosen = summary.summary
    places = [place for sentence in chosen for place in (sentence.start, sentence.end)]
    units = in_units(document.text, places, parameters.stringIndexType)
    sentences = [
        AzureSentence(
            text=sentence.text,
            rankScore=round(min(max(sentence.score, 0.0), 1.0), 4),
            offset=units[sentence.start],
            length=units[sentence.end] - units[sentence.start],
        )
        for sentence in chosen
    ]
    if parameters.sortBy == "Rank":
        sentences.sort(key=lambda sentence: -sentence.rankScore)
    return AzureDocumentResult(id=document.id, sentences=sentences, warnings=[])
