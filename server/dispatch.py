"""Answers every request, over the native dialect and the control channel of the y-websocket dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeVar, assert_never

from collab.document import Applied as Transaction
from collab.document import Document
from collab.editor import Editor
from collab.errors import CollabError, Conflict, InvalidOperation, LimitExceeded, MalformedUpdate
from collab.ids import ClientId, ConnectionId, FileId, FilePath, Random, RoomId, file_path, short_id
from collab.limits import Limits
from collab.listing import File
from collab.offsets import LineColumn, from_line_column, utf8_length
from collab.origin import Origin, PersonOrigin
from collab.presence import PresenceView
from collab.text_ops import Splice, splices
from collab.versions import FileVersions
from collab.wire import anchor_json
from generation.service import Asker, GenerationRequest, GenerationService
from server.announce import job_part, people_part, suggestion_part
from server.caller import Caller
from server.messages import requests
from server.messages.events import (
    Applied,
    Done,
    Error,
    FileContent,
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
from server.messages.parts import FileInfo, Person, Position
from server.messages.requests import AnyRequest
from server.messages.text_steps import to_op
from server.shortcommands import HELP

T = TypeVar("T")
MOST_MOVED: Final = 200_000_000
"""Characters that one operation may have the document move: pycrdt moves what stands after each change."""
FIRST_RETRY_MS: Final = 200
SPREAD_MS: Final = 3_000
"""When a process stops, its clients are told to come back spread over so long."""


class Room(Protocol):
    """What requests need of a room; ``server.host.RoomHost`` in the process."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document; changed only through ``change`` and ``receive``."""
        ...

    @property
    def versions(self) -> FileVersions:
        """The versions of its texts."""
        ...

    @property
    def saving(self) -> bool:
        """False while the store refuses to save."""
        ...

    def people(self) -> Sequence[PresenceView]:
        """Everybody who is here."""
        ...

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Transaction]:
        """Edits the document in one transaction, after all that has come in before it."""
        ...

    def receive(self, connection: ConnectionId, update: bytes) -> bool:
        """Takes an update of a connection; False if it waits for a missing one. Raises MalformedUpdate."""
        ...

    def rename(self, connection: ConnectionId, name: str) -> None:
        """Edits of this connection are shown under another name from now on."""
        ...

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        """Shows (or with None hides) somebody for whom the server speaks."""
        ...


class Dispatch:
    """Carries requests out. One for the process; it holds nothing of any room."""

    def __init__(self, generation: GenerationService, limits: Limits, random: Random, version: str) -> None:
        """``version`` is the server's, which ``welcome`` names."""
        self._generation = generation
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
            _show(host, caller)
        limits = self._limits
        return Welcome(
            room=host.room,
            version=self._version,
            you=Person(client=caller.client, name=caller.name, color=caller.color),
            people=people_part(host.people()),
            files=_files(host) if caller.native else [],
            jobs=[job_part(job) for job in jobs],
            suggestions=[suggestion_part(suggestion) for suggestion in waiting],
            model=self._generation.model_name,
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
        match request:
            case requests.Hello():
                return _hello(host, caller, request)
            case requests.Who():
                return People(id=request.id, people=people_part(host.people()))
            case requests.Files():
                return FileList(id=request.id, files=_files(host))
            case requests.Read():
                return _read(host, request)
            case requests.TextOperation():
                return _operate(host, caller, request)
            case requests.Edit():
                return _edit(host, caller, request)
            case requests.CreateFile():
                return self._create(host, caller, request)
            case requests.RenameFile():
                return _rename(host, caller, request)
            case requests.DeleteFile():
                return _delete(host, caller, request)
            case requests.CursorUpdate():
                _cursor(host, caller, request)
                return None
            case requests.Update():
                return _update(host, caller, request)
            case requests.Ping():
                return Pong(id=request.id)
            case requests.Help():
                return HelpText(id=request.id, lines=list(HELP))
            case requests.Jobs():
                jobs = await self._generation.jobs(host.room)
                return JobList(id=request.id, jobs=[job_part(job) for job in jobs])
            case requests.Suggestions():
                waiting = await self._generation.suggestions(host.room)
                return SuggestionList(id=request.id, suggestions=[suggestion_part(one) for one in waiting])
            case requests.Generate():
                return await self._generate(host, caller, request)
            case requests.Retry():
                job = await self._generation.retry(host.room, request.job, _asker(caller))
                return _started(request, GenerationStarted(id=request.id, job=job_part(job)))
            case requests.Cancel():
                await self._generation.cancel(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is cancelled; what it wrote stays.")
            case requests.Undo():
                await self._generation.undo(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"{request.job} is undone; redo brings it back.")
            case requests.Redo():
                await self._generation.redo(host.room, request.job, _asker(caller))
                return Done(id=request.id, message=f"What {request.job} wrote is back.")
            case requests.Answer():
                answered = await self._generation.answer(
                    host.room, request.suggestion, request.choice, _asker(caller)
                )
                return Done(id=request.id, message=f"{request.suggestion} is {answered.state}.")
            case _:
                assert_never(request)

    async def _generate(self, host: Room, caller: Caller, request: requests.Generate) -> Reply | None:
        asked = GenerationRequest(
            prompt=request.prompt,
            files=tuple(request.files),
            strategy=request.strategy,
            model=request.model,
            mode=request.mode,
            priority=request.priority,
        )
        job = await self._generation.submit(host.room, asked, _asker(caller))
        return _started(request, GenerationStarted(id=request.id, job=job_part(job)))

    def _create(self, host: Room, caller: Caller, request: requests.CreateFile) -> Applied:
        path = file_path(request.path)
        size = utf8_length(request.text)
        if size > self._limits.file_bytes:
            raise LimitExceeded(
                f"The text has {size} bytes; at most {self._limits.file_bytes} are allowed.", field="text"
            )
        file = FileId(short_id(self._random, "f_", 12))

        def create(editor: Editor) -> None:
            listing = host.document.listing()
            if len(listing.files) >= self._limits.files:
                raise LimitExceeded(f"The room has {len(listing.files)} files, and no more are allowed.")
            _check_free(host, path)
            editor.create(file, path, request.text)

        host.change(create, _origin(caller))
        return _applied(host, file, request.id)


def _hello(host: Room, caller: Caller, request: requests.Hello) -> Done:
    caller.name = request.name or caller.name
    caller.color = request.color or caller.color
    host.rename(caller.connection, caller.name)
    if caller.native:
        _show(host, caller)
    return Done(id=request.id, message=f"You are {caller.name}.")


def _read(host: Room, request: requests.Read) -> FileContent:
    file = host.document.file(request.file)
    return FileContent(
        id=request.id,
        file=file.id,
        path=file.shown,
        version=host.versions.version(file.id),
        text=host.versions.text(file.id),
    )


def _operate(host: Room, caller: Caller, request: requests.TextOperation) -> Applied:
    op = to_op(request.ops)
    texts = host.versions

    # Inside, because edits that have just come in are applied before the transaction begins.
    def operate(editor: Editor) -> FileId:
        file = host.document.file(request.file).id
        now = texts.rebase(file, request.version, op)
        text = texts.text(file)
        _splice(editor, file, text, splices(now, text))
        return file

    file, _ = host.change(operate, _origin(caller))
    return _applied(host, file, request.id)


def _edit(host: Room, caller: Caller, request: requests.Edit) -> Applied:
    texts = host.versions

    def edit(editor: Editor) -> FileId:
        file = host.document.file(request.file).id
        text = texts.text(file)
        start = _index(text, request.start, "start")
        end = start if request.end is None else _index(text, request.end, "end")
        if end < start:
            raise InvalidOperation("The end is before the start; exchange them.", field="end")
        _splice(editor, file, text, [(start, end, request.text)])
        return file

    file, _ = host.change(edit, _origin(caller))
    return _applied(host, file, request.id)


def _splice(editor: Editor, file: FileId, text: str, changes: list[Splice]) -> None:
    if len(changes) * len(text) > MOST_MOVED:
        raise LimitExceeded(
            f"The operation makes {len(changes)} changes in a text of {len(text)} characters; send it in "
            f"pieces of at most {MOST_MOVED // len(text)} changes.",
            field="ops",
        )
    editor.splices(file, changes)


def _rename(host: Room, caller: Caller, request: requests.RenameFile) -> Applied:
    path = file_path(request.path)

    def rename(editor: Editor) -> FileId:
        file = host.document.file(request.file)
        if file.shown != path:
            _check_free(host, path)
            editor.rename(file.id, path)
        return file.id

    file, _ = host.change(rename, _origin(caller))
    return _applied(host, file, request.id)


def _delete(host: Room, caller: Caller, request: requests.DeleteFile) -> Applied:
    def delete(editor: Editor) -> File:
        file = host.document.file(request.file)
        editor.delete(file.id)
        return file

    file, _ = host.change(delete, _origin(caller))
    return Applied(id=request.id, file=file.id, path=file.shown)


def _cursor(host: Room, caller: Caller, request: requests.CursorUpdate) -> None:
    if not caller.native:
        raise InvalidOperation("Over this protocol cursors are told by awareness.", field="type")
    file = host.document.file(request.file).id
    text = host.versions.text(file)
    head = _index(text, request.position, "position")
    anchor = head
    if request.selection is not None:
        head = _index(text, request.selection.head, "selection.head")
        anchor = _index(text, request.selection.anchor, "selection.anchor")
    cursor = {
        "anchor": anchor_json(host.document.anchor(file, anchor)),
        "head": anchor_json(host.document.anchor(file, head)),
    }
    host.set_presence(caller.client, presence_state(caller, file, cursor))


def _update(host: Room, caller: Caller, request: requests.Update) -> Reply:
    try:
        fits = host.receive(caller.connection, request.update)
    except MalformedUpdate as error:
        raise MalformedUpdate(error.message, field="update") from None
    if fits:
        return Applied(id=request.id)
    return Done(
        id=request.id,
        message="The update is kept, but needs edits that the server does not have; it shows once they are sent.",
    )


def presence_state(caller: Caller, file: str | None = None, cursor: object = None) -> Mapping[str, object]:
    """The awareness state of a native person, as browsers show it."""
    user = {"name": caller.name, "color": caller.color, "colorLight": f"{caller.color}33", "kind": "person"}
    return {"user": user, "file": file, "cursor": cursor}


def _show(host: Room, caller: Caller) -> None:
    """Shows a native person under their present name, with the cursor that they have."""
    seen = next((view for view in host.people() if view.client == caller.client), None)
    state = presence_state(caller, seen.file, seen.cursor) if seen is not None else presence_state(caller)
    host.set_presence(caller.client, state)


def _files(host: Room) -> list[FileInfo]:
    texts = host.versions
    files = sorted(host.document.listing().files.values(), key=lambda file: file.shown)
    return [
        FileInfo(file=f.id, path=f.shown, version=texts.version(f.id), length=texts.length(f.id)) for f in files
    ]


def _applied(host: Room, file: FileId, answer_to: str | int | None) -> Applied:
    shown = host.document.listing().files[file].shown
    return Applied(id=answer_to, file=file, path=shown, version=host.versions.version(file))


def _started(request: requests.Request, answer: GenerationStarted) -> GenerationStarted | None:
    # The whole room is told of the job; without an id to repeat, the answer would say the same twice.
    return answer if request.id is not None else None


def _check_free(host: Room, path: FilePath) -> None:
    if host.document.listing().by_path(path) is not None:
        raise Conflict(f"There is a file {path!r} already; choose another path.", field="path")


def _index(text: str, place: Position, field: str) -> int:
    try:
        return from_line_column(text, LineColumn(place.line, place.character))
    except InvalidOperation as error:
        raise InvalidOperation(error.message, field=field) from None


def _origin(caller: Caller) -> PersonOrigin:
    return PersonOrigin(caller.person, caller.connection)


def _asker(caller: Caller) -> Asker:
    return Asker(caller.person, caller.name)
