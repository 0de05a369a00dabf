"""``pairloom migrate`` and ``pairloom doctor`` with a real Redis and the embedded store's file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collab.ids import NodeId, RoomId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.io.sqlite import SqliteStore
from collab.ports import Store
from server.commands.copying import differences, read_records
from tests.redis_process import RedisCluster, RedisProcess
from tests.redis_sentinel import SentinelProcess
from tests.server.commands.stored_rooms import ANNA, ROOM, edits, entries, fill
from tests.server.test_cli import Run, failed, run

__all__ = ["run"]

pytestmark = pytest.mark.integration

OTHER = RoomId("other")
DURABLE = {"appendonly": "yes", "appendfsync": "always"}


@pytest.fixture
async def redis(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path / "redis", **DURABLE) as process:
        yield process


@asynccontextmanager
async def shared(redis: RedisProcess) -> AsyncIterator[RedisStore]:
    link = await RedisLink.open(redis.url)
    try:
        yield RedisStore(link, writer="test")
    finally:
        await link.aclose()


@asynccontextmanager
async def embedded(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """An embedded store with two rooms, where the command looks for it."""
    path = tmp_path / "data" / "pairloom.db"
    async with embedded(path) as store:
        await fill(store)
        await store.append([(OTHER, entry) for entry in entries(edits(3))])
    return path


async def assert_same(one: Store, other: Store, room: RoomId = ROOM) -> None:
    assert differences(await one.load(room), await other.load(room)) == []
    assert await read_records(one, room) == await read_records(other, room)


async def test_rooms_go_to_redis_and_back(run: Run, redis: RedisProcess, database: Path, tmp_path: Path) -> None:
    there = run("migrate", "--from", "sqlite", "--to", "redis", PAIRLOOM_REDIS_URL=redis.url)
    assert there.returncode == 0, there.stderr
    assert f"copied      {ROOM}  10 edits, a checkpoint, 2 records" in there.stdout
    assert "Copied 2 rooms; 0 not copied." in there.stdout
    back = tmp_path / "back.db"
    result = run(
        "migrate", "--from", "redis", "--to", "sqlite", "--to-database", str(back), PAIRLOOM_REDIS_URL=redis.url
    )
    assert result.returncode == 0, result.stderr
    async with shared(redis) as store, embedded(database) as first, embedded(back) as second:
        for room in (ROOM, OTHER):
            await assert_same(first, store, room)
            await assert_same(first, second, room)


async def test_rooms_go_to_a_cluster(run: Run, redis_server: Path, database: Path, tmp_path: Path) -> None:
    async with RedisCluster(redis_server, tmp_path / "cluster", **DURABLE) as cluster:
        result = run("migrate", "--from", "sqlite", "--to", "redis", PAIRLOOM_REDIS_URL=cluster.url)
        assert result.returncode == 0, result.stdout + result.stderr
        async with shared(cluster) as store, embedded(database) as first:
            await assert_same(first, store)
        assert run("doctor", PAIRLOOM_REDIS_URL=cluster.url).returncode == 0


async def test_a_room_that_is_there_is_left_alone_and_the_others_go_on(
    run: Run, redis: RedisProcess, database: Path
) -> None:
    async with shared(redis) as store:
        await store.append([(ROOM, entry) for entry in entries(edits(2, client=9))])
        before = await store.load(ROOM)
        result = run("migrate", "--from", "sqlite", "--to", "redis", PAIRLOOM_REDIS_URL=redis.url)
        assert result.returncode == 1
        assert "It is in redis already; --overwrite replaces it." in result.stdout
        assert "Copied 1 room; 1 not copied." in result.stdout
        assert await store.load(ROOM) == before


async def test_overwrite_replaces_the_named_room_only(run: Run, redis: RedisProcess, database: Path) -> None:
    async with shared(redis) as store:
        await store.append([(ROOM, entry) for entry in entries(edits(2, client=9))])
        arguments = ["--from", "sqlite", "--to", "redis", "--room", ROOM, "--overwrite"]
        result = run("migrate", *arguments, PAIRLOOM_REDIS_URL=redis.url)
        assert result.returncode == 0, result.stderr
        assert [one.room for one in await store.rooms()] == [ROOM]
        async with embedded(database) as first:
            await assert_same(first, store)


async def test_a_room_that_a_node_has_open_is_not_replaced(run: Run, redis: RedisProcess, database: Path) -> None:
    async with shared(redis) as store:
        await store.enroll(NodeId("w.1"), b"\x81\xa4name\xa6node-1", 60)
        await store.enter([ROOM], NodeId("w.1"))
        result = run("migrate", "--from", "sqlite", "--to", "redis", PAIRLOOM_REDIS_URL=redis.url)
        assert result.returncode == 1
        assert f"not copied  {ROOM}  It is open on node-1" in result.stdout
        assert [one.room for one in await store.rooms()] == [OTHER]


async def test_a_store_that_a_server_uses_is_not_read(run: Run, redis: RedisProcess, database: Path) -> None:
    async with embedded(database):
        message = failed(run("migrate", "--from", "sqlite", "--to", "redis", PAIRLOOM_REDIS_URL=redis.url), 1)
        assert "in use by another process" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "sqlite", "--to", "sqlite"], "both sqlite"),
        (["--from", "sqlite", "--to", "file"], "each be sqlite or redis"),
        (["--from", "redis", "--to", "sqlite", "--from-database", "x"], "leave it out"),
        (["--from", "redis", "--to", "sqlite"], "redis_url is not set"),
    ],
)
def test_what_makes_no_sense_is_wrong_use(run: Run, arguments: list[str], words: str) -> None:
    assert words in failed(run("migrate", *arguments), 2)


def levels(output: str, level: str) -> list[str]:
    """What was found of this level."""
    return [row["message"] for row in json.loads(output)["findings"] if row["level"] == level.lower()]


async def test_the_doctor_finds_a_sound_redis_well(run: Run, redis: RedisProcess) -> None:
    async with shared(redis) as store:
        await fill(store)
        result = run("doctor", PAIRLOOM_REDIS_URL=redis.url)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '"saved" means that it is on the disk of Redis' in result.stdout
    assert "1 room: all can be read and hold together." in result.stdout
    assert "No node is running." in result.stdout


async def test_the_doctor_tells_what_is_wrong_with_redis(run: Run, redis_server: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "maxmemory": "100mb",
        "maxmemory_policy": "allkeys-lru",
        "requirepass": "hunter2222",
    }
    async with RedisProcess(redis_server, tmp_path / "redis", **options) as redis:
        result = run("doctor", PAIRLOOM_REDIS_URL=redis.url)
    assert result.returncode == 1
    assert "writes nothing to a disk" in result.stdout
    assert "Set maxmemory-policy noeviction" in result.stdout
    assert "hunter2222" not in result.stdout + result.stderr


async def test_the_doctor_asks_the_sentinels(run: Run, redis: RedisProcess, tmp_path: Path) -> None:
    async with SentinelProcess(redis.program, tmp_path / "sentinel", redis) as sentinel:
        result = run("doctor", PAIRLOOM_REDIS_URL=sentinel.url)
    assert result.returncode == 0, result.stdout
    assert "1 Sentinel watches the master and can fail over." in result.stdout
    assert "Redis main: It has no replica" in result.stdout


def damage(redis: RedisProcess, what: str) -> None:
    with redis.client() as client:
        base = f"pairloom:{{{ROOM}}}:"
        if what == "entry":
            client.xdel(f"{base}log", "25-0")
        elif what == "checkpoint":
            [name] = client.scan_iter(match=f"{base}checkpoint:*")
            client.hset(name, "0", "garbage")
        else:
            client.zrem("pairloom:rooms", ROOM)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("entry", "Entry 25 of room 'team/project' is missing"),
        ("checkpoint", "does not match its checksum"),
        ("index", "It lacks 1 room that Redis has: team/project"),
    ],
)
async def test_the_doctor_finds_damage_in_redis(run: Run, redis: RedisProcess, what: str, words: str) -> None:
    async with shared(redis) as store:
        await fill(store)
    damage(redis, what)
    result = run("doctor", PAIRLOOM_REDIS_URL=redis.url)
    assert result.returncode == 1
    assert words in result.stdout


async def test_the_doctor_changes_nothing_in_redis(run: Run, redis: RedisProcess) -> None:
    async with shared(redis) as store:
        await fill(store)
        await store.enroll(NodeId("w.1"), b"", 0.001)
    before = contents(redis)
    assert run("doctor", PAIRLOOM_REDIS_URL=redis.url).returncode == 0
    assert contents(redis) == before


def contents(redis: RedisProcess) -> dict[bytes, Any]:
    with redis.client() as client:
        return {key: client.dump(key) for key in client.scan_iter()}


def test_the_doctor_says_that_redis_is_not_there(run: Run) -> None:
    result = run("doctor", PAIRLOOM_REDIS_URL="redis://:hunter2222@127.0.0.1:9/0")
    assert result.returncode == 2
    assert "refuses connections" in result.stdout
    assert "hunter2222" not in result.stdout


async def test_the_doctor_reads_a_store_that_is_in_use(run: Run, database: Path) -> None:
    async with embedded(database) as store:
        # These entries are in the store's inbox, not among the room's own yet.
        await store.append([(OTHER, entry) for entry in entries(edits(5)[3:], 4)])
        before = stored_bytes(database)
        result = run("doctor", "--room", OTHER)
        assert stored_bytes(database) == before
    assert result.returncode == 0, result.stdout
    assert "is in use by pid" in result.stdout
    assert "room other: 5 entries, 0 records: all can be read" in result.stdout


def stored_bytes(database: Path) -> list[bytes]:
    return [database.with_name(database.name + suffix).read_bytes() for suffix in ("", "-wal")]


async def test_the_doctor_finds_a_damaged_entry_in_the_embedded_store(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data" / "pairloom.db"
    async with embedded(path) as store:
        log = entries(edits(3))
        await store.append([(ROOM, log[0]), (ROOM, log[1].__class__(2, 0, ANNA, b"\xff garbage")), (ROOM, log[2])])
    result = run("doctor")
    assert result.returncode == 1
    assert "Entry 2 of its log cannot be used" in result.stdout


async def test_the_doctor_says_that_a_room_is_not_there(run: Run, database: Path) -> None:
    result = run("doctor", "--room", "nowhere")
    assert result.returncode == 2
    assert "There is no such room." in result.stdout


def test_wrong_settings_are_a_finding(run: Run) -> None:
    result = run("doctor", "--json", PAIRLOOM_WORKERS="4")
    assert result.returncode == 1
    [message] = levels(result.stdout, "wrong")
    assert "workers" in message
    assert "redis_url" in message
