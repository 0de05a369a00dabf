"""AI jobs that write while ten people type: the age of tokens at the last peer, what people notice, a cancel."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from collab.wire import read_bytes, read_uint, sync_step1, sync_update, write_bytes, write_uint
from tests.bench.process import ServerProcess, running_server
from tests.bench.token_server import MARKED
from tests.bench.yclient import EMPTY_STEP2

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SECONDS = float(os.environ.get("PAIRLOOM_LOAD_SECONDS", "10"))
JOBS = (1, 5, 10, 20)
PEOPLE = 10
EDITS_PER_SECOND = 5
RATE = 200
TOKEN_MS = 50.0
EDIT_MS = 5.0
CANCEL_MS = 100.0
_TOKEN = re.compile(rb"@(\d{6,20})@")
_EDIT = re.compile(rb"~(\d{6,20})~")


class Typist:
    """A Yjs client that types the time, and notes how old what it is sent is, in ms."""

    def __init__(self, url: str, client: int) -> None:
        self._url = url
        self._client = client
        self._clock = 0
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.synced = asyncio.Event()
        self._more = asyncio.Event()
        self.tokens: list[tuple[int, int]] = []
        self.edits: list[float] = []

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, compression=None, max_size=None, ping_interval=None)
        self._tasks.append(asyncio.create_task(self._read(self._socket)))
        await self._socket.send(sync_step1(b"\x00"))
        await self.synced.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        await self._socket.close()
        await asyncio.gather(*self._tasks)

    async def type(self, seconds: float, offset: float) -> None:
        """Types at a steady rate for so long."""
        assert self._socket is not None
        start = time.perf_counter() + offset
        for number in range(int(seconds * EDITS_PER_SECOND)):
            await asyncio.sleep(max(0.0, start + number / EDITS_PER_SECOND - time.perf_counter()))
            text = b"~%d~" % time.monotonic_ns()
            head = b"\x01\x01" + write_uint(self._client) + write_uint(self._clock)
            place = b"\x04" + write_uint(1) + write_bytes(b"content")
            if self._clock:
                place = b"\x84" + write_uint(self._client) + write_uint(self._clock - 1)
            self._clock += len(text)
            await self._socket.send(sync_update(head + place + write_bytes(text) + b"\x00"))

    async def has(self, tokens: int) -> None:
        """Returns when so many marked tokens have come."""
        while len(self.tokens) < tokens:
            self._more.clear()
            await self._more.wait()

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            assert isinstance(frame, bytes)
            if frame[0] != 0:
                continue
            sub, at = read_uint(frame, 1)
            if sub == 0:
                await socket.send(EMPTY_STEP2)
            elif sub == 1:
                self.synced.set()
            else:
                now = time.monotonic_ns()
                update = read_bytes(frame, at)[0]
                self.tokens += [(int(sent), now) for sent in _TOKEN.findall(update)]
                self._more.set()
                self.edits += [(now - int(sent)) / 1e6 for sent in _EDIT.findall(update)]


@dataclass(frozen=True, slots=True)
class Load:
    """What a run came to, in ms."""

    token_p99: float
    edit_p99: float
    tokens: int
    edits: int


@contextmanager
def model() -> Iterator[str]:
    """The base URL of a running model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, "-m", "tests.bench.token_server", str(port)]) as process:
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


async def submit(server: ServerProcess, room: str, number: int, tokens: int) -> str:
    """Asks for a file of so many tokens, in a connection that then goes; the job."""
    prompt = f"Write a list. TOKENS={tokens} RATE={RATE} FILE=list{number}.txt"
    asked = {"type": "generate", "id": 1, "prompt": prompt, "strategy": "full", "mode": "auto"}
    async with connect(f"ws://127.0.0.1:{server.port}/collaborate/{room}?name=asker{number}") as socket:
        await socket.send(json.dumps(asked))
        async with asyncio.timeout(20):
            while True:
                answer = json.loads(await socket.recv())
                assert answer["type"] != "error", answer
                if answer.get("id") == 1:
                    return str(answer["job"]["job"])


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def run(server: ServerProcess, room: str, jobs: int) -> Load:
    """Ten people type, and so many jobs write."""
    url = f"ws://127.0.0.1:{server.port}/yjs/{room}"
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(Typist(url, 1000 + n)) for n in range(PEOPLE)]
        for number in range(jobs):
            await submit(server, room, number, int(RATE * SECONDS))
        async with asyncio.TaskGroup() as group:
            for number, person in enumerate(people):
                group.create_task(person.type(SECONDS, number / PEOPLE / EDITS_PER_SECOND))
        marked = jobs * -(-int(RATE * SECONDS) // MARKED)
        async with asyncio.timeout(60):
            for person in people:
                await person.has(marked)
    # A token is as old as at the peer that gets it last.
    oldest: dict[int, int] = {}
    for person in people:
        for sent, at in person.tokens:
            oldest[sent] = max(oldest.get(sent, 0), at)
    ages = [(at - sent) / 1e6 for sent, at in oldest.items()]
    late = [edit for person in people for edit in person.edits]
    return Load(p99(ages) if jobs else 0.0, p99(late), len(ages), len(late))


async def cancelled(server: ServerProcess, room: str) -> float:
    """How long tokens went on coming after a cancel, in ms."""
    url = f"ws://127.0.0.1:{server.port}/yjs/{room}"
    async with AsyncExitStack() as stack:
        person = await stack.enter_async_context(Typist(url, 1000))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}"))
        job = await submit(server, room, 0, 100_000)
        async with asyncio.timeout(20):
            await person.has(20)
        begun = time.monotonic_ns()
        (await client.post(f"/api/rooms/{room}/jobs/{job}/cancel")).raise_for_status()
        await asyncio.sleep(1.0)
        return max(0.0, max(at for _, at in person.tokens) - begun) / 1e6


def test_jobs_and_people_at_once(tmp_path: Path) -> None:
    # What loads the server takes as little of the processors as may be.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        without, loads, silences = runner.run(measured(tmp_path))
    assert max(silences) <= CANCEL_MS
    assert all(load.token_p99 <= TOKEN_MS for load in loads.values())
    assert all(load.edit_p99 <= without + EDIT_MS for load in loads.values())


async def measured(tmp_path: Path) -> tuple[float, dict[int, Load], list[float]]:
    """People's edits without jobs, what so many jobs came to, and how long cancelled ones went on; all in ms."""
    with model() as base_url:
        settings = {
            "PAIRLOOM_BASE_URL": base_url,
            "PAIRLOOM_MODEL": "m",
            "PAIRLOOM_JOBS_RUNNING": "20",
            "PAIRLOOM_JOBS_RUNNING_PER_ROOM": "20",
        }
        with running_server(tmp_path, settings) as server:
            alone = [await run(server, f"alone{n}", 0) for n in range(2)]
            without = statistics.median(load.edit_p99 for load in alone)
            print(f"\npeople alone: edits p99 {without:.1f} ms ({alone[0].edits} arrivals)")
            loads = {}
            for jobs in JOBS:
                load = loads[jobs] = await run(server, f"jobs{jobs}", jobs)
                print(
                    f"{jobs} jobs of {RATE} tokens/s: token to the last peer p99 {load.token_p99:.1f} ms "
                    f"({load.tokens} measured), edits p99 {load.edit_p99:.1f} ms"
                )
            silences = [await cancelled(server, f"cancel{n}") for n in range(5)]
            print(f"cancel to silence: {', '.join(f'{ms:.0f}' for ms in silences)} ms")
    return without, loads, silences
