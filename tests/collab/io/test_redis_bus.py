"""The bus over a real Redis: what it does when the connection, the server or a message is not as it should be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import msgpack
import pytest
import uvloop

from collab.errors import StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.io import redis_publish, redis_pubsub, redis_wire
from collab.io.redis_bus import RedisBus
from collab.io.redis_link import RedisLink
from tests.collab.bus_listener import Heard
from tests.redis_process import RedisCluster, RedisProcess
from tests.redis_sentinel import SentinelProcess

PREFIX = "test:"
ROOM = RoomId("team/project")
CHANNEL = redis_wire.base(PREFIX, ROOM)


@pytest.fixture
async def server(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path) as server:
        yield server


@asynccontextmanager
async def joined(
    server: RedisProcess, writer: str, *, command_timeout: float = 1.0
) -> AsyncIterator[tuple[RedisBus, Heard]]:
    """A bus of a process of its own, which runs."""
    link = await RedisLink.open(server.url, connect=False, command_timeout=command_timeout)
    bus, heard = RedisBus(link, PREFIX, writer), Heard()
    try:
        async with bus.running(NodeId(f"{writer}.0"), heard):
            yield bus, heard
    finally:
        await link.aclose()


async def published(server: RedisProcess, data: bytes, channel: str = CHANNEL) -> int:
    count = await asyncio.to_thread(server.run, "PUBLISH", channel, data)
    assert isinstance(count, int)
    return count


async def heard_again(server: RedisProcess, heard: Heard) -> None:
    """The bus has said that it is there again, and a message reaches it."""
    await heard.until(lambda: "renewed" in heard.all)
    heard.messages.clear()
    assert await published(server, redis_wire.pack_message(NodeId("x.0"), b"again")) == 1
    await heard.until(lambda: bool(heard.messages))


async def test_a_connection_that_is_killed_is_made_anew_with_its_subscriptions(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        await asyncio.to_thread(server.run, "CLIENT", "KILL", "TYPE", "pubsub")
        await heard_again(server, heard)
        assert heard.all[:2] == ["down", "renewed"]
        assert "cannot be reached" in heard.reasons[0]


async def test_after_a_restart_of_the_server_all_is_subscribed_again(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        await server.stop()
        await heard.until(lambda: "down" in heard.all)
        await server.start()
        await heard_again(server, heard)


async def test_a_room_is_subscribed_to_while_the_connection_is_made_anew(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, heard):
        await asyncio.to_thread(server.run, "CLIENT", "KILL", "TYPE", "pubsub")
        await heard.until(lambda: "down" in heard.all)
        await bus.subscribe(ROOM)
        assert await published(server, redis_wire.pack_message(NodeId("x.0"), b"hello")) == 1
        await heard.until(lambda: bool(heard.messages))


async def test_a_server_that_stopped_answering_is_noticed(
    server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_pubsub, "PING_SECONDS", 0.1)
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        server.pause()
        await heard.until(lambda: "down" in heard.all, timeout=2)
        assert "does not answer" in heard.reasons[0]
        with pytest.raises(StoreUnavailable):
            await bus.subscribe(RoomId("other"))
        server.resume()
        await heard_again(server, heard)


async def test_a_quiet_connection_is_kept(server: RedisProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_pubsub, "PING_SECONDS", 0.1)
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        # Longer than a connection lasts over which no ping is answered.
        await asyncio.sleep(0.6)
        assert heard.all == []


async def test_a_bus_runs_before_there_is_a_server(server: RedisProcess) -> None:
    await server.stop()
    async with joined(server, "a") as (bus, heard):
        await heard.until(lambda: "down" in heard.all)
        assert "refuses connections" in heard.reasons[0]
        with pytest.raises(StoreUnavailable, match="refuses connections"):
            await bus.subscribe(ROOM)
        await server.start()
        await heard.until(lambda: "renewed" in heard.all)
        await bus.subscribe(ROOM)
        assert heard.all == ["down", "renewed"]


async def test_a_subscription_that_failed_is_not_made_later(server: RedisProcess) -> None:
    await server.stop()
    async with joined(server, "a") as (bus, heard):
        with pytest.raises(StoreUnavailable):
            await bus.subscribe(ROOM)
        await server.start()
        await heard.until(lambda: "renewed" in heard.all)
        assert await asyncio.to_thread(server.run, "PUBSUB", "NUMSUB", CHANNEL) == [CHANNEL.encode(), 0]


async def test_one_who_gives_up_subscribing_leaves_another_his_subscription(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, heard):
        first, second = asyncio.create_task(bus.subscribe(ROOM)), asyncio.create_task(bus.subscribe(ROOM))
        await asyncio.sleep(0)
        first.cancel()
        await second
        await published(server, redis_wire.pack_message(NodeId("x.0"), b"hello"))
        await heard.until(lambda: bool(heard.messages))


async def test_subscribing_ends_when_the_room_is_unsubscribed_from_meanwhile(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, _):
        server.pause()
        waiting = asyncio.create_task(bus.subscribe(ROOM))
        await asyncio.sleep(0)
        await bus.unsubscribe(ROOM)
        async with asyncio.timeout(0.5):
            await waiting
        server.resume()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no msgpack",
        msgpack.packb(7),
        msgpack.packb([b"e"]),
        msgpack.packb([b"e", b"log", 1, b"w", [b"garbage"]]),
        msgpack.packb([b"m", 5, b"x"]),
        msgpack.packb([b"?", 1]),
    ],
)
async def test_a_malformed_message_is_logged_and_dropped(
    server: RedisProcess, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        assert await published(server, data) == 1
        await published(server, redis_wire.pack_message(NodeId("x.0"), b"fine"))
        await heard.until(lambda: bool(heard.messages))
        assert heard.all == ["message"]
        assert "is dropped" in caplog.text


async def test_what_a_listener_raises_is_logged_and_does_not_end_the_bus(
    server: RedisProcess, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        with monkeypatch.context() as broken:
            broken.setattr(heard, "message", None)
            await published(server, redis_wire.pack_message(NodeId("x.0"), b"one"))
            await published(server, b"marker")
            await logged(caplog, "is dropped")
        await published(server, redis_wire.pack_message(NodeId("x.0"), b"two"))
        await heard.until(lambda: bool(heard.messages))
        assert heard.messages == [(ROOM, NodeId("x.0"), b"two")]


async def test_a_deletion_is_told_as_a_message_of_the_store(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        await published(server, msgpack.packb([b"d", b"log-1", b"a"]))
        await published(server, msgpack.packb([b"d", b"log-1", b"b"]))
        await heard.until(lambda: bool(heard.messages))
        assert heard.messages == [(ROOM, redis_wire.DELETED_BY, redis_wire.deleted_payload("log-1"))]


async def test_running_ends_promptly_while_the_server_hangs(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, _):
        await bus.subscribe(ROOM)
        server.pause()
        bus.publish(ROOM, b"lost")
        begun = time.monotonic()
    assert time.monotonic() - begun < 1.5


async def test_what_is_published_while_the_server_hangs_is_bounded_dropped_and_counted(
    server: RedisProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_publish, "MAX_WAITING_BYTES", 10_000)
    caplog.set_level(logging.WARNING)
    async with joined(server, "a") as (a, _), joined(server, "b") as (b, heard):
        await b.subscribe(ROOM)
        server.pause()
        a.publish(ROOM, b"under way")
        await asyncio.sleep(0)
        for _ in range(20):
            a.publish(ROOM, bytes(1000))
        assert a.dropped >= 10
        await logged(caplog, "are dropped")
        server.resume()
        # What waited goes out, or was dropped as its connection was; in any case the bus goes on.
        a.publish(ROOM, b"again")
        await heard.until(lambda: bool(heard.messages) and heard.messages[-1][2] == b"again")


async def test_nothing_is_kept_for_later_while_there_is_no_connection(server: RedisProcess) -> None:
    await server.stop()
    async with joined(server, "a") as (bus, _):
        bus.publish(ROOM, b"lost")
        bus.send(NodeId("b.0"), b"lost")
        assert bus.dropped == 2


async def test_subscriptions_of_one_turn_are_one_command(server: RedisProcess) -> None:
    async with joined(server, "a") as (bus, _):
        await bus.subscribe(ROOM)
        before = await calls(server, "subscribe")
        await asyncio.gather(*(bus.subscribe(RoomId(f"room-{number}")) for number in range(100)))
        assert await calls(server, "subscribe") - before == 1


async def test_a_subscription_that_a_cluster_moves_is_made_anew(redis_server: Path, tmp_path: Path) -> None:
    async with RedisCluster(redis_server, tmp_path) as server, joined(server, "a") as (bus, heard):
        await bus.subscribe(ROOM)
        slot = await asyncio.to_thread(server.run, "CLUSTER", "KEYSLOT", CHANNEL)
        assert isinstance(slot, int)
        await asyncio.to_thread(server.run, "CLUSTER", "DELSLOTS", slot)
        await heard.until(lambda: "down" in heard.all)
        await asyncio.to_thread(server.run, "CLUSTER", "ADDSLOTS", slot)
        await heard.until(lambda: "renewed" in heard.all)
        await asyncio.to_thread(server.run, "SPUBLISH", CHANNEL, redis_wire.pack_message(NodeId("x.0"), b"hello"))
        await heard.until(lambda: bool(heard.messages))


@pytest.mark.slow
async def test_a_new_master_is_followed_before_the_old_one_knows_of_it(redis_server: Path, tmp_path: Path) -> None:
    async with (
        RedisProcess(redis_server, tmp_path / "old") as old,
        RedisProcess(redis_server, tmp_path / "new") as new,
    ):
        await asyncio.to_thread(new.run, "REPLICAOF", "127.0.0.1", old.port)
        await new.until(lambda client: client.info("replication")["master_link_status"] == "up")
        async with SentinelProcess(redis_server, tmp_path / "sentinel", old) as sentinel:
            await sentinel.until(lambda client: client.info("sentinel")["master0"]["slaves"] == 1)
            async with joined(sentinel, "a") as (bus, heard):
                await bus.subscribe(ROOM)
                await sentinel.until(lambda client: bool(client.sentinel_failover("main")))
                await heard_again(new, heard)
                assert "Another server has taken over" in heard.reasons[0]


async def test_what_is_being_published_when_the_master_changes_does_not_end_the_bus(
    redis_server: Path, tmp_path: Path
) -> None:
    async with (
        RedisProcess(redis_server, tmp_path / "old") as old,
        RedisProcess(redis_server, tmp_path / "new") as new,
        SentinelProcess(redis_server, tmp_path / "sentinel", old) as sentinel,
        joined(sentinel, "a", command_timeout=20.0) as (bus, heard),
        joined(new, "b") as (other, heard_there),
    ):
        await bus.subscribe(ROOM)
        await other.subscribe(ROOM)
        old.pause()
        bus.publish(ROOM, b"lost")
        await asyncio.to_thread(sentinel.watch, new)
        await heard.until(lambda: "renewed" in heard.all)
        bus.publish(ROOM, b"arrives")
        await heard_there.until(lambda: bool(heard_there.messages))
        assert [payload for _, _, payload in heard_there.messages] == [b"arrives"]
        assert bus.dropped == 1


async def _publishing_goes_on_at_the_new_master(redis_server: Path, tmp_path: Path) -> None:
    async with (
        RedisProcess(redis_server, tmp_path / "old") as old,
        RedisProcess(redis_server, tmp_path / "new") as new,
        SentinelProcess(redis_server, tmp_path / "sentinel", old) as sentinel,
        joined(sentinel, "a") as (bus, heard),
        joined(old, "b") as (before, heard_before),
        joined(new, "c") as (after, heard_after),
    ):
        for each in (bus, before, after):
            await each.subscribe(ROOM)
        bus.publish(ROOM, b"one")
        await heard_before.until(lambda: bool(heard_before.messages))
        await asyncio.to_thread(sentinel.watch, new)
        await heard.until(lambda: "renewed" in heard.all)
        # The first may be lost with the connection that it was to go over.
        async with asyncio.timeout(10):
            while not heard_after.messages:
                bus.publish(ROOM, b"two")
                await asyncio.sleep(0.01)
        assert [payload for _, _, payload in heard_before.messages] == [b"one"]


async def _publishing_goes_on_after_a_crash(redis_server: Path, tmp_path: Path) -> None:
    async with (
        RedisProcess(redis_server, tmp_path) as server,
        joined(server, "a") as (bus, heard),
        joined(server, "b") as (other, heard_there),
    ):
        await other.subscribe(ROOM)
        bus.publish(ROOM, b"one")
        await heard_there.until(lambda: bool(heard_there.messages))
        # What comes while it is away makes the system close the connection, without a word to whoever holds it.
        await server.kill()
        await server.start()
        for each in (heard, heard_there):
            await each.until(lambda each=each: "renewed" in each.all)  # type: ignore[misc]
        async with asyncio.timeout(10):
            while len(heard_there.messages) < 2:
                bus.publish(ROOM, b"two")
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("what", [_publishing_goes_on_at_the_new_master, _publishing_goes_on_after_a_crash])
def test_publishing_goes_on_after_its_connection_was_lost(
    what: Callable[[Path, Path], Coroutine[None, None, None]],
    loop: Callable[[], asyncio.AbstractEventLoop],
    redis_server: Path,
    tmp_path: Path,
) -> None:
    """The two loops do not raise the same for a connection that was closed."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(what(redis_server, tmp_path))


async def test_a_bus_whose_work_ends_ends_what_runs_on_it(
    server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(publisher: redis_publish.Publisher) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(redis_publish.Publisher, "run", broken)
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="a bug")):
        async with asyncio.timeout(10), joined(server, "a"):
            await asyncio.Event().wait()


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Waits until this is in the log."""
    async with asyncio.timeout(5):
        while words not in caplog.text:  # noqa: ASYNC110  (nothing tells when a line comes)
            await asyncio.sleep(0.01)


async def calls(server: RedisProcess, command: str) -> int:
    """How often the server has carried out a command."""
    with server.client() as client:
        stats = await asyncio.to_thread(client.info, "commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])
