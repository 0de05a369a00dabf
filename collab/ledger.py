"""What a job has done to a room, small enough to store: what an undo works from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collab.errors import StoreCorrupt
from collab.ids import ClientId, FileId
from collab.wire import IdRange


@dataclass(frozen=True, slots=True)
class Inserted:
    """Text that was put into a file: its ids."""

    file: FileId
    ids: IdRange


@dataclass(frozen=True, slots=True)
class Deleted:
    """Text that was deleted from a file.

    ``text`` holds all that one change deleted, in the text's order, and ``ids`` its ids in any order: the
    list of items tells which is which. ``kept`` are those of the ids that really stood in the live document
    then; the others had been deleted by somebody already, and must not come back.
    """

    file: FileId
    text: str
    ids: tuple[IdRange, ...]
    kept: tuple[IdRange, ...]


@dataclass(frozen=True, slots=True)
class Created:
    """A file that was added."""

    file: FileId
    path: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file that got another path."""

    file: FileId
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that was deleted, and what it held."""

    file: FileId
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Text that was put back: its ids, and those of the deleted text of which it is a copy, in order.

    Whoever's text that was, their undo must know that it lives on under other ids.
    """

    file: FileId
    ids: IdRange
    of: tuple[IdRange, ...]


@dataclass(slots=True)
class Ledger:
    """What a job has done to the live document, in order. Small: texts are kept only where they went away.

    The rest is for the undo of other jobs. ``copies`` is text that was put back under new ids. ``buried`` is text
    of this job that was deleted already when the job was undone, and ``dropped`` text that it had taken back
    itself: others must not put it back. ``withheld`` is text that this undo would have put back, and ``released``
    text that the job gave back itself, if another job did not keep it away (``kept`` tells which of an entry's it
    is): once none does, that other job's undo puts it back. ``dropped`` and ``released`` stay as they are at undo
    and redo.
    """

    inserted: list[Inserted] = field(default_factory=list)
    deleted: list[Deleted] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    buried: list[Inserted] = field(default_factory=list)
    withheld: list[Deleted] = field(default_factory=list)
    dropped: list[Inserted] = field(default_factory=list)
    released: list[Deleted] = field(default_factory=list)
    away: list[Created] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not (self.inserted or self.deleted or self.withheld or self.created or self.renamed or self.removed)

    def insert(self, file: FileId, ids: IdRange) -> None:
        """Notes inserted ids; text that goes on where the last one ended takes no new entry."""
        if self.inserted:
            last = self.inserted[-1]
            end = last.ids.clock + last.ids.length
            if last.file == file and last.ids.client == ids.client and end == ids.clock:
                joined = IdRange(ids.client, last.ids.clock, last.ids.length + ids.length)
                self.inserted[-1] = Inserted(file, joined)
                return
        self.inserted.append(Inserted(file, ids))

    def extend(self, other: Ledger) -> None:
        """Adds what came later."""
        for item in other.inserted:
            self.insert(item.file, item.ids)
        self.deleted += other.deleted
        self.created += other.created
        self.renamed += other.renamed
        self.removed += other.removed
        self.copies += other.copies
        self.buried += other.buried
        self.withheld += other.withheld
        self.dropped += other.dropped
        self.released += other.released
        self.away += other.away

    def lasting(self) -> Ledger:
        """What stays as it is, whatever is undone or redone."""
        return Ledger(copies=[*self.copies], dropped=[*self.dropped], released=[*self.released], away=[*self.away])

    def aside(self) -> Ledger:
        """What the undos of others must know of it once it will not be undone or redone itself any more."""
        return Ledger(
            copies=[*self.copies],
            dropped=[*self.dropped, *self.buried],
            released=[*self.released, *self.withheld],
            away=[*self.away],
        )

    def to_bytes(self) -> bytes:
        """For the store."""
        record: dict[str, list[Any]] = {
            "inserted": [[i.file, *_row(i.ids)] for i in self.inserted],
            "deleted": [_deleted_row(d) for d in self.deleted],
            "created": [[c.file, c.path] for c in self.created],
            "renamed": [[r.file, r.before, r.after] for r in self.renamed],
            "removed": [[r.file, r.path, r.text] for r in self.removed],
            "copies": [[c.file, _row(c.ids), [*map(_row, c.of)]] for c in self.copies],
            "buried": [[b.file, *_row(b.ids)] for b in self.buried],
        }
        # Left out where empty, since the client id of an undo is derived from these bytes.
        if self.withheld:
            record["withheld"] = [_deleted_row(d) for d in self.withheld]
        if self.dropped:
            record["dropped"] = [[d.file, *_row(d.ids)] for d in self.dropped]
        if self.released:
            record["released"] = [_deleted_row(d) for d in self.released]
        if self.away:
            record["away"] = [[c.file, c.path] for c in self.away]
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Ledger:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            record = json.loads(data)
            return cls(
                [Inserted(FileId(file), _range(ids)) for file, *ids in record["inserted"]],
                [_deleted(row) for row in record["deleted"]],
                [Created(FileId(file), path) for file, path in record["created"]],
                [Renamed(FileId(file), before, after) for file, before, after in record["renamed"]],
                [Removed(FileId(file), path, text) for file, path, text in record["removed"]],
                [Copy(FileId(file), _range(ids), tuple(map(_range, of))) for file, ids, of in record["copies"]],
                [Inserted(FileId(file), _range(ids)) for file, *ids in record["buried"]],
                [_deleted(row) for row in record.get("withheld", ())],
                [Inserted(FileId(file), _range(ids)) for file, *ids in record.get("dropped", ())],
                [_deleted(row) for row in record.get("released", ())],
                [Created(FileId(file), path) for file, path in record.get("away", ())],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StoreCorrupt(f"A stored ledger cannot be read: {error!r}.") from error


def _deleted_row(item: Deleted) -> list[object]:
    return [item.file, item.text, [*map(_row, item.ids)], [*map(_row, item.kept)]]


def _deleted(row: Sequence[Any]) -> Deleted:
    file, text, ids, kept = row
    return Deleted(FileId(file), text, tuple(map(_range, ids)), tuple(map(_range, kept)))


def _row(ids: IdRange) -> list[int]:
    return [ids.client, ids.clock, ids.length]


def _range(row: Sequence[int]) -> IdRange:
    client, clock, length = (int(value) for value in row)
    return IdRange(ClientId(client), clock, length)
