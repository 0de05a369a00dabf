"""The supervisor with workers that are a few lines of Python: starting, replacing, ending."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.listeners import Listeners
from server.supervisor import Patience, Supervisor

SECONDS = 20.0

# Answers each connection with its number and pid. A file `broken` makes it end before it is ready, `deaf` makes it
# ignore SIGTERM.
STUB = """
import os, select, signal, socket, sys
number, listener, link, folder = sys.argv[1:]
supervisor = socket.socket(fileno=int(link))
if os.path.exists(folder + "/broken"):
    sys.exit(3)
told, tell = socket.socketpair()
tell.setblocking(False)
signal.set_wakeup_fd(tell.fileno())
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.path.exists(folder + "/deaf") else lambda *_: None)
server = socket.socket(fileno=int(listener))
server.setblocking(False)
server.listen()
supervisor.sendall(b"r")
while True:
    readable, _, _ = select.select([server, told, supervisor], [], [])
    if told in readable or supervisor in readable:
        sys.exit(0)
    try:
        connection, _ = server.accept()
    except BlockingIOError:
        continue  # another process took it
    connection.sendall(f"{number} {os.getpid()}".encode())
    connection.close()
"""


@dataclass
class Run:
    """A supervisor in this event loop."""

    folder: Path
    listeners: Listeners
    supervisor: Supervisor
    starts: list[int]
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None

    async def go(self) -> None:
        """Runs the supervisor to its end."""
        self.code = await self.supervisor.run()
        self.ended.set()

    async def ask(self) -> tuple[int, int]:
        """Number and pid of a worker that accepts."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listeners.port)
        try:
            number, pid = (await reader.read()).split()
        finally:
            writer.close()
            await writer.wait_closed()
        return int(number), int(pid)

    async def pids(self, count: int, done: Callable[[dict[int, int]], bool] = lambda _: True) -> dict[int, int]:
        """Number -> pid of the workers that accept, once there are as many and they are as they should be."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = dict([await self.ask() for _ in range(20)])
                if len(found) == count and done(found):
                    return found


@asynccontextmanager
async def supervised(
    folder: Path, count: int = 2, patience: Patience | None = None, *, ready: bool = True
) -> AsyncIterator[Run]:
    listeners = Listeners("127.0.0.1", 0)
    starts: list[int] = []

    def command(worker: int, listener: int, link: int) -> Sequence[str]:
        starts.append(worker)
        return [sys.executable, "-c", STUB, str(worker), str(listener), str(link), str(folder)]

    run = Run(folder, listeners, Supervisor(command, listeners, count, lambda: run.ready.set(), patience), starts)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run.go())
        if ready:
            await asyncio.wait_for(run.ready.wait(), SECONDS)
        yield run
        run.supervisor.stop()
        await asyncio.wait_for(run.ended.wait(), SECONDS)


async def said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Returns when the log has these words."""
    async with asyncio.timeout(SECONDS):
        while words not in caplog.text:  # noqa: ASYNC110 - a log has no event for it
            await asyncio.sleep(0.005)


async def test_all_workers_serve_and_end_with_the_supervisor(tmp_path: Path) -> None:
    async with supervised(tmp_path, 3) as run:
        pids = await run.pids(3)
        assert os.getpid() not in pids.values()
    assert run.code == 0
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_worker_that_is_killed_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(tmp_path, patience=Patience(settled=0.0)) as run:
        before = await run.pids(2)
        os.kill(before[1], signal.SIGKILL)
        await said(caplog, "was killed by SIGKILL")
        after = await run.pids(2, lambda found: found[1] != before[1])
        assert after[2] == before[2]
    assert f"worker 1 (pid {before[1]}) was killed by SIGKILL" in caplog.text
    assert "started again at once" in caplog.text


async def test_a_worker_that_dies_at_once_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(tmp_path, patience=Patience(first_delay=0.05)) as run:
        before = await run.pids(2)
        (tmp_path / "broken").touch()
        os.kill(before[1], signal.SIGKILL)
        await said(caplog, "was killed by SIGKILL")
        async with asyncio.timeout(SECONDS):
            while "it is started again in 0.2 s" not in caplog.text:
                # The other worker answers everybody meanwhile.
                assert (await run.ask())[0] == 2
        (tmp_path / "broken").unlink()
        await run.pids(2)
    assert "ended with exit code 3" in caplog.text
    assert "it is started again in 0.2 s" in caplog.text


async def test_workers_that_cannot_start_end_the_supervisor_with_their_code(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    async with supervised(tmp_path, ready=False) as run:
        async with asyncio.timeout(SECONDS):
            await run.ended.wait()
    assert run.code == 3
    assert not run.ready.is_set()


async def test_a_rolling_restart_replaces_one_after_the_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with supervised(tmp_path) as run:
        before = await run.pids(2)
        os.kill(os.getpid(), signal.SIGHUP)
        after = await run.pids(2, lambda found: not set(found.values()) & set(before.values()))
    assert set(after) == {1, 2}
    assert run.starts == [1, 2, 1, 2]
    order = [line for line in caplog.messages if "is to be replaced" in line]
    assert [line.split()[1] for line in order] == ["1", "2"]


async def test_the_old_worker_stays_when_the_new_one_does_not_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervised(tmp_path) as run:
        before = await run.pids(2)
        (tmp_path / "broken").touch()
        run.supervisor.roll()
        async with asyncio.timeout(SECONDS):
            while "the restart ends here" not in caplog.text:
                assert await run.ask() in before.items()
        assert await run.pids(2) == before
    assert run.starts == [1, 2, 1]


async def test_nobody_is_refused_during_a_rolling_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with supervised(tmp_path) as run:
        run.supervisor.roll()
        async with asyncio.timeout(SECONDS):
            while "all workers are restarted" not in caplog.text:
                await run.ask()


async def test_a_worker_that_does_not_drain_is_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "deaf").touch()
    async with supervised(tmp_path, 1, Patience(stop=0.1)) as run:
        pass
    assert run.code == 0
    assert "has not ended after 0.1 s; it is killed" in caplog.text


async def test_a_terminal_that_is_closed_ends_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = True
    monkeypatch.setattr(os, "isatty", lambda _: there)
    async with supervised(tmp_path, 1) as run:
        there = False
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(run.ended.wait(), SECONDS)
    assert (run.code, run.starts) == (0, [1])


def test_the_delay_doubles_up_to_its_bound() -> None:
    patience = Patience(first_delay=0.5, last_delay=30.0)
    assert [patience.delay(failures) for failures in (0, 1, 2, 3, 20)] == [0.0, 0.5, 1.0, 2.0, 30.0]


def test_a_port_that_another_server_has_is_not_shared() -> None:
    first = Listeners("127.0.0.1", 0, one_each=True)
    try:
        first.of(1).listen()
        with pytest.raises(OSError, match="in use"):
            Listeners("127.0.0.1", first.port, one_each=True)
    finally:
        first.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux deals connections out between sockets")
async def test_connections_are_dealt_out_evenly(tmp_path: Path) -> None:
    async with supervised(tmp_path, 2) as run:
        numbers = [(await run.ask())[0] for _ in range(200)]
    assert 50 <= numbers.count(1) <= 150
