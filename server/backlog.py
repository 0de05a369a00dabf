"""Keeps what waits for the store small while that cannot be reached: many updates become few."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from collab.document import merge_updates
from collab.io.writer import Writer
from collab.origin import RestoreOrigin
from collab.ports import LogEntry
from server.host import RoomHost

WORTH: Final = 8
"""Fewer entries than this are not worth putting together."""


def shrink(writer: Writer, host: RoomHost, most: int) -> None:
    """Puts a room's waiting entries together when they have more than ``most`` bytes.

    First those of one author each. When even that is more, one entry says all that the document has, and with it
    goes the table of who wrote what.
    """
    if writer.backlog_of(host.room) <= most:
        return
    waiting = writer.waiting(host.room)
    if len(waiting) < WORTH:
        return
    merged = _by_author(waiting)
    if sum(len(entry.update) for entry in merged) > most:
        whole = host.document.encode()
        origin = RestoreOrigin(host.state.authorship.encoded())
        rest = [LogEntry(0, waiting[-1].at_ms, RestoreOrigin(), item.update) for item in host.state.waiting]
        merged = [LogEntry(0, waiting[-1].at_ms, origin, whole), *rest]
        if sum(len(entry.update) for entry in merged) >= sum(len(entry.update) for entry in waiting):
            return
    host.renumber(writer.replace(host.room, merged))


def _by_author(waiting: list[LogEntry]) -> list[LogEntry]:
    groups: dict[tuple[object, int], list[LogEntry]] = {}
    for entry in waiting:
        groups.setdefault((entry.origin, entry.fence), []).append(entry)
    return [
        replace(group[-1], update=merge_updates([entry.update for entry in group])) for group in groups.values()
    ]
