"""Brings the files of a source into a room: each is compared with what the source had of it before."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from anyio.lowlevel import checkpoint

from collab.importing import LeftOut, TextFile
from collab.limits import Limits
from collab.merge.changeset import CreateFile, Decision, Intent, ReplaceFile
from server.door.bases import Bases
from server.door.door import Changeset
from server.door.ports import Host
from server.door.texts import Known
from server.door.writing import Writing

BATCH_FILES: Final = 100
BATCH_CHARS: Final = 256 * 1024
"""Bounds of one transaction, so that nobody else waits for long."""
FILE_OVERHEAD: Final = 80
"""Bytes that a new file adds to a document besides its path and text, about."""
TURN_SECONDS: Final = 0.005


@dataclass(slots=True)
class _Batch:
    """What the next transaction does."""

    base: dict[str, Known] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    chars: int = 0

    def full(self) -> bool:
        """Whether it should be written now."""
        return len(self.intents) >= BATCH_FILES or self.chars >= BATCH_CHARS


@dataclass(slots=True)
class Import:
    """One import into one room. ``taken`` are the texts that the source is known to have from now on."""

    host: Host
    writing: Writing
    bases: Bases
    source: str
    limits: Limits
    overwrite: bool = False
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    """Those of ``updated`` that others had changed since, too."""
    contested: set[str] = field(default_factory=set)
    """Files that others had changed since."""
    unchanged: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    async def write(self, files: list[TextFile]) -> None:
        """Writes the files, in batches; between two of them, others have their turn.

        Raises LimitExceeded, StoreError.
        """
        document = self.host.document
        self.host.flush()
        listing = document.listing()
        count = len(listing.files) + len(listing.problems)
        size = len(document.encode())
        batch = _Batch()
        turn = perf_counter()
        for one in files:
            if batch.full():
                batch = await self._flush(batch)
            if perf_counter() - turn > TURN_SECONDS:
                await checkpoint()
                turn = perf_counter()
            live = self._live(one.path)
            if live == one.text:
                self.unchanged += 1
                self.taken[one.path] = one.text
                continue
            base = await self._base(one, live)
            if base is not None and base == one.text:
                if live is None:
                    self.left_out.append(
                        LeftOut(one.path, "was deleted or renamed in the room, and is as it was imported")
                    )
                else:
                    self.unchanged += 1
                self.taken[one.path] = one.text
                continue
            growth = len(one.text.encode()) + len(one.path.encode()) + FILE_OVERHEAD
            if reason := self._refusal(count + (live is None), size + growth):
                self.left_out.append(LeftOut(one.path, reason))
                continue
            size += growth
            count += live is None
            if base is not None:
                batch.base[one.path] = Known(base)
                if base != live:
                    self.contested.add(one.path)
            new = base is None and live is None
            batch.intents.append(CreateFile(one.path, one.text) if new else ReplaceFile(one.path, one.text))
            batch.chars += len(one.text)
            self.taken[one.path] = one.text
        await self._flush(batch)

    async def _base(self, one: TextFile, live: str | None) -> str | None:
        """From which text the source went on; None if that is not known, or the file is new."""
        if self.overwrite:
            return live
        base = await self.bases.base(self.source, one.path, one.text)
        if base is None and live is not None and self.bases.imported(one.path, live):
            # Nobody has changed it since somebody imported it.
            return live
        return base

    async def _flush(self, batch: _Batch) -> _Batch:
        if batch.intents:
            for decision in await self.writing.add(Changeset(batch.base, batch.intents)):
                self._sort(decision)
            await checkpoint()
        return _Batch()

    def _sort(self, decision: Decision) -> None:
        path = decision.path
        if decision.outcome == "already":
            self.unchanged += 1
        elif decision.kind == "new_file" and decision.outcome == "done":
            self.created.append(path)
        elif decision.landed:
            self.updated.append(path)
            if path in self.contested:
                self.merged.append(path)

    def _live(self, path: str) -> str | None:
        """The present text; None for a file that is not there."""
        document = self.host.document
        file = document.listing().by_path(path)
        return None if file is None else document.text(file.id)

    def _refusal(self, files: int, size: int) -> str | None:
        if files > self.limits.files:
            return f"would be one more than the {self.limits.files:,} files of a room (setting limit_files)"
        if size > self.limits.document_bytes:
            return (
                f"would make the room larger than {self.limits.document_bytes:,} bytes (setting "
                "limit_document_bytes)"
            )
        return None
