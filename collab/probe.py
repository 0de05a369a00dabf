"""Where an item stands in a text, found by trying it in a copy of the document.

pycrdt's ``StickyIndex`` adds the UTF-8 bytes of the items before a place to the UTF-16 units within the item, and
panics where that sum is no place; so it is right for ASCII only. Here a character is inserted into a scratch copy
instead, either at an index, to cut the items there, or behind an item, to see at which index it comes to stand.
The copy is brought up to date by what it lacks, and made anew once it has been used often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pycrdt import Assoc, Doc, Map, StickyIndex, Text, TextEvent

from collab.ids import ClientId, FileId
from collab.wire import IdRange, decode_anchor, decode_state_vector, delete_set_update, write_uint

ME: Final = ClientId(0)
"""The smallest id: what it inserts behind an item stands there at once, before all concurrent inserts (YATA)."""
_MOST: Final = 500
_HAS_ORIGIN: Final = 0x80
_STRING: Final = 4
_MARK: Final = "x"
_FOUR_BYTES: Final = 0xF0
"""The least first byte, in UTF-8, of a character beyond the basic plane."""


class Probe:
    """A scratch copy of a live document. Give each call the state of the live one through ``lacking``."""

    __slots__ = ("_doc", "_files", "_lacking", "_used")

    def __init__(self, lacking: Callable[[bytes], bytes]) -> None:
        """``lacking`` returns what a state vector lacks of the live document."""
        self._lacking = lacking
        self._used = _MOST

    def item_at(self, file: FileId, at: int) -> tuple[ClientId, int]:
        """Client and clock of the first UTF-16 unit of the character that begins at the UTF-8 offset ``at``."""
        text = self._text(file)
        text.insert(at, _MARK)
        # The character begins an item now, so nothing is counted within an item.
        found = decode_anchor(StickyIndex.new(text, at + len(_MARK), Assoc.AFTER).encode())
        self._forget()
        return found.client, found.clock

    def offset_behind(self, file: FileId, client: ClientId, clock: int) -> int | None:
        """The UTF-8 offset behind an item, deleted or not; None if it is not in this text."""
        text = self._text(file)
        seen: list[list[dict[str, Any]]] = []

        def observed(event: TextEvent) -> None:
            seen.append(event.delta)  # type: ignore[attr-defined]

        subscription = text.observe(observed)
        head = b"\1\1" + write_uint(ME) + write_uint(self._clock())
        origin = write_uint(client) + write_uint(clock)
        self._doc.apply_update(head + bytes((_HAS_ORIGIN | _STRING,)) + origin + b"\1x" + b"\0")
        text.unobserve(subscription)
        self._forget()
        if not seen:
            return None
        offset = int(seen[0][0].get("retain", 0))
        if offset >= 4 and str(text).encode()[offset - 4] >= _FOUR_BYTES:
            # The item may have been the first of the character's two units. pycrdt does not cut between them but
            # counts as if it did, so that the copy is wrong from here on.
            self._used = _MOST
        return offset

    def _text(self, file: FileId) -> Text:
        self._used += 1
        if self._used > _MOST:
            self._used = 0
            self._doc: Doc[Any] = Doc(client_id=ME)
            self._files: Map[Any] = self._doc.get("files", type=Map)
        self._doc.apply_update(self._lacking(self._doc.get_state()))
        text: Text = self._files[file]["text"]
        return text

    def _clock(self) -> int:
        return decode_state_vector(self._doc.get_state()).get(ME, 0)

    def _forget(self) -> None:
        self._doc.apply_update(delete_set_update([IdRange(ME, self._clock() - 1, 1)]))
