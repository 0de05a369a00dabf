"""When a log is due for compaction, without asking the store."""

from __future__ import annotations

from collab.compaction import CompactionPolicy
from collab.logsize import LogSize
from collab.origin import RestoreOrigin
from collab.ports import Checkpoint, LogEntry, StoredRoom

POLICY = CompactionPolicy(entries=10, log_bytes=1000, log_factor=4, unload_entries=5)


def entry(seq: int, size: int = 10) -> LogEntry:
    return LogEntry(seq, 0, RestoreOrigin(), b"x" * size)


def filled(count: int, size: int = 10) -> LogSize:
    log = LogSize()
    for seq in range(1, count + 1):
        log.added(entry(seq, size))
    return log


def test_many_entries_make_a_log_due() -> None:
    assert not filled(10).due(POLICY)
    assert filled(11).due(POLICY)


def test_many_bytes_make_a_log_due() -> None:
    assert not filled(2, 500).due(POLICY)
    assert filled(2, 501).due(POLICY)


def test_a_room_that_is_unloaded_is_compacted_earlier() -> None:
    assert not filled(5).due(POLICY, unloading=True)
    assert filled(6).due(POLICY, unloading=True)


def test_what_was_loaded_counts() -> None:
    log = LogSize()
    log.loaded(StoredRoom(Checkpoint(5, b"state"), tuple(entry(seq) for seq in range(6, 17))))
    assert log.due(POLICY)


def test_a_large_checkpoint_allows_a_longer_log() -> None:
    log = LogSize()
    log.loaded(StoredRoom(Checkpoint(1, b"x" * 1000), (entry(2, 3000),)))
    assert not log.due(POLICY)


def test_a_checkpoint_leaves_only_what_came_after_it() -> None:
    log = filled(20, 100)
    log.compacted(Checkpoint(18, b"state"))
    assert not log.due(POLICY)
    assert not log.due(POLICY, unloading=True)
    for seq in range(21, 30):
        log.added(entry(seq))
    assert log.due(POLICY)


def test_compaction_that_was_refused_is_not_tried_again_at_once() -> None:
    log = filled(11)
    log.refused()
    assert not log.due(POLICY)
    for seq in range(12, 1012):
        log.added(entry(seq))
    assert log.due(POLICY)
