"""/yjs over real sockets: what Yjs clients need, and what is refused."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from collab.ids import ClientId
from collab.wire import (
    AwarenessEntry,
    awareness_message,
    read_bytes,
    read_text,
    sync_step1,
    sync_update,
    write_bytes,
)
from tests.collab.replicas import FILE, Replica
from tests.server.running import TIMEOUT, Running, YClient, joined, running

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("data")
    async with running(folder, limit_frame_bytes=200_000, limit_outbox_bytes=50_000) as started:
        yield started


@pytest.fixture
def server(shared: Running, request: pytest.FixtureRequest) -> Running:
    """The shared server, with rooms of this test's own."""
    return replace(shared, scope=f"test-{crc32(request.node.name.encode())}-")


async def closed_with(url: str, *messages: str | bytes) -> tuple[int, str]:
    """The close code and reason that this gets."""
    async with asyncio.timeout(TIMEOUT), connect(url, max_size=None) as one:
        try:
            for message in messages:
                await one.send(message)
            while True:
                await one.recv()
        except ConnectionClosed as error:
            assert error.rcvd is not None  # noqa: PT017 - the code is the result
            return error.rcvd.code, error.rcvd.reason


async def test_two_clients_converge(server: Running) -> None:
    async with joined(server, 1) as ann, joined(server, 2) as bob:
        await ann.edit(ann.replica.create(text="hello"))
        await bob.until(lambda: bob.text() == "hello")
        await asyncio.gather(ann.edit(ann.replica.insert(0, "Ann: ")), bob.edit(bob.replica.insert(5, " Bob 👋")))
        await ann.until(lambda: "Bob" in ann.text())
        await bob.until(lambda: "Ann" in bob.text())
        assert ann.text() == bob.text() == "Ann: hello Bob 👋"


async def test_a_client_that_joins_late_gets_the_document(server: Running) -> None:
    async with joined(server, 1) as ann:
        await ann.edit(ann.replica.create(text="before"))
        async with joined(server, 2) as bob:
            await bob.until(lambda: bob.text() == "before")


async def test_an_empty_room_is_answered_with_an_empty_step_2(server: Running) -> None:
    async with connect(server.url("empty")) as one:
        assert await one.recv() == sync_step1(b"\0")
        await one.send(sync_step1(b"\0"))
        assert await one.recv() == b"\x00\x01\x02\x00\x00"


async def test_fifty_clients_that_open_a_room_for_the_first_time_at_once_are_all_synced(server: Running) -> None:
    async with joined(server, 1, "filled") as ann:
        await ann.edit(ann.replica.create(text="x" * 1000))
        await ann.edit(ann.replica.insert(0, "first "))
    async with AsyncExitStack() as stack:

        async def all_at_once(room: str) -> list[YClient]:
            clients = [stack.enter_async_context(joined(server, 100 + n, room)) for n in range(50)]
            return await asyncio.gather(*clients)

        assert all(client.synced for client in await all_at_once("filled"))
        opened = await all_at_once("brand-new")
        await opened[0].edit(opened[0].replica.create(text="seen by all"))
        await asyncio.gather(*(one.until(lambda one=one: one.text() == "seen by all") for one in opened[1:]))  # type: ignore[misc]


async def test_a_restart_keeps_the_text(tmp_path: Path) -> None:
    async with running(tmp_path) as first, joined(first, 1, "kept/room") as ann:
        await ann.edit(ann.replica.create(text="survives"))
        async with joined(first, 2, "kept/room") as bob:
            await bob.until(lambda: bob.text() == "survives")
    async with running(tmp_path) as second, joined(second, 3, "kept/room") as eve:
        await eve.until(lambda: eve.text() == "survives")


async def test_what_was_called_saved_is_in_the_store(server: Running) -> None:
    async with connect(server.url(query="?pairloom=1"), compression=None) as one:
        await one.send(sync_update(Replica(1).create(text="durable")))
        async with asyncio.timeout(TIMEOUT):
            async for message in one:
                if isinstance(message, bytes) and message[:1] == b"\x64" and '"saved"' in read_text(message, 1)[0]:
                    break
    rows = {row.room: row for row in await server.state.hub.rooms()}
    assert rows[server.name()].stored_bytes > 0


# Presence


async def test_presence_is_shown_echoed_and_goes_with_its_connection(server: Running) -> None:
    async with joined(server, 1) as ann:
        await ann.show()
        await ann.until(lambda: 1 in ann.here)
        async with joined(server, 2) as bob:
            await bob.until(lambda: 1 in bob.here)
            await bob.show()
            await ann.until(lambda: 2 in ann.here)
        await ann.until(lambda: 2 not in ann.here)


async def test_presence_for_somebody_else_is_ignored(server: Running) -> None:
    async with joined(server, 1) as ann, joined(server, 2) as bob:
        await ann.show()
        await bob.until(lambda: 1 in bob.here)
        await bob.show()
        await bob.socket.send(awareness_message([AwarenessEntry(ClientId(1), 99, b"null").encode()]))
        await bob.socket.send(b"\x03")
        bob.here.clear()
        await bob.until(lambda: {1, 2} <= bob.here.keys())


async def test_a_client_that_comes_back_while_its_old_connection_hangs_takes_its_presence_over(
    server: Running,
) -> None:
    async with joined(server, 9) as watcher, raw(server) as (_, hanging):
        hanging.write(masked(awareness_message([AwarenessEntry(ClientId(1), 1, b'{"n":1}').encode()])))
        await watcher.until(lambda: watcher.here.get(1) == b'{"n":1}')
        async with connect(server.url()) as again:
            await again.send(awareness_message([AwarenessEntry(ClientId(1), 2, b'{"n":2}').encode()]))
            await watcher.until(lambda: watcher.here.get(1) == b'{"n":2}')


# What is refused


async def test_a_text_frame_is_refused_with_words(server: Running) -> None:
    code, reason = await closed_with(server.url(), "hello")
    assert code == 1007
    assert "/collaborate" in reason


@pytest.mark.parametrize(
    "frame", [b"", b"\x00", b"\x00\x02\x05ab", b"\x01\xff\xff", b"\x00\x02\x05\x01\x01\x02\x03g"]
)
async def test_a_malformed_frame_closes_its_connection_alone(server: Running, frame: bytes) -> None:
    async with joined(server, 1) as ann:
        code, reason = await closed_with(server.url(), frame)
        assert code == 1007
        assert reason
        await ann.edit(ann.replica.create(text="works"))
        async with joined(server, 2) as bob:
            await bob.until(lambda: bob.text() == "works")


@pytest.mark.parametrize("name", ["", "a//b", "..", "a/../b", "a/./b", "%", "x" * 5000])
async def test_an_invalid_room_name_is_refused_with_words(server: Running, name: str) -> None:
    if name == "%":
        name = "a%00b/.."
    code, reason = await closed_with(replace(server, scope="").url(name))
    assert code == 1008
    assert "room" in reason


async def test_slashes_and_percent_encoding_name_rooms_as_sent(server: Running) -> None:
    async with joined(server, 1, "a/b") as ann, joined(server, 2, "a%2Fb") as other:
        await ann.edit(ann.replica.create(text="in a/b"))
        async with joined(server, 3, "a/b") as bob:
            await bob.until(lambda: bob.text() == "in a/b")
        assert other.text() == ""
    names = {row.room for row in await server.state.hub.rooms()}
    assert {server.name("a%2Fb"), server.name("a/b")} <= names


async def test_a_frame_over_the_limit_is_refused(server: Running) -> None:
    code, _ = await closed_with(server.url(), sync_update(b"x" * 200_001))
    assert code == 1009


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
async def test_a_page_of_another_site_is_refused(server: Running, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(server.url(), additional_headers={"Origin": origin}):
            pass
    assert caught.value.response.status_code == 403


async def test_a_page_of_this_server_is_let_in(server: Running) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    async with connect(server.url(), additional_headers={"Origin": origin}) as one:
        assert await one.recv() == sync_step1(b"\0")


async def test_another_address_is_no_socket(server: Running) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(server.url(prefix="/nothing/")):
            pass
    assert caught.value.response.status_code == 404


async def test_more_connections_than_a_room_may_have_are_told_to_try_later(tmp_path: Path) -> None:
    async with running(tmp_path, limit_room_connections=1) as server, joined(server, 1):
        code, reason = await closed_with(server.url())
        assert code == 1013
        assert "room_connections" in reason


async def test_connections_that_were_turned_away_do_not_count(tmp_path: Path) -> None:
    async with running(tmp_path, limit_connections=2) as server:
        for _ in range(5):
            assert (await closed_with(server.url("..")))[0] == 1008
        async with joined(server, 1), joined(server, 2):
            assert (await closed_with(server.url()))[0] == 1013
        async with joined(server, 3), joined(server, 4):
            pass


async def test_a_deleted_room_closes_its_connections_and_is_gone(server: Running) -> None:
    async with joined(server, 1) as ann:
        await ann.edit(ann.replica.create(text="old"))
        await ann.socket.send(b"\x03")
        async with joined(server, 2) as bob:
            await bob.until(lambda: bob.text() == "old")
            await server.state.hub.delete(server.name())
            with pytest.raises(ConnectionClosed) as caught:
                await bob.until(lambda: False)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 4404
    async with joined(server, 3) as eve:
        assert eve.text() == ""
        await eve.edit(eve.replica.create(text="new"))
        async with joined(server, 4) as dan:
            await dan.until(lambda: dan.text() == "new")
    assert server.state.hub.failing is None


# Frames


def masked(payload: bytes, *, opcode: int = 2, final: bool = True) -> bytes:
    """A frame as clients send it."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack("!BH", 0x80 | 126, len(payload))
    else:
        head += struct.pack("!BQ", 0x80 | 127, len(payload))
    mask = b"\x12\x34\x56\x78"
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def handshake(server: Running, room: str = "r") -> bytes:
    return (
        f"GET /yjs/{server.name(room)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@asynccontextmanager
async def raw(
    server: Running, room: str = "r"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection past its handshake, without a client behind it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(handshake(server, room))
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.close()


async def test_a_message_in_fragments_is_put_together(server: Running) -> None:
    async with joined(server, 1) as ann:
        replica = Replica(2)
        message = sync_update(replica.create(text="in three parts"))
        async with connect(server.url()) as one:
            await one.send([message[:5], message[5:9], message[9:]])
            await ann.until(lambda: ann.text() == "in three parts")


async def test_pings_are_answered_also_between_fragments(server: Running) -> None:
    message = sync_update(Replica(2).create(text="whole"))
    async with raw(server) as (reader, writer), asyncio.timeout(TIMEOUT):
        writer.write(masked(message[:5], final=False))
        writer.write(masked(b"are you there", opcode=9) + masked(message[5:], opcode=0))
        await reader.readuntil(b"\x8a\x0dare you there")
        async with joined(server, 1) as ann:
            await ann.until(lambda: ann.text() == "whole")


async def test_a_large_frame_that_arrives_in_pieces_right_after_the_handshake_is_whole(server: Running) -> None:
    text = "large " * 20_000
    data = masked(sync_update(Replica(2).create(text=text)))
    async with raw(server, "large") as (_, writer):
        for start in range(0, len(data), 7_000):
            writer.write(data[start : start + 7_000])
            await writer.drain()
            await asyncio.sleep(0)
        async with joined(server, 1, "large") as ann:
            await ann.until(lambda: ann.text() == text)


@pytest.mark.parametrize("garbage", [b"\x82\x05hello", b"\xff" * 20, b"\x83\x80aaaa", b"GET / HTTP/1.1\r\n\r\n"])
async def test_what_is_no_websocket_frame_ends_its_connection_alone(server: Running, garbage: bytes) -> None:
    async with joined(server, 1) as ann:
        async with raw(server) as (reader, writer), asyncio.timeout(TIMEOUT):
            await reader.readexactly(5)  # Its step 1: the room has it.
            writer.write(garbage)
            assert b"\x88" in await reader.read()
        await ann.edit(ann.replica.create(text="works"))
        async with joined(server, 2) as bob:
            await bob.until(lambda: bob.text() == "works")


# Slow readers


class SlowReader:
    """A client that reads when told to, over a socket with a small buffer."""

    def __init__(self, server: Running) -> None:
        self.replica = Replica(77)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        self.server = server
        self.data = b""

    async def __aenter__(self) -> SlowReader:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self.server.port))
        await loop.sock_sendall(self.socket, handshake(self.server))
        while b"\r\n\r\n" not in self.data:
            self.data += await loop.sock_recv(self.socket, 4096)
        self.data = self.data.partition(b"\r\n\r\n")[2]
        await loop.sock_sendall(self.socket, masked(sync_step1(b"\0")))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def until(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(TIMEOUT):
            while not (self.replica.has() and self.replica.read() == text):
                received = await loop.sock_recv(self.socket, 65536)
                assert received, "the server closed the connection"
                self.data += received
                self._take()

    def _take(self) -> None:
        while len(self.data) >= 2:
            length, start = self.data[1], 2
            if length == 126:
                length, start = int.from_bytes(self.data[2:4], "big"), 4
            elif length == 127:
                length, start = int.from_bytes(self.data[2:10], "big"), 10
            if len(self.data) < start + length:
                return
            opcode, message = self.data[0] & 15, self.data[start : start + length]
            self.data = self.data[start + length :]
            assert opcode in {2, 9}
            if opcode == 2 and message[0] == 0 and message[1] in {1, 2}:
                self.replica.apply(read_bytes(message, 2)[0])


async def test_a_reader_that_stops_for_a_while_gets_everything_on_the_same_connection(server: Running) -> None:
    async with AsyncExitStack() as stack, joined(server, 1) as ann, joined(server, 2) as bob:
        await ann.edit(ann.replica.create(text="start"))
        slow = await stack.enter_async_context(SlowReader(server))
        await slow.until("start")
        host = server.host()
        large = 0
        while not any(connection.outbox.state.value == "lagging" for connection in host.audience.slow.values()):
            await ann.edit(ann.replica.insert(0, f"{large} " + "x" * 20_000))
            large += 1
            await bob.until(lambda: bob.text() == ann.text())
            assert large < 1000
        await ann.edit(ann.replica.delete(0, 20_000 * (large - 1)))
        await bob.edit(bob.replica.insert(len(bob.text()), " end"))
        await ann.until(lambda: ann.text().endswith(" end"))
        await slow.until(ann.text())
        await ann.edit(ann.replica.insert(0, "live again "))
        await slow.until(ann.text())


async def test_a_client_that_asks_and_never_reads_does_not_fill_the_memory(server: Running) -> None:
    async with AsyncExitStack() as stack, joined(server, 1) as ann:
        await ann.edit(ann.replica.create(text="x" * 100_000))
        slow = await stack.enter_async_context(SlowReader(server))
        loop = asyncio.get_running_loop()
        question = masked(sync_step1(b"\0"))
        for _ in range(40):
            await loop.sock_sendall(slow.socket, question * 50)
        await ann.edit(ann.replica.insert(0, "still here "))
        async with joined(server, 2) as bob:
            await bob.until(lambda: bob.text().startswith("still here"))
        host = server.host()
        assert max(connection.buffered for connection in host.audience.members.values()) < 1_000_000
        await slow.until(ann.text())


async def test_a_connection_that_does_not_answer_the_close_has_left_the_room(server: Running) -> None:
    async with raw(server) as (reader, writer), asyncio.timeout(TIMEOUT):
        writer.write(masked(b"text", opcode=1))
        await reader.readuntil(b"\x88")
        assert server.host().connections() == 0


async def test_what_was_sent_with_the_handshake_still_open_counts(server: Running) -> None:
    # Frames may come before the room is loaded: they wait and are taken in order.
    async with connect(server.url("fresh"), compression=None) as one:
        client = YClient(5, one)
        await one.send(sync_step1(b"\0"))
        await one.send(sync_update(client.replica.create(text="early")))
        await one.send(b"\x01" + write_bytes(b"\x00"))
        await client.until(client.is_synced)
    async with joined(server, 6, "fresh") as other:
        await other.until(lambda: other.text() == "early")
    assert FILE in other.replica.files
