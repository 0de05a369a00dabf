"""The shared store of a simulated cluster, which tells what is stored in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collab.ids import RoomId
from collab.ports import LogEntry
from collab.shared import Commit, Committed, Mark, SharedEntry
from collab.shared_memory import SharedMemory, SharedMemoryStore
from collab.shared_memory_room import MemoryRoom
from generation.book import JOB
from tests.simulation.virtual_loop import VirtualLoop


class WorldClock:
    """The store's own clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time()

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + int(self._loop.time() * 1000)


class RecordedStore(SharedMemoryStore):
    """A process's store, whose commits are looked at."""

    on_committed: Callable[[LogEntry], None] = staticmethod(lambda entry: None)
    meet: Callable[[str], None] = staticmethod(lambda what: None)

    async def restore(
        self, room: RoomId, seen: Mark, updates: Sequence[LogEntry], through: int, *, rename: bool
    ) -> Committed:
        if updates:
            self.meet("brought back")
        return await super().restore(room, seen, updates, through, rename=rename)

    def _commit(self, given: Commit) -> Committed:
        answer = super()._commit(given)
        if answer.refused:
            self.meet("fenced off")
        stored = set(answer.numbers) if answer.count else set()
        for entry in given.entries:
            if entry.seq in stored:
                self.on_committed(entry)
        return answer


class Recorded(SharedMemory):
    """The shared store, whose every new entry is looked at."""

    on_stored: Callable[[SharedEntry], None] = staticmethod(lambda entry: None)
    on_committed: Callable[[LogEntry], None] = staticmethod(lambda entry: None)
    on_recorded: Callable[[set[str]], None] = staticmethod(lambda jobs: None)
    meet: Callable[[str], None] = staticmethod(lambda what: None)

    def store(self, writer: str) -> SharedMemoryStore:
        store = RecordedStore(self, writer)
        store.on_committed = self.on_committed
        store.meet = self.meet
        return store

    def put(self, name: RoomId, room: MemoryRoom) -> None:
        before = self.room(name)
        super().put(name, room)
        if room.records is not before.records:
            self.on_recorded({key for kind, key in room.records if kind == JOB})
        if room.entries is not before.entries and room.checkpoint is before.checkpoint:
            for entry in room.entries[len(before.entries) :]:
                self.on_stored(entry)
