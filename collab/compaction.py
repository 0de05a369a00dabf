"""Compaction: when a room's log is replaced by a checkpoint, and the proof that nothing is lost by it."""

from __future__ import annotations

from dataclasses import dataclass

from collab.attribution_codec import encode
from collab.authorship import credited
from collab.errors import CompactionRefused, MalformedMessage, StoreCorrupt
from collab.limits import MIB
from collab.ports import Checkpoint, StoredRoom
from collab.replay import Replay


@dataclass(frozen=True, slots=True)
class CompactionPolicy:
    """When a log is worth replacing. Sizes in bytes of stored updates."""

    entries: int = 2_000
    """More entries than this in a log, and a load takes noticeably long."""
    log_bytes: int = 1 * MIB
    """Up to this size a log stays, if it has few entries."""
    log_factor: int = 4
    """A log may be this many times as large as its checkpoint: a large room is not rewritten often."""
    unload_entries: int = 200
    """More entries than this are replaced when the room is unloaded, so that its next load is quick."""

    def due(self, entries: int, log_bytes: int, checkpoint_bytes: int, *, unloading: bool = False) -> bool:
        """Whether a room with this log and checkpoint should be compacted now."""
        if unloading and entries > self.unload_entries:
            return True
        return entries > self.entries or log_bytes > max(self.log_bytes, self.log_factor * checkpoint_bytes)


def build_checkpoint(stored: StoredRoom) -> Checkpoint:
    """The checkpoint that may replace all of ``stored``, proved equal to it.

    Its state is what all updates give that are complete; its ``pending`` are all others, raw. It takes time
    in proportion to the log (about 40 us per entry) and must not run in an event loop for a large one.

    Raises CompactionRefused when an update or the table of who wrote what cannot be decoded, or when the
    checkpoint, loaded into an empty document, does not give the same; the log must then stay as it is.
    """
    start = [stored.checkpoint.state] if stored.checkpoint else []
    raw = list(stored.checkpoint.pending) if stored.checkpoint else []
    raw += [entry.update for entry in stored.entries]
    try:
        complete, waiting = _part(start, raw)
        before = stored.checkpoint.attribution if stored.checkpoint else b""
        attribution = encode(credited(before, stored.entries))
        checkpoint = Checkpoint(stored.last_seq, complete.state(), waiting, attribution)
        _prove(complete, raw, checkpoint)
    except (MalformedMessage, StoreCorrupt) as error:
        raise CompactionRefused(f"The log was not compacted: {error.message} The log stays.") from error
    except RecursionError as error:
        raise CompactionRefused("The log was not compacted: the document is nested too deeply.") from error
    return checkpoint


def _part(start: list[bytes], raw: list[bytes]) -> tuple[Replay, tuple[bytes, ...]]:
    """A document of all that is complete, and the updates of ``raw`` that are not part of it."""
    waiting: set[bytes] = set()
    while True:
        complete = Replay()
        for state in start:
            complete.take(state)
        more = complete.apply_all([update for update in raw if update not in waiting])
        if not more:
            return complete, tuple(dict.fromkeys(update for update in raw if update in waiting))
        # Of an update that waits, a part may be in already. It is kept raw as a whole, so the state is made
        # once more without it: then nothing in it depends on how pycrdt treats what it cannot place yet.
        waiting.update(more)


def _prove(complete: Replay, raw: list[bytes], checkpoint: Checkpoint) -> None:
    """Raises CompactionRefused unless the checkpoint holds every update, in its state or as pending."""
    copy = Replay()
    copy.take(checkpoint.state)
    kept = set(checkpoint.pending)
    checks = {
        "state vectors": copy.state_vector() == complete.state_vector(),
        "deletions": copy.deleted() == complete.deleted(),
        "contents": copy.content() == complete.content(),
        "updates": not copy.waiting([update for update in raw if update not in kept]),
    }
    differing = [what for what, equal in checks.items() if not equal]
    if differing:
        raise CompactionRefused(
            f"The log was not compacted: a checkpoint of entry {checkpoint.seq} would differ in its "
            f"{' and '.join(differing)}. The log stays."
        )
