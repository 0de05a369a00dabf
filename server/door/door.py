"""The door for everybody who worked from an older copy: what they wrote is decided about, lands, and is noted.

AI jobs have a door of their own, as they stream (``collab.merge.session``); both decide by the same resolver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from anyio import to_thread

from collab.ids import JobId, Random, RoomId, short_id
from collab.merge.changeset import Decision, Intent, Merger, decide
from collab.merge.landing import spelled
from collab.ports import Clock
from generation.service import Asker, GenerationService
from generation.views import ChangeKind
from server.door.bases import Bases
from server.door.ports import Host
from server.door.recording import Recorder
from server.door.texts import Known
from server.door.writing import Asked, Texts, Writing, Written

INLINE_CHARS: Final = 4 * 1024
"""Texts up to this size are decided about at once; larger ones in a thread, so that the rooms go on."""


@dataclass(frozen=True, slots=True)
class Changeset:
    """What a writer wants. ``base`` holds the texts that it knew, by path; those of other files are not known."""

    base: Mapping[str, Known]
    intents: Sequence[Intent]


class Door:
    """Built once. ``run`` is owned by the process's task group."""

    def __init__(
        self,
        generation: GenerationService,
        clock: Clock,
        random: Random,
        here: Merger,
        aside: Merger,
        *,
        shared: bool = False,
    ) -> None:
        """``here`` is used in the event loop, ``aside`` in a thread, never in two at once. ``shared``: other nodes
        have the same rooms, so that another one may keep this one's jobs.
        """
        self._generation = generation
        self._clock = clock
        self._random = random
        self._here = here
        self._aside = aside
        self._turn = asyncio.Lock()
        self._noting = asyncio.Lock()
        self._shared = shared
        self._recorder = Recorder(generation, random)

    async def run(self) -> None:
        """Tells again of changes that could not be noted, until cancelled."""
        await self._recorder.run()

    async def write(
        self,
        host: Host,
        cause: ChangeKind,
        title: str,
        changeset: Changeset,
        asker: Asker,
        check: Callable[[], None] | None = None,
    ) -> Written:
        """Carries out a changeset, waits until that is stored, and notes it as a change that can be undone.

        ``check`` is called when nobody can type any more before it lands, and may raise. The same changeset of the
        same asker a second time does nothing, unless it was undone meanwhile. Raises LimitExceeded,
        StoreUnavailable, and what ``check`` raises.
        """
        change = _change_of(host.room, cause, changeset, asker)
        if _contested(host, changeset):
            jobs = {job.job: job for job in await self._generation.jobs(host.room)}
            if change in jobs and not jobs[change].undone:
                open_ones = await self._generation.suggestions(host.room)
                return Written(
                    change, asked=[Asked.seen(one) for one in open_ones if one.job == change], again=True
                )
            if change in jobs:
                change = self.new_change()
        writing = self.begin(host, cause, title, asker, change)
        try:
            await writing.add(changeset, check)
        finally:
            written = await writing.finish()
        return written

    def begin(
        self,
        host: Host,
        cause: ChangeKind,
        title: str,
        asker: Asker,
        change: JobId | None = None,
        *,
        more: bool = False,
    ) -> Writing:
        """A change that is made in several steps; ``finish`` it whatever happens.

        With ``more`` it goes on with a change that was made before.
        """
        return Writing(
            host,
            cause,
            title,
            asker,
            change if change is not None else self.new_change(),
            self,
            self._recorder,
            self._clock,
            self._random,
            shared=self._shared,
            more=more,
        )

    def bases(self, host: Host) -> Bases:
        """What the sources of imports into a room had."""
        return Bases(host, self._clock, self._noting)

    def new_change(self) -> JobId:
        """An id for a change."""
        return JobId(short_id(self._random, "c"))

    async def aside(self, base: Texts, live: Texts, intents: Sequence[Intent], moved: Texts) -> list[Decision]:
        """See Decides. Of small texts at once, as a thread takes longer."""
        size = max((len(text) for texts in (base, live) for text in texts.values()), default=0)
        if size + sum(len(getattr(intent, "text", "")) for intent in intents) <= INLINE_CHARS:
            return self.now(base, live, intents, moved)
        async with self._turn:
            return await to_thread.run_sync(decide, base, live, intents, self._aside, moved)

    def now(self, base: Texts, live: Texts, intents: Sequence[Intent], moved: Texts) -> list[Decision]:
        """See Decides."""
        return decide(base, live, intents, self._here, moved)


def _contested(host: Host, changeset: Changeset) -> bool:
    """Whether somebody has changed one of the files since the writer's copy."""
    host.flush()
    listing = host.document.listing()
    for path, known in changeset.base.items():
        file = listing.by_path(path)
        if file is None or host.document.text(file.id) != known.text:
            return True
    return False


def _change_of(room: RoomId, cause: str, changeset: Changeset, asker: Asker) -> JobId:
    """The same for the same changeset, by which one that comes again is known (I4)."""
    digest = blake2b(repr((room, cause, asker.person, asker.name)).encode())
    for path, known in sorted(changeset.base.items()):
        digest.update(repr((path, known.text)).encode())
    for intent in changeset.intents:
        digest.update(repr(intent).encode())
    return JobId("c" + spelled(digest.digest(), 10))
