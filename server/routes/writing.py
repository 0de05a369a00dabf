"""Putting a whole new text into a file of a live room."""

from __future__ import annotations

from collab.document import Document
from collab.errors import LimitExceeded
from collab.limits import Limits
from server.door.importing import FILE_OVERHEAD
from server.door.writing import stored

__all__ = ["refuse_growth", "stored"]


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
