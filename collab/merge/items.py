"""The order of a text's items, the deleted ones included.

pycrdt tells no ids and hides deleted items. To put deleted text back exactly where it stood, whatever people
typed around it, one must know where its tombstones stand in the list of items; and to tell who wrote what, which
id stands where. So a document's structs are read and integrated here by Yjs' rule (YATA). The index of a document
is built when it is asked for first, and brought up to date by what has changed since.

Source: Yjs' ``Item.integrate``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.merge.structs import HAS_ORIGIN, HAS_RIGHT, NOBODY, STRING, DeleteSet, ItemId, Run, head, read_structs
from collab.wire import IdRange, delete_set_update, encode_state_vector, write_bytes, write_uint

if TYPE_CHECKING:
    from collab.document import Document

__all__ = ["ItemId", "ItemIndex", "Placed", "Run", "State", "placed_update"]


class State:
    """A document's items, as they are now."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def runs(self, file: FileId) -> list[Run]:
        """The items of a file's text in their order, until the document's next change. Raises NotFound."""
        return self._document.runs(file)


class _Row:
    """One client's runs by clock, without a gap from 0 on."""

    __slots__ = ("end", "runs", "starts")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.starts: list[int] = []
        self.end = 0

    def ending(self, clock: int) -> Run:
        """The run that ends with ``clock``, which is less than ``end``; cuts it there if need be."""
        if clock == self.end - 1:
            return self.runs[-1]
        index = bisect_right(self.starts, clock) - 1
        run = self.runs[index]
        if clock != run.clock + run.length - 1:
            self.cut(index, clock + 1)
        return run

    def starting(self, clock: int) -> Run:
        """The run that starts with ``clock``, which is less than ``end``; cuts it there if need be."""
        index = bisect_right(self.starts, clock) - 1
        run = self.runs[index]
        return run if run.clock == clock else self.cut(index, clock)

    def cut(self, index: int, clock: int) -> Run:
        """Cuts the run at ``index`` before ``clock``; the rest has the next index."""
        rest = self.runs[index].cut(clock)
        self.runs.insert(index + 1, rest)
        self.starts.insert(index + 1, clock)
        return rest


class ItemIndex:
    """All runs of one document, each text's in their order."""

    __slots__ = ("_deleted", "_heads", "_rows")

    def __init__(self) -> None:
        self._rows: dict[ClientId, _Row] = {}
        self._heads: dict[ItemId, Run] = {}
        """Before the first run of each list."""
        self._deleted = DeleteSet()

    def __len__(self) -> int:
        """How many runs it holds."""
        return sum(len(row.runs) for row in self._rows.values())

    def state_vector(self) -> bytes:
        """What it knows."""
        return encode_state_vector({client: row.end for client, row in self._rows.items()})

    def runs(self, parent: ItemId) -> list[Run]:
        """The runs of one type's list in their order. They change with the next update."""
        found = []
        run = self._heads[parent].next if parent in self._heads else None
        while run is not None:
            found.append(run)
            run = run.next
        return found

    def integrate(self, update: bytes) -> None:
        """Takes in what a document has more than ``state_vector``.

        Raises MalformedMessage; the index is of no use then.
        """
        structs, at = read_structs(update)
        ahead = {client: _Ahead(self._row(client), runs) for client, runs in structs.items()}
        for first in ahead.values():
            stack = [first]
            while stack:
                waits_for = self._advance(stack[-1], ahead)
                if waits_for is None:
                    stack.pop()
                else:
                    stack.append(waits_for)
        for ids in self._deleted.changed(update, at):
            self._delete(ids)

    def _row(self, client: ClientId) -> _Row:
        row = self._rows.get(client)
        if row is None:
            row = self._rows[client] = _Row()
        return row

    def _advance(self, ahead: _Ahead, others: dict[ClientId, _Ahead]) -> _Ahead | None:
        """Integrates runs of one client, until one needs another client's, which is returned, or none is left."""
        rows, row, runs = self._rows, ahead.row, ahead.runs
        heads = self._heads
        while ahead.at < len(runs):
            run = runs[ahead.at]
            client, clock = run.client, run.clock
            if clock != row.end:
                raise MalformedMessage(f"The structs of client {client} have a gap before clock {clock}.")
            before = behind = None
            if run.origin_client != NOBODY:
                origin = rows.get(run.origin_client)
                if origin is None or run.origin_clock >= origin.end:
                    return _needed(run.origin_client, run.origin_clock, others)
            if run.right_client != NOBODY:
                right = rows.get(run.right_client)
                if right is None or run.right_clock >= right.end:
                    return _needed(run.right_client, run.right_clock, others)
                behind = right.starting(run.right_clock)
            if run.origin_client != NOBODY:
                before = rows[run.origin_client].ending(run.origin_clock)
            if before is not None:
                run.parent = before.parent
            elif behind is not None:
                run.parent = behind.parent
            if run.parent is not None:
                if before is None:
                    before = heads.get(run.parent)
                    if before is None:
                        before = heads[run.parent] = head()
                if before.next is not behind:
                    before = self._place(run, before, behind)
                run.next = before.next
                before.next = run
            row.runs.append(run)
            row.starts.append(clock)
            row.end = clock + run.length
            ahead.at += 1
        return None

    def _place(self, run: Run, left: Run, right: Run | None) -> Run:
        """The run after which ``run`` belongs: Yjs' conflict resolution among concurrent neighbours."""
        first = self._heads[run.parent] if run.parent is not None else left
        conflicting: set[Run] = set()
        passed: set[Run] = set()
        other = left.next
        while other is not None and other is not right:
            passed.add(other)
            conflicting.add(other)
            if other.origin_client == run.origin_client and other.origin_clock == run.origin_clock:
                if other.client < run.client:
                    left = other
                    conflicting.clear()
                elif other.right_client == run.right_client and other.right_clock == run.right_clock:
                    break
            else:
                source = first
                if other.origin_client != NOBODY:
                    source = self._rows[other.origin_client].ending(other.origin_clock)
                if source not in passed:
                    break
                if source not in conflicting:
                    left = other
                    conflicting.clear()
            other = other.next
        return left

    def _delete(self, ids: IdRange) -> None:
        row = self._rows.get(ids.client)
        if row is None:
            return
        end = ids.clock + ids.length
        index = max(bisect_right(row.starts, ids.clock) - 1, 0)
        while index < len(row.runs) and (run := row.runs[index]).clock < end:
            if run.alive and run.clock + run.length > ids.clock:
                if run.clock < ids.clock:
                    row.cut(index, ids.clock)
                    index += 1
                    run = row.runs[index]
                if run.clock + run.length > end:
                    row.cut(index, end)
                run.delete()
            index += 1


class _Ahead:
    """Runs of one client that are to be integrated, from ``at`` on."""

    __slots__ = ("at", "row", "runs")

    def __init__(self, row: _Row, runs: list[Run]) -> None:
        self.row = row
        self.runs = runs
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at == len(self.runs)


def _needed(client: ClientId, clock: int, ahead: dict[ClientId, _Ahead]) -> _Ahead:
    needed = ahead.get(client)
    if needed is None or needed.done:
        raise MalformedMessage(f"The item {client}:{clock} is missing.")
    return needed


# Writing


@dataclass(frozen=True, slots=True)
class Placed:
    """Text to be put exactly between two neighbours of a text's list."""

    left: ItemId
    right: ItemId | None
    text: str


def placed_update(client: ClientId, clock: int, texts: list[Placed], deleted: list[IdRange]) -> bytes:
    """An update under ``client`` from ``clock`` that inserts ``texts`` in turn and deletes some ids.

    An item that names its present neighbours on both sides is integrated between them without any choice;
    pycrdt's own insert would jump over the deleted items there.
    """
    if not texts:
        return delete_set_update(deleted)
    out = [b"\x01", write_uint(len(texts)), write_uint(client), write_uint(clock)]
    for text in texts:
        out.append(bytes((STRING | HAS_ORIGIN | (HAS_RIGHT if text.right else 0),)))
        out.append(write_uint(text.left[0]) + write_uint(text.left[1]))
        if text.right:
            out.append(write_uint(text.right[0]) + write_uint(text.right[1]))
        out.append(write_bytes(text.text.encode()))
    return b"".join(out) + delete_set_update(deleted)[1:]
