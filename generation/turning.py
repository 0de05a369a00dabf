"""Takes back what a job wrote, or puts back what that took, in the live document."""

from __future__ import annotations

from collections.abc import Sequence

from collab.attribution_codec import pack_copies
from collab.errors import Conflict
from collab.ledger import Ledger
from collab.origin import UndoOrigin
from collab.undo import undo
from generation.book import REDO, Book, Change
from generation.jobs import Job
from generation.ports import RoomHandle
from generation.recovery import recovered
from generation.views import Asker


def turn(
    handle: RoomHandle, book: Book, job: Job, people: Sequence[Ledger], asker: Asker, *, redo: bool
) -> list[Change]:
    """Undoes a job, or with ``redo`` the undo of it; the records to store. ``people`` are what undos of people's
    own changes have done.

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
    if update is not None:
        copies = pack_copies(reverse.copies[len(ledger.copies) :])
        handle.apply(update, UndoOrigin(job.id, asker.person, redo, copies))
    job.undone = not redo
    if redo:
        return [book.put_ledger(job.id, reverse), *book.drop_redo(job.id)]
    data = book.redos[job.id] = reverse.to_bytes()
    return [Change(REDO, job.id, data)]
