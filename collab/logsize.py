"""How long a room's log has become since its last checkpoint."""

from __future__ import annotations

from collab.compaction import CompactionPolicy
from collab.ports import Checkpoint, LogEntry, StoredRoom


class LogSize:
    """Counts entries and bytes, so that compaction is due without asking the store."""

    __slots__ = ("_bytes", "_checkpoint_bytes", "_entries", "_not_before", "_seq")

    def __init__(self) -> None:
        self._entries = 0
        self._bytes = 0
        self._checkpoint_bytes = 0
        self._not_before = 0
        self._seq = 0

    def loaded(self, stored: StoredRoom) -> None:
        """What the store has."""
        self._entries = len(stored.entries)
        self._bytes = sum(len(entry.update) for entry in stored.entries)
        self._checkpoint_bytes = len(stored.checkpoint.state) if stored.checkpoint else 0
        self._seq = stored.last_seq

    def added(self, entry: LogEntry) -> None:
        """One more entry."""
        self._entries += 1
        self._bytes += len(entry.update)
        self._seq = max(self._seq + 1, entry.seq)

    def compacted(self, checkpoint: Checkpoint) -> None:
        """A checkpoint has replaced the entries up to its own."""
        self.replaced(checkpoint.seq, self._seq, len(checkpoint.state))

    def replaced(self, seq: int, last: int, size: int) -> None:
        """A checkpoint of ``size`` bytes has replaced the entries up to ``seq``; ``last`` is the newest one."""
        left = max(0, last - seq)
        share = left / self._entries if self._entries else 0
        self._entries = left
        self._seq = max(last, seq)
        self._bytes = int(self._bytes * min(1, share))
        self._checkpoint_bytes = size
        self._not_before = 0

    def refused(self) -> None:
        """Compaction did not work: not again before the log is half as long again."""
        self._not_before = self._entries + max(1000, self._entries // 2)

    def due(self, policy: CompactionPolicy, *, unloading: bool = False) -> bool:
        """Whether the log should be replaced by a checkpoint now."""
        if self._entries < self._not_before:
            return False
        return policy.due(self._entries, self._bytes, self._checkpoint_bytes, unloading=unloading)
