"""What processes use over time, and which core they run on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

EVERY_SECONDS = 0.1
NICE = -15
TICKS = os.sysconf("SC_CLK_TCK")

SERVERS = 0
"""The core of nodes and Redis."""
CLIENTS = 1
"""The core of the load generator and the balancer."""


def pin(pid: int, core: int) -> None:
    """Puts a process with all its threads on one core, ahead of others if that is allowed."""
    core %= os.cpu_count() or 1
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), NICE)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Usage:
    """Samples of what each process had used, by its name."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._times: list[float] = []
        self._used: dict[str, list[float]] = {name: [] for name in pids}

    def sample(self) -> None:
        """Notes what they have used by now."""
        self._times.append(time.monotonic())
        for name, pid in self._pids.items():
            self._used[name].append(cpu_seconds(pid))

    def between(self, start: float, end: float) -> dict[str, float]:
        """CPU seconds of each process between two times of the monotonic clock."""
        return {name: self._at(used, end) - self._at(used, start) for name, used in self._used.items()}

    def _at(self, used: list[float], when: float) -> float:
        after = min(max(bisect_left(self._times, when), 1), len(self._times) - 1)
        before = after - 1
        share = (when - self._times[before]) / (self._times[after] - self._times[before])
        return used[before] + min(max(share, 0.0), 1.0) * (used[after] - used[before])


@asynccontextmanager
async def watched(pids: Mapping[str, int]) -> AsyncIterator[Usage]:
    """Samples the processes meanwhile."""
    usage = Usage(pids)

    async def watch() -> None:
        while True:
            usage.sample()
            await asyncio.sleep(EVERY_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch())
        try:
            yield usage
            usage.sample()
        finally:
            watching.cancel()
