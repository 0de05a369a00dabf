"""The history of all rooms of this process: makes versions when their time has come, reads and restores them.

Where several nodes share rooms, one of them makes the versions of a room: the keeper of its jobs. Whoever has
something to save or to restore has it done there; reading is done by every node.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from collab.errors import CollabError, InvalidInput, LimitExceeded, TryLater
from collab.history.version import Version, VersionId
from collab.ids import JobId, PersonId, Random, RoomId, short_id
from collab.ports import Clock
from generation.events import GenerationEvent, JobFinished, JobProgressed
from generation.service import Asker, GenerationService
from generation.states import JobState
from server.caller import Caller
from server.history import questions
from server.history.activity import Reports
from server.history.asking import Asking
from server.history.maker import Maker, Reason
from server.history.parts import version_info
from server.history.ports import Doors, Host, Peers, Rooms
from server.history.reading import Reading
from server.history.restoring import Restoring
from server.history.seen import Seen
from server.history.settings import HistorySettings
from server.history.shelf import PackCache, Shelf
from server.history.watch import Capture, RoomWatch
from server.messages.history import VersionAdded, VersionInfo

TICK_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 3.0
RETRY_SECONDS: Final = 15.0
MOST_HELD: Final = 500
"""Rooms that are kept loaded until their changes have a version. Another one may be unloaded before; what has
changed in it is found when it is loaded again.
"""
AT_ONCE: Final = 4
"""Versions that are made at the same time, of different rooms."""
MOST_NAME: Final = 200

logger = logging.getLogger(__name__)


class History:
    """Built once; ``run`` is owned by the process's task group. ``attach`` is called for each loaded room."""

    def __init__(
        self,
        rooms: Rooms,
        clock: Clock,
        random: Random,
        settings: HistorySettings,
        peers: Peers | None = None,
        doors: Doors | None = None,
        generation: GenerationService | None = None,
    ) -> None:
        """Without ``peers`` no other node is there; without ``doors`` nothing can be restored, and without
        ``generation`` reports tell of no jobs.
        """
        self._rooms = rooms
        self._clock = clock
        self._random = random
        self._interval = settings.interval
        self._peers = peers
        self._maker = Maker(settings.policy, clock)
        self._cache = PackCache()
        self._seen = Seen(clock)
        self._asking = Asking(peers, clock, self._carry_out)
        self._restoring = Restoring(doors, random)
        self.reading = Reading(rooms, self.shelf)
        self.reports = Reports(rooms, self.shelf, self._seen, clock, generation)
        self._noticed: dict[RoomWatch, None] = {}
        self._held = 0
        self._leaving = False
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._group: asyncio.TaskGroup | None = None
        self._work: set[asyncio.Task[None]] = set()

    def attach(self, host: Host) -> None:
        """A room was loaded."""
        host.watch = RoomWatch(host, self._notice, self._heard, self._gone)

    def shelf(self, host: Host) -> Shelf:
        """Where a room's versions are kept."""
        return Shelf(host, self._cache, self._random)

    async def run(self) -> None:
        """Looks every second whose time has come, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while True:
                    await asyncio.sleep(TICK_SECONDS)
                    self.look()
            finally:
                self._group = None

    def leave(self) -> None:
        """The process is about to stop. Whose connection ends now has not left; and where there are other nodes,
        this one becomes the maker of no room's versions any more.
        """
        self._leaving = True

    async def drain(self) -> None:
        """Makes versions of what has changed, and returns when all is made; after DRAIN_SECONDS at most.

        Where there are other nodes, people go on there, and so does what this one has not made.
        """
        self.leave()
        if self._peers is None:
            for watch in list(self._noticed):
                watch.left = True
            self.look()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._work:
                    await asyncio.wait(self._work)

    # What people ask

    async def save(self, room: RoomId, name: str, asker: Asker) -> VersionInfo:
        """Keeps the room as it is now under a name. Raises InvalidInput, LimitExceeded, StoreError, TryLater."""
        named = " ".join(name.split())
        if not 0 < len(named) <= MOST_NAME or not named.isprintable():
            raise InvalidInput(f"The name of a version has 1 to {MOST_NAME} printable characters.", field="name")
        version = await self._save(room, "named", named, asker.name)
        assert version is not None
        return version

    def imported(self, room: RoomId, asker: Asker) -> None:
        """Files were imported into the room: it gets a version, soon."""
        self._spawn(self._of_import(room, asker))

    async def _of_import(self, room: RoomId, asker: Asker) -> None:
        try:
            await self._save(room, "import", "", asker.name)
        except CollabError as error:
            logger.warning("no version was made of an import: %s", error.message, extra={"room": room})

    async def restore(self, room: RoomId, version: str, file: str | None, asker: Asker) -> questions.Restored:
        """Brings a file, or with None the whole room, back to a version, as a change that everybody can undo.

        Raises NotFound, LimitExceeded, StoreError, TryLater.
        """
        question = questions.Restore(room=room, version=version, file=file, person=asker.person, by=asker.name)
        async with self._rooms.held(room):
            answer = await self._asking.ask(question)
        assert isinstance(answer, questions.Restored)
        return answer

    # What rooms tell

    def look(self) -> None:
        """Begins a version of each room whose time has come."""
        now = self._clock.monotonic()
        for watch in list(self._noticed):
            quiet, watch.fresh = not watch.fresh, False
            if watch.host.retired:
                self._unnotice(watch)
            elif not watch.busy and self._due(watch, now, quiet=quiet):
                watch.busy = self._spawn(self._in_time(watch))

    def _due(self, watch: RoomWatch, now: float, *, quiet: bool) -> bool:
        host = watch.host
        if now < watch.not_before:
            return False
        if watch.left or now - watch.since >= self._interval:
            return True
        return quiet and not host.connections() and not _anybody(host)

    def _notice(self, watch: RoomWatch) -> None:
        watch.noticed = True
        if not self._interval:
            return
        watch.since = self._clock.monotonic()
        self._noticed[watch] = None
        if self._held < MOST_HELD:
            self._held += 1
            watch.holding = True
            watch.host.held += 1

    def _unnotice(self, watch: RoomWatch) -> None:
        self._noticed.pop(watch, None)
        if watch.holding:
            self._held -= 1
            watch.holding = False
            watch.host.held -= 1
        watch.noticed = False

    def _gone(self, watch: RoomWatch, caller: Caller) -> None:
        host = watch.host
        if self._leaving or self._group is None:
            return
        self._seen.left(host, caller.name)
        if watch.noticed and self._interval and not host.connections() and not _anybody(host):
            watch.left = True
            if not watch.busy:
                watch.busy = self._spawn(self._in_time(watch))

    def _heard(self, watch: RoomWatch, event: GenerationEvent) -> None:
        if watch.host.keep is not None and watch.host.keep() is None:
            return
        match event:
            case JobProgressed(job=job) if job.state == JobState.PREPARING.value and job.job not in watch.begun:
                watch.begun.add(job.job)
                self._of_job(watch, "job_started", JobId(job.job), job.asked_by)
            case JobFinished(job=job) if job.job in watch.begun:
                watch.begun.discard(job.job)
                self._of_job(watch, "job_ended", JobId(job.job), job.asked_by)

    def _of_job(self, watch: RoomWatch, cause: Any, job: JobId, by: str) -> None:
        if self._group is None:
            return
        # Now, as the job's first change may come in this very turn of the loop.
        taken = watch.capture(self._clock.wall_ms())
        self._spawn(self._for_job(watch, taken, Reason(self._new_id(), cause, by=by, job=job)))

    # Making versions

    async def _in_time(self, watch: RoomWatch) -> None:
        """A version of what people did."""
        host = watch.host
        try:
            mine = True
            if self._leaving and self._peers is not None and self._peers.keep(host.room) is None:
                self._unnotice(watch)
                return
            if self._peers is not None:
                keep = await self._peers.claim(host.room)
                mine = keep.node == self._peers.node
            if mine:
                await self._make(watch, Reason(self._new_id(), "work"))
            else:
                # The keeper sees the same changes, but not who leaves here.
                if watch.left:
                    await self._save(host.room, "work", "", "")
                watch.dirty, watch.known = {}, False
            self._unnotice(watch)
            if watch.dirty:
                self._notice(watch)
        except CollabError as error:
            logger.warning("no version was made: %s", error.message, extra={"room": host.room})
            watch.not_before = self._clock.monotonic() + RETRY_SECONDS
            if isinstance(error, LimitExceeded):
                self._unnotice(watch)  # Until something changes.
        finally:
            watch.busy = False

    async def _for_job(self, watch: RoomWatch, taken: Capture, reason: Reason) -> None:
        try:
            async with self._rooms.held(watch.host.room) as host:
                if host is watch.host:
                    await self._make(watch, reason, taken)
        except CollabError as error:
            logger.warning("no version was made: %s", error.message, extra={"room": watch.host.room})

    async def _make(self, watch: RoomWatch, reason: Reason, taken: Capture | None = None) -> Version | None:
        """A version of what was taken, or of the room as it is. Raises LimitExceeded, KeepLost, StoreError."""
        shelf = self.shelf(watch.host)
        async with watch.lock, self._turns:
            if taken is None:
                watch.host.flush()
                taken = watch.capture(self._clock.wall_ms())
            try:
                version = await self._maker.make(watch, shelf, taken, reason)
            except BaseException:
                watch.give_back(taken)
                raise
            if version is not None:
                watch.host.tell(VersionAdded(version=version_info(version)))
            try:
                await self._maker.thin(shelf)
            except CollabError as error:
                # The version is made; the old ones go the next time.
                logger.warning("old versions were not removed: %s", error.message, extra={"room": watch.host.room})
            return version

    async def _save(self, room: RoomId, cause: Any, name: str, by: str) -> VersionInfo | None:
        question = questions.Save(room=room, id=self._new_id(), cause=cause, name=name, by=by)
        async with self._rooms.held(room) as host:
            host.flush()
            if self._peers is not None:
                # What was typed here must have reached the log before another node looks there.
                await host.durable()
            answer = await self._asking.ask(question)
        assert isinstance(answer, questions.Saved)
        return answer.version

    async def _carry_out(self, question: questions.Save | questions.Restore) -> questions.Answer:
        room = RoomId(question.room)
        async with self._rooms.held(room) as host:
            await host.caught_up()
            watch = host.watch
            assert watch is not None
            if isinstance(question, questions.Save):
                reason = Reason(VersionId(question.id), question.cause, question.name, question.by)
                version = await self._make(watch, reason)
                if version is not None:
                    await host.durable()
                return questions.Saved(version=version_info(version) if version is not None else None)
            if self._restoring.closed:
                raise TryLater("This server cannot restore yet; try again later.")
            asker = Asker(PersonId(question.person), question.by)
            # What is there now must not be lost by it.
            await self._make(watch, Reason(self._new_id(), "work"))
            async with watch.lock:
                shelf = self.shelf(host)
                done = await self._restoring.restore(host, shelf, question.version, question.file, asker)
            if done.change is not None:
                await self._make(watch, Reason(self._new_id(), "restore", by=asker.name))
                await host.durable()
            return done

    def _new_id(self) -> VersionId:
        return VersionId(short_id(self._random, "v"))

    def _spawn(self, work: Coroutine[None, None, None]) -> bool:
        if self._group is None:
            work.close()
            return False
        task = self._group.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return True


def _anybody(host: Host) -> bool:
    """Whether a person is in the room, over any node."""
    return any(view.kind != "job" for view in host.people())
