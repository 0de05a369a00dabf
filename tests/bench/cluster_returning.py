"""A y-websocket client that loses its node and comes back to another one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from collab.ids import ClientId
from collab.wire import (
    AwarenessEntry,
    MessageType,
    SyncType,
    awareness_message,
    decode_state_vector,
    read_bytes,
    sync_step1,
    sync_step2,
    sync_update,
)
from tests.bench.yclient import keystroke
from tests.collab.replicas import Replica

TRY_AGAIN_SECONDS = 0.2
OPEN_SECONDS = 5.0


@dataclass
class Document:
    """What all clients of a room have: one of them typed it, and the others know it."""

    room: str
    replica: Replica

    def state(self) -> dict[ClientId, int]:
        """The state vector."""
        return decode_state_vector(self.replica.state())


class Returning:
    """One client. It is in sync when the server has sent what it lacks, and has got from it what the server lacks.

    ``brought`` counts how often the server lacked something.
    """

    def __init__(self, document: Document, client: int) -> None:
        self._document = document
        self._client = client
        self._clock = 0
        self.socket: ClientConnection | None = None
        self.tries = 0
        self.brought = 0

    async def join(self, port: int) -> None:
        """Connects until it is in sync, trying again until a node takes it."""
        while True:
            self.tries += 1
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    self.socket = await connect(
                        f"ws://127.0.0.1:{port}/yjs/{self._document.room}",
                        compression=None,
                        max_size=None,
                        ping_interval=None,
                    )
                    await self._sync(self.socket)
                    return
            except (OSError, WebSocketException):
                await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _sync(self, socket: ClientConnection) -> None:
        replica = self._document.replica
        await socket.send(sync_step1(replica.state()))
        await socket.send(awareness_message([AwarenessEntry(ClientId(self._client), 1, b'{"user":{}}').encode()]))
        answered = asked = False
        while not (answered and asked):
            message = await socket.recv()
            assert isinstance(message, bytes)
            if message[0] != MessageType.SYNC:
                continue
            body, _ = read_bytes(message, 2)
            if message[1] == SyncType.STEP1:
                theirs = decode_state_vector(body)
                lacks = any(theirs.get(one, 0) < clock for one, clock in self._document.state().items())
                self.brought += lacks
                await socket.send(sync_step2(replica.missing(body)))
                asked = True
            elif message[1] == SyncType.STEP2:
                answered = True

    async def stay(self) -> float:
        """Takes whatever comes until the connection is lost; when that was."""
        assert self.socket is not None
        try:
            while True:
                await self.socket.recv()
        except WebSocketException:
            return time.perf_counter()

    async def type(self) -> None:
        """One keystroke of its own."""
        assert self.socket is not None
        await self.socket.send(sync_update(keystroke(self._client, self._clock, "a")))
        self._clock += 1
