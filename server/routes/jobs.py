"""Jobs and suggestions of a room."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.errors import InvalidInput, NotFound
from collab.ids import RoomId
from generation.service import Asker, GenerationService, JobView
from server.announce import job_part, suggestion_part
from server.messages.parts import Choice, Part
from server.raw_path import BODY_BYTES, refuse_large
from server.routes.bodies import asker_of, read_json, room_of
from server.routes.ports import State

ACTIONS: Final = ("cancel", "pause", "resume", "steer", "reorder", "retry", "undo", "redo")


class AnswerBody(Part):
    """The body of an answer to a suggestion."""

    choice: Choice
    text: str = ""


class AnswerAllBody(Part):
    """The body of an answer to all suggestions of a job, or to those in one file."""

    choice: Literal["accept", "reject"]
    path: str | None = None


class SteerBody(Part):
    """The body of a further sentence to a job."""

    prompt: str = Field(min_length=1)


class ReorderBody(Part):
    """The body that gives a waiting job another place or priority."""

    position: int | None = Field(default=None, ge=1, le=100_000)
    priority: Literal["high", "normal", "low"] | None = None

    @model_validator(mode="after")
    def _one(self) -> ReorderBody:
        if (self.position is None) == (self.priority is None):
            raise ValueError("give either a position or a priority")
        return self


class JobRoutes:
    """``/api/rooms/{room}/jobs`` and ``/api/rooms/{room}/suggestions``."""

    def __init__(self, state: State) -> None:
        self._generation: GenerationService = state.generation
        # As JSON, where a character may take six bytes.
        self.body_bytes = BODY_BYTES + 6 * state.settings.limits().file_bytes
        self.prompt_bytes = BODY_BYTES + 6 * state.settings.limits().prompt_chars

    async def jobs(self, request: Request) -> Response:
        """The jobs, newest first."""
        jobs = await self._generation.jobs(room_of(request))
        return JSONResponse({"jobs": [job_part(job).model_dump() for job in jobs]})

    async def job(self, request: Request) -> Response:
        """One job."""
        ref = request.path_params["job"]
        for view in await self._generation.jobs(room_of(request)):
            if view.job == ref:
                return JSONResponse({"job": job_part(view).model_dump()})
        raise NotFound(f"There is no job {ref[:80]!r} in this room; ask for the list of jobs.", field="job")

    async def act(self, request: Request) -> Response:
        """Does something with a job; answers with the job as it is then."""
        room, job, asker = room_of(request), request.path_params["job"], asker_of(request)
        if request.path_params["action"] != "steer":
            refuse_large(request, BODY_BYTES)
        match request.path_params["action"]:
            case "cancel":
                view = await self._generation.cancel(room, job, asker)
            case "retry":
                view = await self._generation.retry(room, job, asker)
            case "pause":
                view = await self._generation.pause(room, job, asker)
            case "resume":
                view = await self._generation.resume(room, job, asker)
            case "steer":
                told = await read_json(request, SteerBody, self.prompt_bytes)
                view = await self._generation.steer(room, job, told.prompt, asker)
            case "reorder":
                view = await self._reorder(room, job, await read_json(request, ReorderBody, BODY_BYTES), asker)
            case "undo":
                view = await self._generation.undo(room, job, asker)
            case "redo":
                view = await self._generation.redo(room, job, asker)
            case other:
                raise NotFound(
                    f"A job has no action {other[:40]!r}; it has {', '.join(ACTIONS)}.",
                    field="action",
                )
        return JSONResponse({"job": job_part(view).model_dump()})

    async def _reorder(self, room: RoomId, job: str, asked: ReorderBody, asker: Asker) -> JobView:
        if asked.priority is not None:
            return await self._generation.prioritise(room, job, asked.priority, asker)
        return await self._generation.move(room, job, asked.position or 1, asker)

    async def suggestions(self, request: Request) -> Response:
        """The suggestions that wait for an answer, or with ``all=1`` the record of what was decided too."""
        found = await self._generation.suggestions(room_of(request), all_of_them=_flag(request, "all"))
        return JSONResponse({"suggestions": [suggestion_part(one).model_dump() for one in found]})

    async def answer(self, request: Request) -> Response:
        """Answers a suggestion; the first answer decides."""
        room, asker = room_of(request), asker_of(request)
        asked = await read_json(request, AnswerBody, self.body_bytes)
        ref = request.path_params["suggestion"]
        view = await self._generation.answer(room, ref, asked.choice, asker, asked.text)
        return JSONResponse({"suggestion": suggestion_part(view).model_dump()})

    async def answer_all(self, request: Request) -> Response:
        """Accepts or rejects all suggestions of a job, or those in one file."""
        room, asker = room_of(request), asker_of(request)
        asked = await read_json(request, AnswerAllBody, BODY_BYTES)
        job = request.path_params["job"]
        done = await self._generation.answer_all(room, job, asked.path, asked.choice, asker)
        return JSONResponse(
            {"answered": done.answered, "failed": list(done.failed), "job": job_part(done.job).model_dump()}
        )


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "0")
    if value not in {"0", "1"}:
        raise InvalidInput(f"The parameter {name} must be 0 or 1.", field=name)
    return value == "1"
