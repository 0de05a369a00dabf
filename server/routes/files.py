"""The files of a room as resources: list, read, create, replace, delete."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import anyio
import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collab.document import Document
from collab.editor import Editor
from collab.errors import InvalidInput, NotFound
from collab.ids import FileId, FilePath, file_path
from collab.importing import LeftOut, classify
from collab.listing import File
from collab.offsets import utf16_length
from collab.origin import ImportOrigin
from server.routes.bodies import asker_of, read_body, require_type, room_of
from server.routes.etags import check_write, etag_of, unchanged_for, version_of
from server.routes.ports import State
from server.routes.writing import Rewrite, compare, new_file_id, refuse_growth, stored

TURN_SECONDS: Final = 0.01
"""How long one request may keep the event loop before others have their turn."""


class FileRoutes:
    """``/api/rooms/{room}/files`` and the files below it. A file is addressed by its shown path."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._limits = state.settings.limits()
        self._random = state.random

    async def files(self, request: Request) -> Response:
        """The files by path, each with id, version (what its ETag quotes) and length in UTF-16 units."""
        async with self._hub.held(room_of(request)) as host:
            document = host.document
            listing = document.listing()
            rows = []
            turn = perf_counter()
            for file in sorted(listing.files.values(), key=lambda file: file.shown):
                if perf_counter() - turn > TURN_SECONDS:
                    await anyio.lowlevel.checkpoint()
                    turn = perf_counter()
                try:
                    text = document.text(file.id)
                except NotFound:
                    continue  # deleted since the listing was made
                rows.append(
                    {
                        "file": file.id,
                        "path": file.shown,
                        "version": version_of(text),
                        "length": utf16_length(text),
                    }
                )
            return JSONResponse({"files": rows, "problems": list(listing.problems)})

    async def read(self, request: Request) -> Response:
        """The text of a file; 304 if the asker has this version."""
        path = _path(request)
        async with self._hub.held(room_of(request)) as host:
            text = host.document.text(_existing(host.document, path).id)
        headers = {"ETag": etag_of(text), "Cache-Control": "no-cache"}
        if unchanged_for(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return PlainTextResponse(text, headers=headers)

    async def write(self, request: Request) -> Response:
        """Creates a file, or replaces its text by the least changes. Answers when that is stored."""
        path = _path(request)
        origin = ImportOrigin(asker_of(request).person)
        require_type(
            request,
            {"text/*", "application/octet-stream"},
            "Send the text with Content-Type: text/plain; charset=utf-8.",
            optional=True,
        )
        one = classify(path, await read_body(request, self._limits.file_bytes), self._limits)
        if isinstance(one, LeftOut):
            raise InvalidInput(f"The file {path!r} {one.reason}.", field="body")
        async with self._hub.held(room_of(request)) as host:
            document = host.document
            existing = document.listing().by_path(path)
            check_write(request, path, None if existing is None else document.text(existing.id))
            refuse_growth(document, path, one.text, self._limits, new_file=existing is None)
            prepared = None if existing is None else await compare(document, existing.id, one.text)

            def write(editor: Editor) -> tuple[FileId, bool]:
                # Whatever came in since: what holds is the state that the change is made to.
                found = document.listing().by_path(path)
                check_write(request, path, None if found is None else document.text(found.id))
                if found is None:
                    file = new_file_id(self._random)
                    editor.create(file, path, one.text)
                    return file, True
                if prepared is None or prepared.file != found.id:
                    Rewrite(found.id, "", one.text, []).apply(document, editor)
                else:
                    prepared.apply(document, editor)
                return found.id, False

            (file, created), _ = host.change(write, origin)
            await stored(host)
        version = version_of(one.text)
        return JSONResponse(
            {"file": file, "path": path, "version": version, "created": created},
            status_code=201 if created else 200,
            headers={"ETag": f'"{version}"'},
        )

    async def delete(self, request: Request) -> Response:
        """Deletes a file whose version the asker knows. Answers when that is stored."""
        path = _path(request)
        origin = ImportOrigin(asker_of(request).person)
        async with self._hub.held(room_of(request)) as host:
            document = host.document

            def remove(editor: Editor) -> None:
                existing = _existing(document, path)
                check_write(request, path, document.text(existing.id))
                editor.delete(existing.id)

            host.change(remove, origin)
            await stored(host)
        return Response(status_code=204)


def _path(request: Request) -> FilePath:
    return file_path(request.path_params["path"])


def _existing(document: Document, path: FilePath) -> File:
    found = document.listing().by_path(path)
    if found is None:
        raise NotFound(f"There is no file {path[:200]!r}; ask for the list of files.", field="path")
    return found
