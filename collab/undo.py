"""Undo of what a job did, by item ids, so that nothing of anybody else is touched.

No stack in memory is needed: the ledger is stored, and the room's document may have been saved, collected
and loaded in between. Inserted text is deleted by its ids wherever it stands. Deleted text is put back next
to its own tombstones, which keep their place in the list for as long as the file lives.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collab.document import Applied, Document, merge_updates
from collab.editor import Editor
from collab.errors import MalformedMessage
from collab.ids import ClientId, FileId
from collab.ledger import Copy, Created, Deleted, Inserted, Ledger, Removed, Renamed
from collab.merge.items import ItemId, Placed, Run, State, placed_update
from collab.merge.lines import line_ends_to_keep
from collab.merge.ranges import IdRanges
from collab.offsets import utf16_length
from collab.wire import MAX_UINT, IdRange, decode_state_vector, read_delete_set


def undo(
    ledger: Ledger, live: Document, others: Iterable[Ledger] = (), *, again: bool = False
) -> tuple[bytes | None, Ledger]:
    """The update that takes back what the ledger holds, and the ledger of that, whose undo is the redo.

    ``others`` are the present ledgers of the room's other jobs: where one job wrote over another's text,
    they tell which text lives on as a copy, and which must not come back. ``again`` says that this undo is a
    redo: then the line ends go too that would keep what somebody typed in a line apart from the next one.

    The update is None if there is nothing to do. It is computed in a fork; the caller applies it to
    ``live`` at once. It is written under a client id derived from the ledger, so that taking back the same
    ledger a second time does nothing, even if the caller crashed before it stored that it had.
    """
    client = undo_client(ledger)
    # Also where there is nothing to undo, others must still know what was put back under new ids.
    redo = Ledger(copies=list(ledger.copies))
    for item in ledger.buried:
        # In force again with the rest, so that it goes with the rest should somebody bring it back.
        redo.insert(item.file, item.ids)
    if ledger.empty or client in decode_state_vector(live.state_vector()):
        return None, redo
    fork = live.fork(client)
    updates: list[bytes | None] = []
    for removed in reversed(ledger.removed):
        updates += _recreate(fork, removed, redo)
    for renamed in reversed(ledger.renamed):
        file = fork.listing().files.get(renamed.file)
        if file is not None and file.path == renamed.after:
            updates.append(rename(fork, renamed.file, renamed.before))
            redo.renamed.append(Renamed(renamed.file, renamed.after, renamed.before))
    done, _ = revert(fork, ledger, redo, client, tuple(others), keep_line_ends=not again)
    updates += [applied.update for applied in done]
    for created in ledger.created:
        updates += _remove(fork, live, created, redo)
    return joined(updates), redo


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
    files = {item.file for item in ledger.inserted} | {item.file for item in ledger.deleted}
    here = sorted(files & fork.listing().files.keys())
    if not here:
        return [], []
    state = State(fork)
    done: list[Applied] = []
    kept: list[Inserted] = []
    for file in here:
        own = IdRanges(item.ids for item in ledger.inserted if item.file == file)
        copies = [copy for some in (ledger, *others) for copy in some.copies if copy.file == file]
        inserted = own | _copied(own, copies)
        buried = IdRanges(item.ids for other in others for item in other.buried if item.file == file)
        runs = state.runs(file)
        # Text that the job had written itself and later replaced does not come back.
        deleted = [item for item in ledger.deleted if item.file == file]
        places = _places(runs, deleted, inserted | buried | _copied(buried, copies))
        going = inserted
        if keep_line_ends:
            back = IdRanges(of for place in places for of in place.of)
            written = inserted | _originals(inserted, copies)
            stays = line_ends_to_keep(runs, inserted, written, back)
            kept += [Inserted(file, ids) for ids in stays.ranges()]
            going = inserted - stays
        gone, text = _alive(runs, going)
        redo.buried += [Inserted(file, ids) for ids in (inserted - IdRanges(gone)).ranges()]
        if not gone and not places:
            continue
        clock = decode_state_vector(fork.state_vector()).get(client, 0)
        texts = [place.text for place in places]
        done.append(fork.apply([placed_update(client, clock, texts, gone)]))
        if gone:
            redo.deleted.append(Deleted(file, text, tuple(gone), tuple(gone)))
        for place in places:
            ids = IdRange(client, clock, utf16_length(place.text.text))
            redo.insert(file, ids)
            redo.copies.append(Copy(file, ids, place.of))
            clock += ids.length
    return done, kept


def _copied(ids: IdRanges, copies: Iterable[Copy]) -> IdRanges:
    """The ids under which text of these ids was put back, and copies of copies."""
    found: list[IdRange] = []
    rest = list(copies)
    reached = ids
    while reached:
        new: list[IdRange] = []
        for copy in rest:
            clock = copy.ids.clock
            for of in copy.of:
                for part, inside in reached.split(of):
                    if inside:
                        new.append(IdRange(copy.ids.client, clock, part.length))
                    clock += part.length
        # A copy is newer than its original, so that this ends.
        reached = IdRanges(new) - IdRanges(found)
        found += new
    return IdRanges(found)


def _originals(ids: IdRanges, copies: Iterable[Copy]) -> IdRanges:
    """The ids of the text of which these are copies, and of that of which it is one."""
    found = IdRanges()
    rest = list(copies)
    reached = ids
    while reached:
        # A copy is newer than its original, so that this ends.
        reached = IdRanges(of for copy in rest if IdRanges([copy.ids]) & reached for of in copy.of) - found
        found = found | reached
    return found


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


def _alive(runs: list[Run], wanted: IdRanges) -> tuple[list[IdRange], str]:
    ids: list[IdRange] = []
    units: list[bytes] = []
    for run in runs:
        if run.alive:
            for part, inside in wanted.split(run.ids):
                if inside:
                    ids.append(part)
                    units.append(_cut(run.units, part.clock - run.ids.clock, part.length))
    return IdRanges(ids).ranges(), _text(b"".join(units))


@dataclass(frozen=True, slots=True)
class _Place:
    text: Placed
    of: tuple[IdRange, ...]


def _places(runs: list[Run], deleted: list[Deleted], not_back: IdRanges) -> list[_Place]:
    """Where the deleted texts go: one insertion for each series of tombstones without anything between."""
    if not deleted:
        return []
    contents: dict[ItemId, bytes] = {}
    parts = _by_tombstone(runs, deleted)
    for entry, tombstones in zip(deleted, parts, strict=True):
        units = entry.text.encode("utf-16-le", "surrogatepass")
        if sum(part.length for part in tombstones) * 2 != len(units):
            continue  # The file's text was replaced by another; its tombstones went with it.
        kept = IdRanges(entry.kept) - not_back
        at = 0
        for tombstone in tombstones:
            for part, inside in kept.split(tombstone):
                if inside:
                    contents[part.client, part.clock] = _cut(units, at, part.length)
                at += part.length
    wanted = IdRanges(IdRange(c, k, len(units) // 2) for (c, k), units in contents.items())
    places: list[_Place] = []
    open_units: list[bytes] = []
    of: list[IdRange] = []

    def finish(right: ItemId | None) -> None:
        if of:
            left = of[-1].client, of[-1].clock + of[-1].length - 1
            places.append(_Place(Placed(left, right, _text(b"".join(open_units))), tuple(of)))
            open_units.clear()
            of.clear()

    for run in runs:
        for part, inside in wanted.split(run.ids):
            if not inside or run.alive:
                finish((part.client, part.clock))
                continue
            clock, end = part.clock, part.clock + part.length
            while clock < end:
                units = contents[part.client, clock]
                open_units.append(units)
                clock += len(units) // 2
            of.append(part)
    finish(None)
    return places


def _by_tombstone(runs: list[Run], deleted: list[Deleted]) -> list[list[IdRange]]:
    """For each entry its ids as they stand in the list, which is the order of its text."""
    parts: list[list[IdRange]] = [[] for _ in deleted]
    spans: dict[ClientId, list[tuple[int, int, int]]] = {}
    for index, entry in enumerate(deleted):
        for ids in entry.ids:
            spans.setdefault(ids.client, []).append((ids.clock, ids.clock + ids.length, index))
    for row in spans.values():
        row.sort()
    for run in runs:
        client, clock, end = run.ids.client, run.ids.clock, run.ids.clock + run.ids.length
        row = spans.get(client, [])
        at = max(bisect_right(row, (clock, MAX_UINT, 0)) - 1, 0)
        while at < len(row) and row[at][0] < end:
            start, stop, index = row[at]
            if stop > clock:
                start = max(start, clock)
                parts[index].append(IdRange(client, start, min(stop, end) - start))
            at += 1
    return parts


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


def _cut(units: bytes, start: int, length: int) -> bytes:
    return units[start * 2 : (start + length) * 2]


def _text(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")
