"""What people read of a room's history: lists, texts, what differs. For every node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from collab.errors import NotFound
from collab.history.chain import Chain, Fold, checked_text
from collab.history.comparing import MOST_FILES, Comparison, compare, different
from collab.history.tree import Row, Tree
from collab.history.version import Version
from collab.ids import FileId, RoomId
from server.history.live import live_tree
from server.history.parts import file_diff, version_file, version_info
from server.history.ports import Host, Rooms
from server.history.shelf import Shelf
from server.messages import history as messages


class Reading:
    """Reads versions from the store. Everything raises NotFound for what is not there, and StoreError."""

    def __init__(self, rooms: Rooms, shelf: Callable[[Host], Shelf]) -> None:
        self._rooms = rooms
        self._shelf = shelf

    async def versions(self, room: RoomId) -> list[messages.VersionInfo]:
        """The versions of a room, newest first."""
        async with self._rooms.held(room) as host:
            return [version_info(one) for one in reversed(await self._shelf(host).versions())]

    async def files(self, room: RoomId, ref: str) -> tuple[messages.VersionInfo, list[messages.VersionFile]]:
        """A version and its files, by path."""
        async with self._rooms.held(room) as host:
            shelf = self._shelf(host)

            async def read() -> tuple[Version, Tree]:
                version, versions = await shelf.find(ref)
                return version, await shelf.tree(Chain(versions), version)

            version, tree = await shelf.steadily(read)
        rows = sorted(tree.rows.values(), key=lambda row: (row.path, row.file))
        return version_info(version), [version_file(row) for row in rows]

    async def text(self, room: RoomId, ref: str, file: str) -> str:
        """The text that a file had; ``file`` is its id, or its path then."""
        async with self._rooms.held(room) as host:
            shelf = self._shelf(host)

            async def read() -> str:
                version, versions = await shelf.find(ref)
                chain = Chain(versions)
                row = (await shelf.tree(chain, version)).find(file)
                if row is None:
                    raise NotFound(
                        f"The version {version.id} has no file {file[:200]!r}; ask for its list of files.",
                        field="path",
                    )
                return await shelf.text(chain, version, row)

            return await shelf.steadily(read)

    async def compare(
        self, room: RoomId, base: str, to: str | None, file: str | None
    ) -> tuple[str, str | None, Comparison]:
        """What differs between two versions, or with ``to`` None between a version and now; the ids of both."""
        async with self._rooms.held(room) as host:
            shelf = self._shelf(host)

            async def read() -> tuple[str, str | None, Comparison]:
                before, versions = await shelf.find(base)
                after = (await shelf.find(to))[0] if to is not None else None
                chain = Chain(versions)
                tree = await shelf.tree(chain, before)
                other = await shelf.tree(chain, after) if after is not None else await live_tree(host.document)
                pairs = different(tree, other, file)
                shown = pairs[:MOST_FILES]
                old = await shelf.folds(chain, before, [one for one, _ in shown if one is not None])
                rows = [row for _, row in shown if row is not None]
                if after is None:
                    text_after = _live_texts(host, rows)
                else:
                    text_after = _stored_texts(await shelf.folds(chain, after, rows))
                found = await asyncio.to_thread(compare, pairs, _stored_texts(old), text_after)
                return before.id, after.id if after is not None else None, found

            return await shelf.steadily(read)

    async def comparison(
        self, room: RoomId, base: str, to: str | None, file: str | None, answer_to: str | int | None = None
    ) -> messages.Comparison:
        """As ``compare``, as a message."""
        one, other, found = await self.compare(room, base, to, file)
        files = [file_diff(file) for file in found.files]
        return messages.Comparison(id=answer_to, base=one, to=other, files=files, more=found.more)


def _stored_texts(folds: dict[FileId, Fold]) -> Callable[[Row], str]:
    return lambda row: checked_text(folds[row.file], row)


def _live_texts(host: Host, rows: list[Row]) -> Callable[[Row], str]:
    texts: dict[FileId, str] = {}
    for row in rows:
        try:
            texts[row.file] = host.document.text(row.file)
        except NotFound:
            texts[row.file] = ""  # It was deleted since its row was made.
    return lambda row: texts[row.file]
