"""Changes that wait for a person's yes or no, and what a yes does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal

from collab.document import Document
from collab.errors import Conflict, InvalidInput, MalformedUpdate, NotFound, StoreCorrupt
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.ledger import Created, Ledger, Removed, Renamed
from collab.merge.aligner import changes_between
from collab.merge.edits import splice
from collab.undo import create, rename

Kind = Literal["hunk", "new_file", "whole_file", "delete_file", "rename_file"]
ConflictKind = Literal["none", "overlapping_edits", "same_file_different_content", "structural_conflict"]
Layer = Literal["", "lines", "tokens", "syntax"]
Choice = Literal["accept", "reject", "both", "edit"]
State = Literal["open", "accepted", "rejected", "both", "edited", "merged", "gone", "replaced"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A change by a job that did not land by itself, and what was decided about it.

    ``anchor`` and ``end`` (Document.anchor form) hold its place in ``file``; an ``end`` of None is the end of
    the file. For ``rename_file``, ``before`` and ``after`` are paths. ``file`` is None for a new file.

    ``before`` is the base, ``after`` what the job would have, ``ours`` what stood there when it was decided.
    A change that collided and could be merged by itself is kept in the state ``merged``, with the ``layer`` that
    found how; one that its job has suggested something else for is ``replaced``. ``at_ms`` and ``answered_ms``
    count from 1970 (UTC).
    """

    suggestion: SuggestionId
    job: JobId
    file: FileId | None
    path: str
    reason: str
    kind: Kind
    before: str
    after: str
    anchor: bytes | None = None
    end: bytes | None = None
    state: State = "open"
    answered_by: str | None = None
    conflict: ConflictKind = "none"
    layer: Layer = ""
    ours: str = ""
    at_ms: int = 0
    answered_ms: int = 0
    findings: tuple[str, ...] = ()
    """What is wrong with it, as far as that is known, in words."""

    def to_bytes(self) -> bytes:
        """For the store."""
        record = asdict(self)
        for name in ("anchor", "end"):
            record[name] = record[name].hex() if record[name] is not None else None
        return json.dumps(record, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Suggestion:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            record = json.loads(data)
            for name in ("anchor", "end"):
                record[name] = bytes.fromhex(record[name]) if record[name] is not None else None
            record["findings"] = tuple(record.get("findings", ()))
            return cls(**{field.name: record[field.name] for field in fields(cls) if field.name in record})
        except (KeyError, TypeError, ValueError) as error:
            raise StoreCorrupt(f"A stored suggestion cannot be read: {error!r}.") from error


class Suggestions:
    """The suggestions of one room, in the order in which they came."""

    def __init__(self, stored: Iterable[Suggestion] = ()) -> None:
        self._book = {suggestion.suggestion: suggestion for suggestion in stored}

    def add(self, suggestion: Suggestion) -> None:
        """Adds one. Raises Conflict if its id is taken."""
        if suggestion.suggestion in self._book:
            raise Conflict(f"There is a suggestion {suggestion.suggestion} already; give it another id.")
        self._book[suggestion.suggestion] = suggestion

    def find(self, suggestion: str, findings: Iterable[str]) -> Suggestion | None:
        """Notes what is wrong with one that nobody has answered, and returns it; None if somebody has."""
        found = self._book.get(SuggestionId(suggestion))
        if found is None or found.state != "open":
            return None
        done = replace(found, findings=(*found.findings, *findings))
        self._book[done.suggestion] = done
        return done

    def all(self) -> list[Suggestion]:
        """All of them, answered or not."""
        return list(self._book.values())

    def open(self) -> list[Suggestion]:
        """Those that nobody has answered."""
        return [suggestion for suggestion in self._book.values() if suggestion.state == "open"]

    def get(self, suggestion: str) -> Suggestion:
        """The suggestion of this id. Raises NotFound."""
        found = self._book.get(SuggestionId(suggestion))
        if found is None:
            raise NotFound(
                f"There is no suggestion {suggestion[:200]!r}; ask for the list of suggestions.",
                field="suggestion",
            )
        return found

    def unanswered(self, suggestion: str) -> Suggestion:
        """The suggestion of this id, if it is open. Raises NotFound, or Conflict that names who answered."""
        found = self.get(suggestion)
        if found.state != "open":
            by = f" by {found.answered_by}" if found.answered_by else ""
            raise Conflict(f"The suggestion {found.suggestion} is {found.state} already{by}.")
        return found

    def answered(
        self, suggestion: str, state: State, by: str | None, at_ms: int = 0, ours: str = ""
    ) -> Suggestion:
        """Notes the answer; the first one decides. Raises NotFound, Conflict."""
        done = replace(self.unanswered(suggestion), state=state, answered_by=by, answered_ms=at_ms, ours=ours)
        self._book[done.suggestion] = done
        return done


def current(document: Document, suggestion: Suggestion) -> str:
    """What stands in the suggestion's place now; empty if the place is gone.

    For a rename it is the path that the file has now.
    """
    file = suggestion.file
    if file is None or file not in document.listing().files:
        return ""
    if suggestion.kind == "rename_file":
        return document.listing().files[file].path
    found = place(document, file, suggestion)
    return document.text(file)[found[0] : found[1]] if found else ""


def no_place(document: Document, suggestion: Suggestion) -> str:
    """Why an open suggestion has no place any more, in words; empty while it has one, or none is needed."""
    file = suggestion.file
    if suggestion.state != "open" or suggestion.kind == "new_file" or file is None:
        return ""
    if file not in document.listing().files:
        return "The file was deleted, so this has no place any more."
    if suggestion.kind == "hunk" and suggestion.anchor is not None and place(document, file, suggestion) is None:
        return "The text around this was replaced, so its place is gone."
    return ""


def choices(suggestion: Suggestion) -> tuple[Choice, ...]:
    """What may be answered: the job's text, what stands there, both of them, or a text written by hand."""
    if suggestion.kind in {"delete_file", "rename_file"}:
        return "accept", "reject"
    if suggestion.kind == "new_file" and suggestion.conflict != "same_file_different_content":
        return "accept", "reject", "edit"
    return "accept", "reject", "both", "edit"


def answer(
    document: Document, suggestion: Suggestion, client_id: ClientId, choice: Choice = "accept", text: str = ""
) -> tuple[bytes | None, Ledger]:
    """What an answer does: an update under ``client_id`` and what it adds to the job's ledger.

    Computed in a fork; the caller applies the update to ``document`` at once. None if all is there already, or
    nothing is to be done. The text that stands in the place now becomes the chosen one by minimal changes; with
    ``edit`` that is ``text``. ``client_id`` must not be in use by another document at the time, such as a running
    job's session.

    Raises Conflict if the place is gone, InvalidInput for a choice that this suggestion does not have.
    """
    if choice not in choices(suggestion):
        raise InvalidInput(
            f"The suggestion {suggestion.suggestion} can be answered with {', '.join(choices(suggestion))}.",
            field="choice",
        )
    if choice == "reject":
        return None, Ledger()
    fork = document.fork(client_id)
    ledger = Ledger()
    if suggestion.kind == "new_file":
        return _add_file(fork, suggestion, choice, text if choice == "edit" else suggestion.after, ledger), ledger
    file = fork.listing().files.get(suggestion.file) if suggestion.file is not None else None
    if file is None:
        raise Conflict(f"{suggestion.path} was deleted meanwhile, so the suggestion has no place any more.")
    if suggestion.kind == "delete_file":
        ledger.removed.append(Removed(file.id, file.path, fork.text(file.id)))
        return fork.edit(lambda editor: editor.delete(file.id))[1].update, ledger
    if suggestion.kind == "rename_file":
        ledger.renamed.append(Renamed(file.id, file.path, suggestion.after))
        return rename(fork, file.id, suggestion.after), ledger
    if suggestion.kind == "whole_file" and choice == "both":
        return _new_file(fork, suggestion, _beside(fork, file.path), suggestion.after, ledger), ledger
    found = place(fork, file.id, suggestion)
    if found is None:
        raise Conflict(f"The place in {suggestion.path} that the suggestion would change is gone.")
    start, end = found
    now = fork.text(file.id)[start:end]
    return _write(fork, file.id, start, now, _chosen(suggestion, choice, now, text), ledger), ledger


def _chosen(suggestion: Suggestion, choice: Choice, now: str, text: str) -> str:
    if choice == "edit":
        return text
    if choice == "both":
        return now + ("\n" if now and not now.endswith("\n") else "") + suggestion.after
    return suggestion.after


def _add_file(fork: Document, suggestion: Suggestion, choice: Choice, text: str, ledger: Ledger) -> bytes | None:
    there = fork.listing().by_path(suggestion.path)
    if there is None or suggestion.conflict != "same_file_different_content":
        return _new_file(fork, suggestion, suggestion.path, text, ledger)
    if choice == "both":
        return _new_file(fork, suggestion, _beside(fork, suggestion.path), text, ledger)
    return _write(fork, there.id, 0, fork.text(there.id), text, ledger)


def _new_file(fork: Document, suggestion: Suggestion, path: str, text: str, ledger: Ledger) -> bytes | None:
    new = FileId(suggestion.suggestion)
    while new in fork.listing().files:
        new = FileId(f"{new}_")
    update, ids = create(fork, new, path, text)
    ledger.created.append(Created(new, path))
    if ids.length:
        ledger.insert(new, ids)
    return update


def _write(fork: Document, file: FileId, start: int, now: str, text: str, ledger: Ledger) -> bytes | None:
    changes = changes_between(now, text)
    return splice(fork, file, [(start + a, start + b, new) for a, b, new in changes], ledger)[0]


def _beside(document: Document, path: str) -> str:
    """A free path for a second version of a file."""
    folder, slash, name = path.rpartition("/")
    stem, dot, kind = name.rpartition(".")
    if not stem:
        stem, dot, kind = name, "", ""
    number = 2
    while document.listing().by_path(beside := f"{folder}{slash}{stem}-{number}{dot}{kind}") is not None:
        number += 1
    return beside


def place(document: Document, file: FileId, suggestion: Suggestion) -> tuple[int, int] | None:
    """Where in ``file`` the suggestion belongs now, in code points; None if its place is gone."""
    if suggestion.kind == "hunk" and suggestion.anchor is not None:
        try:
            start = document.resolve(file, suggestion.anchor)
            end = document.resolve(file, suggestion.end) if suggestion.end else len(document.text(file))
        except MalformedUpdate:
            return None  # The items that the anchors hold were collected with a former text of the file.
        return (start, end) if start is not None and end is not None and start <= end else None
    return (0, len(document.text(file))) if suggestion.kind != "hunk" else None
