"""Real Yjs clients under Node, one process each; see tests/node/client.mjs for what they can be told."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hatch_build import Node
from tests.conftest import missing

FOLDER = Path(__file__).parents[1] / "node"
SECONDS = 45.0
LONGEST_ANSWER = 2**24


def install(node: Node) -> None:
    """Installs the clients' packages once; a new lock file installs them anew."""
    with (FOLDER / "package.json").open("rb") as one_at_a_time:
        # Tests run in several processes.
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        _install(node)


def _install(node: Node) -> None:
    stamp = FOLDER / "node_modules" / ".installed"
    lock = (FOLDER / "package-lock.json").read_text()
    if stamp.exists() and stamp.read_text() == lock:
        return
    with node.environment() as environment:
        done = subprocess.run(
            ["npm", "ci", "--silent"], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        missing(f"the Yjs clients cannot be installed: {done.stderr.strip()[-300:]}")
    stamp.write_text(lock)


class NodeClient:
    """A process of clients: by default one client, whose release line ``line`` is: 1.5, 2.1, 3.1 or 4."""

    def __init__(self, node: Node, line: str, script: str = "client.mjs") -> None:
        self._node = node
        self._line = line
        self._script = script
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            self._node.node,
            FOLDER / self._script,
            self._line,
            cwd=FOLDER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_ANSWER,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def do(self, what: str, **rest: Any) -> Any:
        """Carries out a command and returns its value; an error of the client fails the test."""
        assert self._process is not None
        assert self._process.stdin is not None
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "do": what, **rest}).encode() + b"\n")
        async with asyncio.timeout(SECONDS + float(rest.get("seconds", 0))):
            return await answer

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for row in process.stdout:
            answer = json.loads(row)
            future = self._answers.pop(answer["id"])
            if "error" in answer:
                future.set_exception(AssertionError(f"y-websocket {self._line}: {answer['error']}"))
            else:
                future.set_result(answer["value"])
        for future in self._answers.values():
            future.set_exception(AssertionError(f"{self._script} has ended; see what it wrote to standard error"))
