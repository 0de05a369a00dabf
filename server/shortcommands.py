"""Short lines for people in a terminal, as the same requests that programs send in JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from pydantic import ValidationError

from collab.errors import InvalidInput
from server.messages import history, requests
from server.messages.blame import Blame
from server.messages.parts import Position
from server.messages.problems import nearest
from server.messages.requests import AnyRequest
from server.messages.search import Search, Sent

HELP: Final = (
    "who                            who is here",
    "files                          the files, with their versions",
    "read FILE                      a file's text",
    "new FILE                       creates an empty file",
    "insert FILE LINE:COLUMN TEXT   inserts TEXT; lines and columns count from 0; \\n in it is a new line",
    "cut FILE LINE:COLUMN LINE:COLUMN   takes out what is between two places",
    "rename FILE NEW-PATH           renames a file",
    "delete FILE                    deletes a file",
    "ask PROMPT                     asks the AI",
    "jobs                           what the AI has been asked",
    "cancel JOB                     stops a job; what it wrote stays",
    "undo, redo                     your own last change",
    "undo JOB, redo JOB             takes back what a job wrote and nothing else; puts it back",
    "pause JOB, resume JOB          has a job wait, and go on; what it wrote stays",
    "steer JOB SENTENCE             tells a job something further while it runs",
    "move JOB PLACE                 gives a waiting job another place in the queue; 1 is next",
    "priority JOB high|normal|low   gives a waiting job another priority",
    "retry JOB                      asks again what a job was asked",
    "blame FILE                     who wrote which part of a file, and when",
    "search WORDS                   the files that answer a question",
    "sent JOB                       what a model was sent for a job, and what was left out",
    "suggestions                    changes by jobs that wait for a yes or no",
    "accept SUGGESTION, reject SUGGESTION, both SUGGESTION   answers one",
    "accept-all JOB [FILE], reject-all JOB [FILE]   answers all of a job, or those in one file",
    "history                        the versions that are kept of the room",
    "save NAME                      keeps the room as it is now under a name",
    "compare VERSION [VERSION]      what differs between two versions, or a version and now",
    "restore VERSION [FILE]         brings a file, or the whole room, back; undo takes that back",
    "activity                       what happened since you left",
    "mode auto|review|ask           how jobs merge in this room if they do not say so themselves",
    "name NEW-NAME                  your name from now on",
    "help                           this list",
    'A path with spaces goes in "quotes". A line that begins with { is a request in JSON: docs/protocol.md.',
)

_PLACE: Final = re.compile(r"(\d{1,9}):(\d{1,9})", re.ASCII)
_ESCAPE: Final = re.compile(r"\\([nt\\])")
_ESCAPES: Final = {"n": "\n", "t": "\t", "\\": "\\"}


class UnknownCommand(InvalidInput):
    """Raised when a line's first word is no command."""

    code = "unknown_command"


def parse(line: str) -> AnyRequest:
    """The request that a line stands for. Raises UnknownCommand, or InvalidInput saying how to write it."""
    word, rest = _word(line.strip())
    command = _COMMANDS.get(word.lower())
    if command is None:
        known = list(_COMMANDS)
        raise UnknownCommand(f"There is no command {word[:40]!r}; {nearest(word[:40], known)} Type help.")
    # What nobody needs to be told of stands in no line of the help.
    told = (entry for entry in HELP if re.search(rf"(^|, ){word.lower()}(?![\w-])", entry))
    usage = next(told, word).split("   ")[0]
    try:
        return command(rest)
    except ValidationError:
        raise InvalidInput(f"Write: {usage}") from None
    except _Unusable as error:
        raise InvalidInput(f"{error} Write: {usage}") from None


class _Unusable(Exception):
    """Raised when what follows a command's name does not fit it."""


def _word(text: str) -> tuple[str, str]:
    """The first word, or what is in quotes, and what follows it after one space."""
    if text.startswith('"'):
        word, quote, rest = text[1:].partition('"')
        if not quote:
            raise InvalidInput('A quote is not closed; end the path with ".')
        return word, rest.removeprefix(" ")
    word, _, rest = text.partition(" ")
    return word, rest


def _whole(text: str) -> str:
    """All that follows, without the quotes around it."""
    text = text.strip()
    if not text:
        raise _Unusable("Something is missing.")
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else text


def _nothing(make: Callable[[], AnyRequest]) -> Callable[[str], AnyRequest]:
    def command(rest: str) -> AnyRequest:
        if rest.strip():
            raise _Unusable("Nothing may follow this command.")
        return make()

    return command


def _place(text: str) -> Position:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise _Unusable(f"{text[:40]!r} is no place such as 3:0, line 3 and column 0.")
    return Position(line=int(match[1]), character=int(match[2]))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[1]], text)


def _insert(rest: str) -> AnyRequest:
    file, rest = _word(rest.lstrip())
    place, text = _word(rest.lstrip())
    if not text:
        raise _Unusable("Something is missing.")
    return requests.Edit(file=file, start=_place(place), text=_unescape(text))


def _cut(rest: str) -> AnyRequest:
    file, rest = _word(rest.lstrip())
    start, rest = _word(rest.lstrip())
    return requests.Edit(file=file, start=_place(start), end=_place(rest.strip()))


def _rename(rest: str) -> AnyRequest:
    file, rest = _word(rest.lstrip())
    return requests.RenameFile(file=file, path=_whole(rest))


def _all(rest: str, choice: Literal["accept", "reject"]) -> AnyRequest:
    job, path = _word(rest.lstrip())
    return requests.AnswerAll(job=job, path=_whole(path) if path.strip() else None, choice=choice)


def _steer(rest: str) -> AnyRequest:
    job, sentence = _word(rest.lstrip())
    return requests.Steer(job=job, prompt=_whole(sentence))


def _move(rest: str) -> AnyRequest:
    job, place = _word(rest.lstrip())
    if not re.fullmatch(r"[1-9]\d{0,4}", place.strip(), re.ASCII):
        raise _Unusable(f"{place.strip()[:40]!r} is no place such as 1.")
    return requests.Reorder(job=job, position=int(place))


def _priority(rest: str) -> AnyRequest:
    job, priority = _word(rest.lstrip())
    return requests.Reorder.model_validate({"job": job, "priority": _whole(priority)})


def _compare(rest: str) -> AnyRequest:
    base, to = _word(rest.lstrip())
    return history.Compare(base=base, to=_whole(to) if to.strip() else None)


def _restore(rest: str) -> AnyRequest:
    version, file = _word(rest.lstrip())
    return history.Restore(version=version, file=_whole(file) if file.strip() else None)


_COMMANDS: Final[Mapping[str, Callable[[str], AnyRequest]]] = {
    "who": _nothing(requests.Who),
    "files": _nothing(requests.Files),
    "read": lambda rest: requests.Read(file=_whole(rest)),
    "blame": lambda rest: Blame(file=_whole(rest)),
    "new": lambda rest: requests.CreateFile(path=_whole(rest)),
    "insert": _insert,
    "cut": _cut,
    "rename": _rename,
    "delete": lambda rest: requests.DeleteFile(file=_whole(rest)),
    "ask": lambda rest: requests.Generate(prompt=_whole(rest)),
    "jobs": _nothing(requests.Jobs),
    "cancel": lambda rest: requests.Cancel(job=_whole(rest)),
    "undo": lambda rest: requests.Undo(job=_whole(rest)) if rest.strip() else requests.UndoMine(),
    "redo": lambda rest: requests.Redo(job=_whole(rest)) if rest.strip() else requests.RedoMine(),
    "pause": lambda rest: requests.Pause(job=_whole(rest)),
    "resume": lambda rest: requests.Resume(job=_whole(rest)),
    "steer": _steer,
    "move": _move,
    "priority": _priority,
    "retry": lambda rest: requests.Retry(job=_whole(rest)),
    "search": lambda rest: Search(question=_whole(rest)),
    "sent": lambda rest: Sent(job=_whole(rest)),
    "suggestions": _nothing(requests.Suggestions),
    "accept": lambda rest: requests.Answer(suggestion=_whole(rest), choice="accept"),
    "reject": lambda rest: requests.Answer(suggestion=_whole(rest), choice="reject"),
    "both": lambda rest: requests.Answer(suggestion=_whole(rest), choice="both"),
    "accept-all": lambda rest: _all(rest, "accept"),
    "reject-all": lambda rest: _all(rest, "reject"),
    "history": _nothing(history.History),
    "save": lambda rest: history.SaveVersion(name=_whole(rest)),
    "compare": _compare,
    "restore": _restore,
    "activity": _nothing(history.Activity),
    "mode": lambda rest: requests.ChangeSettings.model_validate({"mode": _whole(rest)}),
    "name": lambda rest: requests.Hello(name=_whole(rest)),
    "ping": _nothing(requests.Ping),
    "help": _nothing(requests.Help),
}
