"""Edits that were made before their author saw what a job, a PUT or an import had written, and come afterwards.

Somebody who types in a line that a job has replaced, and has not heard of that, names letters as neighbours that
are gone by then; whoever puts something between two letters of a line between which the job wrote names these two.
So such an edit can be told by its neighbours, whatever client and node it comes from, and however late.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from collab.errors import MalformedMessage
from collab.ids import ClientId, JobId
from collab.ledger import Ledger
from collab.merge.latest import Latest
from collab.merge.ranges import IdRanges
from collab.merge.structs import NOBODY, ItemId, Run, goes_on, read_structs
from collab.origin import ChangeOrigin, JobOrigin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from collab.wire import IdRange, read_delete_set


@dataclass(frozen=True, slots=True)
class Late:
    """Text that its author put where a job had changed something, without knowing that."""

    job: JobId
    ids: IdRange


@dataclass(slots=True)
class _Done:
    """What a job did: ids that it deleted, and pairs of neighbours between which it wrote."""

    clients: set[ClientId] = field(default_factory=set)
    gone: IdRanges = field(default_factory=IdRanges)
    gaps: set[tuple[ItemId, ItemId]] = field(default_factory=set)


class LateEdits:
    """Watches one room's log."""

    def __init__(self) -> None:
        self._jobs = Latest(_Done)

    def remember(self, job: JobId, ledger: Ledger) -> None:
        """What a job of before has deleted."""
        done = self._jobs.of(job)
        done.gone = done.gone | IdRanges(ids for item in ledger.deleted for ids in item.kept)

    def see(self, entry: LogEntry) -> list[Late]:
        """One more entry of the log; what of it came late."""
        origin = entry.origin
        if isinstance(origin, JobOrigin):
            self._learn(origin.job, entry.update)
        elif isinstance(origin, ChangeOrigin) and origin.change:
            # A change is kept as a job is.
            self._learn(JobId(origin.change), entry.update)
        elif isinstance(origin, UndoOrigin):
            self._jobs.forget(origin.job)
        elif isinstance(origin, PersonOrigin) and any(done.gaps or done.gone for done in self._jobs.values()):
            return self._find(entry.update)
        return []

    def _learn(self, job: JobId, update: bytes) -> None:
        done = self._jobs.of(job)
        if goes_on(update) in done.clients:
            return  # More of the job's own text, behind its own: nobody is in the way.
        try:
            structs, at = read_structs(update)
            gone, _ = read_delete_set(update, at)
        except MalformedMessage:
            return  # The document has judged it.
        done.clients |= structs.keys()
        for runs in structs.values():
            for run in runs:
                # Whole lines that two put at one place stand one below the other, and nobody is in the way.
                within = NOBODY not in {run.origin_client, run.right_client} and "\n" not in run.text
                if within and not done.clients & {run.origin_client, run.right_client}:
                    done.gaps.add(_neighbours(run))
        done.gone = done.gone | IdRanges(ids for ids in gone if ids.client not in done.clients)

    def _find(self, update: bytes) -> list[Late]:
        try:
            structs, _ = read_structs(update)
        except MalformedMessage:
            return []
        found = []
        for runs in structs.values():
            for run in runs:
                if not run.alive:
                    continue
                behind = IdRange(run.origin_client, run.origin_clock, 1)
                for job, done in self._jobs.items():
                    if (done.gaps and _neighbours(run) in done.gaps) or (done.gone and _holds(done.gone, behind)):
                        found.append(Late(job, IdRange(run.client, run.clock, run.length)))
        return found


def _neighbours(run: Run) -> tuple[ItemId, ItemId]:
    return (run.origin_client, run.origin_clock), (run.right_client, run.right_clock)


def _holds(ids: IdRanges, item: IdRange) -> bool:
    return item.client != NOBODY and any(inside for _, inside in ids.split(item))
