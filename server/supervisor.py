"""Keeps the workers of ``pairloom serve --workers`` running: starts, watches, replaces and ends them.

The supervisor serves nothing itself. It talks with each worker over a pair of sockets: the worker writes one byte
when it serves, and ends when the supervisor's end closes, so that no worker outlives a supervisor that was
killed.

    SIGTERM, SIGINT   all workers drain and end, then the supervisor
    SIGHUP            every worker is replaced, one after the other
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from server.listeners import Listeners

READY: Final = b"r"
"""What a worker writes when it serves."""

logger = logging.getLogger(__name__)


class Command(Protocol):
    """How a worker is started."""

    def __call__(self, worker: int, listener: int, link: int) -> Sequence[str]:
        """The program and its arguments; ``listener`` and ``link`` are descriptors that it inherits."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    start: float = 60.0
    """For a worker to be ready."""
    stop: float = 25.0
    """For a worker to drain; it is killed then."""
    settled: float = 10.0
    """A worker that ends sooner than this after its start is started again after a delay."""
    first_delay: float = 0.5
    last_delay: float = 30.0

    def delay(self, failures: int) -> float:
        """The delay before a start after so many early ends in a row; 0 for none."""
        return min(self.last_delay, self.first_delay * 2.0 ** (failures - 1)) if failures else 0.0


@dataclass(slots=True, eq=False)
class _Worker:
    number: int
    process: Process
    link: socket.socket
    began: float
    ended: asyncio.Task[int] = field(init=False)

    def __post_init__(self) -> None:
        self.ended = asyncio.ensure_future(self.process.wait())

    def __str__(self) -> str:
        return f"worker {self.number} (pid {self.process.pid})"

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def ready(self, seconds: float) -> bool:
        """Whether it serves; False when it ends, or does not in time."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().sock_recv(self.link, 1) == READY
        except (TimeoutError, ConnectionError):
            return False


@dataclass(slots=True)
class _Slot:
    """One of the places that a worker fills."""

    number: int
    replace: asyncio.Queue[asyncio.Future[bool]] = field(default_factory=asyncio.Queue)
    failures: int = 0
    was_ready: bool = False


class WorkersFailed(Exception):
    """Raised when a worker ends before any has served: starting it again would end the same way."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with exit code {code} at the start")
        self.code = code


class Supervisor:
    """``count`` workers, numbered from 1. ``on_ready`` is called once, when all of them serve."""

    def __init__(
        self,
        command: Command,
        listeners: Listeners,
        count: int,
        on_ready: Callable[[], None],
        patience: Patience | None = None,
    ) -> None:
        self._command: Final = command
        self._listeners: Final = listeners
        self._slots: Final = [_Slot(number) for number in range(1, count + 1)]
        self._on_ready: Final = on_ready
        self._patience: Final = patience if patience is not None else Patience()
        self._alive: Final[set[_Worker]] = set()
        self._stop: Final = asyncio.Event()
        self._roll: Final = asyncio.Event()
        self._told = False
        self._had_terminal: Final = os.isatty(0)

    async def run(self) -> int:
        """Runs until a signal says to stop; returns the exit code: 0, or that of a worker that could not start."""
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGTERM: self.stop, signal.SIGINT: self.stop, signal.SIGHUP: self._hang_up}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        code = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [tasks.create_task(self._keep(slot)) for slot in self._slots]
                work.append(tasks.create_task(self._rolling()))
                await self._stop.wait()
                for task in work:
                    task.cancel()
        except* WorkersFailed as group:
            [failed, *_] = _leaves(group)
            code = failed.code
        finally:
            # From here on nobody should come in, and those who wait should go elsewhere.
            self._listeners.close()
            await self._end_all()
            for number in handlers:
                loop.remove_signal_handler(number)
        return code

    def stop(self) -> None:
        """Ends everything."""
        self._stop.set()

    def roll(self) -> None:
        """Replaces every worker, one after the other."""
        self._roll.set()

    def _hang_up(self) -> None:
        # The signal also comes when the terminal is closed in which the server was started.
        if self._had_terminal and not os.isatty(0):
            self.stop()
        else:
            self.roll()

    async def _keep(self, slot: _Slot) -> None:
        """Fills a slot for ever."""
        worker = await self._started(slot)
        while True:
            asked = asyncio.ensure_future(slot.replace.get())
            try:
                await asyncio.wait([worker.ended, asked], return_when=asyncio.FIRST_COMPLETED)
                if asked.done():
                    worker = await self._replaced(slot, worker, asked.result())
            finally:
                asked.cancel()
            if worker.ended.done():
                self._bury(slot, worker)
                worker = await self._started(slot)

    async def _started(self, slot: _Slot) -> _Worker:
        """A worker that serves, however many starts it takes."""
        while True:
            delay = self._patience.delay(slot.failures)
            if delay:
                await asyncio.sleep(delay)
            worker = await self._start(slot)
            if await worker.ready(self._patience.start):
                self._note_ready(slot)
                return worker
            if not worker.ended.done():
                with suppress(TimeoutError):
                    # The link of a process that ends closes a moment before it has ended.
                    await asyncio.wait_for(asyncio.shield(worker.ended), 1.0)
            if not worker.ended.done():
                logger.error("%s was not ready after %g s; it is ended", worker, self._patience.start)
                await self._end(worker)
            self._bury(slot, worker)

    async def _replaced(self, slot: _Slot, old: _Worker, done: asyncio.Future[bool]) -> _Worker:
        """The worker that takes over, or the old one if no new one gets ready."""
        new = await self._start(slot)
        logger.info("%s is to be replaced by %s", old, new)
        served = await new.ready(self._patience.start)
        if served:
            await self._end(old)
        else:
            logger.error("%s did not become ready; %s stays", new, old)
            await self._end(new)
        if not done.done():
            done.set_result(served)
        return new if served else old

    async def _rolling(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            logger.info("restarting %d workers, one after the other", len(self._slots))
            for slot in self._slots:
                done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
                slot.replace.put_nowait(done)
                if not await done:
                    logger.error("the restart ends here: workers from %d on are the old ones", slot.number)
                    break
            else:
                logger.info("all workers are restarted")

    async def _start(self, slot: _Slot) -> _Worker:
        listener = self._listeners.of(slot.number)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(slot.number, listener.fileno(), theirs.fileno()),
                pass_fds=(listener.fileno(), theirs.fileno()),
                stdin=DEVNULL,
                # Ctrl+C reaches the supervisor alone, which ends the workers in order.
                process_group=0,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = _Worker(slot.number, process, ours, asyncio.get_running_loop().time())
        self._alive.add(worker)
        return worker

    def _note_ready(self, slot: _Slot) -> None:
        slot.was_ready = True
        if not self._told and all(one.was_ready for one in self._slots):
            self._told = True
            self._on_ready()

    def _bury(self, slot: _Slot, worker: _Worker) -> None:
        """Notes that a worker has ended by itself. Raises WorkersFailed."""
        self._forget(worker)
        # Those who lost their connection come back at once, to the other workers.
        self._listeners.give_up(slot.number)
        code = worker.ended.result()
        lived = asyncio.get_running_loop().time() - worker.began
        if not any(one.was_ready for one in self._slots):
            raise WorkersFailed(code if code > 0 else 1)
        slot.failures = slot.failures + 1 if lived < self._patience.settled else 0
        delay = self._patience.delay(slot.failures)
        logger.error(
            "%s %s after %.1f s; it is started again %s",
            worker,
            _ending(code),
            lived,
            f"in {delay:g} s" if delay else "at once",
        )

    async def _end(self, worker: _Worker) -> None:
        """Lets a worker drain, and kills it when that takes too long."""
        worker.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(worker.ended), self._patience.stop)
        except TimeoutError:
            logger.error("%s has not ended after %g s; it is killed", worker, self._patience.stop)
            worker.signal(signal.SIGKILL)
            await worker.ended
        self._forget(worker)

    async def _end_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for worker in list(self._alive):
                tasks.create_task(self._end(worker))

    def _forget(self, worker: _Worker) -> None:
        worker.link.close()
        self._alive.discard(worker)


def _leaves(group: BaseExceptionGroup[WorkersFailed]) -> list[WorkersFailed]:
    found: list[WorkersFailed] = []
    for one in group.exceptions:
        found += _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}"
