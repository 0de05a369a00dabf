"""The store in Redis: what is there besides what every shared store does (tests/contracts)."""

from __future__ import annotations

from typing import Any

import pytest
from redis.client import PubSub

from collab.errors import StoreError
from collab.ids import NodeId
from collab.io import redis_wire
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.io.redis_wire import Deleted, Entries
from collab.ports import Checkpoint, RoomSummary
from collab.shared import Commit, Mark, Stamp
from tests.collab.io.redis_rooms import KEY, ROOM, command, commit, entry, keys
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.integration


# What is in Redis


async def test_the_positions_are_the_ids_of_the_stream(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1, 2)
    items = await command(redis, "XRANGE", f"{KEY}:log", "-", "+")
    assert [item[0] for item in items] == [b"1-0", b"2-0"]


async def test_a_checkpoint_trims_the_stream_and_removes_the_one_before(
    store: RedisStore, redis: RedisProcess
) -> None:
    await commit(store, *range(1, 302))
    await store.compact(ROOM, Checkpoint(200, b"one"))
    await store.compact(ROOM, Checkpoint(300, b"two"))
    assert await command(redis, "XLEN", f"{KEY}:log") == 1
    found = [key for key in await keys(redis) if key.startswith(f"{KEY}:checkpoint:".encode())]
    assert len(found) == 1
    assert await command(redis, "TTL", found[0]) == -1


async def test_a_refused_checkpoint_leaves_nothing(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1, 2)
    await store.compact(ROOM, Checkpoint(2, b"two"))
    before = await keys(redis)
    await store.compact(ROOM, Checkpoint(1, b"older"))
    with pytest.raises(StoreError, match="only 2 are stored"):
        await store.compact(ROOM, Checkpoint(3, b"too new"))
    assert await keys(redis) == before


async def test_a_deleted_room_leaves_its_tombstone_only(store: RedisStore, redis: RedisProcess) -> None:
    await commit(store, 1, 2)
    await store.put_record(ROOM, "job", "j", b"1")
    await store.compact(ROOM, Checkpoint(1, b"state"))
    await store.delete(ROOM)
    assert await keys(redis) == [f"{KEY}:gone".encode()]
    assert 0 < await command(redis, "TTL", f"{KEY}:gone") <= 86_400


async def test_stores_with_other_prefixes_keep_apart(store: RedisStore, link: RedisLink) -> None:
    await commit(store, 1)
    apart = RedisStore(link, writer="a", prefix="other:")
    assert await apart.rooms() == []
    assert (await apart.load(ROOM)).last_seq == 0


async def test_a_prefix_with_braces_is_refused(link: RedisLink) -> None:
    with pytest.raises(StoreError, match="braces"):
        RedisStore(link, writer="a", prefix="{x}:")


async def test_sizes_are_counted_as_they_change(store: RedisStore) -> None:
    updates = [b"1", b"22", b"333", b"4444"]
    await store.commit([Commit(ROOM, Mark(), tuple(entry(at, one) for at, one in enumerate(updates, 1)))])
    await store.compact(ROOM, Checkpoint(2, b"state", (b"wait",)))
    await store.put_record(ROOM, "job", "j", b"record")
    await store.put_record(ROOM, "job", "j", b"rec")
    await store.put_record(ROOM, "job", "k", b"gone")
    await store.put_record(ROOM, "job", "k", None)
    (summary,) = await store.rooms()
    assert summary == RoomSummary(ROOM, 7 + 9 + 3, 2, 1_700_000_000_004, summary.checkpoint_ms)
    assert summary.checkpoint_ms > 0


async def test_writers_that_are_long_gone_are_forgotten(store: RedisStore, redis: RedisProcess) -> None:
    for number in range(40):
        await command(redis, "HSET", f"{KEY}:writers", f"old{number}", "1 1600000000000")
    await commit(store, 1)
    await store.compact(ROOM, Checkpoint(1, b"state"))
    assert await command(redis, "HKEYS", f"{KEY}:writers") == [b"a"]
    assert (await commit(store, 1)).count == 0


async def test_many_records_come_back(store: RedisStore) -> None:
    expected = {f"j{number:04}": b"x" * number for number in range(2500)}
    for key, value in expected.items():
        await store.put_record(ROOM, "job", key, value)
    assert await store.records(ROOM, "job") == expected


# What is announced


class Ear:
    """What is published on a room's channel."""

    def __init__(self, redis: RedisProcess) -> None:
        self._client = redis.client()
        self._pubsub = PubSub(self._client.connection_pool)
        self._pubsub.subscribe(KEY)
        self._next()

    def next(self) -> object:
        return redis_wire.unpack_message(self._next()["data"], "somebody")

    def _next(self) -> dict[str, Any]:
        message = self._pubsub.get_message(timeout=5.0)
        assert message is not None, "nothing was published"
        return dict(message)

    def close(self) -> None:
        self._pubsub.close()
        self._client.close()


@pytest.fixture
def ear(redis: RedisProcess, store: RedisStore) -> Any:
    ear = Ear(redis)
    yield ear
    ear.close()


async def test_entries_are_announced_to_the_other_nodes_in_the_room(store: RedisStore, ear: Ear) -> None:
    await store.enter([ROOM], NodeId("a.0"))
    done = await commit(store, 1)
    await store.enter([ROOM], NodeId("b.0"))
    await commit(store, 2, 3)
    # The first entry was not announced: nobody else was there.
    heard = ear.next()
    assert isinstance(heard, Entries)
    assert (heard.log, [one.stamp for one in heard.entries]) == (done.log, [Stamp("a", 2), Stamp("a", 3)])
    assert [one.entry.seq for one in heard.entries] == [2, 3]


async def test_what_was_stored_before_is_not_announced_again(store: RedisStore, ear: Ear) -> None:
    await store.enter([ROOM], NodeId("b.0"))
    await commit(store, 1)
    await commit(store, 1)
    await commit(store, 1, 2)
    heard = [ear.next(), ear.next()]
    assert [[one.entry.seq for one in each.entries] for each in heard if isinstance(each, Entries)] == [[1], [2]]


async def test_a_new_name_is_announced(store: RedisStore, ear: Ear) -> None:
    await store.enter([ROOM], NodeId("b.0"))
    log = (await commit(store, 1)).log
    done = await store.restore(ROOM, Mark(log), (), 1, rename=True)
    ear.next()
    assert ear.next() == Entries(done.log, ())


async def test_a_deletion_is_announced(store: RedisStore, ear: Ear) -> None:
    await store.enter([ROOM], NodeId("b.0"))
    log = (await commit(store, 1)).log
    await store.delete(ROOM)
    ear.next()
    assert ear.next() == Deleted(log)
