"""What nodes ask the keeper of a room's jobs, and what it answers, as bytes.

An error travels with its code, message and field, and is raised as the same class where the question came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from collab import errors
from collab.errors import CollabError, HourlyLimit, MalformedMessage
from collab.ids import JobId, RoomId
from generation.event_codec import MOST_BYTES, to_json
from generation.sharing import Ticket
from generation.views import (
    AnsweredAll,
    Asker,
    Choice,
    GenerationRequest,
    JobView,
    NewChange,
    Priority,
    SuggestionView,
)


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue a job under the id that the asker gave it. Asked twice it is done once."""

    room: RoomId
    job: JobId
    request: GenerationRequest
    asker: Asker


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a job."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask again what an ended job was asked."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Pause:
    """Have a job wait."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Resume:
    """Have a paused job go on."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Steer:
    """Tell a job something further; ``key`` names this, so that it is done once if it is asked twice."""

    room: RoomId
    job: str
    sentence: str
    asker: Asker
    key: str


@dataclass(frozen=True, slots=True)
class Move:
    """Give a waiting job another place, from 1."""

    room: RoomId
    job: str
    position: int
    asker: Asker


@dataclass(frozen=True, slots=True)
class Prioritise:
    """Give a waiting job another priority."""

    room: RoomId
    job: str
    priority: Priority
    asker: Asker


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back what a job wrote."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class Redo:
    """Put back what the last undo took."""

    room: RoomId
    job: str
    asker: Asker


@dataclass(frozen=True, slots=True)
class AnswerSuggestion:
    """Answer a suggestion; ``text`` goes with the choice ``edit``."""

    room: RoomId
    suggestion: str
    choice: Choice
    asker: Asker
    text: str = ""


@dataclass(frozen=True, slots=True)
class AnswerAll:
    """Answer all open suggestions of a job, or of one of its files."""

    room: RoomId
    job: str
    path: str | None
    choice: Choice
    asker: Asker


@dataclass(frozen=True, slots=True)
class Record:
    """Note a change that another node has made, so that it can be reviewed and undone as a job can."""

    room: RoomId
    change: NewChange
    asker: Asker


@dataclass(frozen=True, slots=True)
class ListJobs:
    """The room's jobs."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class ListSuggestions:
    """The room's open suggestions, or all of them."""

    room: RoomId
    all_of_them: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A ticket of a room that the asked node keeps: True if it takes the ticket, False if it gives up the room."""

    room: RoomId
    ticket: Ticket


Question = (
    Submit
    | Cancel
    | Retry
    | Pause
    | Resume
    | Steer
    | Move
    | Prioritise
    | Undo
    | Redo
    | AnswerSuggestion
    | AnswerAll
    | Record
    | ListJobs
    | ListSuggestions
    | Offer
)
Result = JobView | SuggestionView | AnsweredAll | list[JobView] | list[SuggestionView] | bool

_JOB: Final[TypeAdapter[Any]] = TypeAdapter(JobView)
_RESULTS: Final[dict[type[Question], TypeAdapter[Any]]] = {
    Submit: _JOB,
    Cancel: _JOB,
    Retry: _JOB,
    Pause: _JOB,
    Resume: _JOB,
    Steer: _JOB,
    Move: _JOB,
    Prioritise: _JOB,
    Undo: _JOB,
    Redo: _JOB,
    AnswerSuggestion: TypeAdapter(SuggestionView),
    AnswerAll: TypeAdapter(AnsweredAll),
    Record: _JOB,
    ListJobs: TypeAdapter(list[JobView]),
    ListSuggestions: TypeAdapter(list[SuggestionView]),
    Offer: TypeAdapter(bool),
}
_QUESTIONS: Final[dict[str, TypeAdapter[Any]]] = {kind.__name__: TypeAdapter(kind) for kind in _RESULTS}


def encode_question(question: Question) -> bytes:
    """A question for the wire: its kind, then its fields."""
    return to_json([type(question).__name__, asdict(question)])


def decode_question(data: bytes) -> Question:
    """The reverse of encode_question. Raises MalformedMessage."""
    try:
        kind, values = _loaded(data)
        question: Question = _QUESTIONS[kind].validate_json(to_json(values), strict=True)
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError) as error:
        raise _unreadable("A question", error) from None
    return question


def encode_result(result: Result) -> bytes:
    """The answer to a question that was carried out."""
    if isinstance(result, bool):
        plain: object = result
    elif isinstance(result, list):
        plain = [asdict(view) for view in result]
    else:
        plain = asdict(result)
    return to_json({"result": plain})


def encode_error(error: CollabError) -> bytes:
    """The answer to a question that was refused."""
    return to_json(
        {
            "code": error.code,
            "message": error.message,
            "field": error.field,
            "retry_after": error.retry_after if isinstance(error, HourlyLimit) else None,
        }
    )


def decode_answer(question: Question, data: bytes) -> Result:
    """What a question brought. Raises the error that it met, and MalformedMessage for what is no answer."""
    try:
        answer = _loaded(data)
        if "result" in answer:
            result: Result = _RESULTS[type(question)].validate_json(to_json(answer["result"]), strict=True)
            return result
        code, message, field = answer["code"], answer["message"], answer["field"]
        retry_after = answer.get("retry_after")
        if not isinstance(message, str) or not isinstance(field, str | None):
            raise TypeError("an error without words")
        if not isinstance(retry_after, float | int | None):
            raise TypeError("a wait that is no number")
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError) as error:
        raise _unreadable("An answer", error) from None
    if code == HourlyLimit.code:
        raise HourlyLimit(message, field=field, retry_after=retry_after)
    raise ERRORS.get(code, CollabError)(message, field=field)


def _loaded(data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data)} bytes")
    return json.loads(data)


def _unreadable(what: str, error: Exception) -> MalformedMessage:
    return MalformedMessage(
        f"{what} of another node cannot be read: {type(error).__name__}. Let all nodes run the same version."
    )


def _kinds(of: type[CollabError]) -> Iterator[type[CollabError]]:
    yield of
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from _kinds(kind)


ERRORS: Final[dict[str, type[CollabError]]] = {kind.code: kind for kind in _kinds(CollabError)}
"""The classes of errors by what clients see of them."""
