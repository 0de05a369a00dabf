"""What has changed from one version to the next: for each file a whole text or a difference, as bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgpack

from collab.errors import StoreCorrupt
from collab.history.delta import apply, compose, decode_delta, decode_text, encode_delta, encode_text
from collab.ids import FileId

CHUNK_BYTES: Final = 256 * 1024
"""A pack is stored in pieces of at most so many bytes."""
_FORMAT: Final = 1

T = TypeVar("T", str, int, bytes)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file's part: the whole text if ``depth`` is 0, else the difference to the text that it had in the
    version of the number ``before``. ``depth`` counts the differences since the last whole text.
    """

    data: bytes
    depth: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Pack:
    """The parts of all files that have changed, and that of the list of files."""

    tree: Entry
    entries: Mapping[FileId, Entry] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """For the store."""
        rows = {file: _row(entry) for file, entry in self.entries.items()}
        return bytes(msgpack.packb([_FORMAT, _row(self.tree), rows]))

    @classmethod
    def from_bytes(cls, data: bytes) -> Pack:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            made, tree, rows = msgpack.unpackb(data)
            if made != _FORMAT:
                raise ValueError(f"format {made!r}")
            entries = {}
            for file, row in rows.items():
                entries[FileId(_checked(file, str))] = _entry(*row)
            return cls(_entry(*tree), entries)
        except (ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
            raise StoreCorrupt(f"What a version holds cannot be read: {error!r}.") from error


def merged(older: Pack, newer: Pack, kept: Collection[FileId]) -> Pack:
    """One pack for two that follow each other. ``kept`` are the files that the newer version has; what there is of
    others goes. Raises StoreCorrupt.
    """
    entries = {file: entry for file, entry in older.entries.items() if file in kept}
    for file, entry in newer.entries.items():
        under = entries.get(file)
        entries[file] = entry if under is None else _joined(under, entry)
    return Pack(_joined(older.tree, newer.tree), entries)


def _joined(under: Entry, entry: Entry) -> Entry:
    if not entry.depth:
        return entry
    if not under.depth:
        return Entry(encode_text(apply(decode_text(under.data), decode_delta(entry.data))))
    data = encode_delta(compose(decode_delta(under.data), decode_delta(entry.data)))
    return Entry(data, under.depth, under.before)


def chunks(data: bytes) -> list[bytes]:
    """The pieces in which a pack is stored."""
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


def _row(entry: Entry) -> list[object]:
    return [entry.depth, entry.before, entry.data]


def _entry(depth: Any, before: Any, data: Any) -> Entry:
    entry = Entry(_checked(data, bytes), _checked(depth, int), _checked(before, int))
    if entry.depth < 0 or entry.before < 0:
        raise ValueError("a number below 0")
    return entry


def _checked(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
