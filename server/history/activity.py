"""What happened in a room since a moment: versions, jobs, suggestions, and who edited which files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import Final

from collab.blame import activity
from collab.errors import NotFound
from collab.history.version import Version
from collab.ids import FilePath, RoomId
from collab.ports import Clock
from generation.service import Asker, GenerationService, JobView
from generation.states import ACTIVE
from server.announce import job_part, suggestion_part
from server.blaming import author_part
from server.history.parts import version_info
from server.history.ports import Host, Rooms
from server.history.seen import Seen
from server.history.shelf import Shelf
from server.history.watch import TURN_SECONDS
from server.messages.history import ActivityReport, EditedBy, EditedFile
from server.messages.parts import RequestId

DEFAULT_MS: Final = 24 * 3_600_000
"""Activity of so long is told to those of whom it is not known when they left."""
MOST_FILES: Final = 500
"""Files that a report names, by path; versions tell of the others."""
LEAVING_MS: Final = 10_000
"""Whoever leaves last leaves a version behind: what that holds happened before."""


class Reports:
    """Reports of activity. Everything raises StoreError."""

    def __init__(
        self,
        rooms: Rooms,
        shelf: Callable[[Host], Shelf],
        seen: Seen,
        clock: Clock,
        generation: GenerationService | None,
    ) -> None:
        self._rooms = rooms
        self._shelf = shelf
        self._seen = seen
        self._clock = clock
        self._generation = generation

    async def report(
        self, room: RoomId, since_ms: int | None, asker: Asker, answer_to: RequestId | None = None
    ) -> ActivityReport:
        """What happened since a moment; with None, since the asker left, or of a day if that is not known."""
        now = self._clock.wall_ms()
        jobs = await self._generation.jobs(room) if self._generation is not None else []
        waiting = await self._generation.suggestions(room) if self._generation is not None else []
        async with self._rooms.held(room) as host:
            last_seen = await self._seen.last(host, asker.name)
            since = since_ms if since_ms is not None else last_seen if last_seen is not None else now - DEFAULT_MS
            versions = [one for one in await self._shelf(host).versions() if one.at_ms >= since]
            files = await _edited(host, versions, jobs, since)
        ended = {one.job for one in versions if one.cause == "job_ended"}
        return ActivityReport(
            id=answer_to,
            since_ms=since,
            last_seen_ms=last_seen,
            now_ms=now,
            versions=[version_info(one) for one in reversed(versions)],
            jobs=[job_part(one) for one in jobs if _of_late(one, since, ended)],
            suggestions=[suggestion_part(one) for one in waiting],
            files=files,
        )


def _of_late(job: JobView, since: int, ended: Collection[str | None]) -> bool:
    """Whether a job ended since then: when is known from its version, or it was asked for since."""
    return job.state not in ACTIVE and (job.created_ms >= since or job.job in ended)


async def _edited(
    host: Host, versions: Sequence[Version], jobs: Sequence[JobView], since: int
) -> list[EditedFile]:
    """The files in which somebody inserted something since then, and those that versions say have changed.

    Works in pieces, so that rooms go on meanwhile.
    """
    document = host.document
    table = host.attribution()
    views = {job.job: job for job in jobs}
    found: dict[str, EditedFile] = {}
    until = perf_counter() + TURN_SECONDS
    # Without anybody's insertions nothing needs to be looked through.
    for file in list(document.listing().files.values()) if table.since(since) else []:
        if perf_counter() > until:
            await asyncio.sleep(0)
            until = perf_counter() + TURN_SECONDS
        try:
            by = activity(document, table, since, [file.id]).get(file.id)
        except NotFound:
            continue  # It was deleted meanwhile.
        if by:
            parts = [
                EditedBy(author=author_part(one.author, views), at_ms=one.at_ms_last, inserted=one.inserted)
                for one in by
            ]
            found[file.shown] = EditedFile(file=file.id, path=file.shown, by=parts)
    shown = document.listing().shown
    for path in _touched(host, [one for one in versions if one.at_ms > since + LEAVING_MS]):
        if path not in found:
            found[path] = EditedFile(file=shown.get(FilePath(path)), path=path, by=[])
    return [found[path] for path in sorted(found)][:MOST_FILES]


def _touched(host: Host, versions: Sequence[Version]) -> set[str]:
    paths = {one.path for version in versions for one in version.touched}
    live = host.document.listing().files
    for file in host.watch.dirty if host.watch is not None else ():
        if file in live:
            paths.add(live[file].shown)
    return paths
