"""A real server in a process of its own, which can be killed and started again where it was."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import httpx

from tests import program
from tests.program import Program

START_SECONDS = 30.0


class Server:
    """``python -m server serve`` with its own data folder. It keeps its port when it is started again."""

    def __init__(self, data: Path, environment: Mapping[str, str]) -> None:
        self._data = data
        self._environment = environment
        self._process: Program | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Such as ``http://127.0.0.1:34567``."""
        return f"http://127.0.0.1:{self.port}"

    def room(self, room: str) -> str:
        """The address of a room's page."""
        return f"{self.address}/r/{room}"

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        with self._log.open("ab") as log:
            self._process = program.start(
                ["serve", "--port", str(self.port)],
                folder=program.ROOT,
                environment={**os.environ, "PAIRLOOM_DATA_DIR": str(self._data), **self._environment},
                errors=log,
                piped=True,
            )
        async with asyncio.timeout(START_SECONDS):
            while line := await self._process.line():
                _, found, address = line.partition("http://127.0.0.1:")
                if found:
                    self.port = int(address.split("/")[0])
                    return
        raise AssertionError(f"the server ended before it was ready: {self._log.read_text()}")

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        process = self._running()
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        """Ends it as Ctrl+C would; it must do so in order."""
        process = self._running()
        if process.returncode is not None:
            return
        process.terminate()
        await process.wait()
        log = self._log.read_text()
        assert "Traceback" not in log, log

    async def write(self, room: str, path: str, text: str) -> None:
        """Creates a file."""
        async with httpx.AsyncClient() as client:
            answer = await client.put(
                self.file(room, path),
                content=text.encode(),
                headers={"If-None-Match": "*", "Content-Type": "text/plain"},
            )
        assert answer.is_success, answer.text

    async def read(self, room: str, path: str) -> bytes:
        """A file's bytes, as the server has them."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(self.file(room, path))
        assert answer.is_success, answer.text
        return answer.content

    async def paths(self, room: str) -> list[str]:
        """The paths of all files of a room."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.address}/api/rooms/{room}/files")
        assert answer.is_success, answer.text
        return sorted(file["path"] for file in answer.json()["files"])

    def file(self, room: str, path: str) -> str:
        """The address of a file."""
        return f"{self.address}/api/rooms/{room}/files/{quote(path)}"

    @property
    def _log(self) -> Path:
        return self._data / "server.log"

    def _running(self) -> Program:
        assert self._process is not None, "the server was not started"
        return self._process
