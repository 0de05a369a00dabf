"""When each file of a document changed last, in numbers of its own: for whoever keeps something that is made of
files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from collab.ids import FileId


@dataclass(slots=True)
class Stamps:
    """Counts changes of files. A file's stamp is the count at its last one, 0 if there was none since it was
    loaded.
    """

    count: int = 0
    watch: Callable[[], None] | None = None
    """Called at each change; it must be quick, and not read the document."""
    entries: int = 0
    """The count at the last change of which files there are and what their paths are."""
    _stamps: dict[FileId, int] = field(default_factory=dict)

    def note(self, files: Iterable[FileId], *, entries: bool = False) -> None:
        """These files changed: their texts, and with ``entries`` also their paths or whether they are there."""
        for file in files:
            self.count += 1
            # Put in anew, so that the last changed stand at the end.
            self._stamps.pop(file, None)
            self._stamps[file] = self.count
        if entries:
            self.entries = self.count
        if self.watch is not None:
            self.watch()

    def of(self, file: FileId) -> int:
        """The file's stamp."""
        return self._stamps.get(file, 0)

    def since(self, count: int) -> list[FileId]:
        """The files that changed after the count was ``count``, the last changed first."""
        found: list[FileId] = []
        for file, stamp in reversed(self._stamps.items()):
            if stamp <= count:
                break
            found.append(file)
        return found
