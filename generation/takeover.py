"""What becomes of a room's jobs when a node takes them over from one that is gone.

A job that was queued stays queued. One that ran is queued again under a new epoch and client id: what it had
closed stays, and the model is told of it; what it was in the middle of is taken back first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from collab.attribution_codec import pack_copies
from collab.document import Document
from collab.ledger import Deleted, Ledger
from collab.merge.ranges import IdRanges
from collab.undo import undo
from generation.book import OPEN, Book, Change
from generation.jobs import Job
from generation.openhunks import open_ledgers
from generation.recovery import unaccounted

WENT_ON: Final = "Another node went on with this job after the one that ran it stopped."
HANDED_OVER: Final = "The node that ran this job stops; another one goes on with it."


def withdraw(book: Book, job: Job, document: Document, apply: Callable[[bytes, bytes], object]) -> list[Change]:
    """Takes back what a dead try had not completed; the records to store after that.

    ``apply`` gets each update for the live document at once, and what of it is a copy (see JobOrigin). That is
    done hunk by hunk, under the client ids that the dead try would have used itself, so what it took back already
    is not taken back twice, nor is anything when this node dies too and the next one does the same. Text under the
    try's own client id that no record tells of (a merge whose records were lost) belongs to no hunk that is known
    to be complete, and goes as well.

    Raises StoreCorrupt.
    """
    stored = Ledger.from_bytes(book.ledgers[job.id]) if job.id in book.ledgers else Ledger()
    opened = open_ledgers(book.open_hunks, job.id, job.epoch)
    known = Ledger()
    for some in (stored, *opened):
        known.extend(some)
    closed = without(stored, opened)
    others = book.ledgers_beside(job.id)
    for part in (*reversed(opened), unaccounted(known, [job.client], document)):
        if part.empty:
            continue
        update, redo = undo(part, document, [*others, closed])
        if update is not None:
            apply(update, pack_copies(redo.copies[len(part.copies) :]))
        closed.dropped += [item for item in redo.buried if item not in closed.dropped]
        closed.released += [item for item in redo.withheld if item not in closed.released]
        closed.copies += [copy for copy in redo.copies if copy not in closed.copies]
    job.wrote = not closed.empty
    changes = []
    if job.id in book.ledgers or not closed.empty or closed.copies:
        changes.append(book.put_ledger(job.id, closed))
    return changes


def drop_open(book: Book) -> list[Change]:
    """Forgets what was told of unfinished hunks, once all of them are withdrawn."""
    changes = [Change(OPEN, key, None) for key in book.open_hunks]
    book.open_hunks.clear()
    return changes


def without(ledger: Ledger, parts: Sequence[Ledger]) -> Ledger:
    """A ledger without what the parts hold; what it knows of copies stays."""
    inserted = IdRanges(item.ids for part in parts for item in part.inserted)
    deleted = IdRanges(ids for part in parts for item in part.deleted for ids in item.ids)
    created = {item.file for part in parts for item in part.created}
    rest = Ledger(
        deleted=[item for item in ledger.deleted if not _inside(item, deleted)],
        created=[item for item in ledger.created if item.file not in created],
        renamed=list(ledger.renamed),
        removed=list(ledger.removed),
        copies=list(ledger.copies),
        buried=list(ledger.buried),
        withheld=list(ledger.withheld),
        dropped=list(ledger.dropped),
        released=list(ledger.released),
        away=list(ledger.away),
    )
    for item in ledger.inserted:
        for ids, gone in inserted.split(item.ids):
            if not gone:
                rest.insert(item.file, ids)
    return rest


def _inside(item: Deleted, ids: IdRanges) -> bool:
    return bool(item.ids) and not IdRanges(item.ids) - ids
