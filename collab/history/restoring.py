"""Brings files back to what they were, as a new edit that can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collab.document import Document
from collab.ids import FileId, FilePath
from collab.ledger import Created, Ledger, Removed, Renamed
from collab.listing import File
from collab.merge.aligner import changes_between
from collab.merge.edits import splice
from collab.undo import create, rename

CHANGES_AT_ONCE: Final = 8
"""Changes of a text in one update: a live document takes about half a millisecond for each in a large file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as it was: its id and path then, and its text; None where the text is to stay as it is."""

    file: FileId
    path: str
    text: str | None


def targets(wanted: Mapping[FileId, Wanted], live: Mapping[FileId, File]) -> dict[FileId, FileId]:
    """For each wanted file the live one that it becomes again: the one of its id, else an unwanted one with its
    path. A file that has none is made anew.
    """
    found = {file: file for file in wanted if file in live}
    by_path = {file.shown: file.id for file in live.values() if file.id not in wanted}
    for file, one in wanted.items():
        if file not in found and (other := by_path.pop(FilePath(one.path), None)) is not None:
            found[file] = other
    return found


def restore(fork: Document, wanted: Mapping[FileId, Wanted], *, whole: bool) -> tuple[list[bytes], Ledger]:
    """Writes in ``fork``, a fork of the live document under a client id of its own, so that the wanted files are
    as they were. Returns the updates, each small, to be applied in this order, and the ledger of all.

    With ``whole`` the wanted files are all that the room is to have: the others go, and paths are set back.
    Otherwise only texts change, and files that are gone are made anew. Whatever others do to the live document
    before the updates reach it stays. Takes about a millisecond per change in a large file.
    """
    ledger = Ledger()
    updates: list[bytes | None] = []
    found = targets(wanted, fork.listing().files)
    if whole:
        updates += _remove_others(fork, set(found.values()), ledger)
    for file, one in wanted.items():
        target = found.get(file)
        if target is None:
            updates.append(_make(fork, one, one.text or "", ledger))
            continue
        if whole:
            live = fork.listing().files[target]
            if live.shown != one.path:
                updates.append(rename(fork, target, one.path))
                ledger.renamed.append(Renamed(target, live.path, one.path))
        if one.text is not None:
            updates += _rewrite(fork, target, one.text, ledger)
    return [update for update in updates if update is not None], ledger


def _rewrite(fork: Document, file: FileId, text: str, ledger: Ledger) -> list[bytes | None]:
    """From the end of the text to its start, so that offsets stay what they are."""
    changes = sorted(changes_between(fork.text(file), text), reverse=True)
    return [
        splice(fork, file, changes[at : at + CHANGES_AT_ONCE], ledger)[0]
        for at in range(0, len(changes), CHANGES_AT_ONCE)
    ]


def _remove_others(fork: Document, kept: set[FileId], ledger: Ledger) -> list[bytes | None]:
    updates: list[bytes | None] = []
    for file in [file for file in fork.listing().files.values() if file.id not in kept]:
        ledger.removed.append(Removed(file.id, file.path, fork.text(file.id)))
        updates.append(_delete(fork, file.id))
    return updates


def _delete(fork: Document, file: FileId) -> bytes | None:
    return fork.edit(lambda editor: editor.delete(file))[1].update


def _make(fork: Document, one: Wanted, text: str, ledger: Ledger) -> bytes | None:
    # A file's text is set once per id, so what comes back has an id of its own.
    file = FileId(f"{one.file.partition('~')[0]}~{fork.client_id:x}")
    while file in fork.listing().files:
        file = FileId(f"{file}_")
    update, ids = create(fork, file, one.path, text)
    ledger.created.append(Created(file, one.path))
    if ids.length:
        ledger.insert(file, ids)
    return update
