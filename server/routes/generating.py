"""``POST /api/generate``: a job whose events come back as Server-Sent Events."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from collab.errors import CollabError, Conflict, NotFound
from collab.ids import room_id
from generation import events
from generation.views import GenerationRequest, JobView
from server.announce import job_part, suggestion_part
from server.messages.stream import (
    AnyStreamEvent,
    ContextReady,
    FileEnd,
    FileStart,
    GenerateRequest,
    Progress,
    StrategyDetermined,
    StreamComplete,
    StreamConflict,
    StreamError,
    Token,
)
from server.routes.bodies import asker_named, read_json
from server.routes.ports import State
from server.routes.sse import EventStream

ENDED: Final = frozenset({"complete", "failed", "cancelled", "needs_review", "interrupted"})
_BODY_OVERHEAD: Final = 1024 * 1024
"""Bytes of a request besides its prompt: 200 paths and the JSON around them."""

logger = logging.getLogger(__name__)


class GenerateRoutes:
    """Starts the job, streams what it does, and cancels it when the asker goes away without ``detach``."""

    def __init__(self, state: State) -> None:
        self._generation = state.generation
        self._stopping = state.stopping
        self._body_bytes = state.settings.limit_prompt_chars * 4 + _BODY_OVERHEAD

    @property
    def body_bytes(self) -> int:
        """The largest body that is taken."""
        return self._body_bytes

    async def generate(self, request: Request) -> Response:
        """Refusals come as an HTTP error before the stream begins, failures of the job as its last event."""
        asked = await read_json(request, GenerateRequest, self._body_bytes)
        room = room_id(asked.room)
        asker = asker_named(asked.name)
        job = await self._generation.submit(
            room,
            GenerationRequest(
                asked.prompt,
                tuple(asked.files),
                asked.strategy,
                asked.model,
                asked.mode,
                asked.priority,
                asked.fresh,
            ),
            asker,
        )

        async def gone() -> None:
            if asked.detach:
                return
            try:
                await self._generation.cancel(room, job.job, asker)
            except (Conflict, NotFound):
                return  # it has ended by itself
            except CollabError as error:
                logger.warning("a job whose asker went away was not cancelled: %s", error.message)

        async def messages() -> AsyncIterator[BaseModel]:
            async with self._generation.watch(job.job) as happened:
                yield Progress(job=job_part(job))
                async for event in happened:
                    message = stream_message(event)
                    if message is not None:
                        yield message
                    if isinstance(message, StreamComplete | StreamError):
                        return
            # What happened before the watch began is not told again: the job may have ended already.
            yield await self._last(room_id(asked.room), job)

        def farewell() -> BaseModel:
            return StreamError(
                job=job.job,
                code="interrupted",
                message="The server is shutting down. The job is kept; retry it when the server is back.",
            )

        return EventStream(messages, stopping=self._stopping, farewell=farewell, gone=gone)

    async def _last(self, room: str, job: JobView) -> BaseModel:
        jobs = await self._generation.jobs(room_id(room))
        now = next((one for one in jobs if one.job == job.job), None)
        if now is not None and now.state in ENDED:
            return finished(now)
        return StreamError(
            job=job.job,
            code="stream_ended",
            message="The stream ended before the job did; look at its state.",
        )


def finished(job: JobView) -> StreamComplete | StreamError:
    """The last message of a stream: an error for a job that failed or was interrupted."""
    if job.state in {"failed", "interrupted"}:
        return StreamError(
            job=job.job,
            code=f"generation_{job.state}",
            message=job.error or "The job did not finish; retry it.",
        )
    return StreamComplete(job=job_part(job))


def stream_message(event: events.GenerationEvent) -> AnyStreamEvent | None:
    """The message for an event; None for what the stream does not tell."""
    match event:
        case events.JobStarted(job) | events.JobChanged(job):
            return Progress(job=job_part(job))
        case events.JobProgressed(job, detail):
            return Progress(job=job_part(job), detail=detail)
        case events.ContextReady(job_id, files, tokens):
            return ContextReady(job=job_id, files=list(files), tokens=tokens)
        case events.StrategyDetermined(job_id, strategy, why):
            return StrategyDetermined(job=job_id, strategy=strategy, why=why)
        case events.FileStarted(job_id, path):
            return FileStart(job=job_id, path=path)
        case events.JobTokens(job_id, path, text):
            return Token(job=job_id, path=path, text=text)
        case events.FileEnded(job_id, path, applied, pending):
            return FileEnd(job=job_id, path=path, applied=applied, pending=pending)
        case events.SuggestionAdded(suggestion):
            return StreamConflict(job=suggestion.job, suggestion=suggestion_part(suggestion))
        case events.JobFinished(job):
            return finished(job)
        case events.SuggestionAnswered():
            return None
