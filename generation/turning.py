"""Takes back what a job wrote, or puts back what that took, in the live document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collab.attribution_codec import pack_copies
from collab.errors import CollabError, Conflict
from collab.ledger import Ledger
from collab.origin import UndoOrigin
from collab.undo import undo
from generation.book import OPEN, REDO, Book, Change
from generation.jobs import Job
from generation.ports import RoomHandle
from generation.recovery import recovered
from generation.views import Asker

TOLD: Final = {False: ("undo", "redo"), True: ("again", "back")}
"""Names of the records that tell of an undo, and of a redo: what is turned back, and what comes of that."""


def turn(
    handle: RoomHandle,
    book: Book,
    job: Job,
    people: Sequence[Ledger],
    asker: Asker,
    *,
    redo: bool,
    shared: bool = False,
) -> list[Change]:
    """Undoes a job, or with ``redo`` the undo of it; the records to store. ``people`` are what undos of people's
    own changes have done. Where rooms are ``shared``, it is told of before it is stored: another node may find it
    without its record, and would go on with a job that was undone, or have a retry add to what a redo put back.

    Raises Conflict if there is nothing to turn back, StoreCorrupt, KeepLost.
    """
    if not job.ended:
        raise Conflict(f"The job {job.id} still runs; cancel it first.", field="job")
    stored = (book.redos if redo else book.ledgers).get(job.id)
    if stored is None or not job.wrote or job.undone is not redo:
        what = "redo: it was not undone" if redo else "undo: it has changed nothing, or is undone already"
        raise Conflict(f"The job {job.id} has nothing to {what}.", field="job")
    ledger = Ledger.from_bytes(stored)
    if not redo:
        ledger = recovered(ledger, job.clients, handle.document)
    update, reverse = undo(ledger, handle.document, [*book.ledgers_beside(job.id), *people], again=redo)
    if shared:
        for name, told in zip(TOLD[redo], (ledger, reverse), strict=True):
            handle.put_record(OPEN, _key(job, name), told.to_bytes())
    if update is not None:
        copies = pack_copies(reverse.copies[len(ledger.copies) :])
        try:
            handle.apply(update, UndoOrigin(job.id, asker.person, redo, copies))
        except CollabError:
            if shared:
                for change in forget_turn(job, redo=redo):
                    handle.put_record(change.kind, change.key, change.value)
            raise
    return _turned(book, job, reverse, redo=redo)


def forget_turn(job: Job, *, redo: bool) -> list[Change]:
    """To be stored after all records of an undo, or redo, that was told of."""
    return [Change(OPEN, _key(job, name), None) for name in TOLD[redo]]


def finish_turn(handle: RoomHandle, book: Book, job: Job, at_ms: int) -> list[Change]:
    """Undoes a job whose undo was told of, and of which there is no record: the node that did it has died.

    Does the same for a redo. What of it is there already is not done twice, as it is done under the same ids.
    The records to store; none if nothing was told of. Raises StoreCorrupt, LimitExceeded, KeepLost.
    """
    for redo, names in TOLD.items():
        told, turned = (book.open_hunks.get(_key(job, name)) for name in names)
        if told is None or turned is None or job.undone is not redo:
            continue
        ledger, reverse = Ledger.from_bytes(told), Ledger.from_bytes(turned)
        update, anew = undo(ledger, handle.document, book.ledgers_beside(job.id), again=redo)
        if update is not None:
            copies = pack_copies(anew.copies[len(ledger.copies) :])
            applied = handle.apply(update, UndoOrigin(job.id, job.person, redo, copies))
            if applied.update is not None:
                reverse = anew  # It had not come about.
        # Only a job that has ended can be undone, whatever its record says.
        job.interrupt(at_ms, paused=True)
        job.wrote = True
        kept = [] if redo else [book.put_ledger(job.id, ledger)]
        return [*kept, *_turned(book, job, reverse, redo=redo)]
    return []


def _turned(book: Book, job: Job, reverse: Ledger, *, redo: bool) -> list[Change]:
    job.undone = not redo
    if redo:
        return [book.put_ledger(job.id, reverse), *book.drop_redo(job.id)]
    data = book.redos[job.id] = reverse.to_bytes()
    return [Change(REDO, job.id, data)]


def _key(job: Job, what: str) -> str:
    return f"{job.id}.{what}"
