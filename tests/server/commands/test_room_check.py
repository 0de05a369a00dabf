from __future__ import annotations

import pytest

from collab.memory import MemoryStore
from collab.ports import Checkpoint, LogEntry, StoredRoom
from server.commands.findings import Finding, Level
from server.commands.room_check import RECORD_KINDS, RoomFacts, about_room
from tests.server.commands.stored_rooms import ANNA, ROOM, edits, entries, fill, waiting_update


def found(stored: StoredRoom | None, records: dict[str, dict[str, bytes]] | None = None) -> list[Finding]:
    return list(about_room(RoomFacts(ROOM, stored, records or {})))


def wrong(stored: StoredRoom, records: dict[str, dict[str, bytes]] | None = None) -> str:
    """The one thing that is wrong."""
    [finding] = found(stored, records)
    assert finding.level is Level.WRONG
    assert finding.about == "room team/project"
    assert finding.remedy
    return finding.message


async def test_a_sound_room_is_told_with_what_it_has() -> None:
    store = MemoryStore()
    await fill(store)
    records = {kind: await store.records(ROOM, kind) for kind in RECORD_KINDS}
    well, note = found(await store.load(ROOM), records)
    assert well.level is Level.OK
    assert well.message.startswith("a checkpoint of entry 21 and 10 entries, 2 records")
    assert note.level is Level.NOTE
    assert note.message.startswith("1 update waits")


def test_a_room_with_nothing_is_sound() -> None:
    assert [finding.level for finding in found(StoredRoom(None, ()))] == [Level.OK]


def test_a_gap_in_the_log_is_told() -> None:
    first, _, third = entries(edits(3))
    message = found(StoredRoom(None, (first, third)))[0].message
    assert message == "After entry 1 of its log comes entry 3."


def test_a_log_that_does_not_follow_its_checkpoint_is_told() -> None:
    checkpoint = Checkpoint(1, edits(1)[0])
    assert "After entry 1 of its log comes entry 3" in wrong(StoredRoom(checkpoint, tuple(entries(edits(1), 3))))


@pytest.mark.parametrize("state", [b"", b"\xff\xff garbage"])
def test_a_checkpoint_that_cannot_be_decoded_is_told(state: bytes) -> None:
    assert "Its checkpoint of entry 5 cannot be used" in wrong(StoredRoom(Checkpoint(5, state), ()))


def test_a_waiting_update_that_cannot_be_decoded_is_told() -> None:
    checkpoint = Checkpoint(5, edits(1)[0], (b"\xff garbage",))
    assert "Its checkpoint of entry 5 cannot be used" in wrong(StoredRoom(checkpoint, ()))


def test_an_entry_that_cannot_be_decoded_is_named() -> None:
    first, second = edits(2)
    log = (*entries([first, second]), LogEntry(3, 0, ANNA, b"\xff garbage"))
    assert "Entry 3 of its log cannot be used" in wrong(StoredRoom(None, log))


def test_an_update_that_waits_is_no_fault() -> None:
    assert [one.level for one in found(StoredRoom(None, tuple(entries([waiting_update()]))))] == [
        Level.OK,
        Level.NOTE,
    ]


@pytest.mark.parametrize(
    ("kind", "key"), [("job", "j1"), ("suggestion", "s1"), ("ledger", "j1"), ("owners", "all")]
)
def test_a_record_that_cannot_be_read_is_named(kind: str, key: str) -> None:
    assert "A record cannot be read" in wrong(StoredRoom(None, ()), {kind: {key: b"{"}})


def test_what_the_store_could_not_read_is_told() -> None:
    [finding] = about_room(RoomFacts(ROOM, None, {}, ["Room is damaged."]))
    assert (finding.level, finding.message) == (Level.WRONG, "Room is damaged.")
