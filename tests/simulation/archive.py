"""All updates that were ever stored, to ask whether one is among them."""

from __future__ import annotations

from collab.document import Document, merge_updates
from collab.ids import ClientId


class Archive:
    """A document of stored updates, and those of them that wait for an edit that is missing."""

    def __init__(self) -> None:
        self.document = Document(ClientId(1))
        self._waiting: list[bytes] = []

    def add(self, update: bytes) -> None:
        """One more is stored."""
        self.document.apply([update])
        if self._waiting or not self._integrated(update):
            self._waiting.append(update)
            self._settle()

    def holds(self, update: bytes) -> bool:
        """Whether all edits of an update are stored, be it as parts of others."""
        if self._integrated(update):
            return True
        waiting = self._waiting
        return bool(waiting) and merge_updates([*waiting, update]) == merge_updates([*waiting, waiting[0]])

    @property
    def waiting(self) -> int:
        """How many of them wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Lets the document go."""
        self.document.close()

    def _integrated(self, update: bytes) -> bool:
        return self.document.lacks(update)[0] == 0

    def _settle(self) -> None:
        self._waiting = [update for update in self._waiting if not self._integrated(update)]
