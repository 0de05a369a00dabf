"""The history of a room: versions, what they held, what differs, what happened lately."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from collab.errors import InvalidInput
from server.dispatch_history import restored
from server.messages.base import FileRef
from server.messages.history import VersionName
from server.messages.parts import Part
from server.raw_path import BODY_BYTES
from server.routes.bodies import asker_of, read_json, room_of
from server.routes.ports import State

_MOST_MS: Final = 2**53


class NewVersion(Part):
    """The body that gives the room as it is now a name."""

    name: VersionName


class RestoreBody(Part):
    """The body that says what to bring back; without a path, the whole room."""

    path: FileRef | None = None


class HistoryRoutes:
    """``/api/rooms/{room}/versions``, ``/compare`` and ``/activity``."""

    def __init__(self, state: State) -> None:
        self._history = state.history

    async def versions(self, request: Request) -> Response:
        """The versions, newest first."""
        found = await self._history.reading.versions(room_of(request))
        return JSONResponse({"versions": [one.model_dump() for one in found]})

    async def save(self, request: Request) -> Response:
        """Keeps the room as it is now under a name. Answers when that is stored."""
        room, asker = room_of(request), asker_of(request)
        asked = await read_json(request, NewVersion, BODY_BYTES)
        version = await self._history.save(room, asked.name, asker)
        return JSONResponse({"version": version.model_dump()}, status_code=201)

    async def version(self, request: Request) -> Response:
        """A version and its files, by path."""
        version, files = await self._history.reading.files(room_of(request), request.path_params["version"])
        return JSONResponse({"version": version.model_dump(), "files": [one.model_dump() for one in files]})

    async def text(self, request: Request) -> Response:
        """The text that a file had."""
        text = await self._history.reading.text(
            room_of(request), request.path_params["version"], request.path_params["path"]
        )
        return PlainTextResponse(text, headers={"Cache-Control": "no-cache"})

    async def compare(self, request: Request) -> Response:
        """What differs between the versions ``from`` and ``to`` (left out: now), in all files or in ``path``."""
        query = request.query_params
        if not query.get("from"):
            raise InvalidInput("Say from which version on, such as ?from=v234567.", field="from")
        found = await self._history.reading.comparison(
            room_of(request), query["from"], query.get("to") or None, query.get("path") or None
        )
        return JSONResponse(found.model_dump(exclude={"type", "id"}))

    async def restore(self, request: Request) -> Response:
        """Brings a file or the whole room back. Answers when that is stored."""
        room, asker = room_of(request), asker_of(request)
        asked = await read_json(request, RestoreBody, BODY_BYTES)
        done = await self._history.restore(room, request.path_params["version"], asked.path, asker)
        return JSONResponse(restored(done).model_dump(exclude={"type", "id"}))

    async def activity(self, request: Request) -> Response:
        """What happened since ``since``, in milliseconds since 1970; left out: since the asker left."""
        report = await self._history.reports.report(room_of(request), _since(request), asker_of(request))
        return JSONResponse(report.model_dump(exclude={"type", "id"}))


def _since(request: Request) -> int | None:
    value = request.query_params.get("since")
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 16 or int(value) > _MOST_MS:
        raise InvalidInput(
            "The parameter since is in milliseconds since 1970, such as 1767225600000.", field="since"
        )
    return int(value)
