"""The files of a room as resources: list, read, create, replace, delete."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Final

import anyio
import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collab.document import Document
from collab.editor import Editor
from collab.errors import InvalidInput, NotFound
from collab.ids import FilePath, file_path
from collab.importing import LeftOut, classify
from collab.listing import File
from collab.merge.changeset import CreateFile, ReplaceFile
from collab.offsets import utf16_length
from collab.origin import ImportOrigin
from server.door.door import Changeset
from server.door.texts import Known, version_of
from server.door.writing import Written
from server.errors import Refused
from server.routes.bodies import asker_of, read_body, require_type, room_of
from server.routes.etags import check_write, named_versions, unchanged_for
from server.routes.ports import Host, State
from server.routes.writing import refuse_growth, stored

TURN_SECONDS: Final = 0.01
"""How long one request may keep the event loop before others have their turn."""


class FileRoutes:
    """``/api/rooms/{room}/files`` and the files below it. A file is addressed by its shown path."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._limits = state.settings.limits()
        self._door = state.door
        self._past = state.past

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
            file = _existing(host.document, path)
            text = host.document.text(file.id)
        version = await self._past.texts.remember(host.room, text, file.id)
        headers = {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
        if unchanged_for(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return PlainTextResponse(text, headers=headers)

    async def write(self, request: Request) -> Response:
        """Creates a file, or brings what the asker changed into it. Answers when that is stored."""
        room, path, asker = room_of(request), _path(request), asker_of(request)
        require_type(
            request,
            {"text/*", "application/octet-stream"},
            "Send the text with Content-Type: text/plain; charset=utf-8.",
            optional=True,
        )
        one = classify(path, await read_body(request, self._limits.file_bytes), self._limits)
        if isinstance(one, LeftOut):
            raise InvalidInput(f"The file {path!r} {one.reason}.", field="body")
        async with self._hub.held(room) as host:
            host.flush()
            document = host.document
            existing = document.listing().by_path(path)
            base = await self._base(request, host, path)
            refuse_growth(document, path, one.text, self._limits, new_file=existing is None)
            check = None
            if base is None:
                # Somebody may create it in between.
                check = partial(_check_missing, request, document, path)
            intent = CreateFile(path, one.text) if base is None else ReplaceFile(path, one.text)
            changeset = Changeset({} if base is None else {path: base}, [intent])
            written = await self._door.write(host, "put", f"Wrote {path}", changeset, asker, check)
            return await self._written(host, path, one.text, written)

    async def _base(self, request: Request, host: Host, path: FilePath) -> Known | None:
        """The text that the asker knows, None for a new file. Raises Refused."""
        existing = host.document.listing().by_path(path)
        text = None if existing is None else host.document.text(existing.id)
        try:
            check_write(request, path, text)
        except Refused as error:
            versions = named_versions(request)
            if error.failure.field != "if-match" or not versions:
                raise
            known = await self._past.find(host.room, path, versions)
            if known is None:
                raise _forgotten(path, error) from error
            return known if known.file is not None or existing is None else Known(known.text, existing.id)
        return None if existing is None or text is None else Known(text, existing.id)

    async def _written(self, host: Host, path: FilePath, sent: str, written: Written) -> Response:
        paths = [decision.path for decision in written.decisions if decision.kind == "hunk"]
        file = host.document.listing().by_path(paths[0] if paths else path)
        text = None if file is None else host.document.text(file.id)
        created = any(one.kind == "new_file" and one.outcome == "done" for one in written.decisions)
        version = None
        if file is not None and text is not None:
            version = await self._past.texts.remember(host.room, text, file.id)
        return JSONResponse(
            {
                "file": None if file is None else file.id,
                "path": path if file is None else file.shown,
                "version": version,
                "created": created,
                "merged": text is not None and text != sent,
                "conflicts": [one.as_json() for one in written.asked],
                "change": written.change,
                "noted": not written.late,
            },
            status_code=201 if created else 200,
            # An ETag tells the asker that what was sent is what is there (RFC 9110, section 9.3.4).
            headers={"ETag": f'"{version}"'} if text == sent else {},
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


def _check_missing(request: Request, document: Document, path: FilePath) -> None:
    found = document.listing().by_path(path)
    check_write(request, path, None if found is None else document.text(found.id))


def _forgotten(path: str, error: Refused) -> Refused:
    return Refused(
        412,
        "conflict",
        f"{error.failure.message} It would have been merged into the file if the server still knew that version.",
        field="if-match",
        headers=dict(error.failure.headers),
    )


def _existing(document: Document, path: FilePath) -> File:
    found = document.listing().by_path(path)
    if found is None:
        raise NotFound(f"There is no file {path[:200]!r}; ask for the list of files.", field="path")
    return found
