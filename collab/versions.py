"""Versions of a room's texts, for clients that speak operational transformation instead of Yjs.

Every transaction that changes a text gives it one more version and one operation, however many edits came
together in it. A file has versions from the first time somebody asks about it: until then nobody can name
one, and its changes cost nothing. From then on its text is kept a second time, because what a transaction
deleted can only be measured in the text before.

Numbers count up from a base that the room's host gives: the sequence number of the room's log when these
versions begin. Each transaction adds at least one entry to the log and at most one version to a file, so
that later versions, made after a restart, do not take numbers of earlier ones that were stored. What was not
stored may come again with another text; hence a connection may name only versions that it was told itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from collab.delta import Delta
from collab.document import Applied, Document
from collab.errors import Conflict, InvalidOperation, NotFound
from collab.ids import FileId, FilePath
from collab.listing import File, Listing
from collab.offsets import utf16_length
from collab.text_ops import (
    Outline,
    TextOp,
    apply,
    check_fits,
    difference,
    from_delta,
    length_change,
    normalise,
    outline,
    transform,
)

MAX_WORK: Final = 100_000
"""Steps that one rebase may go over, and that the history of one file holds. A script that lags further
behind reads the file again."""


@dataclass(frozen=True, slots=True)
class TextVersioned:
    """A text has a new version: ``op`` makes it of the version before. ``by`` is who did it, in words."""

    file: FileId
    path: FilePath
    version: int
    op: TextOp
    by: str


@dataclass(frozen=True, slots=True)
class FileAdded:
    """A file is there that was not. ``length`` in UTF-16 units."""

    file: FileId
    path: FilePath
    version: int
    length: int


@dataclass(frozen=True, slots=True)
class FileMoved:
    """A file is shown under another path."""

    file: FileId
    path: FilePath
    before: FilePath


@dataclass(frozen=True, slots=True)
class FileGone:
    """A file is no longer there."""

    file: FileId
    path: FilePath


FileChange = TextVersioned | FileAdded | FileMoved | FileGone


@dataclass(slots=True)
class _Copy:
    """A file as it was after the last transaction; ``history`` holds the operations that led to it."""

    text: str
    version: int
    history: deque[Outline] = field(default_factory=deque)
    steps: int = 0

    def add(self, op: TextOp, most: int) -> None:
        """Counts one version more, and keeps at most so many operations."""
        self.version += 1
        self.history.append(outline(op))
        self.steps += len(op)
        while len(self.history) > most or self.steps > MAX_WORK:
            self.steps -= len(self.history.popleft())


class FileVersions:
    """Versions of one room's texts. From now on ``follow`` or ``defer`` must be called after every transaction."""

    __slots__ = ("_base", "_behind", "_copies", "_document", "_entries_behind", "_history", "_listing", "_turns")

    def __init__(self, document: Document, base: int, history: int) -> None:
        """``history`` bounds how many versions an operation may lag behind."""
        document.watch_files()
        self._document = document
        self._base = base
        self._history = history
        self._turns = 0
        self._copies: dict[FileId, _Copy] = {}
        self._behind: set[FileId] = set()
        self._entries_behind = False
        self._listing: Listing = document.listing()

    # Reading. Not within a transaction, and not between one and its ``follow``.

    def load(self, most: int) -> bool:
        """Begins versions for up to ``most`` more files; True when all files have them.

        A room with thousands of files is loaded piece by piece, so that its other rooms do not wait.
        """
        missing = [file for file in self._listing.files if file not in self._copies]
        for file in missing[:most]:
            self._copy(file)
        return len(missing) <= most

    def version(self, file: FileId) -> int:
        """The version of a file's text now. Raises NotFound."""
        return self._copy(file).version

    def text(self, file: FileId) -> str:
        """A file's text now. Raises NotFound."""
        return self._copy(file).text

    def length(self, file: FileId) -> int:
        """Length of a file's text in UTF-16 units. Raises NotFound."""
        return utf16_length(self._copy(file).text)

    def rebase(self, file: FileId, version: int, op: TextOp) -> TextOp:
        """What an operation made against ``version`` is against the text now.

        Raises NotFound, InvalidOperation if it does not fit the text of that version, and Conflict if that
        version was never there or is too old.
        """
        copy = self._copy(file)
        behind = copy.version - version
        if behind < 0 or behind > len(copy.history):
            known = f"versions {copy.version - len(copy.history)} to {copy.version} are known"
            raise Conflict(
                f"Version {version} of this file cannot be changed, {known}; read the file again.",
                field="version",
            )
        op = normalise(op)
        since = [copy.history[-number] for number in range(behind, 0, -1)]
        if len(op) * behind + sum(map(len, since)) > MAX_WORK:
            raise Conflict(
                f"The file has changed {behind} times since version {version}, too often for an operation of "
                f"{len(op)} steps; read the file again.",
                field="version",
            )
        check_fits(op, utf16_length(copy.text) - sum(map(length_change, since)))
        for done in since:
            op = transform(op, done, first=False)
        return op

    # Following

    def follow(self, applied: Applied, by: str) -> list[FileChange]:
        """What a transaction did to the files, one version for each text that it changed.

        Files that nobody asked about have no versions, and their texts' changes are left out.
        """
        if applied.update is None:
            return []
        if self._behind or self._entries_behind:
            self.defer(applied)
            return self.catch_up(by)
        self._turns += 1
        changes: list[FileChange] = self._follow_entries() if applied.files_changed else []
        # An entry that was replaced may bring another text without a delta.
        for file in sorted({*applied.deltas, *applied.entries}):
            copy = self._copies.get(file)
            shown = self._listing.files.get(file)
            if copy is None or shown is None:
                continue
            changes += self._versioned(copy, shown, applied.deltas.get(file, ()), by)
        return changes

    def defer(self, applied: Applied) -> None:
        """Notes what a transaction changed, where nobody is told of it; ``catch_up`` does the rest.

        All that was deferred makes one version of each file.
        """
        if applied.update is not None:
            self._turns += 1
            self._behind.update(applied.deltas, applied.entries)
            self._entries_behind = self._entries_behind or applied.files_changed

    def catch_up(self, by: str = "") -> list[FileChange]:
        """Brings all versions up to the document, and returns what that changes."""
        changes: list[FileChange] = self._follow_entries() if self._entries_behind else []
        self._entries_behind = False
        behind, self._behind = self._behind, set()
        for file in sorted(behind):
            copy = self._copies.get(file)
            shown = self._listing.files.get(file)
            if copy is not None and shown is not None:
                changes += self._versioned(copy, shown, (), by)
        return changes

    def _versioned(self, copy: _Copy, file: File, delta: Delta, by: str) -> list[FileChange]:
        op = self._operation(copy, file, delta)
        if not op:
            return []
        copy.add(op, self._history)
        return [TextVersioned(file.id, file.shown, copy.version, op, by)]

    def _operation(self, copy: _Copy, file: File, delta: Delta) -> TextOp:
        """What was done to a text; brings the copy up to date.

        The delta is believed only if it leads to the text that stands there: a text may hold embedded objects
        that its deltas count and its string does not, and an entry may have been given another text.
        """
        after = self._document.text(file.id)
        try:
            op = from_delta(delta, copy.text)
            if apply(copy.text, op) != after:
                op = difference(copy.text, after)
        except InvalidOperation:
            op = difference(copy.text, after)
        copy.text = after
        return op

    def _follow_entries(self) -> list[FileChange]:
        before, after = self._listing.files, self._document.listing().files
        self._listing = self._document.listing()
        changes: list[FileChange] = []
        for file, known in before.items():
            if file not in after:
                self._copies.pop(file, None)
                changes.append(FileGone(file, known.shown))
        for file, now in after.items():
            former = before.get(file)
            if former is None:
                changes.append(FileAdded(file, now.shown, self.version(file), self.length(file)))
            elif former.shown != now.shown:
                changes.append(FileMoved(file, now.shown, former.shown))
        return changes

    def _copy(self, file: FileId) -> _Copy:
        copy = self._copies.get(file)
        if copy is None:
            if file not in self._listing.files:
                raise NotFound(f"There is no file with the id {file[:200]!r}.", field="file")
            # No version of a file that had this id before is larger than this one.
            version = self._base + self._turns
            copy = _Copy(self._document.text(file), version)
            self._copies[file] = copy
        return copy
