"""A node: ``pairloom serve`` in a process of its own, on a port that it keeps."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx

from tests import program
from tests.program import Program

START_SECONDS: Final = 40.0
STOP_SECONDS: Final = 40.0
ANSWER_SECONDS: Final = 1.0
NO_REDIS: Final = "pairloom: Redis"
"""How the last words of a node begin that cannot start without it."""
NOT_STORED: Final = "edits are not stored"
"""What the last words of a node say that has to stop while it cannot reach Redis."""


class ClusterNode:
    """One of several servers that share a Redis."""

    def __init__(self, name: str, port: int, data: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.port = port
        self._data = data
        self._environment = environment
        self.refusal = ""
        """Why it did not say last what a file holds."""
        self._process: Program | None = None

    @property
    def address(self) -> str:
        """Such as ``http://127.0.0.1:34567``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_address(self) -> str:
        """What y-websocket clients connect to."""
        return f"ws://127.0.0.1:{self.port}/yjs"

    @property
    def log(self) -> Path:
        """What it wrote, of all its runs."""
        return self._data / "node.log"

    @property
    def pid(self) -> int:
        """Of the running process."""
        return self._running().pid

    async def start(self) -> None:
        """Starts it and waits until it answers. One that ends as it cannot reach Redis is started again, as
        whatever supervises it does.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=self.address) as client:
            self._spawn()
            while not await _answers(client):
                if self._running().returncode is not None:
                    last = self.log.read_text()[-2000:]
                    assert NO_REDIS in last.splitlines()[-1], f"{self.name} ended: {last}"
                    self._spawn()
                await asyncio.sleep(0.02)

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = program.start(
                ["serve", "--no-open", "--port", str(self.port)],
                folder=program.ROOT,
                environment={
                    **os.environ,
                    "PAIRLOOM_DATA_DIR": str(self._data),
                    "PAIRLOOM_NODE_NAME": self.name,
                    **self._environment,
                },
                output=log,
                errors=log,
            )

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        process = self._running()
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def stop(self) -> None:
        """Ends it as a deployment does (SIGTERM); it must do so in order, or say that Redis keeps it from that."""
        process = self._running()
        process.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            code = await process.wait()
        last = self.log.read_text()[-2000:]
        without_redis = code == 1 and NOT_STORED in last.splitlines()[-1]
        assert code == 0 or without_redis, f"{self.name} ended with {code}: {last}"

    async def end(self) -> None:
        """Ends it for good, whatever state it is in."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    def freeze(self) -> None:
        """It stands still (SIGSTOP) until ``resume``."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def file(self, room: str, path: str) -> str:
        """The address of a file."""
        return f"{self.address}/api/rooms/{room}/files/{quote(path)}"

    async def text(self, client: httpx.AsyncClient, room: str, path: str) -> str | None:
        """A file's text as this node has it; None while the node does not say."""
        try:
            answer = await client.get(self.file(room, path), timeout=ANSWER_SECONDS)
        except httpx.TransportError as error:
            self.refusal = repr(error)
            return None
        if answer.is_success:
            return answer.content.decode()
        self.refusal = f"{answer.status_code} {answer.text[:500]}"
        return None

    def _running(self) -> Program:
        assert self._process is not None, f"{self.name} was not started"
        return self._process


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live", timeout=ANSWER_SECONDS)).is_success
    except httpx.TransportError:
        return False
