"""A server process, a client of the native dialect that follows docs/protocol.md, and a plain Yjs client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pycrdt
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from collab import text_ops
from collab.text_ops import TextOp
from collab.wire import read_bytes, read_uint, sync_step1, sync_step2, sync_update

ROOT = Path(__file__).parents[2]
TIMEOUT = 20.0


@contextmanager
def running_server(data: Path) -> Iterator[str]:
    """A server on a free port; gives its address, such as ``127.0.0.1:34567``."""
    with subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PAIRLOOM_DATA_DIR": str(data)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = next((line for line in process.stdout if "http://" in line), None)
            assert line is not None, "the server ended before it was ready"
            yield line.partition("http://")[2].split("/")[0].strip()
        finally:
            process.terminate()
            process.communicate()


class NativeClient:
    """Speaks JSON or msgpack. ``texts`` holds the files that were read, kept up to date by operations."""

    def __init__(self, socket: ClientConnection, *, packed: bool) -> None:
        self._socket = socket
        self._packed = packed
        self.told: list[dict[str, Any]] = []
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self._pending: dict[str, TextOp] = {}
        self._count = 0

    async def send(self, message: dict[str, Any] | str) -> None:
        """Sends an object, or a line as it is typed."""
        if self._packed:
            await self._socket.send(msgpack.packb(message))
        else:
            await self._socket.send(message if isinstance(message, str) else json.dumps(message))

    async def next(self) -> dict[str, Any]:
        """The next message, after it was taken into account."""
        async with asyncio.timeout(TIMEOUT):
            raw = await self._socket.recv()
        message: dict[str, Any] = json.loads(raw) if isinstance(raw, str) else msgpack.unpackb(raw)
        self.told.append(message)
        self._take(message)
        return message

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of this type with these fields."""
        while True:
            message = await self.next()
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Sends a request and returns its answer."""
        self._count += 1
        await self.send({**message, "id": self._count})
        while True:
            answer = await self.next()
            if answer.get("id") == self._count:
                return answer

    async def read(self, path: str) -> str:
        """Reads a file, and follows it from then on. Returns its id."""
        answer = await self.ask({"type": "read", "file": path})
        file: str = answer["file"]
        self.texts[file], self.versions[file] = answer["text"], answer["version"]
        return file

    async def operate(self, file: str, op: TextOp) -> dict[str, Any]:
        """Applies an operation to its own text at once, and sends it; at most one at a time."""
        assert file not in self._pending
        self.texts[file] = text_ops.apply(self.texts[file], op)
        self._pending[file] = op
        answer = await self.ask(
            {"type": "text_operation", "file": file, "version": self.versions[file], "ops": components(op)}
        )
        assert answer["type"] == "applied", answer
        del self._pending[file]
        self.versions[file] = answer["version"]
        return answer

    def _take(self, message: dict[str, Any]) -> None:
        file = message.get("file")
        if message["type"] != "text_operation" or file not in self.texts:
            return
        assert message["version"] == self.versions[file] + 1
        theirs = operation(message["ops"])
        mine = self._pending.get(file)
        if mine is not None:
            self._pending[file] = text_ops.transform(mine, theirs, first=False)
            theirs = text_ops.transform(theirs, mine, first=True)
        self.texts[file] = text_ops.apply(self.texts[file], theirs)
        self.versions[file] = message["version"]


@asynccontextmanager
async def native(
    address: str, room: str, name: str = "Ann", *, packed: bool = False
) -> AsyncIterator[NativeClient]:
    """A client that has been welcomed."""
    protocols = [Subprotocol("pairloom.msgpack")] if packed else None
    url = f"ws://{address}/collaborate/{room}?name={name}"
    async with connect(url, subprotocols=protocols, max_size=None) as socket:
        client = NativeClient(socket, packed=packed)
        await client.until("welcome")
        yield client


class YjsClient:
    """A y-websocket client without awareness."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self.files: pycrdt.Map[Any] = self.doc.get("files", type=pycrdt.Map)
        self.synced = asyncio.Event()
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Takes in what the server sends, until cancelled."""
        await self._socket.send(sync_step1(self.doc.get_state()))
        async for frame in self._socket:
            assert isinstance(frame, bytes)
            if frame[0] != 0:
                continue
            kind, at = read_uint(frame, 1)
            payload, _ = read_bytes(frame, at)
            if kind == 0:
                await self._socket.send(sync_step2(self.doc.get_update(payload)))
                continue
            self.doc.apply_update(payload)
            self.changed.set()
            if kind == 1:
                self.synced.set()

    async def insert(self, file: str, index: int, text: str) -> None:
        """Inserts at a UTF-8 offset, and sends the update."""
        before = self.doc.get_state()
        self.files[file]["text"].insert(index, text)
        await self._socket.send(sync_update(self.doc.get_update(before)))

    def text(self, file: str) -> str:
        return str(self.files[file]["text"])


@asynccontextmanager
async def yjs(address: str, room: str) -> AsyncIterator[YjsClient]:
    """A Yjs client that is synced."""
    async with connect(f"ws://{address}/yjs/{room}", max_size=None) as socket:
        client = YjsClient(socket)
        task = asyncio.create_task(client.run())
        try:
            async with asyncio.timeout(TIMEOUT):
                await client.synced.wait()
            yield client
        finally:
            task.cancel()
            await asyncio.wait([task])


def components(op: TextOp) -> list[dict[str, Any]]:
    """An operation as it travels."""
    out: list[dict[str, Any]] = []
    for step in op:
        match step:
            case text_ops.Retain(length=length):
                out.append({"retain": length})
            case text_ops.Insert(text=text):
                out.append({"insert": text})
            case text_ops.Delete(length=length):
                out.append({"delete": length})
    return out


def operation(sent: list[dict[str, Any]]) -> TextOp:
    """The reverse of ``components``."""
    steps: list[text_ops.Step] = []
    for one in sent:
        if "retain" in one:
            steps.append(text_ops.Retain(one["retain"]))
        elif "insert" in one:
            steps.append(text_ops.Insert(one["insert"]))
        else:
            steps.append(text_ops.Delete(one["delete"]))
    return tuple(steps)
