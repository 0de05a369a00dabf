"""Rooms: which there are, one of them, and deleting it."""

from __future__ import annotations

from typing import Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collab.document import EMPTY_STATE
from collab.editor import Editor
from collab.errors import NotFound
from collab.origin import ImportOrigin
from server.messages.parts import Mode, Part, Person
from server.routes.bodies import asker_of, read_json, room_of
from server.routes.ports import Host, State
from server.routes.writing import stored

SETTINGS_BYTES: Final = 256 * 1024


class SettingsBody(Part):
    """The settings of a room that are to be changed."""

    title: str | None = Field(default=None, max_length=200)
    instructions: str | None = Field(default=None, max_length=20_000)
    mode: Mode | None = None


class RoomRoutes:
    """``/api/rooms`` and ``/api/rooms/{room}``."""

    def __init__(self, state: State) -> None:
        self._hub = state.hub
        self._generation = state.generation
        self._texts = state.past.texts

    async def rooms(self, request: Request) -> Response:
        """All rooms that are stored or open, by name."""
        rows = await self._hub.rooms()
        return JSONResponse(
            {
                "rooms": [
                    {
                        "room": row.room,
                        "stored_bytes": row.stored_bytes,
                        "last_change_ms": row.last_change_ms,
                        "connections": row.connections,
                        "log_entries": row.log_entries,
                        "checkpoint_ms": row.checkpoint_ms,
                        "nodes": list(row.nodes),
                    }
                    for row in rows
                ]
            }
        )

    async def room(self, request: Request) -> Response:
        """One room: how much is in it and who is there. 404 for one that nobody ever wrote to or is in."""
        async with self._hub.held(room_of(request)) as host:
            refuse_unknown(host)
            listing = host.document.listing()
            return JSONResponse(
                {
                    "room": host.room,
                    "files": len(listing.files),
                    "problems": list(listing.problems),
                    "settings": host.document.settings(),
                    "connections": host.connections(),
                    "people": [
                        Person.model_construct(
                            client=person.client,
                            name=person.name,
                            color=person.color,
                            kind="job" if person.kind == "job" else "person",
                            file=person.file,
                        ).model_dump()
                        for person in host.people()
                    ],
                    "saving": host.saving,
                    "not_saved_reason": host.not_saved_reason,
                }
            )

    async def change(self, request: Request) -> Response:
        """Changes the room's settings; those that are left out stay. Answers with all when that is stored."""
        origin = ImportOrigin(asker_of(request).person)
        asked = await read_json(request, SettingsBody, SETTINGS_BYTES)
        async with self._hub.held(room_of(request)) as host:

            def change(editor: Editor) -> None:
                for name, value in asked.model_dump(exclude_none=True).items():
                    editor.setting(name, value)

            host.change(change, origin)
            await stored(host)
            return JSONResponse({"settings": host.document.settings()})

    async def delete(self, request: Request) -> Response:
        """Forgets a room with all that it holds."""
        room = room_of(request)
        self._generation.forget(room)
        self._texts.forget(room)
        await self._hub.delete(room)
        return Response(status_code=204)


def refuse_unknown(host: Host) -> None:
    """Raises NotFound for a room that nothing was ever written to and nobody is in."""
    if host.document.state_vector() == EMPTY_STATE and not host.connections():
        raise NotFound(
            f"There is no room {host.room!r}: nothing was ever written to it. GET /api/rooms lists "
            "those there are.",
            field="room",
        )
