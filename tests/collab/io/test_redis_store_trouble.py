"""The store in Redis when Redis is in trouble."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collab.errors import StoreError, StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.ports import Checkpoint
from collab.shared import Commit, CommitState, Mark, Stamp
from tests.collab.io.redis_rooms import ROOM, command, commit, entry
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration


# Redis in trouble


async def test_a_full_redis_says_so_and_changes_nothing(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1)
    await store.enroll(NodeId("a.0"), b"about", 30)
    await command(redis, "CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="memory"):
        await commit(store, 2)
    with pytest.raises(StoreUnavailable, match="memory"):
        await store.commit([Commit(RoomId(f"room{number}"), Mark(), (entry(1),)) for number in range(5)])
    with pytest.raises(StoreUnavailable, match="memory"):
        await store.put_record(ROOM, "job", "j", b"1")
    # What keeps nodes alive goes on, and rooms can be opened and deleted.
    assert await store.renew(NodeId("a.0"), b"about", 30) == {"a.0": b"about"}
    assert await store.enter([ROOM], NodeId("a.0")) == [("a.0",)]
    assert (await store.load(ROOM)).last_seq == 1
    assert [one.room for one in await store.rooms()] == [ROOM]
    await command(redis, "CONFIG", "SET", "maxmemory", "0")
    assert (await commit(store, 2)).count == 1
    await command(redis, "CONFIG", "SET", "maxmemory", "1")
    await store.delete(ROOM)
    assert await store.rooms() == []


async def test_a_replica_takes_no_writes(redis_server: Path, tmp_path: Path, redis: RedisProcess) -> None:
    async with RedisProcess(redis_server, tmp_path, replicaof=f"127.0.0.1 {redis.port}") as replica:
        link = await RedisLink.open(replica.url)
        with pytest.raises(StoreUnavailable, match="replica"):
            await commit(RedisStore(link, writer="a"), 1)
        await link.aclose()


async def test_scripts_come_back_after_redis_has_forgotten_them(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1)
    await command(redis, "SCRIPT FLUSH")
    assert (await commit(store, 2)).first == 2


async def test_a_restart_with_its_file_loses_nothing(redis_server: Path, tmp_path: Path) -> None:
    async with RedisProcess(redis_server, tmp_path, appendonly="yes", appendfsync="always") as redis:
        link = await RedisLink.open(redis.url)
        store = RedisStore(link, writer="a")
        done = await commit(store, 1, 2)
        await store.compact(ROOM, Checkpoint(1, b"state"))
        await redis.kill()
        with pytest.raises(StoreUnavailable):
            await commit(store, 3)
        await redis.start()
        mark = Mark(done.log, 2, Stamp("a", 2))
        (tail,) = await store.tails([(ROOM, mark)])
        assert (tail.same, tail.last) == (True, 2)
        assert (await commit(store, 3, mark=mark)).state is CommitState.STORED
        await link.aclose()


async def test_a_redis_that_does_not_answer_is_unavailable_soon(redis: RedisProcess) -> None:
    link = await RedisLink.open(redis.url, command_timeout=0.2)
    store = RedisStore(link, writer="a")
    await commit(store, 1)
    redis.pause()
    try:
        async with asyncio.timeout(2):
            with pytest.raises(StoreUnavailable, match="answer"):
                await commit(store, 2)
            with pytest.raises(StoreUnavailable, match="answer"):
                await store.load(ROOM)
    finally:
        redis.resume()
    # Whatever became of the first attempt, it is there once.
    assert (await commit(store, 2)).state is CommitState.STORED
    assert (await store.load(ROOM)).last_seq == 2
    await link.aclose()


async def test_a_wrong_password_is_told_without_showing_it(redis_server: Path, tmp_path: Path) -> None:
    async with RedisProcess(redis_server, tmp_path, requirepass="right") as redis:
        with pytest.raises(StoreUnavailable, match="password") as caught:
            await RedisLink.open(redis.url.replace("right", "wrong"))
        assert "wrong" not in str(caught.value)
        assert "right" not in str(caught.value)


async def test_a_commit_of_many_megabytes_goes_in_several_calls(store: RedisStore, redis: RedisProcess) -> None:
    rooms = [RoomId(f"room{number}") for number in range(6)]
    await store.commit([Commit(rooms[0], Mark(), (entry(1),))])  # Loads the script.
    await command(redis, "CONFIG", "RESETSTAT")
    done = await store.commit([Commit(room, Mark(), (entry(2, b"x" * 3_000_000),)) for room in rooms[1:]])
    assert [one.state for one in done] == [CommitState.BEHIND] * 5
    done = await store.commit([Commit(room, Mark(), (entry(1, b"x" * 3_000_000),)) for room in rooms[1:]])
    assert [one.count for one in done] == [1] * 5
    stats = await command(redis, "INFO", "commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 2 * 3


async def test_a_closed_store_says_so(store: RedisStore) -> None:
    await store.close()
    for call in (store.rooms(), store.records(ROOM, "job"), store.delete(ROOM), store.load(ROOM)):
        with pytest.raises(StoreError, match="closed"):
            await call
