"""Takes back what a job wrote, or puts back what that took, in the live document."""

from __future__ import annotations

from collections.abc import Sequence

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
    own changes have done. Where rooms are ``shared``, an undo is told of before it is stored: another node may
    find it without its record, and would go on with a job that was undone.

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
    if shared and not redo:
        handle.put_record(OPEN, _key(job, "undo"), ledger.to_bytes())
        handle.put_record(OPEN, _key(job, "redo"), reverse.to_bytes())
    if update is not None:
        copies = pack_copies(reverse.copies[len(ledger.copies) :])
        try:
            handle.apply(update, UndoOrigin(job.id, asker.person, redo, copies))
        except CollabError:
            if shared and not redo:
                for change in forget_undo(job):
                    handle.put_record(change.kind, change.key, change.value)
            raise
    job.undone = not redo
    if redo:
        return [book.put_ledger(job.id, reverse), *book.drop_redo(job.id)]
    data = book.redos[job.id] = reverse.to_bytes()
    return [Change(REDO, job.id, data)]


def forget_undo(job: Job) -> list[Change]:
    """To be stored after all records of an undo that was told of."""
    return [Change(OPEN, _key(job, what), None) for what in ("undo", "redo")]


def finish_undo(handle: RoomHandle, book: Book, job: Job, at_ms: int) -> list[Change]:
    """Undoes a job whose undo was told of, and of which there is no record: the node that did it has died.

    What of it is there already is not done twice, as it is done under the same ids. The records to store; none if
    no undo was told of. Raises StoreCorrupt, LimitExceeded, KeepLost.
    """
    told, turned = book.open_hunks.get(_key(job, "undo")), book.open_hunks.get(_key(job, "redo"))
    if told is None or turned is None or job.undone:
        return []
    ledger, reverse = Ledger.from_bytes(told), Ledger.from_bytes(turned)
    update, again = undo(ledger, handle.document, book.ledgers_beside(job.id))
    if update is not None:
        copies = pack_copies(again.copies[len(ledger.copies) :])
        applied = handle.apply(update, UndoOrigin(job.id, job.person, redo=False, copies=copies))
        if applied.update is not None:
            reverse = again  # It had not come about.
    # Only a job that has ended can be undone, whatever its record says.
    job.interrupt(at_ms, paused=True)
    job.wrote = job.undone = True
    kept = book.put_ledger(job.id, ledger)
    data = book.redos[job.id] = reverse.to_bytes()
    return [kept, Change(REDO, job.id, data)]


def _key(job: Job, what: str) -> str:
    return f"{job.id}.{what}"
