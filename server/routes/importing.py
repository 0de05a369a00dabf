"""``POST /api/rooms/{room}/import``: a zip archive of a project into the room."""

from __future__ import annotations

import re
from typing import Final

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.archive import ArchivedFile, read_zip
from collab.errors import InvalidInput
from collab.ids import JobId
from collab.importing import LeftOut, TextFile, select
from collab.limits import Limits
from generation.service import Asker
from server.door.importing import Import
from server.door.writing import Writing
from server.routes.bodies import asker_of, read_body, require_type, room_of
from server.routes.ports import Host, State

AT_ONCE: Final = 2
"""Imports that are unpacked and written at the same time; others wait."""
MOST_SOURCE: Final = 200
MOST_TITLE: Final = 200
_CHANGE: Final = re.compile(r"c[0-9a-z]{1,20}")


class ImportRoutes:
    """Takes the archive, decides about each file, and writes them batch by batch."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._limits = state.settings.limits()
        self._door = state.door
        self._history = state.history
        self._generation = state.generation
        self._turns = anyio.Semaphore(AT_ONCE)

    async def upload(self, request: Request) -> Response:
        """What was created, updated, merged, asked, unchanged, left out and why; answers when all is stored."""
        room, asker = room_of(request), asker_of(request)
        gitignore = _flag(request, "gitignore", default=True)
        overwrite = _flag(request, "overwrite", default=False)
        last = _flag(request, "last", default=True)
        source = source_of(request, asker)
        change = _change(request)
        title = _short(request, "title", MOST_TITLE)
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
                writing = await self._begin(host, title or f"Imported {len(files):,} files", asker, change)
                bases = self._door.bases(host)
                await bases.read()
                work = Import(host, writing, bases, source, self._limits, overwrite=overwrite, left_out=left_out)
                try:
                    await work.write(files)
                finally:
                    written = await writing.finish()
                await bases.note(source, work.taken)
        if last:
            self._history.imported(room, asker)
        return JSONResponse(
            {
                "created": work.created,
                "updated": work.updated,
                "merged": work.merged,
                "unchanged": work.unchanged,
                "conflicts": [one.as_json() for one in written.asked],
                "left_out": [{"path": one.path, "reason": one.reason} for one in work.left_out],
                "change": written.change,
                "noted": not written.late,
            }
        )

    async def _begin(self, host: Host, title: str, asker: Asker, change: JobId | None) -> Writing:
        """The change that an earlier request has begun, if it can go on."""
        more = False
        if change is not None:
            jobs = await self._generation.jobs(host.room)
            found = next((one for one in jobs if one.job == change), None)
            more = found is not None and found.kind == "import" and not found.undone
        return self._door.begin(host, "import", title, asker, change if more else None, more=more)


def source_of(request: Request, asker: Asker) -> str:
    """Whose files these are: the folder's that the request names, else the asker's. Raises InvalidInput."""
    source = _short(request, "source", MOST_SOURCE)
    return f"source:{source}" if source else asker.person


def _short(request: Request, name: str, most: int) -> str:
    value = request.query_params.get(name, "").strip()
    if len(value) > most or (value and not value.isprintable()):
        raise InvalidInput(f"The parameter {name} must be at most {most} printable characters.", field=name)
    return value


def _change(request: Request) -> JobId | None:
    value = request.query_params.get("change")
    if not value:
        return None
    if not _CHANGE.fullmatch(value):
        raise InvalidInput("The parameter change must be the id that an import answered.", field="change")
    return JobId(value)


def _flag(request: Request, name: str, *, default: bool) -> bool:
    value = request.query_params.get(name, "1" if default else "0")
    if value not in {"0", "1"}:
        raise InvalidInput(f"The parameter {name} must be 0 or 1.", field=name)
    return value == "1"


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
