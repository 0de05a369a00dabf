"""``POST /api/rooms/{room}/import``: a zip archive of a project into the room."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import anyio
import anyio.lowlevel
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.archive import ArchivedFile, read_zip
from collab.document import Document
from collab.editor import Editor
from collab.errors import InvalidInput, NotFound
from collab.ids import FileId, Random
from collab.importing import LeftOut, TextFile, select
from collab.limits import Limits
from collab.origin import ImportOrigin
from server.routes.bodies import asker_of, read_body, require_type, room_of
from server.routes.ports import Host, State
from server.routes.writing import FILE_OVERHEAD, INLINE_CHARS, Rewrite, compare, new_file_id, stored

BATCH_FILES: Final = 100
BATCH_CHARS: Final = 256 * 1024
BATCH_SECONDS: Final = 0.005
"""Bounds of one transaction, so that nobody else waits for more than a few milliseconds."""
_DELETED: Final = "was deleted in the room during the import"
AT_ONCE: Final = 2
"""Imports that are unpacked and written at the same time; others wait."""


class ImportRoutes:
    """Takes the archive, decides about each file, and writes them batch by batch."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._limits = state.settings.limits()
        self._random = state.random
        self._turns = anyio.Semaphore(AT_ONCE)

    async def upload(self, request: Request) -> Response:
        """What was created, updated, unchanged, left out and why; answers when all of it is stored."""
        room = room_of(request)
        origin = ImportOrigin(asker_of(request).person)
        gitignore = _gitignore(request)
        require_type(
            request,
            {"application/zip", "application/x-zip-compressed", "application/octet-stream"},
            "Send the archive with Content-Type: application/zip.",
            optional=True,
        )
        body = await read_body(request, self._limits.document_bytes)
        async with self._turns:
            files, left_out = await to_thread.run_sync(_decide, body, self._limits, gitignore)
            del body
            async with self._hub.held(room) as host:
                work = Import(host, origin, self._limits, self._random, left_out=left_out)
                await work.write(files)
                await stored(host)
        return JSONResponse(
            {
                "created": work.created,
                "updated": work.updated,
                "unchanged": work.unchanged,
                "left_out": [{"path": one.path, "reason": one.reason} for one in work.left_out],
            }
        )


@dataclass(slots=True)
class Batch:
    """What the next transaction does."""

    document: Document
    creates: list[tuple[FileId, str, str]] = field(default_factory=list)
    updates: list[tuple[str, Rewrite]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    chars: int = 0
    since: float = field(default_factory=perf_counter)

    def full(self) -> bool:
        """Whether it should be written now."""
        return (
            len(self.creates) + len(self.updates) >= BATCH_FILES
            or self.chars >= BATCH_CHARS
            or perf_counter() - self.since >= BATCH_SECONDS
        )

    def __call__(self, editor: Editor) -> None:
        """The change of the transaction. What can raise was checked before."""
        for file, path, text in self.creates:
            editor.create(file, path, text)
        for path, rewrite in self.updates:
            try:
                rewrite.apply(self.document, editor)
            except NotFound:
                self.deleted.append(path)


@dataclass(slots=True)
class Import:
    """One import into one room."""

    host: Host
    origin: ImportOrigin
    limits: Limits
    random: Random
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    async def write(self, files: list[TextFile]) -> None:
        """Writes the files, in batches; between two of them, others have their turn."""
        document = self.host.document
        listing = document.listing()
        by_path = {file.shown: file.id for file in listing.files.values()}
        count = len(listing.files) + len(listing.problems)
        size = len(document.encode())
        batch = Batch(document)
        for one in files:
            if batch.full():
                batch = await self._flush(batch)
            existing = by_path.get(one.path)
            before = _text(self.host, existing)
            if before == one.text:
                self.unchanged += 1
                continue
            growth = len(one.text.encode()) + len(one.path.encode()) + FILE_OVERHEAD
            if reason := self._refusal(count + (before is None), size + growth):
                self.left_out.append(LeftOut(one.path, reason))
                continue
            size += growth
            if existing is None or before is None:
                count += 1
                batch.creates.append((new_file_id(self.random), one.path, one.text))
                batch.chars += len(one.text)
                self.created.append(one.path)
            else:
                if max(len(before), len(one.text)) > INLINE_CHARS:
                    batch = await self._flush(batch)
                batch.updates.append((one.path, await self._compared(existing, before, one.text)))
                batch.chars += len(one.text)
        await self._flush(batch)

    async def _compared(self, file: FileId, before: str, after: str) -> Rewrite:
        try:
            return await compare(self.host.document, file, after)
        except NotFound:
            return Rewrite(file, before, after, [])  # applying it finds that the file is gone

    async def _flush(self, batch: Batch) -> Batch:
        if batch.creates or batch.updates:
            self.host.change(batch, self.origin)
        self.updated += [path for path, _ in batch.updates if path not in batch.deleted]
        # Somebody deleted them during the import: that decision stands.
        self.left_out += [LeftOut(path, "was deleted in the room during the import") for path in batch.deleted]
        await anyio.lowlevel.checkpoint()
        return Batch(self.host.document)

    def _refusal(self, files: int, size: int) -> str | None:
        if files > self.limits.files:
            return f"would be one more than the {self.limits.files:,} files of a room (setting limit_files)"
        if size > self.limits.document_bytes:
            return (
                f"would make the room larger than {self.limits.document_bytes:,} bytes (setting "
                "limit_document_bytes)"
            )
        return None


def _text(host: Host, file: FileId | None) -> str | None:
    """The present text; None for a file that is not there, or not any more."""
    if file is None:
        return None
    try:
        return host.document.text(file)
    except NotFound:
        return None


def _decide(body: bytes, limits: Limits, gitignore: bool) -> tuple[list[TextFile], list[LeftOut]]:
    found: list[tuple[str, bytes]] = []
    left_out: list[LeftOut] = []
    for one in read_zip(body, limits):
        if isinstance(one, ArchivedFile):
            found.append((one.path, one.data))
        else:
            left_out.append(one)
    taken, also_left_out = select(found, limits, gitignore=gitignore)
    return taken, left_out + also_left_out


def _gitignore(request: Request) -> bool:
    value = request.query_params.get("gitignore", "1")
    if value not in {"0", "1"}:
        raise InvalidInput("The parameter gitignore must be 0 or 1.", field="gitignore")
    return value == "1"
