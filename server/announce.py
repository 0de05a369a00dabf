"""What happens in a room, as messages to those who follow it; each is encoded once per kind of connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from collab.document import Document
from collab.errors import CollabError
from collab.ids import MAX_CLIENT_ID, FileId
from collab.offsets import to_line_column
from collab.presence import PresenceView
from collab.versions import FileAdded, FileChange, FileGone, FileMoved, TextVersioned
from collab.wire import control, write_uint
from generation import events as happened
from generation.views import JobView, ModelView, SuggestionView
from server.messages.encoding import encode_control, encode_json, encode_msgpack
from server.messages.events import (
    AnyEvent,
    CursorMoved,
    Event,
    FileCreated,
    FileDeleted,
    FileRenamed,
    GenerationComplete,
    GenerationProgress,
    GenerationStarted,
    GenerationToken,
    JobChanged,
    SuggestionAdded,
    SuggestionAnswered,
    TextChanged,
    UserChanged,
    UserJoined,
    UserLeft,
)
from server.messages.parts import FileInfo, Job, ModelInfo, Person, Position, Selection, Suggestion
from server.messages.text_steps import to_components
from server.transport import frame, text_frame

_TRANSIENT: Final = (CursorMoved, GenerationProgress, GenerationToken)


class Announcer:
    """Turns what happens in one room into messages, and remembers the newest one's encodings."""

    __slots__ = ("_event", "_frames")

    def __init__(self) -> None:
        self._event: AnyEvent | None = None
        self._frames: dict[str, bytes] = {}

    def messages(self, event: happened.GenerationEvent | AnyEvent) -> list[AnyEvent]:
        """What the room is told of something that happened; a message is told as it is."""
        if isinstance(event, Event):
            return [event]
        match event:
            case happened.JobStarted(job=job):
                return [GenerationStarted(job=job_part(job))]
            case happened.JobProgressed(job=job, detail=detail):
                return [GenerationProgress(job=job_part(job), detail=detail)]
            case happened.JobTokens(job=name, path=path, text=text):
                return [GenerationToken(job=name, path=path, text=text)]
            case happened.JobFinished(job=job):
                return [GenerationComplete(job=job_part(job))]
            case happened.JobChanged(job=job):
                return [JobChanged(job=job_part(job))]
            case happened.SuggestionAdded(suggestion=suggestion):
                return [SuggestionAdded(suggestion=suggestion_part(suggestion))]
            case happened.SuggestionAnswered(suggestion=suggestion):
                return [SuggestionAnswered(suggestion=suggestion_part(suggestion))]
            case (
                happened.ContextReady()
                | happened.StrategyDetermined()
                | happened.FileStarted()
                | happened.FileEnded()
            ):
                # Steps of a job that only the stream of its asker shows; the room sees its progress.
                return []

    def change(self, change: FileChange) -> list[AnyEvent]:
        """What native clients are told of a change of the files."""
        match change:
            case TextVersioned(file=file, path=path, version=version, op=op, by=by):
                return [TextChanged(file=file, path=path, version=version, ops=to_components(op), by=by)]
            case FileAdded(file=file, path=path, version=version, length=length):
                return [FileCreated(file=FileInfo(file=file, path=path, version=version, length=length))]
            case FileMoved(file=file, path=path, before=before):
                return [FileRenamed(file=file, path=path, before=before)]
            case FileGone(file=file, path=path):
                return [FileDeleted(file=file, path=path)]

    def presence(
        self, before: PresenceView | None, now: PresenceView | None, document: Document
    ) -> list[AnyEvent]:
        """What native clients are told when a presence state has changed; nothing if only its clock has."""
        if now is None:
            return [UserLeft(client=before.client, name=before.name)] if before is not None else []
        told: list[AnyEvent] = []
        person = person_part(now)
        if before is None:
            told.append(UserJoined(person=person))
        elif person_part(before) != person:
            told.append(UserChanged(person=person))
        if now.cursor is not None and (before is None or (before.file, before.cursor) != (now.file, now.cursor)):
            cursor = cursor_moved(now, document)
            if cursor is not None:
                told.append(cursor)
        return told

    def transient(self, message: AnyEvent) -> bool:
        """Whether the message only matters now, so that a slow reader may miss it."""
        return isinstance(message, _TRANSIENT)

    def control_frame(self, message: AnyEvent) -> bytes:
        """As the module's function, encoded once for all connections."""
        return self._once(message, "control", control_frame)

    def native_frame(self, message: AnyEvent, *, packed: bool) -> bytes:
        """As the module's function, encoded once for all connections."""
        return self._once(
            message, "msgpack" if packed else "json", lambda event: native_frame(event, packed=packed)
        )

    def _once(self, message: AnyEvent, kind: str, encode: Callable[[AnyEvent], bytes]) -> bytes:
        if self._event is not message:
            self._event = message
            self._frames = {}
        framed = self._frames.get(kind)
        if framed is None:
            framed = self._frames[kind] = encode(message)
        return framed


def control_frame(message: AnyEvent) -> bytes:
    """A message for the control channel of the y-websocket dialect, framed for the WebSocket."""
    return frame(control(encode_control(message)))


def native_frame(message: AnyEvent, *, packed: bool) -> bytes:
    """A message for the native dialect, framed for the WebSocket: msgpack if ``packed``, else JSON."""
    return frame(encode_msgpack(message)) if packed else text_frame(encode_json(message))


# Parts of messages


def job_part(job: JobView) -> Job:
    """A job as it travels."""
    return Job.model_validate(job, from_attributes=True)


def model_part(model: ModelView) -> ModelInfo:
    """A model as it travels."""
    return ModelInfo(name=model.name, context_tokens=model.context_tokens, capabilities=list(model.capabilities))


def suggestion_part(suggestion: SuggestionView) -> Suggestion:
    """A suggestion as it travels."""
    return Suggestion.model_validate(suggestion, from_attributes=True)


def person_part(view: PresenceView) -> Person:
    """Somebody as others are told of them."""
    return Person(
        client=view.client,
        name=view.name,
        color=view.color,
        kind="job" if view.kind == "job" else "person",
        file=view.file,
    )


def people_part(views: Iterable[PresenceView]) -> list[Person]:
    """Everybody who is here, people before jobs, by name."""
    return sorted(map(person_part, views), key=lambda person: (person.kind == "job", person.name, person.client))


def cursor_moved(view: PresenceView, document: Document) -> CursorMoved | None:
    """Where somebody's cursor is; None if it is in no text of the room, or is no cursor."""
    cursor = view.cursor
    if not isinstance(cursor, Mapping) or view.file is None:
        return None
    file = document.listing().files.get(FileId(view.file))
    if file is None:
        return None
    text = document.text(file.id)
    head = _place(cursor.get("head"), file.id, text, document)
    anchor = _place(cursor.get("anchor"), file.id, text, document)
    if head is None:
        return None
    selection = Selection(anchor=anchor, head=head) if anchor is not None and anchor != head else None
    return CursorMoved(
        client=view.client, name=view.name, file=file.id, path=file.shown, position=head, selection=selection
    )


def _place(raw: object, file: FileId, text: str, document: Document) -> Position | None:
    """The place of a relative position in Yjs' JSON form, which comes from a client and may be anything."""
    if not isinstance(raw, Mapping):
        return None
    assoc = raw.get("assoc")
    before = isinstance(assoc, int | float) and assoc < 0
    item = _item(raw.get("item"))
    if item is not None:
        try:
            index = document.resolve(file, b"\0" + item + (b"\x41" if before else b"\0"))
            place = to_line_column(text, index) if index is not None else None
        except CollabError:
            return None
    elif _item(raw.get("type")) is not None:
        # A position that holds on to the text itself: its end, or with a negative assoc its start.
        place = to_line_column(text, 0 if before else len(text))
    else:
        return None
    return Position(line=place.line, character=place.character) if place is not None else None


def _item(raw: Any) -> bytes | None:
    """An item's id in Yjs' binary form."""
    if not isinstance(raw, Mapping):
        return None
    client, clock = raw.get("client"), raw.get("clock")
    if not (isinstance(client, int) and isinstance(clock, int)):
        return None
    if not (0 <= client <= MAX_CLIENT_ID and 0 <= clock < 2**32):
        return None
    return write_uint(client) + write_uint(clock)
