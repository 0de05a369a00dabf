"""A scratch document that replays a room's log: what pycrdt can tell about it, for compaction and its proof.

Nothing is ever written into it, only applied, so unlike a room's document it needs no client id of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pycrdt
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from collab.document import is_panic
from collab.errors import MalformedUpdate
from collab.gaps import Intake
from collab.ids import ClientId
from collab.wire import decode_state_vector, read_delete_set

_NOTHING: Final = b"\x00\x00"
_ITEMS: Final = 2_000

Ranges = dict[ClientId, tuple[tuple[int, int], ...]]
"""Client id -> clocks as (first, after the last), sorted, apart from each other."""


class Replay:
    """A document made of stored updates."""

    def __init__(self) -> None:
        self._doc: Final[Doc[Any]] = Doc()
        self._intake = Intake(self._doc.get_state)

    def apply(self, update: bytes) -> None:
        """Applies a stored update, or of it what has no gap before it. Raises MalformedUpdate."""
        plan = self._intake.plan([update])
        if plan.refused:
            raise MalformedUpdate(f"A stored update cannot be decoded: {plan.refused[0][1]}.")
        # One transaction each: many in one are slower, as their time grows with their number.
        with _decoding():
            for _, ready in plan.steps:
                self._doc.apply_update(ready)

    def take(self, state: bytes) -> None:
        """Applies the state of a checkpoint, which has no gaps. Raises MalformedUpdate."""
        with _decoding():
            self._doc.apply_update(state)

    def apply_all(self, updates: Sequence[bytes]) -> list[bytes]:
        """Applies stored updates in any order; returns those that wait for something missing."""
        for update in updates:
            self.apply(update)
        return self.waiting(updates)

    def state(self) -> bytes:
        """The whole state as one update, without the updates that wait for a missing one."""
        return self._doc.get_update()

    def state_vector(self) -> dict[ClientId, int]:
        """Client id -> next clock."""
        return decode_state_vector(self._doc.get_state())

    def deleted(self) -> Ranges:
        """The ids of everything deleted.

        Raises MalformedUpdate for a document with a hole in a client's edits.
        """
        # What a document lacks of itself is no edit, and its whole delete set.
        with _decoding():
            lacking = self._doc.get_update(self._doc.get_state())
        if lacking[0] != 0:
            raise MalformedUpdate("The stored updates leave a hole in a client's edits.")
        return _normal(lacking)

    def waiting(self, updates: Sequence[bytes]) -> list[bytes]:
        """Those of the updates that are not wholly part of the state. Raises MalformedUpdate.

        An update waits when an edit in it, or something that it deletes, is not there: an edit that it
        builds on is missing. pycrdt keeps such an update aside and leaves it out of ``state``.
        """
        encoded = self._doc.get_state()
        known = decode_state_vector(encoded)
        waiting = []
        for update in updates:
            with _decoding():
                lacking = pycrdt.get_update(update, encoded)
            # The first byte counts the clients whose edits are lacking; then comes the delete set.
            if lacking != _NOTHING and (
                lacking[0] != 0
                or any(
                    item.clock + item.length > known.get(item.client, 0) for item in read_delete_set(lacking, 1)[0]
                )
            ):
                waiting.append(update)
        return waiting

    def content(self) -> dict[str, list[object]]:
        """What every root type holds, read as each kind of type that it may be used as.

        A stored root has no kind of its own: it is what its readers take it for.
        """
        with _decoding():
            names = sorted(self._doc.keys())
            return {name: self._views(name) for name in names}

    def _views(self, name: str) -> list[object]:
        views = [_plain(self._doc.get(name, type=Map))]
        text = self._doc.get(name, type=Text)
        # As an array, a text is one item per character.
        rest: tuple[type[Any], ...] = (Text,) if len(text) else (Array, XmlFragment)
        return views + [_plain(self._doc.get(name, type=view)) for view in rest]


def _plain(value: object) -> object:
    """A value to compare by ``==``, with what is nested in it.

    The recursion is Python's, which ends in RecursionError; that of pycrdt's own conversions would end the
    process for a document that is nested deeply enough. Of XML, and of arrays that would take long, the size.
    """
    match value:
        case Text():
            return ["text", [[_plain(part), _plain(marks)] for part, marks in value.diff()]]
        case Map():
            return ["map", {key: _plain(value[key]) for key in sorted(value.keys())}]
        case Array():
            size = len(value)
            return ["array", size, [_plain(item) for item in value] if size <= _ITEMS else None]
        case XmlFragment() | XmlElement():
            return ["xml", len(value.children)]
        case XmlText():
            return ["xml text", len(value)]
        case Doc():
            return ["doc", value.guid]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float():
            # Not a number is not equal to itself.
            return ["float", repr(value)]
        case bytes() | bytearray():
            return bytes(value)
    return value


def _normal(update: bytes) -> Ranges:
    by_client: dict[ClientId, list[tuple[int, int]]] = {}
    for item in read_delete_set(update, 1)[0]:
        by_client.setdefault(item.client, []).append((item.clock, item.clock + item.length))
    normal: Ranges = {}
    for client, ranges in by_client.items():
        merged: list[tuple[int, int]] = []
        for start, end in sorted(ranges):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        normal[client] = tuple(merged)
    return normal


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise
    except (ValueError, IndexError, RuntimeError, OverflowError) as error:
        raise MalformedUpdate(f"A stored update cannot be decoded: {error}.") from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise MalformedUpdate(f"A stored update cannot be decoded: {error}.") from error
