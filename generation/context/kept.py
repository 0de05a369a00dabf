"""Keeps what was made of files, as long as none of them has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from collab.ids import FileId

V = TypeVar("V")


@dataclass(slots=True)
class Pieces(Generic[V]):
    """Values by a name, each with the files that it came from and the stamps (``collab.stamps``) that they had
    then.

    One for one loaded document: stamps begin anew with the next. At most ``most`` values are kept, the ones used
    last.
    """

    stamp: Callable[[FileId], int]
    most: int = 2_000
    _values: OrderedDict[str, tuple[V, tuple[tuple[FileId, int], ...]]] = field(default_factory=OrderedDict)
    _of: dict[FileId, set[str]] = field(default_factory=dict)

    def get(self, name: str) -> V | None:
        """What is kept under a name; None if nothing is, or one of its files has changed."""
        kept = self._values.get(name)
        if kept is None:
            return None
        value, files = kept
        if any(self.stamp(file) != stamp for file, stamp in files):
            self._forget(name)
            return None
        self._values.move_to_end(name)
        return value

    def put(self, name: str, value: V, files: Iterable[FileId]) -> None:
        """Keeps a value that was made of these files as they are now."""
        self._forget(name)
        stamps = tuple((file, self.stamp(file)) for file in files)
        self._values[name] = value, stamps
        for file, _ in stamps:
            self._of.setdefault(file, set()).add(name)
        while len(self._values) > self.most:
            self._forget(next(iter(self._values)))

    def drop(self, file: FileId) -> None:
        """A file has changed: what was made of it is let go of."""
        for name in list(self._of.get(file, ())):
            self._forget(name)

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def _forget(self, name: str) -> None:
        kept = self._values.pop(name, None)
        for file, _ in kept[1] if kept is not None else ():
            names = self._of.get(file)
            if names is not None:
                names.discard(name)
                if not names:
                    del self._of[file]
