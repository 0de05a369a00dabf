"""Answers every request, over the native dialect and the control channel of the y-websocket dialect."""

from __future__ import annotations

from typing import Final, TypeVar, assert_never

from collab.errors import CollabError
from collab.ids import FileId, Random, short_id
from collab.limits import Limits
from generation.service import AnsweredAll, Asker, GenerationRequest, GenerationService, JobView
from server import dispatch_blame, dispatch_history, dispatch_search
from server import dispatch_files as files
from server.announce import job_part, model_part, people_part, suggestion_part
from server.caller import Caller
from server.dispatch_room import Room, show
from server.messages import requests
from server.messages.blame import Blame
from server.messages.events import (
    Done,
    Error,
    FileList,
    GenerationStarted,
    HelpText,
    JobList,
    People,
    Pong,
    Reply,
    SuggestionList,
    Welcome,
)
from server.messages.parts import Person
from server.messages.requests import AnyRequest
from server.messages.search import Search, Sent
from server.shortcommands import HELP

T = TypeVar("T")
FIRST_RETRY_MS: Final = 200
SPREAD_MS: Final = 3_000
"""When a process stops, its clients are told to come back spread over so long."""


class Dispatch:
    """Carries requests out. One for the process; it holds nothing of any room."""

    def __init__(
        self,
        generation: GenerationService,
        limits: Limits,
        random: Random,
        version: str,
        past: dispatch_history.History | None = None,
        finder: dispatch_search.Finder | None = None,
    ) -> None:
        """``version`` is the server's, which ``welcome`` names; without ``past`` there is no history,
        and without ``finder`` nothing is found.
        """
        self._generation = generation
        self._past = past
        self._finder = finder
        self._limits = limits
        self._random = random
        self._version = version

    async def welcome(self, host: Room, caller: Caller) -> Welcome:
        """Shows a native person who has come to the others, and returns the first message to a connection.

        Clients that hold the document are sent no list of files.
        """
        jobs = await self._generation.jobs(host.room)
        waiting = await self._generation.suggestions(host.room)
        if caller.native:
            show(host, caller)
        limits = self._limits
        return Welcome(
            room=host.room,
            version=self._version,
            you=Person(client=caller.client, name=caller.name, color=caller.color),
            people=people_part(host.people()),
            files=files.file_list(host) if caller.native else [],
            jobs=[job_part(job) for job in jobs],
            suggestions=[suggestion_part(suggestion) for suggestion in waiting],
            model=self._generation.model_name,
            models=[model_part(model) for model in self._generation.models],
            saving=host.saving,
            limits={
                "prompt_chars": limits.prompt_chars,
                "file_bytes": limits.file_bytes,
                "frame_bytes": limits.frame_bytes,
            },
            hint="Type help for what you can do here." if caller.native else "",
        )

    def retry_ms(self) -> int:
        """When a client should come back after a restart; different for each."""
        return FIRST_RETRY_MS + self._random.getrandbits(16) % SPREAD_MS

    async def handle(self, host: Room, caller: Caller, request: AnyRequest) -> Reply | None:
        """Carries a request out and returns its answer, an Error if it is refused.

        None for requests that have no answer of their own. What is not a CollabError is raised.
        """
        try:
            return await self._handle(host, caller, request)
        except CollabError as error:
            return Error(id=request.id, code=error.code, message=error.message, field=error.field)

    async def _handle(self, host: Room, caller: Caller, request: AnyRequest) -> Reply | None:
        if isinstance(request, dispatch_history.HistoryRequest):
            past = dispatch_history.handle(self._past, host.room, _asker(caller), request)
            return await past
        match request:
            case requests.Hello():
                return _hello(host, caller, request)
            case requests.Who():
                return People(id=request.id, people=people_part(host.people()))
            case requests.Files():
                return FileList(id=request.id, files=files.file_list(host))
            case requests.Read():
                return files.read(host, request)
            case requests.TextOperation():
                return files.operate(host, caller, request)
            case requests.Edit():
                return files.edit(host, caller, request)
            case requests.CreateFile():
                return files.create(host, caller, request, self._limits, self._new_file)
            case requests.RenameFile():
                return files.rename(host, caller, request)
            case requests.DeleteFile():
                return files.delete(host, caller, request)
            case requests.ChangeSettings():
                files.change_settings(host, caller, request.title, request.instructions, request.mode)
                return Done(id=request.id, message="The room's settings are changed.")
            case requests.CursorUpdate():
                files.cursor(host, caller, request)
                return None
            case requests.Update():
                return files.update(host, caller, request)
            case requests.Ping():
                return Pong(id=request.id)
            case Blame():
                return await dispatch_blame.handle(host, self._generation, request)
            case Search() | Sent():
                return await dispatch_search.handle(host, self._finder, request)
            case requests.Help():
                return HelpText(id=request.id, lines=list(HELP))
            case requests.Jobs():
                jobs = await self._generation.jobs(host.room)
                return JobList(id=request.id, jobs=[job_part(job) for job in jobs])
            case requests.UndoMine() | requests.RedoMine():
                redo = request.type == "redo_mine"
                await host.undo_own(caller.person, lambda: self._generation.ledgers(host.room), redo=redo)
                return Done(id=request.id, message="It is back." if redo else "It is undone; redo brings it back.")
            case requests.Suggestions():
                waiting = await self._generation.suggestions(host.room, all_of_them=request.all)
                return SuggestionList(id=request.id, suggestions=[suggestion_part(one) for one in waiting])
            case requests.Generate():
                return await self._generate(host, caller, request)
            case requests.Retry():
                job = await self._generation.retry(host.room, request.job, _asker(caller))
                return _started(request, GenerationStarted(id=request.id, job=job_part(job)))
            case requests.Cancel():
                await self._generation.cancel(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is cancelled; what it wrote stays.")
            case requests.Pause():
                await self._generation.pause(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is paused; resume lets it go on.")
            case requests.Resume():
                job = await self._generation.resume(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=standing(job))
            case requests.Steer():
                job = await self._generation.steer(host.room, request.job, request.prompt, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is told so.")
            case requests.Reorder():
                return Done(id=request.id, message=standing(await self._reorder(host, caller, request)))
            case requests.Undo():
                await self._generation.undo(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is undone; redo brings it back.")
            case requests.Redo():
                await self._generation.redo(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"What {request.job} wrote is back.")
            case requests.Answer():
                answered = await self._generation.answer(
                    host.room, request.suggestion, request.choice, _asker(caller), request.text
                )
                return Done(id=request.id, message=f"{request.suggestion} is {answered.state}.")
            case requests.AnswerAll():
                all_of_them = await self._generation.answer_all(
                    host.room, request.job, request.path, request.choice, _asker(caller)
                )
                return Done(id=request.id, message=answered_all(all_of_them))
            case _:
                assert_never(request)

    async def _reorder(self, host: Room, caller: Caller, request: requests.Reorder) -> JobView:
        if request.priority is not None:
            return await self._generation.prioritise(host.room, request.job, request.priority, _asker(caller))
        return await self._generation.move(host.room, request.job, request.position or 1, _asker(caller))

    def _new_file(self) -> FileId:
        return FileId(short_id(self._random, "f_", 12))

    async def _generate(self, host: Room, caller: Caller, request: requests.Generate) -> Reply | None:
        asked = GenerationRequest(
            prompt=request.prompt,
            files=tuple(request.files),
            strategy=request.strategy,
            model=request.model,
            mode=request.mode,
            priority=request.priority,
            fresh=request.fresh,
        )
        job = await self._generation.submit(host.room, asked, _asker(caller))
        return _started(request, GenerationStarted(id=request.id, job=job_part(job)))


def standing(job: JobView) -> str:
    """Where a job is, in words."""
    if job.position is None:
        return f"{job.job} is {job.state}."
    return f"{job.job} is number {job.position} in the queue, with {job.priority} priority."


def answered_all(done: AnsweredAll) -> str:
    """What became of several suggestions, in words."""
    said = f"{done.answered} suggestion{'' if done.answered == 1 else 's'} of {done.job.job} answered."
    return " ".join([said, *(f"Not {one}" for one in done.failed[:5])])


def _hello(host: Room, caller: Caller, request: requests.Hello) -> Done:
    caller.name = request.name or caller.name
    caller.color = request.color or caller.color
    host.rename(caller.connection, caller.name)
    if caller.native:
        show(host, caller)
    return Done(id=request.id, message=f"You are {caller.name}.")


def _started(request: requests.Request, answer: GenerationStarted) -> GenerationStarted | None:
    # The whole room is told of the job; without an id to repeat, the answer would say the same twice.
    return answer if request.id is not None else None


def _asker(caller: Caller) -> Asker:
    return Asker(caller.person, caller.name)
