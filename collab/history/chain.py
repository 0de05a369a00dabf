"""Reads what a version holds: which packs are needed for that, and what they make.

Nothing here reads a store. A generator asks for one pack after the other and ends with its result; whoever drives
it sends each pack, read or remembered (``Reads``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

from collab.errors import StoreCorrupt
from collab.history.delta import folded
from collab.history.pack import Pack
from collab.history.tree import Row, Tree, digest
from collab.history.version import Version, VersionId
from collab.ids import FileId

T = TypeVar("T")
Reads = Generator[Version, Pack, T]
"""Yields versions whose packs are wanted."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What makes one text: a whole text and the differences to apply to it, as they are stored."""

    key: bytes
    deltas: tuple[bytes, ...] = ()

    @property
    def depth(self) -> int:
        """How many differences there are."""
        return len(self.deltas)

    def text(self) -> str:
        """The text. Takes time in proportion to it and to the depth. Raises StoreCorrupt."""
        return folded(self.key, self.deltas)


def checked_text(fold: Fold, row: Row) -> str:
    """The text of a file of a version. Raises StoreCorrupt if it is not the one that the version was made of."""
    text = fold.text()
    if digest(text) != row.digest:
        raise StoreCorrupt(f"The stored text of {row.path!r} is not what it was when the version was made.")
    return text


class Chain:
    """The versions of a room, each with the one that it is based on."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._versions = {version.id: version for version in versions}

    def line(self, version: Version) -> list[Version]:
        """A version and those that its differences build on, the newest first. Raises StoreCorrupt."""
        line = [version]
        while (base := line[-1].base) is not None:
            below = self._versions.get(base)
            if below is None or below.number >= line[-1].number:
                raise StoreCorrupt(
                    f"The version {line[-1].id} builds on {base}, which is not there; it cannot be read any more."
                )
            line.append(below)
        return line

    def filled(self, version: Version) -> Version:
        """The version, or the nearest one below it, that something had changed in. Raises StoreCorrupt."""
        filled = next((one for one in self.line(version) if not one.empty), None)
        if filled is None:
            raise StoreCorrupt(f"The version {version.id} holds nothing.")
        return filled

    def tree(self, version: Version) -> Reads[Fold]:
        """What makes the list of files of a version; see ``tree_of``."""
        return (yield from self._fold(self.line(version), self.filled(version).number, None))

    def text(self, version: Version, row: Row) -> Reads[Fold]:
        """What makes the text of a file, as ``row`` of the version's list says it is."""
        return (yield from self._fold(self.line(version), row.at, row.file))

    def texts(self, version: Version, rows: Iterable[Row]) -> Reads[dict[FileId, Fold]]:
        """What makes the texts of several files of one version."""
        line = self.line(version)
        folds: dict[FileId, Fold] = {}
        for row in rows:
            folds[row.file] = yield from self._fold(line, row.at, row.file)
        return folds

    def _fold(self, line: list[Version], number: int, file: FileId | None) -> Reads[Fold]:
        deltas: list[bytes] = []
        while True:
            holder = _holder(line, number)
            pack = yield holder
            entry = pack.tree if file is None else pack.entries.get(file)
            if entry is None:
                raise StoreCorrupt(f"The version {holder.id} lacks a file that versions after it build on.")
            if not entry.depth:
                return Fold(entry.data, tuple(reversed(deltas)))
            if entry.before >= number:
                raise StoreCorrupt(f"The version {holder.id} builds on itself.")
            deltas.append(entry.data)
            number = entry.before


def _holder(line: list[Version], number: int) -> Version:
    """Where what version ``number`` brought is now: what was thinned out went into the next one of the line."""
    found = None
    for version in line:
        if version.number < number:
            break
        found = version
    if found is None:
        raise StoreCorrupt(f"Version number {number} is not among those that {line[0].id} builds on.")
    return found


def children(versions: Iterable[Version], version: VersionId) -> list[Version]:
    """The versions whose differences are against this one."""
    return [one for one in versions if one.base == version]


def tree_of(fold: Fold) -> Tree:
    """The list of files that is made of this. Raises StoreCorrupt."""
    return Tree.from_text(fold.text())
