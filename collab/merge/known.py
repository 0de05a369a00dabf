"""What of a live document a fork has, so that it needs not be brought up to date for other files."""

from __future__ import annotations

from collections.abc import Collection

from collab.document import Applied, Document
from collab.ids import FileId


class Known:
    """Made when the fork has all that the live document has."""

    __slots__ = ("_count", "_current", "_entries", "_own")

    def __init__(self, live: Document) -> None:
        # A document that is not watched does not count.
        self._count = live.stamps.count if live.watched else -1
        self._entries = live.stamps.entries
        self._current = True
        self._own: dict[FileId, int] = {}

    def all(self, live: Document, files: Collection[FileId], *, paths: bool) -> bool:
        """Whether the fork has all of these files still, and with ``paths`` knows which other ones there are."""
        self._current = self._entries == live.stamps.entries
        if self._count < 0 or (paths and not self._current):
            return False
        return all(
            (stamp := live.stamps.of(file)) <= self._count or stamp == self._own.get(file) for file in files
        )

    def wrote(self, live: Document, applied: Applied) -> None:
        """The fork's own writing was the last that changed the live document, and it did no more than this."""
        if applied.files_changed and self._current:
            self._entries = live.stamps.entries
        for file in {*applied.deltas, *applied.entries}:
            self._own[FileId(file)] = live.stamps.of(FileId(file))
