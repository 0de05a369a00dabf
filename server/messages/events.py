"""What the server says: answers to requests (they repeat ``id``) and events for the whole room."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from server.messages import blame, history, search
from server.messages.base import Event as Event
from server.messages.base import Reply as Reply
from server.messages.parts import (
    Component,
    FileInfo,
    Job,
    ModelInfo,
    Person,
    Position,
    Selection,
    Suggestion,
)


class Welcome(Event):
    """The first message on every connection of this protocol. Over y-websocket it lists no files."""

    type: Literal["welcome"] = "welcome"
    room: str
    version: str = Field(description="The server's version.")
    you: Person
    people: list[Person]
    files: list[FileInfo]
    jobs: list[Job]
    suggestions: list[Suggestion]
    model: str | None = Field(description="The model that answers; null when only the offline one is there.")
    models: list[ModelInfo] = Field(
        default_factory=list,
        description="Those that may be asked for by name, in the order in which one stands in for another.",
    )
    saving: bool = Field(default=True, description="False while the store refuses to save.")
    limits: dict[str, int] = Field(description="prompt_chars, file_bytes, frame_bytes.")
    hint: str = Field(default="", description="What to type next, for people in a terminal.")


class UserJoined(Event):
    """Somebody came."""

    type: Literal["user_joined"] = "user_joined"
    person: Person


class UserLeft(Event):
    """Somebody went."""

    type: Literal["user_left"] = "user_left"
    client: int
    name: str


class UserChanged(Event):
    """Somebody has another name, colour or open file."""

    type: Literal["user_changed"] = "user_changed"
    person: Person


class CursorMoved(Event):
    """Where somebody's cursor is now."""

    type: Literal["cursor_update"] = "cursor_update"
    client: int
    name: str
    file: str
    path: str
    position: Position
    selection: Selection | None = None


class TextChanged(Event):
    """Somebody changed a text: apply ``ops`` to ``version - 1`` to get ``version``."""

    type: Literal["text_operation"] = "text_operation"
    file: str
    path: str
    version: int
    ops: list[Component]
    by: str = Field(description="Name of the person or job; empty when several did at once.")


class FileCreated(Event):
    """A file is there that was not."""

    type: Literal["file_created"] = "file_created"
    file: FileInfo


class FileRenamed(Event):
    """A file has another path."""

    type: Literal["file_renamed"] = "file_renamed"
    file: str
    path: str
    before: str


class FileDeleted(Event):
    """A file is gone."""

    type: Literal["file_deleted"] = "file_deleted"
    file: str
    path: str


class GenerationStarted(Reply):
    """A job was queued."""

    type: Literal["generation_started"] = "generation_started"
    job: Job


class GenerationProgress(Event):
    """A job has moved on."""

    type: Literal["generation_progress"] = "generation_progress"
    job: Job
    detail: str = Field(default="", description="What it is doing, in words.")


class GenerationToken(Event):
    """A piece of what the model writes into a file, as it streams."""

    type: Literal["generation_token"] = "generation_token"
    job: str
    path: str
    text: str


class GenerationComplete(Event):
    """A job has ended, one way or another: see its ``state``."""

    type: Literal["generation_complete"] = "generation_complete"
    job: Job


class JobChanged(Event):
    """A job that had ended has changed: undone, redone, a suggestion answered."""

    type: Literal["job_changed"] = "job_changed"
    job: Job


class SuggestionAdded(Event):
    """A job proposes a change that somebody has to decide on."""

    type: Literal["suggestion_added"] = "suggestion_added"
    suggestion: Suggestion


class SuggestionAnswered(Event):
    """A suggestion was decided on, or its place is gone."""

    type: Literal["suggestion_answered"] = "suggestion_answered"
    suggestion: Suggestion


class Saved(Event):
    """The first ``count`` changes that this connection made are durable: requests that change files or texts,
    or over y-websocket its sync messages of sub type 1 and 2.
    """

    type: Literal["saved"] = "saved"
    count: int


class NotSaved(Event):
    """The store refuses to save; edits are kept in memory and tried again. ``saved`` follows when it can."""

    type: Literal["not_saved"] = "not_saved"
    reason: str


class People(Reply):
    """Who is here."""

    type: Literal["people"] = "people"
    people: list[Person]


class FileList(Reply):
    """The room's files, by path."""

    type: Literal["file_list"] = "file_list"
    files: list[FileInfo]


class FileContent(Reply):
    """The text of a file."""

    type: Literal["file_content"] = "file_content"
    file: str
    path: str
    version: int
    text: str


class Applied(Reply):
    """The change was made (it is durable when ``saved`` says so)."""

    type: Literal["applied"] = "applied"
    file: str | None = None
    path: str | None = None
    version: int | None = None


class JobList(Reply):
    """The room's jobs, newest first."""

    type: Literal["job_list"] = "job_list"
    jobs: list[Job]


class SuggestionList(Reply):
    """The suggestions that wait for an answer."""

    type: Literal["suggestion_list"] = "suggestion_list"
    suggestions: list[Suggestion]


class Done(Reply):
    """The request was carried out."""

    type: Literal["done"] = "done"
    message: str = ""


class Pong(Reply):
    """Answer to ``ping``."""

    type: Literal["pong"] = "pong"


class HelpText(Reply):
    """What can be asked, a line each."""

    type: Literal["help"] = "help"
    lines: list[str]


class Error(Reply):
    """A request was refused; the connection stays open."""

    type: Literal["error"] = "error"
    code: str
    message: str = Field(description="What is wrong and what to do.")
    field: str | None = None


class Goodbye(Event):
    """The server is about to close this connection."""

    type: Literal["goodbye"] = "goodbye"
    reason: str
    retry_ms: int | None = Field(default=None, description="Come back after so long; null: do not.")


AnyEvent = Annotated[
    Welcome
    | UserJoined
    | UserLeft
    | UserChanged
    | CursorMoved
    | TextChanged
    | FileCreated
    | FileRenamed
    | FileDeleted
    | GenerationStarted
    | GenerationProgress
    | GenerationToken
    | GenerationComplete
    | JobChanged
    | SuggestionAdded
    | SuggestionAnswered
    | history.VersionAdded
    | Saved
    | NotSaved
    | People
    | FileList
    | FileContent
    | Applied
    | JobList
    | SuggestionList
    | history.VersionList
    | history.VersionSaved
    | history.Comparison
    | history.Restored
    | history.ActivityReport
    | blame.BlameResult
    | search.SearchResult
    | search.SentResult
    | Done
    | Pong
    | HelpText
    | Error
    | Goodbye,
    Field(discriminator="type"),
]

EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
