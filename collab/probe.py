"""Where an item stands in a text, found by trying it in a copy of the document.

pycrdt's ``StickyIndex`` adds the UTF-8 bytes of the items before a place to the UTF-16 units within the item, and
panics where that sum is no place; so it is right for ASCII only. Here a character is inserted into a scratch copy
instead, either at an index, to see behind which item it comes to stand, or behind an item, to see at which index.
The copy is brought up to date by what it lacks, and made anew once it has been used often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pycrdt import Doc, Map, Text, TextEvent, TransactionEvent

from collab.ids import ClientId, FileId
from collab.wire import IdRange, decode_state_vector, delete_set_update, read_uint, write_uint

ME: Final = ClientId(0)
"""The smallest id: what it inserts behind an item stands there at once, before all concurrent inserts (YATA)."""
_MOST: Final = 500
_HAS_ORIGIN: Final = 0x80
_STRING: Final = 4
_MARK: Final = "x"


class Probe:
    """A scratch copy of a live document. Give each call the state of the live one through ``lacking``."""

    __slots__ = ("_behind", "_doc", "_files", "_lacking", "_used")

    def __init__(self, lacking: Callable[[bytes], bytes]) -> None:
        """``lacking`` returns what a state vector lacks of the live document."""
        self._lacking = lacking
        self._used = _MOST

    def item_before(self, file: FileId, at: int) -> tuple[ClientId, int] | None:
        """Client and clock of the UTF-16 unit that ends at the UTF-8 offset ``at``; None at the start."""
        text = self._text(file)
        seen: list[bytes] = []

        def observed(event: TransactionEvent) -> None:
            seen.append(event.update)

        subscription = self._doc.observe(observed)
        text.insert(at, _MARK)
        subscription.drop()
        # One struct of one client: the two counts, then client, clock, what it is, and its origin.
        info = _after_numbers(seen[0], 4)
        origin: tuple[ClientId, int] | None = None
        if seen[0][info] & _HAS_ORIGIN:
            client, next_ = read_uint(seen[0], info + 1)
            clock, _ = read_uint(seen[0], next_)
            # Behind one that was inserted here before is behind what that was inserted behind.
            origin = self._behind[clock] if client == ME else (ClientId(client), clock)
        self._forget(origin)
        return origin

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
        self._forget((client, clock))
        if not seen:
            return None
        first = seen[0][0]
        return int(first["retain"]) if "retain" in first else 0

    def _text(self, file: FileId) -> Text:
        self._used += 1
        if self._used > _MOST:
            self._used = 0
            self._behind: dict[int, tuple[ClientId, int] | None] = {}
            self._doc: Doc[Any] = Doc(client_id=ME)
            self._files: Map[Any] = self._doc.get("files", type=Map)
        self._doc.apply_update(self._lacking(self._doc.get_state()))
        text: Text = self._files[file]["text"]
        return text

    def _clock(self) -> int:
        return decode_state_vector(self._doc.get_state()).get(ME, 0)

    def _forget(self, origin: tuple[ClientId, int] | None) -> None:
        clock = self._clock() - 1
        self._behind[clock] = origin
        self._doc.apply_update(delete_set_update([IdRange(ME, clock, 1)]))


def _after_numbers(data: bytes, count: int) -> int:
    at = 0
    for _ in range(count):
        _, at = read_uint(data, at)
    return at
