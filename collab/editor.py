"""Changes to a document inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pycrdt import Map, Text

from collab.errors import InvalidOperation
from collab.ids import FileId, file_path
from collab.offsets import utf8_length

if TYPE_CHECKING:
    from collab.document import Document


class Editor:
    """Changes a document inside one transaction. Offsets are code points of the text at that moment."""

    __slots__ = ("_document", "_files")

    def __init__(self, document: Document, files: Map[Any]) -> None:
        self._document = document
        self._files = files

    def create(self, file: FileId, path: str, text: str = "") -> None:
        """Adds a file. Raises InvalidPath, or InvalidOperation if the id is taken or the text is not UTF-8."""
        checked = file_path(path)
        if file in self._files:
            raise InvalidOperation(f"There is a file with the id {file!r} already.", field="file")
        _check_text(text)
        self._files[file] = Map({"path": checked, "text": Text(text)})
        self._document._touch([file])

    def rename(self, file: FileId, path: str) -> None:
        """Gives a file another path. Raises InvalidPath, NotFound."""
        checked = file_path(path)
        self._document._text(file)
        self._files[file]["path"] = checked
        self._document._touch([file])

    def delete(self, file: FileId) -> None:
        """Removes a file. Raises NotFound."""
        self._document._text(file)
        del self._files[file]
        self._document._touch([file])

    def setting(self, name: str, value: str) -> None:
        """Sets one of the room's settings, such as ``title`` or ``mode``. Raises InvalidOperation."""
        _check_text(value)
        self._document._settings()[name] = value

    def splice(self, file: FileId, start: int, end: int, insert: str) -> None:
        """Replaces the code points from ``start`` to ``end``. Raises NotFound, InvalidOperation."""
        text = self._document._text(file)
        self.splice_in(text, str(text), start, end, insert)

    def splices(self, file: FileId, changes: Sequence[tuple[int, int, str]]) -> None:
        """Makes several splices, all in offsets of the text before; they must not overlap.

        Raises NotFound, InvalidOperation.
        """
        text = self._document._text(file)
        content = str(text)
        ordered = sorted(changes, reverse=True)
        for (start, _, _), (_, before_end, _) in pairwise(ordered):
            if before_end > start:
                raise InvalidOperation("Two changes of one operation overlap.")
        for start, end, insert in ordered:
            self.splice_in(text, content, start, end, insert)

    def splice_in(self, text: Text, content: str, start: int, end: int, insert: str) -> None:
        """As splice, for a text whose present content up to ``end`` is known to be ``content``."""
        if not 0 <= start <= end <= len(content):
            raise InvalidOperation(
                f"The range {start} to {end} is outside of the text, whose length is {len(content)}."
            )
        _check_text(insert)
        at = utf8_length(content[:start])
        if end > start:
            del text[at : at + utf8_length(content[start:end])]
        if insert:
            text.insert(at, insert)


def _check_text(text: str) -> None:
    # An unpaired surrogate has no UTF-8 form, and pycrdt would raise in the middle of a transaction.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidOperation(
            f"The text holds an unpaired surrogate at {error.start}; send valid Unicode.", field="text"
        ) from None
