"""A real Redis server of one test: on a free port, with its files under a directory of the test."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from redis import Redis
from redis.exceptions import RedisError

START_SECONDS: Final = 20.0
FIRST_PORT: Final = 12_000
PORTS: Final = 20_000
"""Below those that systems give to outgoing connections (32768 and up on Linux, 49152 elsewhere)."""


class RedisProcess:
    """Starts redis-server with ``options`` such as ``appendonly="yes", appendfsync="always"`` (``_`` stands for
    ``-``), and ends it as a test wants.

        async with RedisProcess(redis_server, tmp_path, appendonly="yes") as redis:
            link = await RedisLink.open(redis.url)

    The port stays the same over restarts. Without other options nothing is written to the disk.
    """

    def __init__(self, program: Path, directory: Path, **options: str) -> None:
        self.program: Final = program
        self.directory: Final = directory
        self.port: Final = free_port()
        self.options: Final = {"save": "", "appendonly": "no", **options}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, with the password if ``requirepass`` is set."""
        password = self.options.get("requirepass")
        return f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The running process."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """What the server wrote, of all its runs."""
        return self.directory / f"redis-{self.port}.log"

    async def start(self) -> None:
        """Starts it and waits until it has loaded its files and answers."""
        assert self._process is None, "it runs already"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.to_thread(_spawn, self.command())
        await self.until(lambda client: bool(client.ping()))

    def command(self) -> list[str]:
        """How it is started."""
        command = [str(self.program), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--logfile", str(self.log), "--daemonize", "no"]
        for name, value in self.options.items():
            # The value goes the way of the command line: several words are several arguments of the option.
            command += [f"--{name.replace('_', '-')}", *(value.split() or [""])]
        return command

    async def until(self, true: Callable[[Redis], bool], timeout: float = START_SECONDS) -> None:
        """Waits until the server says so; ``true`` is asked again and again over a connection of its own."""
        async with asyncio.timeout(timeout):
            while not await asyncio.to_thread(self._holds, true):
                assert self._running().poll() is None, f"redis-server has ended:\n{self.log.read_text()}"
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Ends it in order (SIGTERM): what it keeps on the disk is written."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Ends it as a crash does (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stops and starts it, on the same files."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """It neither answers nor closes its connections (SIGSTOP), until ``resume``."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        """A new connection of a test's own (not asynchronous); close it."""
        return Redis.from_url(self.url, socket_timeout=5.0)

    def run(self, *command: str | bytes | int) -> object:
        """One command over a connection of its own."""
        with self.client() as client:
            answer: object = client.execute_command(*command)
            return answer

    async def __aenter__(self) -> Self:
        """Starts it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it, if it still runs."""
        if self._process is not None:
            await self.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._running(), None
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(process.wait, START_SECONDS)

    def _holds(self, true: Callable[[Redis], bool]) -> bool:
        try:
            with self.client() as client:
                return true(client)
        except (RedisError, OSError):
            return False


class RedisCluster(RedisProcess):
    """A Redis Cluster of one node, which holds all slots."""

    def __init__(self, program: Path, directory: Path, **options: str) -> None:
        super().__init__(program, directory, cluster_enabled="yes", cluster_port=str(free_port()), **options)

    @property
    def url(self) -> str:
        """Where it listens, as the setting of a cluster."""
        return super().url.replace("redis://", "redis+cluster://").removesuffix("/0")

    def client(self) -> Redis:
        """See RedisProcess.client."""
        return Redis(host="127.0.0.1", port=self.port, socket_timeout=5.0)

    async def start(self) -> None:
        """Starts it; at the first time, gives it its slots."""
        await super().start()
        with self.client() as client:
            if _cluster_info(client)["cluster_slots_assigned"] == "0":
                client.cluster("ADDSLOTSRANGE", 0, 16383)
        await self.until(lambda client: _cluster_info(client)["cluster_state"] == "ok")


def _cluster_info(client: Redis) -> dict[str, str]:
    info: dict[str, str] = client.cluster("INFO")
    return info


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def free_port() -> int:
    """A port on which nobody listens now, and that nobody gets without asking for it.

    Not one that the system gives: it may give that to a connection of another test before the server that it was
    for listens there, or while that is being restarted. Each process that runs tests has its own.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = FIRST_PORT + secrets.randbelow(PORTS // workers) * workers + worker
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
