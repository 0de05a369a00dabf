"""An asyncio event loop with virtual time, in which every callback belongs to a simulated process.

It never waits: when nothing is ready, the time of the next timer has come. A process can be killed between any
two of its callbacks (what it had scheduled never runs, and nothing of it says goodbye), or stopped and continued.
Which process a callback belongs to is told by the context variable ``PROCESS``, which tasks inherit.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, TypeVar

T = TypeVar("T")

PROCESS: Final[ContextVar[str]] = ContextVar("PROCESS", default="")
"""The name of the simulated process; empty for what belongs to none."""
TURN_SECONDS: Final = 1e-5
"""What one turn of the loop takes: whoever waits by asking again and again sees time pass."""


class _Task(asyncio.Task[Any]):
    """A task whose place in a set follows from the loop, not from where it lies in memory."""

    def __new__(cls, work: Any, *, loop: VirtualLoop, context: Context | None) -> _Task:
        task = super().__new__(cls)
        task.number = loop.next_number()
        return task

    number: int

    def __hash__(self) -> int:
        return self.number


class _Future(asyncio.Future[Any]):
    """A future of the same kind."""

    def __new__(cls, *, loop: VirtualLoop) -> _Future:
        future = super().__new__(cls)
        future.number = loop.next_number()
        return future

    number: int

    def __hash__(self) -> int:
        return self.number


class Stuck(Exception):
    """Raised when nothing is ready and nothing ever will be."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Everything that happens in it follows from what was scheduled, in which order and for when."""

    # What BaseEventLoop keeps, and a simulation works on.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[BaseException | str] = []
        """What was raised where nobody could catch it."""
        self.turns = 0
        self._numbered = 0
        self._now = 0.0
        self._dead: set[str] = set()
        self._held: dict[str, list[asyncio.Handle]] = {}
        self._tasks: dict[str, list[asyncio.Task[Any]]] = {}
        self._buried: list[asyncio.Task[Any]] = []
        self._doomed: dict[str, tuple[int, Callable[[], None]]] = {}
        self.set_task_factory(self._task)
        self.set_exception_handler(self._failed)

    def next_number(self) -> int:
        """Counts tasks and futures."""
        self._numbered += 1
        return self._numbered

    def create_future(self) -> asyncio.Future[Any]:
        """A future whose hash follows from the loop."""
        return _Future(loop=self)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    # Processes

    def begin(self, process: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Starts a process with its main task."""
        return self.create_task(work, context=self.context(process))

    def context(self, process: str) -> Context:
        """A context for callbacks of a process."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return context

    def kill(self, process: str) -> None:
        """Ends a process here and now. It must not be the one whose callback is running."""
        assert PROCESS.get() != process, "a process cannot be killed from inside: schedule it"
        self._dead.add(process)
        self._held.pop(process, None)
        for task in self._tasks.pop(process, []):
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                # Kept: were they collected, their ``finally`` blocks would run, after their death.
                self._buried.append(task)

    def doom(self, process: str, callbacks: int, then: Callable[[], None]) -> None:
        """Kills a process after so many more of its callbacks, and calls ``then``."""
        self._doomed[process] = (callbacks, then)

    def spare(self) -> None:
        """Nobody is doomed any more."""
        self._doomed.clear()

    def pause(self, process: str) -> None:
        """Stops a process; time goes on without it."""
        if process not in self._dead:
            self._held.setdefault(process, [])

    def resume(self, process: str) -> None:
        """Continues a stopped process: all that was due meanwhile happens now, in order."""
        self._ready.extend(self._held.pop(process, []))

    def lives(self, process: str) -> bool:
        """Whether a process has not been killed."""
        return process not in self._dead

    def paused(self, process: str) -> bool:
        """Whether a process is stopped."""
        return process in self._held

    # What BaseEventLoop leaves open

    def _run_once(self) -> None:
        self.turns += 1
        self._now += TURN_SECONDS
        ready, scheduled = self._ready, self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]
        if not ready:
            if scheduled:
                self._now = max(self._now, scheduled[0].when())
            elif not self._stopping:  # type: ignore[attr-defined]
                raise Stuck("nothing is ready, and nothing is scheduled")
        while scheduled and scheduled[0].when() <= self._now:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS, "")  # type: ignore[attr-defined]
            if process:
                if process in self._dead:
                    continue
                if process in self._held:
                    self._held[process].append(handle)
                    continue
                if process in self._doomed and self._struck(process):
                    continue
            handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when their time comes."""

    def _process_events(self, events: list[object]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There are no threads to wake it from."""

    # Inside

    def _struck(self, process: str) -> bool:
        left, then = self._doomed.pop(process)
        if left > 0:
            self._doomed[process] = (left - 1, then)
            return False
        self.kill(process)
        then()
        return True

    def _task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, T] | Generator[Any, None, T],
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = _Task(work, loop=self, context=context)
        process = context.get(PROCESS, "") if context is not None else PROCESS.get()
        if process:
            tasks = self._tasks.setdefault(process, [])
            tasks.append(task)
            if len(tasks) > 200:
                self._tasks[process] = [one for one in tasks if not one.done()]
        return task

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context.get("exception") or str(context.get("message")))

    def bury(self) -> None:
        """Lets go of what killed processes left behind. For the end: their ``finally`` blocks run now."""
        for task in self._buried:
            _close(task.get_coro())
        self._buried.clear()


def _close(work: Any) -> None:
    """Ends a coroutine that will never be continued, whatever it does about it."""
    for _ in range(50):
        try:
            work.close()
        except BaseException:  # noqa: BLE001 - it awaits in a ``finally``: the next close ends that too
            continue
        return


def run(loop: VirtualLoop, work: Coroutine[Any, Any, T], cleanup: Callable[[], None] = lambda: None) -> T:
    """Runs a simulation to its end and closes the loop."""
    try:
        return loop.run_until_complete(work)
    finally:
        cleanup()
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        for task in left:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            _close(task.get_coro())
        loop.bury()
        loop.close()
