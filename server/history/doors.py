"""The door through which a restore goes in: it is applied, and kept as a change that can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from collab.ids import ClientId, JobId, Random, short_id
from collab.ledger import Ledger
from collab.merge.ranges import IdRanges
from collab.origin import ChangeOrigin
from collab.undo import deleted_ids
from collab.wire import IdRange
from generation.changes import new_change
from generation.service import Asker, GenerationService
from server.history.ports import Host


class ChangeDoor:
    """Implements ``server.history.ports.Doors`` with the engine that keeps jobs and changes."""

    def __init__(self, generation: GenerationService, random: Random) -> None:
        self._generation = generation
        self._random = random

    async def apply_change(
        self,
        host: Host,
        title: str,
        files: Sequence[str],
        updates: Sequence[bytes],
        client: ClientId,
        ledger: Ledger,
        asker: Asker,
    ) -> str:
        """See Doors. What was applied is kept also when a later one is refused."""
        change = JobId(short_id(self._random, "c"))
        gone: list[IdRange] = []
        applied = 0
        try:
            for update in updates:
                done = host.apply(update, ChangeOrigin(change, asker.person, "restore"))
                applied += 1
                if done.update is not None:
                    gone += deleted_ids(host.document, done.update)
                await asyncio.sleep(0)
        finally:
            if applied:
                noted = new_change(
                    change, "restore", title, client, files, _really(ledger, gone), applied=len(files)
                )
                await self._generation.record(host.room, noted, asker)
        return change


def _really(ledger: Ledger, gone: Sequence[IdRange]) -> Ledger:
    """The ledger without deletions of what somebody else had deleted when they came."""
    really = IdRanges(gone)
    kept = [replace(one, kept=tuple((IdRanges(one.kept) & really).ranges())) for one in ledger.deleted]
    return replace(ledger, deleted=kept)
