"""``pairloom serve --workers 2`` with a real Redis."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests import program
from tests.conftest import real_program
from tests.program import Program
from tests.redis_process import RedisProcess
from tests.server.running import YClient
from tests.server.test_cli import Run, failed, run

__all__ = ["run"]

pytestmark = pytest.mark.integration

SECONDS = 40.0


@dataclass
class Supervised:
    """A supervisor with its workers."""

    process: Program
    port: int
    said: list[str]
    log: Path

    async def workers(self) -> set[int]:
        """The pids of the workers."""
        asked = await asyncio.create_subprocess_exec(
            real_program("pgrep"), "-P", str(self.process.pid), stdout=PIPE
        )
        out, _ = await asked.communicate()
        return {int(line) for line in out.split()}

    async def until_logged(self, words: str) -> None:
        """Until the log has these words."""
        async with asyncio.timeout(SECONDS):
            while words not in self.log.read_text():  # noqa: ASYNC110 - a file has no event for it
                await asyncio.sleep(0.05)

    async def until_two_other_than(self, before: set[int], least: int) -> set[int]:
        """The workers, once there are two and at least so many of them are new."""
        async with asyncio.timeout(SECONDS):
            while True:
                now = await self.workers()
                if len(now) == 2 and len(now - before) >= least:
                    return now
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def joined(self, client: int) -> AsyncIterator[YClient]:
        """A client in the room that is synced."""
        address = f"ws://127.0.0.1:{self.port}/yjs/r"
        async with connect(address, compression=None, open_timeout=SECONDS) as socket:
            one = YClient(client, socket)
            await one.open()
            await one.until(one.is_synced)
            yield one


@pytest.fixture
async def redis(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path / "redis") as process:
        yield process


@pytest.fixture
async def supervised(redis: RedisProcess, tmp_path: Path) -> AsyncIterator[Supervised]:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = program.start(
            ["serve", "--workers", "2", "--port", "0", "--no-open"],
            folder=tmp_path,
            environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PAIRLOOM_REDIS_URL": redis.url},
            errors=stream,
            piped=True,
        )
    said: list[str] = []
    async with asyncio.timeout(SECONDS):
        first = await process.line()
    said.append(first)
    found = re.search(r"http://127\.0\.0\.1:(\d+)/r/main with 2 workers", first)
    assert found is not None, first + log.read_text()
    one = Supervised(process, int(found[1]), said, log)
    try:
        yield one
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(SECONDS):
            rest = await process.rest()
            await process.wait()
        said += rest.splitlines()


async def until_gone(pids: set[int]) -> None:
    async with asyncio.timeout(SECONDS):
        while any(map(alive, pids)):  # noqa: ASYNC110 - they are no children of this process
            await asyncio.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def has(client: YClient, text: str) -> Callable[[], bool]:
    return lambda: client.text() == text


async def test_people_on_all_workers_share_a_room(supervised: Supervised) -> None:
    async with supervised.joined(1) as anna:
        await anna.edit(anna.replica.create(text="hello"))
        # Connections are dealt out: of so many, some are on each worker.
        for number in range(2, 10):
            async with supervised.joined(number) as other:
                await other.until(has(other, "hello"))


async def test_a_worker_that_is_killed_is_replaced_and_loses_nothing(supervised: Supervised) -> None:
    async with supervised.joined(1) as anna:
        await anna.edit(anna.replica.create(text="kept"))
        async with supervised.joined(2) as ben:
            await ben.until(has(ben, "kept"))
    before = await supervised.workers()
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await supervised.until_two_other_than(before, 2)
    await supervised.until_logged("was killed by SIGKILL")
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                async with supervised.joined(3) as chris:
                    await chris.until(has(chris, "kept"))
                break
            except OSError:
                # Nobody listens until one of the two is there again.
                await asyncio.sleep(0.05)


async def test_sighup_replaces_the_workers_one_after_the_other(supervised: Supervised) -> None:
    before = await supervised.workers()
    supervised.process.send_signal(signal.SIGHUP)
    most = 0
    async with asyncio.timeout(SECONDS):
        while "all workers are restarted" not in supervised.log.read_text():
            most = max(most, len(await supervised.workers()))
            # Somebody always accepts. Who meets a worker in the moment of its end comes back, as clients do.
            with suppress(InvalidMessage, ConnectionClosed):
                async with supervised.joined(1):
                    pass
    assert most <= 3
    await supervised.until_two_other_than(before, 2)
    await until_gone(before)


async def test_sigterm_ends_all_of_them(supervised: Supervised) -> None:
    workers = await supervised.workers()
    supervised.process.terminate()
    async with asyncio.timeout(SECONDS):
        assert await supervised.process.wait() == 0
    assert not any(map(alive, workers))
    assert "Traceback" not in supervised.log.read_text()


async def test_workers_end_when_the_supervisor_is_killed(supervised: Supervised) -> None:
    workers = await supervised.workers()
    supervised.process.kill()
    await until_gone(workers)
    for number in (1, 2):
        assert re.search(rf"the supervisor is gone.*worker={number}", supervised.log.read_text())


async def test_the_workers_are_nodes_with_numbers(supervised: Supervised, redis: RedisProcess, run: Run) -> None:
    result = await asyncio.to_thread(
        run, "doctor", PAIRLOOM_REDIS_URL=redis.url, PAIRLOOM_PORT=str(supervised.port)
    )
    assert re.search(r"2 live: \S+\.1, \S+\.2\.", result.stdout), result.stdout
    assert "A server runs at" in result.stdout


async def test_the_list_of_rooms_says_which_worker_has_a_room(supervised: Supervised, run: Run) -> None:
    async with supervised.joined(1) as anna:
        await anna.edit(anna.replica.create(text="hello"))
        async with supervised.joined(2) as ben:
            await ben.until(has(ben, "hello"))
            server = f"http://127.0.0.1:{supervised.port}"
            async with asyncio.timeout(SECONDS):
                while True:
                    result = await asyncio.to_thread(run, "rooms", "--json", "--server", server)
                    [room] = json.loads(result.stdout)
                    # A worker hears of the other one within two seconds.
                    if room["connections"] == 2:
                        break
    assert room["room"] == "r"
    assert room["nodes"]
    assert {node.rpartition(".")[2] for node in room["nodes"]} <= {"1", "2"}


def test_workers_without_redis_are_refused(run: Run) -> None:
    message = failed(run("serve", "--workers", "2"), 2)
    assert "workers" in message
    assert "redis_url" in message


def test_workers_that_cannot_reach_redis_end_the_command(run: Run) -> None:
    arguments = ["serve", "--workers", "2", "--port", "0", "--no-open"]
    message = failed(run(*arguments, PAIRLOOM_REDIS_URL="redis://127.0.0.1:9/0"), 1)
    assert "Redis at 127.0.0.1:9" in message
