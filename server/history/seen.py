"""When each person was last in a room: a record per person, written when they leave."""

from __future__ import annotations

import logging
from typing import Final

from collab.ports import Clock
from server.history.ports import Host

KIND: Final = "seen"
MOST_PEOPLE: Final = 1_000
"""People of a room of whom it is kept; the longest absent are forgotten first."""

logger = logging.getLogger(__name__)


class Seen:
    """By the names that people gave themselves; whoever gave none is nobody."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def left(self, host: Host, name: str) -> None:
        """Somebody's connection has ended; they may have another one, and leave that later."""
        if name and not host.retired:
            host.put_record(KIND, name, str(self._clock.wall_ms()).encode())

    async def last(self, host: Host, name: str) -> int | None:
        """When somebody left last, in milliseconds since 1970; None if that is not known. Raises StoreError."""
        times = _times(await host.records(KIND))
        if len(times) > MOST_PEOPLE:
            for other in sorted(times, key=lambda one: times[one])[: len(times) - MOST_PEOPLE]:
                host.put_record(KIND, other, None)
        return times.get(name)


def _times(records: dict[str, bytes]) -> dict[str, int]:
    times = {}
    for name, data in records.items():
        if data.isdigit():
            times[name] = int(data)
        else:
            logger.error("the record of when %r was last here cannot be read", name)
    return times
