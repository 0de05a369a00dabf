"""The real application on a free port in the test's own event loop, and Yjs clients that talk to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from collab.ids import ClientId, RoomId
from collab.wire import (
    AwarenessEntry,
    MessageType,
    SyncType,
    awareness_message,
    read_awareness,
    read_bytes,
    sync_step1,
    sync_step2,
    sync_update,
)
from server.app import create_app, server_config
from server.host import RoomHost
from server.settings import Settings
from server.state import AppState
from tests.collab.replicas import FILE, Replica

TIMEOUT = 20.0


@dataclass
class Running:
    """A server that runs."""

    port: int
    state: AppState
    scope: str = ""
    """What the names of rooms begin with, so that tests that share a server do not share rooms."""

    def name(self, room: str = "r") -> RoomId:
        return RoomId(self.scope + room)

    def url(self, room: str = "r", *, prefix: str = "/yjs/", query: str = "") -> str:
        return f"ws://127.0.0.1:{self.port}{prefix}{self.name(room)}{query}"

    def host(self, room: str = "r") -> RoomHost:
        return self.state.hub._hosts[self.name(room)]


@asynccontextmanager
async def running(data_dir: Path, **changes: Any) -> AsyncIterator[Running]:
    """Serves as ``pairloom serve`` does, without its signal handlers."""
    settings = Settings(data_dir=data_dir, **changes)
    app = create_app(settings)
    state: AppState = app.state.pairloom
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(server_config(app, settings))
    with listener:
        async with app.router.lifespan_context(app), asyncio.TaskGroup() as tasks:
            tasks.create_task(server._serve([listener]))
            try:
                async with asyncio.timeout(TIMEOUT):
                    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                        await asyncio.sleep(0.005)
                yield Running(listener.getsockname()[1], state)
            finally:
                server.should_exit = True


class YClient:
    """What y-websocket is: syncs a document, shows itself, answers step 1."""

    def __init__(self, client: int, socket: ClientConnection) -> None:
        self.socket = socket
        self.replica = Replica(client)
        self.synced = False
        self.here: dict[int, bytes] = {}
        self.frames = 0

    async def open(self) -> None:
        """Asks for the document."""
        await self.socket.send(sync_step1(self.replica.state()))

    async def show(self, clock: int = 1, state: bytes = b'{"user":{"name":"y"}}') -> None:
        """Announces itself."""
        entry = AwarenessEntry(ClientId(self.replica.client), clock, state)
        await self.socket.send(awareness_message([entry.encode()]))

    async def edit(self, update: bytes) -> None:
        """Sends an edit of its own."""
        await self.socket.send(sync_update(update))

    async def until(self, done: Callable[[], bool], seconds: float = TIMEOUT) -> None:
        """Takes messages until something is so."""
        async with asyncio.timeout(seconds):
            while not done():
                await self.take(await self.socket.recv())

    async def take(self, message: str | bytes) -> None:
        """One message."""
        assert isinstance(message, bytes), "a text frame makes a Yjs client throw"
        self.frames += 1
        if message[0] == MessageType.SYNC:
            body, _ = read_bytes(message, 2)
            if message[1] == SyncType.STEP1:
                await self.socket.send(sync_step2(self.replica.missing(body)))
            else:
                self.replica.apply(body)
                self.synced = self.synced or message[1] == SyncType.STEP2
        elif message[0] == MessageType.AWARENESS:
            body, _ = read_bytes(message, 1)
            for entry in read_awareness(body, 10_000):
                if entry.state == b"null":
                    self.here.pop(entry.client, None)
                else:
                    self.here[entry.client] = entry.state

    def text(self) -> str:
        return self.replica.read(FILE) if self.replica.has(FILE) else ""

    def is_synced(self) -> bool:
        return self.synced


@asynccontextmanager
async def joined(server: Running, client: int, room: str = "r", **options: Any) -> AsyncIterator[YClient]:
    """A client that is synced."""
    async with connect(server.url(room), max_size=None, compression=None, **options) as socket:
        one = YClient(client, socket)
        await one.open()
        await one.until(one.is_synced)
        yield one
