"""Putting a whole new text into a file of a live room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from anyio import to_thread

from collab.document import Document
from collab.editor import Editor
from collab.errors import LimitExceeded, StoreUnavailable
from collab.ids import FileId, Random, short_id
from collab.limits import Limits
from server.routes.ports import Host
from server.routes.splices import Splice, splices

INLINE_CHARS: Final = 8 * 1024
"""Texts up to this size are compared at once; larger ones in a thread, so that the rooms go on."""
FILE_OVERHEAD: Final = 80
"""Bytes that a new file adds to a document besides its path and text, about."""


def new_file_id(random: Random) -> FileId:
    """The id of a new file."""
    return FileId(short_id(random, "f_", 12))


def refuse_growth(document: Document, path: str, text: str, limits: Limits, *, new_file: bool) -> None:
    """Raises LimitExceeded if the room cannot take this text."""
    listing = document.listing()
    if new_file and len(listing.files) + len(listing.problems) >= limits.files:
        raise LimitExceeded(
            f"The room has {limits.files:,} files, the limit (setting limit_files); delete some first.",
            field="path",
        )
    size = len(document.encode()) + len(text.encode()) + len(path.encode()) + FILE_OVERHEAD
    if size > limits.document_bytes:
        raise LimitExceeded(
            f"The room would have more than {limits.document_bytes:,} bytes, the limit (setting "
            "limit_document_bytes); use another room.",
            field="body",
        )


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A new text for a file, and what to change in the text that it had when they were compared."""

    file: FileId
    before: str
    after: str
    changes: list[Splice]

    def apply(self, document: Document, editor: Editor) -> None:
        """Makes the changes. Raises NotFound if the file is gone.

        A change begins with the edits that were still waiting to be applied, so the text may be another one
        by now, however lately it was read; then it is compared once more, while nobody can type.
        """
        now = document.text(self.file)
        changes = self.changes
        if now != self.before:
            changes = splices(now, self.after, coarse=max(len(now), len(self.after)) > INLINE_CHARS)
        editor.splices(self.file, changes)


async def compare(document: Document, file: FileId, after: str) -> Rewrite:
    """Finds what to change so that a file holds ``after``. Raises NotFound."""
    before = document.text(file)
    if max(len(before), len(after)) <= INLINE_CHARS:
        return Rewrite(file, before, after, splices(before, after))
    return Rewrite(file, before, after, await to_thread.run_sync(splices, before, after))


async def stored(host: Host) -> None:
    """Returns when all that was done so far is durable. Raises StoreUnavailable in words for the asker."""
    try:
        await host.durable()
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"The change is in the room but not saved yet: {error.message} It is saved as soon as the store "
            "can; if the server stops before, it is lost. Ask for the file again to see."
        ) from error
