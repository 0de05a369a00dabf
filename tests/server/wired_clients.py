"""Yjs clients of a live room, from the wire to the room, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

from collab.ids import ConnectionId, PersonId, RoomId, client_id
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.outbox import Outbox
from collab.ports import Store
from collab.presence import Holder
from collab.room import Member
from collab.session import YSession
from collab.wire import (
    MessageType,
    read_bytes,
    sync_step1,
)
from server.caller import Caller
from server.connection import YConnection
from server.dispatch import Dispatch
from server.host import RoomHost
from server.hub import Hub
from server.transport import RoomTransport
from tests.collab.replicas import HandClock, Replica
from tests.server.wires import FakeTransport, accepted, masked

ROOM = RoomId("room")
LIMIT = 10_000


class Client:
    """One connection, from the wire to the room, without a socket."""

    def __init__(self, number: int, host: RoomHost, protocol: RoomTransport, transport: FakeTransport) -> None:
        self.replica = Replica(number)
        self.host = host
        self.protocol = protocol
        self.transport = transport
        limits = Limits(outbox_bytes=LIMIT)
        member = Member(Holder(ConnectionId(f"c{number}")), PersonId(f"p{number}"), f"p{number}")
        caller = Caller(
            ConnectionId(f"c{number}"), member.person, member.name, "#000000", client_id(Random(1)), False
        )
        self.departed = 0
        self.connection = YConnection(
            protocol,
            host,
            member,
            caller,
            cast(Dispatch, None),
            self._depart,
            YSession(host.state, member, limits, HandClock()),
            Outbox(LIMIT),
        )

    def _depart(self) -> None:
        self.departed += 1

    async def open(self) -> None:
        await self.connection.opened()
        self.send(sync_step1(b"\0"))
        await turn()
        self.take()

    def send(self, message: bytes) -> None:
        self.protocol.data_received(masked(message))

    def frames(self) -> list[bytes]:
        """What was written to it since the last call."""
        data, self.transport.written = self.transport.written, b""
        found = []
        while data:
            length, start = data[1], 2
            if length == 126:
                length, start = int.from_bytes(data[2:4], "big"), 4
            elif length == 127:
                length, start = int.from_bytes(data[2:10], "big"), 10
            if data[0] == 0x82:
                found.append(data[start : start + length])
            data = data[start + length :]
        return found

    def take(self) -> list[int]:
        """Applies what was written to it; the kinds of messages."""
        kinds = []
        for message in self.frames():
            kinds.append(message[0] * 10 + message[1] if message[0] == MessageType.SYNC else message[0] * 10)
            if message[0] == MessageType.SYNC and message[1]:
                self.replica.apply(read_bytes(message, 2)[0])
        return kinds


async def turn() -> None:
    """Lets the event loop go round, so that what was scheduled is done."""
    for _ in range(3):
        await asyncio.sleep(0)


@asynccontextmanager
async def room_with(count: int, store: MemoryStore | None = None) -> AsyncIterator[tuple[RoomHost, list[Client]]]:
    kept = store or MemoryStore()

    async def open_store() -> Store:
        return kept

    hub = Hub(open_store, Limits(), HandClock(), Random(1), commit_interval=0.0)
    async with hub.running(), hub.held(ROOM) as host:
        clients = []
        stack: list[Any] = []
        for number in range(1, count + 1):
            context = accepted()
            protocol, transport = await context.__aenter__()
            stack.append(context)
            client = Client(number, host, protocol, transport)
            await client.open()
            clients.append(client)
        try:
            yield host, clients
        finally:
            for context in stack:
                await context.__aexit__(None, None, None)
