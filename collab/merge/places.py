"""Places in a text that hold while others edit: anchors, right in every text.

pycrdt's sticky indices count the items before a place in UTF-8 bytes and the rest in UTF-16 units, so they are
right only where the text is ASCII. For other texts the list of items is decoded.
"""

from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.items import Run, State
from collab.offsets import from_utf16, to_utf16, utf16_length
from collab.wire import decode_anchor, decode_state_vector, write_uint

_BEFORE, _AFTER = b"\x41", b"\x00"


def anchor_behind(client: ClientId, clock: int) -> bytes:
    """The anchor that stays behind the UTF-16 unit with this id."""
    return b"\0" + write_uint(client) + write_uint(clock) + _BEFORE


class Places:
    """The places of a document as it is now. What it has decoded serves all the questions of one moment."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._version = document.version
        self._state: State | None = None
        self._runs: dict[FileId, list[Run]] = {}

    def anchor(self, file: FileId, index: int) -> bytes:
        """As Document.anchor: stays behind the character before ``index``. Raises NotFound."""
        text = self._document.text(file)
        if index == 0 or text.isascii():
            return self._document.anchor(file, index)
        return self._at(file, to_utf16(text, index) - 1) + _BEFORE

    def anchor_before(self, file: FileId, index: int) -> bytes | None:
        """Stays before the character at ``index``; None, which means the end, if there is none."""
        text = self._document.text(file)
        if index >= len(text):
            return None
        if text.isascii():
            item = decode_anchor(self._document.anchor(file, index + 1))
            return b"\0" + write_uint(item.client) + write_uint(item.clock) + _AFTER
        return self._at(file, to_utf16(text, index)) + _AFTER

    def resolve(self, file: FileId, anchor: bytes) -> int | None:
        """As Document.resolve: the index of an anchor now, None if it is not there. Raises MalformedUpdate."""
        item = decode_anchor(anchor)
        if file not in self._document.listing().files:
            return None
        text = self._document.text(file)
        if item.start or text.isascii():
            return self._document.resolve(file, anchor)
        if item.clock >= decode_state_vector(self._document.state_vector()).get(item.client, 0):
            return None
        before = 0
        for run in self._of(file):
            ids = run.ids
            if ids.client == item.client and ids.clock <= item.clock < ids.clock + ids.length:
                if run.alive:
                    before += item.clock - ids.clock + (anchor[-1:] == _BEFORE)
                return from_utf16(text, min(before, utf16_length(text)))
            before += ids.length if run.alive else 0
        return None

    def _of(self, file: FileId) -> list[Run]:
        assert self._version == self._document.version
        if self._state is None:
            self._state = State(self._document)
        if file not in self._runs:
            self._runs[file] = self._state.runs(file)
        return self._runs[file]

    def _at(self, file: FileId, unit: int) -> bytes:
        """The id of the UTF-16 unit at this index, as a relative position without its association."""
        for run in self._of(file):
            if run.alive:
                if unit < run.ids.length:
                    return b"\0" + write_uint(run.ids.client) + write_uint(run.ids.clock + unit)
                unit -= run.ids.length
        raise AssertionError("The list of items is shorter than the text.")
