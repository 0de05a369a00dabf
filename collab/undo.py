"""Undo of what a job did, by item ids, so that nothing of anybody else is touched.

No stack in memory is needed: the ledger is stored, and the room's document may have been saved, collected
and loaded in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from collab.document import Applied, Document, merge_updates
from collab.editor import Editor
from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.ledger import Created, Inserted, Ledger, Removed, Renamed
from collab.merge.items import placed_update
from collab.merge.reversal import Reversal, reversal
from collab.offsets import utf16_length
from collab.wire import IdRange, decode_state_vector, read_delete_set


def undo(
    ledger: Ledger, live: Document, others: Iterable[Ledger] = (), *, again: bool = False
) -> tuple[bytes | None, Ledger]:
    """The update that takes back what the ledger holds, and the ledger of that, whose undo is the redo.

    ``others`` are the present ledgers of the room's other jobs: where one job wrote over another's text,
    they tell which text lives on as a copy, and which must not come back. ``again`` says that this undo is a
    redo: then the line ends go too that would keep what somebody typed in a line apart from the next one.

    The update is None if there is nothing to do. ``live`` is only read; the caller applies the update to it at
    once. It is written under a client id derived from the ledger, so that taking back the same
    ledger a second time does nothing, even if the caller crashed before it stored that it had.
    """
    client = undo_client(ledger)
    # Also where there is nothing to undo, others must still know what was put back under new ids.
    redo = ledger.lasting()
    for item in ledger.buried:
        # In force again with the rest, so that it goes with the rest should somebody bring it back.
        redo.insert(item.file, item.ids)
    if client in decode_state_vector(live.state_vector()):
        return None, redo
    updates: list[bytes | None] = []
    fork: Document | None = None
    clock = 0
    if ledger.created or ledger.renamed or ledger.removed:
        fork = live.fork(client)
        for removed in reversed(ledger.removed):
            updates += _recreate(fork, removed, redo)
        for renamed in reversed(ledger.renamed):
            file = fork.listing().files.get(renamed.file)
            if file is not None and file.path == renamed.after:
                updates.append(rename(fork, renamed.file, renamed.before))
                redo.renamed.append(Renamed(renamed.file, renamed.after, renamed.before))
        clock = decode_state_vector(fork.state_vector()).get(client, 0)
    texts = _reversals(live, ledger, tuple(others), keep_line_ends=not again)
    for text in texts:
        # Of the job still, though they stand there.
        redo.buried += [Inserted(text.file, ids) for ids in text.kept.ranges()]
    update = _written(texts, client, clock, redo)
    if fork is not None:
        if update is not None:
            fork.apply([update])
        updates.append(update)
        for created in ledger.created:
            updates += _remove(fork, live, created, redo)
        update = joined(updates)
        fork.close()
    return update, redo


def revert(
    fork: Document,
    ledger: Ledger,
    redo: Ledger,
    client: ClientId,
    others: Sequence[Ledger] = (),
    *,
    keep_line_ends: bool = True,
) -> tuple[list[Applied], list[Inserted]]:
    """Takes back the ledger's changes of texts in ``fork``, writing under ``client``; notes them in ``redo``.

    Returns what it did, file by file, and the line ends that stay for the sake of what somebody typed in their
    lines. Files that are not there any more are passed over.
    """
    done: list[Applied] = []
    kept: list[Inserted] = []
    for text in _reversals(fork, ledger, others, keep_line_ends=keep_line_ends):
        kept += [Inserted(text.file, ids) for ids in text.kept.ranges()]
        clock = decode_state_vector(fork.state_vector()).get(client, 0)
        update = _written([text], client, clock, redo)
        if update is not None:
            done.append(fork.apply([update]))
    return done, kept


def _reversals(
    document: Document, ledger: Ledger, others: Sequence[Ledger], *, keep_line_ends: bool
) -> list[Reversal]:
    files = {
        item.file for items in (ledger.inserted, ledger.deleted, ledger.withheld, ledger.buried) for item in items
    }
    return [
        reversal(file, document.runs(file), ledger, others, keep_line_ends=keep_line_ends)
        for file in sorted(files & document.listing().files.keys())
    ]


def _written(texts: list[Reversal], client: ClientId, clock: int, redo: Ledger) -> bytes | None:
    """One update for all of them, under ``client`` from ``clock``; None if they change nothing."""
    first = clock
    for text in texts:
        clock = text.note(redo, client, clock)
    placed = [place.text for text in texts for place in text.places]
    gone = [ids for text in texts for ids in text.gone]
    return placed_update(client, first, placed, gone) if placed or gone else None


def joined(updates: Sequence[bytes | None]) -> bytes | None:
    """Several updates as one; None if there is none."""
    some = [update for update in updates if update is not None]
    return merge_updates(some) if some else None


def deleted_ids(document: Document, update: bytes) -> list[IdRange]:
    """The ids that an update deletes, once ``document`` has applied it."""
    # What is left of the update without the edits that the document has is its delete set alone.
    rest = document.lacks(update)
    if rest[:1] != b"\0":
        raise MalformedMessage("The update was not applied to this document; apply it first.")
    return read_delete_set(rest, 1)[0]


def _recreate(fork: Document, removed: Removed, redo: Ledger) -> list[bytes | None]:
    # A file's text is set once per id, so what comes back is a new file under its old path.
    file = FileId(f"{removed.file.partition('~')[0]}~{fork.client_id:x}")
    while file in fork.listing().files:
        file = FileId(f"{file}_")
    update, ids = create(fork, file, removed.path, removed.text)
    redo.created.append(Created(file, removed.path))
    if ids.length:
        redo.insert(file, ids)
    return [update]


def create(fork: Document, file: FileId, path: str, text: str) -> tuple[bytes | None, IdRange]:
    """Adds a file to ``fork``; returns the update and the ids of its text. Raises as Editor.create does."""

    def change(editor: Editor) -> None:
        editor.create(file, path)
        editor.splice(file, 0, 0, text)

    _, applied = fork.edit(change)
    end = decode_state_vector(applied.after).get(fork.client_id, 0)
    length = utf16_length(text)
    return applied.update, IdRange(fork.client_id, end - length, length)


def rename(fork: Document, file: FileId, path: str) -> bytes | None:
    """Gives a file of ``fork`` another path; returns the update. Raises as Editor.rename does."""
    return fork.edit(lambda editor: editor.rename(file, path))[1].update


def _remove(fork: Document, live: Document, created: Created, redo: Ledger) -> list[bytes | None]:
    """Deletes a file that the job made, unless somebody else's text is left in it."""
    file = fork.listing().files.get(created.file)
    if file is None or fork.text(created.file):
        return []
    redo.removed.append(Removed(created.file, file.path, live.text(created.file) if _has(live, file.id) else ""))
    redo.deleted = [item for item in redo.deleted if item.file != created.file]
    redo.inserted = [item for item in redo.inserted if item.file != created.file]
    return [fork.edit(lambda editor: editor.delete(created.file))[1].update]


def _has(document: Document, file: FileId) -> bool:
    return file in document.listing().files


def undo_client(ledger: Ledger) -> ClientId:
    """The client id under which a ledger is taken back; another for every ledger, since ids are in it."""
    return ClientId(int.from_bytes(hashlib.blake2b(ledger.to_bytes(), digest_size=4).digest(), "big") or 1)
