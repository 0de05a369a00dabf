"""Group commit: which entries go to the store together, and when.

A state machine. Events come in as method calls with the time, effects come out; nothing here waits, writes
or looks at a clock. ``collab.io.writer`` drives it with a store.

    IDLE        nothing to store
    WAITING     entries wait for the time that the last Wake named
    COMMITTING  a batch is on its way to the store

A commit starts in the turn after the first entry, so that all entries of one turn share it. What comes while
it runs goes in the next one, and two commits start at least ``interval`` seconds apart: a quiet server
answers at once, a busy one syncs a bounded number of times per second however many edits there are. Entries
that others wait for, since storing them is what brings them to other nodes, are urgent: they do not wait for
the interval, and the rest does not go with them.

After a failure the same batch is tried again, and everything behind it stays in order. Entries that were
part of an attempt are never changed, since the store may hold them although it reported a failure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain
from typing import Final, Protocol

from collab.errors import StoreError
from collab.ids import RoomId
from collab.limits import MIB
from collab.ports import LogEntry

Batch = tuple[tuple[RoomId, LogEntry], ...]


class Chance(Protocol):
    """The part of ``random.Random`` that spreads retries."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...


@dataclass(frozen=True, slots=True)
class StartCommit:
    """Append this batch to the store, then report ``committed`` or ``failed``."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Durable:
    """These rooms are stored up to and including these entries."""

    rooms: dict[RoomId, int]


@dataclass(frozen=True, slots=True)
class NotSaved:
    """Storing has begun to fail. Sent once, until SavedAgain."""

    reason: StoreError


@dataclass(frozen=True, slots=True)
class SavedAgain:
    """Storing works again; what waits follows."""


@dataclass(frozen=True, slots=True)
class Wake:
    """Call ``tick`` at this time (seconds of the clock that is passed in), or as soon as it has passed."""

    at: float


Effect = StartCommit | Durable | NotSaved | SavedAgain | Wake


class State(Enum):
    """What the journal is doing."""

    IDLE = "idle"
    WAITING = "waiting"
    COMMITTING = "committing"


@dataclass(slots=True)
class _Backlog:
    """What one room has that is not durable: its last number and its bytes."""

    last_seq: int
    size: int


_FIRST_RETRY: Final = 0.25
_LAST_RETRY: Final = 1.5


class Journal:
    """Decides what is written together. Sizes in bytes, times in seconds.

    ``interval`` lies at least between the starts of two commits; ``batch_bytes`` bounds the updates of one
    commit, unless a single entry is larger.
    """

    def __init__(self, random: Chance, *, interval: float = 0.02, batch_bytes: int = 4 * MIB) -> None:
        self._random: Final = random
        self._interval: Final = interval
        self._batch_bytes: Final = batch_bytes
        self._state = State.IDLE
        self._queued: deque[tuple[RoomId, LogEntry]] = deque()
        self._tried: Batch = ()
        self._rooms: dict[RoomId, _Backlog] = {}
        self._size = 0
        self._next_start = float("-inf")
        self._failures = 0
        self._urgent: set[RoomId] = set()

    @property
    def state(self) -> State:
        """What the journal is doing."""
        return self._state

    @property
    def failing(self) -> bool:
        """Whether the last commit failed."""
        return self._failures > 0

    @property
    def backlog_bytes(self) -> int:
        """The bytes of all updates that are not known to be durable."""
        return self._size

    def backlog_of(self, room: RoomId) -> int:
        """The bytes of one room's updates that are not known to be durable."""
        backlog = self._rooms.get(room)
        return backlog.size if backlog else 0

    def unsaved(self) -> dict[RoomId, int]:
        """The rooms with entries that are not known to be durable, with the number of the last one."""
        return {room: backlog.last_seq for room, backlog in self._rooms.items()}

    def add(self, room: RoomId, entry: LogEntry, *, urgent: bool = False) -> tuple[Effect, ...]:
        """Takes an entry of a room. It must follow the room's entry before it; ValueError if it does not."""
        size = len(entry.update)
        backlog = self._rooms.get(room)
        if backlog is None:
            self._rooms[room] = _Backlog(entry.seq, size)
        else:
            if entry.seq != backlog.last_seq + 1:
                raise ValueError(f"entry {entry.seq} of room {room!r} does not follow {backlog.last_seq}")
            backlog.last_seq = entry.seq
            backlog.size += size
        self._size += size
        self._queued.append((room, entry))
        hurried = urgent and not self._urgent
        if urgent:
            self._urgent.add(room)
        if self._state is State.IDLE:
            self._state = State.WAITING
            return (Wake(self._due),)
        if hurried and self._state is State.WAITING:
            return (Wake(self._due),)
        return ()

    @property
    def _due(self) -> float:
        # A store that fails is not asked more often because somebody is in a hurry.
        return float("-inf") if self._urgent and not self._failures else self._next_start

    def tick(self, now: float) -> tuple[Effect, ...]:
        """Starts a commit if one is due. Harmless at any time."""
        if self._state is not State.WAITING:
            return ()
        if now < self._due:
            return (Wake(self._due),)
        early = now < self._next_start
        if not self._tried:
            self._tried = self._take_urgent() if early else self._take()
        if not self._tried and self._queued:
            return (Wake(self._due),)
        if not self._tried:
            self._state = State.IDLE
            return ()
        self._state = State.COMMITTING
        if not early:
            self._next_start = now + self._interval
        return (StartCommit(self._tried),)

    def hurry(self) -> tuple[Effect, ...]:
        """Gives up waiting for the interval or the next retry, as somebody waits for the entries."""
        if self._state is not State.WAITING:
            return ()
        self._next_start = float("-inf")
        return (Wake(self._next_start),)

    def committed(self) -> tuple[Effect, ...]:
        """The store has the batch of the last StartCommit."""
        self._expect_commit()
        effects: list[Effect] = []
        durable: dict[RoomId, int] = {}
        for room, entry in self._tried:
            durable[room] = entry.seq
            backlog = self._rooms[room]
            backlog.size -= len(entry.update)
            self._size -= len(entry.update)
            if backlog.last_seq == entry.seq:
                del self._rooms[room]
        self._tried = ()
        if self._failures:
            self._failures = 0
            effects.append(SavedAgain())
        if durable:
            effects.append(Durable(durable))
        effects += self._go_on()
        return tuple(effects)

    def failed(self, error: StoreError, now: float) -> tuple[Effect, ...]:
        """The store refused the batch of the last StartCommit, or nobody knows whether it took it."""
        self._expect_commit()
        longest = min(_LAST_RETRY, _FIRST_RETRY * 2.0 ** min(self._failures, 10))
        self._next_start = now + _FIRST_RETRY + self._random.random() * (longest - _FIRST_RETRY)
        self._failures += 1
        said: tuple[Effect, ...] = (NotSaved(error),) if self._failures == 1 else ()
        return said + self._go_on()

    def replace(self, room: RoomId, entries: Sequence[LogEntry]) -> int:
        """Puts ``entries``, which must say all that the room's waiting ones say, in their place.

        This bounds memory while the store fails for long: a room's thousand small updates become one that
        covers them. Stored numbers must stay without gaps, and entries that were part of an attempt may be
        stored already under their numbers. So only entries that never left are replaced, and the new ones are
        numbered on from the first of those; their own ``seq`` is ignored. To cover more than is replaced does
        no harm, since applying an update twice changes nothing.

        Returns the room's new last number, from which its next entry must count on. It is not above the old
        one as long as the new entries are no more than the replaced. Numbers given out above it are void:
        whoever waited for one of them now waits for the returned one. ValueError if nothing waits.
        """
        backlog = self._rooms.get(room)
        if backlog is None:
            raise ValueError(f"nothing of room {room!r} waits to be stored")
        waiting = [entry for other, entry in self._queued if other == room]
        if not waiting:
            return backlog.last_seq
        first = waiting[0].seq
        renumbered = [replace(entry, seq=first + index) for index, entry in enumerate(entries)]
        if not renumbered:
            raise ValueError(f"the waiting entries of room {room!r} cannot be replaced by none")
        kept = deque((other, entry) for other, entry in self._queued if other != room)
        kept.extend((room, entry) for entry in renumbered)
        self._queued = kept
        change = sum(len(entry.update) for entry in renumbered) - sum(len(entry.update) for entry in waiting)
        self._size += change
        backlog.size += change
        backlog.last_seq = renumbered[-1].seq
        return backlog.last_seq

    def forget(self, room: RoomId) -> None:
        """Drops what waits of a room that is being deleted.

        A batch that is on its way may still hold entries of it: delete the room from the store afterwards.
        """
        backlog = self._rooms.pop(room, None)
        if backlog is None:
            return
        self._size -= backlog.size
        self._urgent.discard(room)
        self._queued = deque(item for item in self._queued if item[0] != room)
        self._tried = tuple(item for item in self._tried if item[0] != room)

    def waiting_of(self, room: RoomId) -> list[LogEntry]:
        """A room's entries that were not part of any attempt, which ``replace`` would replace."""
        return [entry for other, entry in self._queued if other == room]

    def waiting(self) -> list[tuple[RoomId, LogEntry]]:
        """All that is not known to be durable, in the order in which it will be stored."""
        return list(chain(self._tried, self._queued))

    def _expect_commit(self) -> None:
        if self._state is not State.COMMITTING:
            raise RuntimeError(f"no commit is running: the journal is {self._state.value}")

    def _go_on(self) -> tuple[Effect, ...]:
        if not self._tried and not self._queued:
            self._state = State.IDLE
            return ()
        self._state = State.WAITING
        return (Wake(self._due),)

    def _take_urgent(self) -> Batch:
        urgent, self._urgent = self._urgent, set()
        if len(urgent) == len(self._rooms):
            return self._take()
        taken: list[tuple[RoomId, LogEntry]] = []
        left: deque[tuple[RoomId, LogEntry]] = deque()
        size = 0
        for room, entry in self._queued:
            if room in urgent and size <= self._batch_bytes:
                size += len(entry.update)
                taken.append((room, entry))
            else:
                left.append((room, entry))
                if room in urgent:
                    # Nothing of the room may overtake this.
                    urgent.discard(room)
                    self._urgent.add(room)
        self._queued = left
        return tuple(taken)

    def _take(self) -> Batch:
        queued = self._queued
        if self._size <= self._batch_bytes:
            self._urgent.clear()
            batch = tuple(queued)
            queued.clear()
            return batch
        taken: list[tuple[RoomId, LogEntry]] = []
        size = 0
        while queued:
            size += len(queued[0][1].update)
            if taken and size > self._batch_bytes:
                break
            taken.append(queued.popleft())
        return tuple(taken)
