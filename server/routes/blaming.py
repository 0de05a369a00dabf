"""Who wrote what, over HTTP: of a file as ranges, of a room as the table that it all comes from."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from collab.attribution_codec import plain
from collab.document import Document
from collab.ids import file_path
from collab.listing import File
from generation.service import JobView
from server.blaming import author_part, plain_blame
from server.routes.bodies import room_of
from server.routes.etags import unchanged_for
from server.routes.ports import State


class BlameRoutes:
    """``/api/rooms/{room}/blame/{path}`` and ``/api/rooms/{room}/attribution``."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._generation = state.generation

    async def blame(self, request: Request) -> Response:
        """Who wrote which part of a file; 304 if the asker has this answer."""
        room, path = room_of(request), file_path(request.path_params["path"])
        async with self._hub.held(room) as host:
            jobs = await self._generation.jobs(room)
            table = host.attribution()
            file = host.document.file(path)
            headers = {"ETag": _etag(host.document, file, jobs), "Cache-Control": "no-cache"}
            # Of what comes meanwhile the answer may tell more than its tag, never less.
            if unchanged_for(request, headers["ETag"]):
                return Response(status_code=304, headers=headers)
            body = to_json(await plain_blame(host.document, file, table, jobs))
        return Response(body, headers=headers, media_type="application/json")

    async def attribution(self, request: Request) -> Response:
        """The table of who wrote what: runs of ids of each Yjs client id, whatever became of the text."""
        room = room_of(request)
        async with self._hub.held(room) as host:
            jobs = {job.job: job for job in await self._generation.jobs(room)}
            table = host.attribution()
            authors = [author_part(author, jobs).model_dump() for author in table.authors()]
            body = to_json({"room": room, **plain(table), "authors": authors})
        return Response(body, media_type="application/json")


def _etag(document: Document, file: File, jobs: Iterable[JobView]) -> str:
    """What names the answer: all that it is made from."""
    digest = blake2b(document.encode(), digest_size=12)
    digest.update("\0".join([file.id, file.shown, *(f"{job.job} {job.model}" for job in jobs)]).encode())
    return f'"{digest.hexdigest()}"'
