"""Where the writer appends when several nodes share a store: it commits against each room's replica."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from collab.errors import StoreBehind
from collab.ids import RoomId
from collab.ports import Clock, LogEntry
from collab.replica import Replica
from collab.shared import Commit, CommitState, Committed, Mark, SharedStore

ATTEMPTS: Final = 3
"""How often a room's entries are committed in one append, when its log has lost something in between."""

logger = logging.getLogger(__name__)


class SharedLog:
    """Implements ``collab.io.writer.Appender`` on a SharedStore."""

    def __init__(
        self,
        store: SharedStore,
        clock: Clock,
        replica: Callable[[RoomId], Replica | None],
        resync: Callable[[RoomId], Awaitable[None]],
        on_committed: Callable[[RoomId, Committed], None],
        on_deleted: Callable[[RoomId], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._replica = replica
        self._resync = resync
        self._on_committed = on_committed
        self._on_deleted = on_deleted

    async def append(self, entries: Sequence[tuple[RoomId, LogEntry]]) -> None:
        """Commits each room's entries; brings back what the store has lost. Raises StoreError."""
        rooms: dict[RoomId, list[LogEntry]] = {}
        for room, entry in entries:
            rooms.setdefault(room, []).append(entry)
        for attempt in range(ATTEMPTS):
            commits = [Commit(room, self._mark(room), tuple(added)) for room, added in rooms.items()]
            done = await self._store.commit(commits)
            behind = []
            for commit, result in zip(commits, done, strict=True):
                if result.state is CommitState.BEHIND:
                    behind.append(commit.room)
                    continue
                del rooms[commit.room]
                if result.state is CommitState.DELETED:
                    self._on_deleted(commit.room)
                else:
                    replica = self._replica(commit.room)
                    if replica is not None and result.count:
                        replica.committed(result, self._clock.monotonic())
                    self._on_committed(commit.room, result)
            if not behind:
                return
            logger.warning("the store has lost entries; they are being brought back", extra={"rooms": len(behind)})
            if attempt < ATTEMPTS - 1:
                for room in behind:
                    await self._resync(room)
        raise StoreBehind(f"The store lacks entries of {len(rooms)} rooms that it had; they are tried again.")

    def _mark(self, room: RoomId) -> Mark:
        replica = self._replica(room)
        return replica.mark if replica is not None else Mark()
