"""``GET /api/rooms/{room}/export``: the room's files as a zip archive."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from collab.document import Document
from collab.errors import NotFound, StoreError
from collab.ids import RoomId
from collab.listing import File
from server.routes.bodies import asker_of, room_of
from server.routes.importing import source_of
from server.routes.ports import State
from server.routes.rooms import refuse_unknown
from server.routes.zip_stream import ZipStream

BATCH_FILES: Final = 100
BATCH_CHARS: Final = 512 * 1024

logger = logging.getLogger(__name__)


class ExportRoutes:
    """Reads the files in batches, so that the room goes on, and packs each batch in a thread."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._door = state.door

    async def export(self, request: Request) -> Response:
        """The archive, by path. A file that is changed meanwhile is in it as it was before or after.

        What the asker has then is noted, as an import goes on from it.
        """
        room = room_of(request)
        source = source_of(request, asker_of(request))
        async with self._hub.held(room) as host:
            refuse_unknown(host)
        headers = {"Content-Disposition": f'attachment; filename="{_file_name(room)}"'}
        if request.method == "HEAD":
            return Response(media_type="application/zip", headers=headers)
        return StreamingResponse(self._archive(room, source), media_type="application/zip", headers=headers)

    async def _archive(self, room: RoomId, source: str) -> AsyncIterator[bytes]:
        stream = ZipStream()
        packed: dict[str, str] = {}
        async with self._hub.held(room) as host:
            waiting = sorted(host.document.listing().files.values(), key=lambda file: file.shown, reverse=True)
            while waiting:
                batch = _batch(host.document, waiting)
                packed.update(batch)
                piece = await to_thread.run_sync(stream.add, batch)
                if piece:
                    yield piece
            # Before the end, as an import may follow at once.
            try:
                await self._door.bases(host).note(source, packed)
            except StoreError as error:
                logger.warning("an export was not noted: %s", error.message, extra={"room": room})
        yield stream.finish()


def _batch(document: Document, waiting: list[File]) -> list[tuple[str, str]]:
    batch: list[tuple[str, str]] = []
    chars = 0
    while waiting and len(batch) < BATCH_FILES and chars < BATCH_CHARS:
        file = waiting.pop()
        try:
            text = document.text(file.id)
        except NotFound:
            continue  # deleted since the export began
        batch.append((file.shown, text))
        chars += len(text)
    return batch


def _file_name(room: RoomId) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", room).strip("-.")[:80] + ".zip"
