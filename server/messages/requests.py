"""What clients may ask. Every request may carry an ``id``, which the answer repeats."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from collab.wire import MAX_UINT
from server.messages import blame, history, search
from server.messages.base import FileRef as FileRef
from server.messages.base import Request as Request
from server.messages.parts import Choice, Component, Mode, Position, Selection, Strategy

Version = Annotated[int, Field(ge=0, le=MAX_UINT)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
JobRef = Annotated[str, Field(min_length=1, max_length=200, description="The job's id.")]


def _from_base64(value: object) -> object:
    """JSON has no bytes; msgpack has."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None


Bytes = Annotated[bytes, BeforeValidator(_from_base64)]


class Hello(Request):
    """Sets the asker's name and colour. Answered with ``done``."""

    type: Literal["hello"] = "hello"
    name: Name | None = None
    color: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")


class Who(Request):
    """Who is here? Answered with ``people``."""

    type: Literal["who"] = "who"


class Files(Request):
    """Which files are there? Answered with ``file_list``."""

    type: Literal["files"] = "files"


class Read(Request):
    """The text of a file. Answered with ``file_content``."""

    type: Literal["read"] = "read"
    file: FileRef


class TextOperation(Request):
    """Changes a text. Made against ``version``, transformed over what came since, answered ``applied``."""

    type: Literal["text_operation"] = "text_operation"
    file: FileRef
    version: Version = Field(description="The version that the operation was made against.")
    ops: list[Component] = Field(min_length=1, max_length=10_000)


class Edit(Request):
    """Replaces what stands between two places of the text as it is now. Answered with ``applied``.

    For scripts and people that hold no copy of the text; others send ``text_operation``.
    """

    type: Literal["edit"] = "edit"
    file: FileRef
    start: Position
    end: Position | None = Field(default=None, description="Left out: nothing is replaced, only inserted.")
    text: str = ""


class CreateFile(Request):
    """Creates a file. Answered with ``applied``."""

    type: Literal["create_file"] = "create_file"
    path: str = Field(max_length=1100)
    text: str = ""


class RenameFile(Request):
    """Gives a file another path. Answered with ``applied``."""

    type: Literal["rename_file"] = "rename_file"
    file: FileRef
    path: str = Field(max_length=1100)


class DeleteFile(Request):
    """Deletes a file. Answered with ``applied``."""

    type: Literal["delete_file"] = "delete_file"
    file: FileRef


class ChangeSettings(Request):
    """Changes the room's settings; those left out stay. Answered with ``done``."""

    type: Literal["change_settings"] = "change_settings"
    title: str | None = Field(default=None, max_length=200)
    instructions: str | None = Field(
        default=None, max_length=20_000, description="The rules of the project, which every job is given."
    )
    mode: Mode | None = Field(default=None, description="How jobs merge that do not say so themselves.")


class CursorUpdate(Request):
    """Shows the others where the asker's cursor is. No answer."""

    type: Literal["cursor_update"] = "cursor_update"
    file: FileRef
    position: Position
    selection: Selection | None = None


class Generate(Request):
    """Asks the AI. The whole room is told ``generation_started``; with an ``id``, that is also the answer."""

    type: Literal["generate"] = "generate"
    prompt: str = Field(min_length=1)
    files: list[FileRef] = Field(default_factory=list, max_length=200, description="Files to look at first.")
    strategy: Strategy | None = Field(default=None, description="Left out: the engine chooses.")
    model: str | None = Field(default=None, description="Left out: the configured one.")
    mode: Mode | None = Field(default=None, description="Left out: the room's setting, or auto.")
    priority: Literal["high", "normal", "low"] = "normal"
    fresh: bool = Field(default=False, description="True: a model is asked even if the same was asked before.")


class Jobs(Request):
    """The room's jobs. Answered with ``job_list``."""

    type: Literal["jobs"] = "jobs"


class Cancel(Request):
    """Stops a queued or running job; what has landed stays. Answered with ``done``."""

    type: Literal["cancel"] = "cancel"
    job: JobRef


class Retry(Request):
    """Asks again what a failed, cancelled or interrupted job was asked. Answered as ``generate``."""

    type: Literal["retry"] = "retry"
    job: JobRef


class Pause(Request):
    """Has a job wait until it is resumed; what it has completed stays. Answered with ``done``."""

    type: Literal["pause"] = "pause"
    job: JobRef


class Resume(Request):
    """Puts a paused job into the queue again. Answered with ``done``."""

    type: Literal["resume"] = "resume"
    job: JobRef


class Steer(Request):
    """Tells a job something further. One that runs keeps what it has completed, and is asked anew. Answered with
    ``done``.
    """

    type: Literal["steer"] = "steer"
    job: JobRef
    prompt: str = Field(min_length=1)


class Reorder(Request):
    """Gives a waiting job another place in the room's queue, or another priority. Answered with ``done``."""

    type: Literal["reorder"] = "reorder"
    job: JobRef
    position: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="1 is next. A place among jobs of another priority brings that priority.",
    )
    priority: Literal["high", "normal", "low"] | None = Field(
        default=None, description="Puts it behind the asker's other jobs of this priority."
    )

    @model_validator(mode="after")
    def _one(self) -> Reorder:
        if (self.position is None) == (self.priority is None):
            raise ValueError("give either a position or a priority")
        return self


class Undo(Request):
    """Takes back what a job wrote, and nothing else. Answered with ``done``."""

    type: Literal["undo"] = "undo"
    job: JobRef


class Redo(Request):
    """Puts back what an undo took. Answered with ``done``."""

    type: Literal["redo"] = "redo"
    job: JobRef


class UndoMine(Request):
    """Takes back the asker's own last change of a text, and nothing else. Answered with ``done``.

    For those whose editor keeps no undo of its own. What is undone goes back step by step, as in an editor.
    """

    type: Literal["undo_mine"] = "undo_mine"


class RedoMine(Request):
    """Puts back what the asker's last ``undo_mine`` took. Answered with ``done``."""

    type: Literal["redo_mine"] = "redo_mine"


class Suggestions(Request):
    """The suggestions that wait for an answer, or the record of all. Answered with ``suggestion_list``."""

    type: Literal["suggestions"] = "suggestions"
    all: bool = Field(default=False, description="Those that are answered too, and collisions that were merged.")


class Answer(Request):
    """Answers a suggestion; the first answer decides. Answered with ``done``.

    ``accept`` takes the job's text, ``reject`` leaves what is there, ``both`` keeps both one after the other (of
    whole files, as two files), ``edit`` puts ``text`` there.
    """

    type: Literal["answer"] = "answer"
    suggestion: Annotated[str, Field(min_length=1, max_length=200)]
    choice: Choice
    text: str = Field(default="", description="Only with the choice edit.")


class AnswerAll(Request):
    """Answers all open suggestions of a job, or those in one file. Answered with ``done``."""

    type: Literal["answer_all"] = "answer_all"
    job: JobRef
    path: str | None = Field(default=None, max_length=1100, description="Left out: all files.")
    choice: Literal["accept", "reject"]


class Update(Request):
    """A raw Yjs update: bytes in msgpack, base64 in JSON. Answered with ``applied``."""

    type: Literal["update"] = "update"
    update: Bytes


class Ping(Request):
    """Is anybody there? Answered with ``pong``."""

    type: Literal["ping"] = "ping"


class Help(Request):
    """What can be asked. Answered with ``help``."""

    type: Literal["help"] = "help"


AnyRequest = Annotated[
    Hello
    | Who
    | Files
    | Read
    | TextOperation
    | Edit
    | CreateFile
    | RenameFile
    | DeleteFile
    | ChangeSettings
    | CursorUpdate
    | Generate
    | Jobs
    | Cancel
    | Retry
    | Pause
    | Resume
    | Steer
    | Reorder
    | Undo
    | Redo
    | UndoMine
    | RedoMine
    | Suggestions
    | Answer
    | AnswerAll
    | Update
    | history.History
    | history.SaveVersion
    | history.Compare
    | history.Restore
    | history.Activity
    | Ping
    | blame.Blame
    | search.Search
    | search.Sent
    | Help,
    Field(discriminator="type"),
]

REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)
