"""Brings a room, or a file, back to a version: through the door of changes, so that everybody can undo it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from collab.document import Document
from collab.errors import NotFound, TryLater
from collab.history.chain import Chain
from collab.history.restoring import Wanted, restore, targets
from collab.history.tree import Row, Tree
from collab.ids import ClientId, FileId, Random, client_id
from collab.ledger import Ledger
from generation.views import Asker
from server.history.parts import version_info
from server.history.ports import Doors, Host
from server.history.questions import Restored
from server.history.shelf import Shelf


class Restoring:
    """Finds the changes off the event loop, and makes them in one go."""

    def __init__(self, doors: Doors | None, random: Random) -> None:
        self._doors = doors
        self._random = random

    @property
    def closed(self) -> bool:
        """Whether nothing can be restored, as there is no door for it."""
        return self._doors is None

    async def restore(self, host: Host, shelf: Shelf, ref: str, file: str | None, asker: Asker) -> Restored:
        """Makes the changes. The newest version must be one of the room as it is: what has changed since is taken
        for typed meanwhile, and kept. Raises NotFound, LimitExceeded, StoreError.
        """
        doors = self._doors
        if doors is None:
            raise TryLater("This server cannot restore yet; try again later.")
        version, versions = await shelf.find(ref)
        chain = Chain(versions)
        then = await shelf.tree(chain, version)
        now = await shelf.tree(chain, versions[-1])
        rows = list(then.rows.values()) if file is None else [_the_file(then, file, version.id)]
        document = host.document
        live = document.listing().files
        found = targets({row.file: Wanted(row.file, row.path, "") for row in rows}, live)
        other = [row for row in rows if _differs(row, found.get(row.file), now)]
        texts = await shelf.texts(chain, version, other)
        wanted = {row.file: Wanted(row.file, row.path, texts.get(row.file)) for row in rows}
        if file is not None:
            wanted = {row.file: wanted[row.file] for row in other}
        client = client_id(self._random)
        updates, ledger = await asyncio.to_thread(_restored, document.encode(), client, wanted, file is None)
        change = None
        paths = {row.path for row in other} if updates else set[str]()
        paths |= {gone.path for gone in ledger.removed} | {moved.after for moved in ledger.renamed}
        if updates:
            title = f"Restored {file or 'the room'} to version {version.name or version.id}."
            change = await doors.apply_change(host, title, sorted(paths), updates, client, ledger, asker)
        return Restored(change=change, version=version_info(version), paths=sorted(paths))


def _the_file(tree: Tree, ref: str, version: str) -> Row:
    row = tree.find(ref)
    if row is None:
        raise NotFound(
            f"The version {version} has no file {ref[:200]!r}; ask for its list of files.", field="file"
        )
    return row


def _differs(row: Row, live: FileId | None, now: Tree) -> bool:
    known = now.rows.get(live) if live is not None else None
    return known is None or known.digest != row.digest


def _restored(
    state: bytes, client: ClientId, wanted: Mapping[FileId, Wanted], whole: bool
) -> tuple[list[bytes], Ledger]:
    """For a thread: a document may be used only in the thread that made it."""
    fork = Document(client)
    try:
        fork.apply([state])
        return restore(fork, wanted, whole=whole)
    finally:
        fork.close()
