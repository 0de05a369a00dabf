"""Reading rooms in Redis, and compacting them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest

from collab.errors import StoreCorrupt, StoreError, StoreFenced, StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.io import redis_checkpoints, redis_log
from collab.io.redis_checkpoints import RedisCheckpoints
from collab.io.redis_store import RedisStore
from collab.ports import Checkpoint
from collab.shared import CommitState, Mark, Stamp
from tests.collab.io.redis_rooms import KEY, ROOM, command, commit, keys
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration


# Reading


async def test_a_reader_in_many_steps_sees_one_moment(
    store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_checkpoints, "PIECE_BYTES", 50)
    monkeypatch.setattr(redis_checkpoints, "READ_BYTES", 100)
    monkeypatch.setattr(redis_log, "READ_BYTES", 100)
    monkeypatch.setattr(redis_checkpoints, "ATTEMPTS", 1000)
    await commit(store, *range(1, 101))
    compacted = 0

    async def compact() -> None:
        nonlocal compacted
        for seq in range(100, 130):
            await commit(store, seq + 1)
            await store.compact(ROOM, Checkpoint(seq - 80, str(seq - 80).encode() * 100))
            compacted += 1

    async with asyncio.TaskGroup() as group:
        compacting = group.create_task(compact())
        seen = set()
        while not compacting.done():
            snapshot = await other.snapshot(ROOM)
            checkpoint = snapshot.stored.checkpoint
            start = checkpoint.seq if checkpoint else 0
            seen.add(start)
            if checkpoint is not None:
                assert checkpoint.state == str(start).encode() * 100
            last = snapshot.mark.position
            assert [one.seq for one in snapshot.stored.entries] == list(range(start + 1, last + 1))
            assert snapshot.mark.stamp == Stamp("a", last)
    assert compacted == 30
    assert len(seen) > 1


async def test_a_tail_that_is_compacted_while_it_is_read_cannot_be_told(
    store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_log, "TAIL_BYTES", 100)
    log = (await commit(store, *range(1, 101))).log
    rest = redis_log.RedisLog.rest

    async def compacted(self: redis_log.RedisLog, *args: Any) -> Any:
        await store.compact(ROOM, Checkpoint(100, b"state"))
        return await rest(self, *args)

    monkeypatch.setattr(redis_log.RedisLog, "rest", compacted)
    (tail,) = await other.tails([(ROOM, Mark(log))])
    assert (tail.same, tail.entries, tail.last) == (None, (), 100)


async def test_a_checkpoint_of_many_pieces_comes_back(store: RedisStore) -> None:
    state = bytes(range(256)) * 8000
    await commit(store, 1)
    await store.compact(ROOM, Checkpoint(1, state, (b"pending",)))
    assert (await store.load(ROOM)).checkpoint == Checkpoint(1, state, (b"pending",))


async def test_a_checkpoint_of_a_version_that_knew_no_authors_is_read(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit(store, 1)
    monkeypatch.setattr(redis_checkpoints, "_packed", lambda one: msgpack.packb((one.state, one.pending)))
    await store.compact(ROOM, Checkpoint(1, b"state", (b"pending",), b"lost"))
    assert (await store.load(ROOM)).checkpoint == Checkpoint(1, b"state", (b"pending",))


async def test_a_checkpoint_that_was_written_half_is_never_read_and_goes_away(
    store: RedisStore, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit(store, 1)
    monkeypatch.setattr(redis_checkpoints, "PIECE_BYTES", 10)
    monkeypatch.setattr(store._rooms.link.client, "hget", broken)
    with pytest.raises(StoreUnavailable):
        await store.compact(ROOM, Checkpoint(1, b"a state of many pieces"))
    (half,) = [key for key in await keys(redis) if b":checkpoint:" in key]
    assert 0 < await command(redis, "TTL", half) <= 600
    stored = await store.load(ROOM)
    assert (stored.checkpoint, len(stored.entries)) == (None, 1)


async def broken(*_: object) -> None:
    raise ConnectionError


@pytest.mark.parametrize("lose", ["piece", "blob"])
async def test_a_checkpoint_that_redis_has_lost_is_corrupt(
    store: RedisStore, redis: RedisProcess, lose: str
) -> None:
    await commit(store, 1, 2)
    await store.compact(ROOM, Checkpoint(1, b"s" * 600_000))
    (blob,) = [key for key in await keys(redis) if b":checkpoint:" in key]
    await command(redis, "HDEL", blob, "1", *([] if lose == "piece" else ["0"]))
    with pytest.raises(StoreCorrupt, match="damaged"):
        await store.load(ROOM)


async def test_a_checkpoint_that_was_changed_is_corrupt(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1)
    await store.compact(ROOM, Checkpoint(1, b"state"))
    (blob,) = [key for key in await keys(redis) if b":checkpoint:" in key]
    packed = await command(redis, "HGET", blob, "0")
    await command(redis, "HSET", blob, "0", packed.replace(b"state", b"stale"))
    with pytest.raises(StoreCorrupt, match="checksum"):
        await store.load(ROOM)


async def test_a_hole_in_the_log_is_corrupt(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1, 2, 3)
    await command(redis, "XDEL", f"{KEY}:log", "2-0")
    with pytest.raises(StoreCorrupt, match="missing"):
        await store.load(ROOM)
    with pytest.raises(StoreCorrupt, match="missing"):
        await store.tails([(ROOM, Mark((await commit(store, 1)).log))])


async def test_entries_of_another_log_are_not_read_on(store: RedisStore, other: RedisStore) -> None:
    log = (await commit(store, *range(1, 5))).log
    await store.delete(ROOM)
    await commit(other, *range(1, 5))
    assert await store._log.rest(ROOM, log, 2, 4) is None


async def test_a_log_that_is_as_long_but_another_is_not_written_to(store: RedisStore, other: RedisStore) -> None:
    log = (await commit(store, 1)).log
    await commit(other, 2)
    mark = Mark(log, 2, Stamp("a", 2))
    assert (await commit(store, 3, mark=mark)).state is CommitState.BEHIND


async def test_what_is_left_of_a_log_without_its_meta_hash_is_not_part_of_the_next(
    store: RedisStore, other: RedisStore, redis: RedisProcess
) -> None:
    await commit(store, 1, 2, 3)
    await command(redis, "DEL", f"{KEY}:meta")
    assert (await commit(other, 1)).first == 1
    assert [one.seq for one in (await store.load(ROOM)).entries] == [1]


async def test_a_checkpoint_that_redis_loses_before_it_is_in_place_is_refused(
    store: RedisStore, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit(store, 1)
    read = RedisCheckpoints._pieces

    async def lost(self: RedisCheckpoints, room: RoomId, identity: str, first: int, pieces: int) -> bytes | None:
        found = await read(self, room, identity, first, pieces)
        await command(redis, "DEL", f"{KEY}:checkpoint:{identity}")
        return found

    monkeypatch.setattr(RedisCheckpoints, "_pieces", lost)
    with pytest.raises(StoreError, match="incomplete"):
        await store.compact(ROOM, Checkpoint(1, b"state"))
    monkeypatch.undo()
    stored = await store.load(ROOM)
    assert (stored.checkpoint, len(stored.entries)) == (None, 1)


# The lock


async def test_whoever_lost_the_lock_does_not_compact(
    store: RedisStore, other: RedisStore, redis: RedisProcess
) -> None:
    await commit(store, 1, 2)
    async with store.compacting(ROOM) as ours:
        assert ours
        assert 10_000 < await command(redis, "PTTL", f"{KEY}:lock") <= 15_000
        await command(redis, "DEL", f"{KEY}:lock")  # It took too long.
        async with other.compacting(ROOM) as theirs:
            assert theirs
            with pytest.raises(StoreFenced):
                await store.compact(ROOM, Checkpoint(2, b"late"))
            await other.compact(ROOM, Checkpoint(1, b"in time"))
        # Leaving does not take away what another has meanwhile.
        await command(redis, "SET", f"{KEY}:lock", "another's")
    assert await command(redis, "GET", f"{KEY}:lock") == b"another's"
    assert (await store.load(ROOM)).checkpoint == Checkpoint(1, b"in time")


async def test_a_lock_lasts_as_long_as_the_compaction_and_no_longer_than_its_process(
    store: RedisStore, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_checkpoints, "RENEW_SECONDS", 0.01)
    async with store.compacting(ROOM):
        await command(redis, "PEXPIRE", f"{KEY}:lock", 5_000)
        async with asyncio.timeout(5):
            while await command(redis, "PTTL", f"{KEY}:lock") <= 5_000:
                pass
        # One that was lost is not taken from who has it now.
        await command(redis, "SET", f"{KEY}:lock", "another's", "PX", 60_000)
        calls = await renewals(redis)
        async with asyncio.timeout(5):
            while await renewals(redis) < calls + 3:
                pass
        assert await command(redis, "PTTL", f"{KEY}:lock") > 15_000


async def renewals(redis: RedisProcess) -> int:
    """How often the server has run a script."""
    with redis.client() as client:
        stats = await asyncio.to_thread(client.info, "commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


async def test_a_lock_is_free_after_an_error(store: RedisStore, other: RedisStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.compacting(ROOM):
            raise ZeroDivisionError
    async with other.compacting(ROOM) as theirs:
        assert theirs


async def test_tokens_of_keepers_go_up_even_when_redis_has_forgotten_them(
    store: RedisStore, redis: RedisProcess
) -> None:
    before = [(await store.claim(ROOM, NodeId(f"a.{number}"), [NodeId(f"a.{number - 1}")])) for number in range(3)]
    await command(redis, "FLUSHALL")
    after = await store.claim(ROOM, NodeId("b.0"), [])
    assert after.token > max(keep.token for keep in before)
    assert [keep.token for keep in before] == sorted({keep.token for keep in before})
