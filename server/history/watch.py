"""Notes what changes in one room between two versions: flags only, so that edits cost nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

from collab.document import Applied, Document
from collab.errors import NotFound
from collab.history.tree import Tree, digest
from collab.ids import FileId
from generation.events import GenerationEvent
from server.caller import Caller

if TYPE_CHECKING:
    from server.history.ports import Host

TURN_SECONDS: Final = 0.003
"""How long texts are read in one go."""
MOST_NAMES: Final = 5
"""Names that are noted for one file."""


@dataclass(slots=True)
class Capture:
    """The room at one moment: all paths, and the texts of the files that had changed.

    ``unread`` are those whose texts are still to be read; ``all`` says that any file may have changed, as nobody
    noted what did.
    """

    at_ms: int
    paths: dict[FileId, str]
    texts: dict[FileId, str]
    unread: list[FileId]
    by: dict[FileId, list[str]]
    all: bool


@dataclass(slots=True, eq=False)
class RoomWatch:
    """One loaded room, which calls ``changed``, ``heard`` and ``gone``."""

    host: Host
    on_change: Callable[[RoomWatch], None]
    """Called for the first change since ``noticed`` was False."""
    on_event: Callable[[RoomWatch, GenerationEvent], None]
    on_gone: Callable[[RoomWatch, Caller], None]
    dirty: dict[FileId, list[str]] = field(default_factory=dict)
    """What has changed since the last version, with the names of who did it."""
    fresh: bool = False
    """Something has changed since the service looked last."""
    noticed: bool = False
    """The service knows that there are changes."""
    holding: bool = False
    """It keeps the room loaded for their sake."""
    since: float = 0.0
    """When it noticed."""
    not_before: float = 0.0
    """After a version could not be made: when it is tried again."""
    busy: bool = False
    """A version is being made because its time had come."""
    left: bool = False
    """The last person has left."""
    known: bool = False
    """Nothing but what is ``dirty`` has changed since the last version, which was made under ``token``."""
    token: int = 0
    begun: set[str] = field(default_factory=set)
    """Jobs that run, and whose start has its version."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever makes a version."""

    def changed(self, applied: Applied, by: str) -> None:
        """The document has changed. Called for every transaction."""
        self.fresh = True
        if not self.noticed:
            self.on_change(self)
        for file in applied.deltas:
            names = self.dirty.get(file)
            if names is None:
                self.dirty[file] = [by] if by else []
            elif by and by not in names and len(names) < MOST_NAMES:
                names.append(by)
        if applied.files_changed:
            for entry in applied.entries:
                self.dirty.setdefault(FileId(entry), [by] if by else [])

    def heard(self, event: GenerationEvent) -> None:
        """Something happened to a job."""
        self.on_event(self, event)

    def gone(self, caller: Caller) -> None:
        """A connection has gone."""
        self.on_gone(self, caller)

    def capture(self, at_ms: int) -> Capture:
        """The room as it is now; what has changed counts from here. Reads for TURN_SECONDS at most."""
        document = self.host.document
        paths = {file.id: str(file.shown) for file in document.listing().files.values()}
        dirty, self.dirty, self.fresh, self.left = self.dirty, {}, False, False
        taken = Capture(at_ms, paths, {}, [file for file in dirty if file in paths], dirty, not self.known)
        # Whether anything else has changed takes a look at what the last version holds.
        read_some(taken, document, None)
        return taken

    def give_back(self, taken: Capture) -> None:
        """No version was made of it: what had changed then still has."""
        for file, names in taken.by.items():
            known = self.dirty.setdefault(file, names)
            known += [name for name in names if name not in known][: MOST_NAMES - len(known)]
        self.known = self.known and not taken.all
        self.fresh = self.fresh or bool(taken.by)


def read_some(taken: Capture, document: Document, before: Tree | None) -> bool:
    """Reads more of the texts, for TURN_SECONDS at most; whether all have been read.

    Those that are the same as ``before`` are not kept.
    """
    until = perf_counter() + TURN_SECONDS
    while taken.unread:
        file = taken.unread.pop()
        try:
            text = document.text(file)
        except NotFound:
            # It was deleted after the moment that is captured.
            taken.paths.pop(file, None)
        else:
            known = before.rows.get(file) if before is not None else None
            if known is None or known.length != len(text) or known.digest != digest(text):
                taken.texts[file] = text
        if perf_counter() > until:
            break
    return not taken.unread
