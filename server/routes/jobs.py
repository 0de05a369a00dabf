"""Jobs and suggestions of a room."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.errors import NotFound
from generation.service import GenerationService
from server.messages.parts import Part
from server.raw_path import BODY_BYTES
from server.routes.bodies import asker_of, read_json, room_of
from server.routes.generating import job_message, suggestion_message
from server.routes.ports import State


class Choice(Part):
    """The body of an answer to a suggestion."""

    choice: Literal["accept", "reject"]


class JobRoutes:
    """``/api/rooms/{room}/jobs`` and ``/api/rooms/{room}/suggestions``."""

    def __init__(self, state: State) -> None:
        self._generation: GenerationService = state.generation

    async def jobs(self, request: Request) -> Response:
        """The jobs, newest first."""
        jobs = await self._generation.jobs(room_of(request))
        return JSONResponse({"jobs": [job_message(job).model_dump() for job in jobs]})

    async def act(self, request: Request) -> Response:
        """Cancels, retries, undoes or redoes a job; answers with the job as it is then."""
        room, job, asker = room_of(request), request.path_params["job"], asker_of(request)
        match request.path_params["action"]:
            case "cancel":
                view = await self._generation.cancel(room, job, asker)
            case "retry":
                view = await self._generation.retry(room, job, asker)
            case "undo":
                view = await self._generation.undo(room, job, asker)
            case "redo":
                view = await self._generation.redo(room, job, asker)
            case other:
                raise NotFound(
                    f"A job has no action {other[:40]!r}; it has cancel, retry, undo and redo.",
                    field="action",
                )
        return JSONResponse({"job": job_message(view).model_dump()})

    async def suggestions(self, request: Request) -> Response:
        """The suggestions that wait for an answer."""
        found = await self._generation.suggestions(room_of(request))
        return JSONResponse({"suggestions": [suggestion_message(one).model_dump() for one in found]})

    async def answer(self, request: Request) -> Response:
        """Accepts or rejects a suggestion; the first answer decides."""
        room, asker = room_of(request), asker_of(request)
        asked = await read_json(request, Choice, BODY_BYTES)
        view = await self._generation.answer(room, request.path_params["suggestion"], asked.choice, asker)
        return JSONResponse({"suggestion": suggestion_message(view).model_dump()})
