"""Text that goes on behind what a fork has written last, as the updates that the fork would make of it.

A model writes on at one place most of the time, token by token. What such an update says is known without asking
the fork, which takes it in when it is needed next.
"""

from __future__ import annotations

from typing import Final

from collab.errors import MalformedMessage
from collab.ids import FileId
from collab.merge.structs import HAS_ORIGIN, HAS_RIGHT, NOBODY, STRING, ItemId, read_structs
from collab.offsets import utf16_length
from collab.wire import IdRange, write_bytes, write_uint

_NO_DELETIONS: Final = b"\0"


class Pen:
    """Stands behind a text that was inserted, in a file that nobody else has changed since.

    ``at`` is the code point where it stands, ``version`` that of the fork with all that is written so far but
    what the pen has.
    """

    __slots__ = ("_begun", "_clock", "_head", "_right", "_texts", "at", "client", "file", "version")

    def __init__(self, file: FileId, ids: IdRange, right: ItemId | None, at: int, version: int) -> None:
        self.file = file
        self.client = ids.client
        self.at = at
        self.version = version
        self._clock = self._begun = ids.clock + ids.length
        self._head = b"\x01\x01" + write_uint(ids.client)
        self._right = b"" if right is None else write_uint(right[0]) + write_uint(right[1])
        self._texts: list[str] = []

    @classmethod
    def behind(cls, update: bytes, file: FileId, at: int, version: int) -> Pen | None:
        """A pen behind the text that an update inserts; None if it does anything else."""
        try:
            structs, end = read_structs(update)
        except MalformedMessage:
            return None
        runs = [run for row in structs.values() for run in row]
        if len(runs) != 1 or not runs[0].units or update[end:] != _NO_DELETIONS:
            return None
        run = runs[0]
        right = None if run.right_client == NOBODY else (run.right_client, run.right_clock)
        return cls(file, run.ids, right, at, version)

    def write(self, text: str) -> tuple[bytes, IdRange]:
        """The update that inserts a text here, and the ids that it gives to it. The pen then stands behind it."""
        ids = IdRange(self.client, self._clock, utf16_length(text))
        update = self._update(self._clock, text)
        self._clock += ids.length
        self.at += len(text)
        self._texts.append(text)
        return update, ids

    def written(self) -> bytes | None:
        """One update with all that was written since this was asked last; None if that is nothing."""
        if not self._texts:
            return None
        update = self._update(self._begun, "".join(self._texts))
        self._texts = []
        self._begun = self._clock
        return update

    def _update(self, clock: int, text: str) -> bytes:
        info = STRING | HAS_ORIGIN | (HAS_RIGHT if self._right else 0)
        return b"".join(
            [
                self._head,
                write_uint(clock),
                bytes((info,)),
                write_uint(self.client),
                write_uint(clock - 1),
                self._right,
                write_bytes(text.encode()),
                _NO_DELETIONS,
            ]
        )
