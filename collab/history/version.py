"""A version of a room: what its files were at one moment, and why that moment was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType, cast, get_args

import msgpack

from collab.errors import StoreCorrupt
from collab.ids import JobId

VersionId = NewType("VersionId", str)
"""``v`` and a few characters that a person can type."""

Cause = Literal["job_started", "job_ended", "named", "work", "import", "restore"]
"""Why a version was made. ``work``: people had worked for a while, or the last of them left."""

KIND: Final = "version"
"""The kind of the records that hold versions, by id."""
PACKS: Final = "version_pack"
"""The kind of the records that tell where packs are, or may be: by the pack's id."""
_FORMAT: Final = 1
_CAUSES: Final = frozenset(get_args(Cause))
MOST_PATHS: Final = 20
"""Paths and names that a version lists of what has changed; there may be more."""


@dataclass(frozen=True, slots=True)
class PackRef:
    """Where a pack is kept: in ``chunks`` records of the kind ``kind``."""

    id: str
    slot: int
    chunks: int

    @property
    def kind(self) -> str:
        """The kind of the pack's records."""
        return slot_kind(self.slot)

    @property
    def places(self) -> list[str]:
        """The keys of the pack's records, in order."""
        return [f"{self.id}.{number}" for number in range(self.chunks)]

    def to_bytes(self) -> bytes:
        """For the store."""
        return bytes(msgpack.packb([self.slot, self.chunks]))

    @classmethod
    def from_bytes(cls, key: str, data: bytes) -> PackRef:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            slot, chunks = msgpack.unpackb(data)
            return cls(key, _count(slot), _count(chunks))
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise StoreCorrupt(f"The record of the pack {key[:40]!r} cannot be read: {error!r}.") from error


def slot_kind(slot: int) -> str:
    """The kind of the records of one slot. Slots are used again, so that there are only as many kinds as packs."""
    return f"{KIND}_text:{slot}"


def is_history(kind: str) -> bool:
    """Whether records of this kind belong to versions, which one node at a time makes."""
    return kind in {KIND, PACKS} or kind.startswith(f"{KIND}_text:")


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that has changed since the version before, and the names of who edited it, as far as known."""

    path: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One version. ``number`` counts the room's versions; ``base`` is the one that its differences are against.

    What has changed since then is in ``inline`` or, if that is large, in the pack at ``pack``; in neither if
    nothing has. ``size`` counts the bytes of it.
    """

    id: VersionId
    number: int
    at_ms: int
    cause: Cause
    name: str = ""
    by: str = ""
    """The name of who gave the name, imported or restored."""
    job: JobId | None = None
    files: int = 0
    """Files of the room then."""
    changed: int = 0
    """Files that were added, removed, renamed or edited since the version before."""
    touched: tuple[Touched, ...] = ()
    base: VersionId | None = None
    pack: PackRef | None = None
    inline: bytes = b""
    size: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing has changed since ``base``."""
        return self.pack is None and not self.inline

    def to_bytes(self) -> bytes:
        """For the store."""
        pack = None if self.pack is None else [self.pack.id, self.pack.slot, self.pack.chunks]
        row: list[object] = [
            _FORMAT, self.id, self.number, self.at_ms, self.cause, self.name, self.by, self.job,
            self.files, self.changed, [[one.path, list(one.by)] for one in self.touched],
            self.base, pack, self.inline, self.size,
        ]  # fmt: skip
        return bytes(msgpack.packb(row))

    @classmethod
    def from_bytes(cls, data: bytes) -> Version:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            made, *row = msgpack.unpackb(data)
            if made != _FORMAT:
                raise ValueError(f"format {made!r}")
            ident, number, at_ms, cause, name, by, job, files, changed, touched, base, pack, inline, size = row
            if cause not in _CAUSES:
                raise ValueError(f"cause {cause!r}")
            return cls(
                VersionId(_text(ident)),
                _count(number),
                _count(at_ms),
                cast(Cause, cause),
                _text(name),
                _text(by),
                None if job is None else JobId(_text(job)),
                _count(files),
                _count(changed),
                tuple(Touched(_text(path), tuple(map(_text, names))) for path, names in touched),
                None if base is None else VersionId(_text(base)),
                None if pack is None else PackRef(_text(pack[0]), _count(pack[1]), _count(pack[2])),
                _bytes(inline),
                _count(size),
            )
        except (ValueError, TypeError, IndexError, msgpack.UnpackException) as error:
            raise StoreCorrupt(f"A stored version cannot be read: {error!r}.") from error


def read_versions(records: Mapping[str, bytes]) -> tuple[list[Version], list[str]]:
    """The versions in these records, oldest first, and what could not be read of them, in words."""
    versions = []
    problems = []
    for key, data in records.items():
        try:
            version = Version.from_bytes(data)
        except StoreCorrupt as error:
            problems.append(f"version {key}: {error.message}")
            continue
        versions.append(version)
    return sorted(versions, key=lambda one: (one.number, one.id)), problems


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r} are no bytes")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no number of things")
    return value
