"""Readers of a job's events, such as Server-Sent Event streams. None of them can slow the job."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collab.ids import JobId
from generation.events import GenerationEvent, JobFinished, JobProgressed, JobTokens

_REPLAYED = 500
"""Events that somebody who comes late still gets; tokens and progress are not among them."""


class _Reader:
    """What waits for one reader, at most ``most`` events; then tokens are dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._events: deque[GenerationEvent] = deque()
        self._come = asyncio.Event()

    def put(self, event: GenerationEvent) -> None:
        if len(self._events) >= self._most:
            kept = [old for old in self._events if not isinstance(old, JobTokens | JobProgressed)]
            self._events = deque(kept[-self._most :])
            if isinstance(event, JobTokens):
                return
        self._events.append(event)
        self._come.set()

    async def read(self) -> AsyncIterator[GenerationEvent]:
        while True:
            while self._events:
                event = self._events.popleft()
                yield event
                if isinstance(event, JobFinished):
                    return
            self._come.clear()
            await self._come.wait()


@dataclass(slots=True)
class _Channel:
    history: deque[GenerationEvent] = field(default_factory=lambda: deque(maxlen=_REPLAYED))
    readers: set[_Reader] = field(default_factory=set)


class Watchers:
    """The readers of all jobs."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._channels: dict[JobId, _Channel] = {}

    def open(self, job: JobId) -> None:
        """A job begins; from now on it can be watched."""
        self._channels.setdefault(job, _Channel())

    def close(self, job: JobId) -> None:
        """Forgets what came of a job that nobody watches; its end is not heard here any more."""
        channel = self._channels.get(job)
        if channel is not None and not channel.readers:
            del self._channels[job]

    def publish(self, job: JobId, event: GenerationEvent) -> None:
        """Hands an event to the job's readers; JobFinished ends them."""
        channel = self._channels.get(job)
        if channel is None:
            return
        if not isinstance(event, JobTokens | JobProgressed):
            channel.history.append(event)
        for reader in channel.readers:
            reader.put(event)
        if isinstance(event, JobFinished):
            del self._channels[job]

    @contextmanager
    def read(self, job: JobId, ended: JobFinished | None) -> Iterator[AsyncIterator[GenerationEvent]]:
        """The job's events from its start on; of one that has ended only ``ended``."""
        reader = _Reader(self._most)
        channel = self._channels.get(job, _Channel())
        for event in channel.history:
            reader.put(event)
        if job not in self._channels and ended is not None:
            reader.put(ended)
        channel.readers.add(reader)
        try:
            yield reader.read()
        finally:
            channel.readers.discard(reader)
