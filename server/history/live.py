"""The files of a room as they are now, in the form of a version's list."""

from __future__ import annotations

import asyncio
from time import perf_counter

from collab.document import Document
from collab.errors import NotFound
from collab.history.tree import Row, Tree, digest
from collab.ids import FileId
from server.history.watch import TURN_SECONDS


async def live_tree(document: Document) -> Tree:
    """The list of files, with the digests of their texts. Works in pieces, so that rooms go on meanwhile."""
    rows: dict[FileId, Row] = {}
    until = perf_counter() + TURN_SECONDS
    for file in list(document.listing().files.values()):
        if perf_counter() > until:
            await asyncio.sleep(0)
            until = perf_counter() + TURN_SECONDS
        try:
            text = document.text(file.id)
        except NotFound:
            continue  # It was deleted meanwhile.
        rows[file.id] = Row(file.id, file.shown, len(text), digest(text), 0)
    return Tree(rows)
