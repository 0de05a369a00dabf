"""The WebSocket endpoints: /yjs/{room} and /collaborate/{room}."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from collab.errors import CollabError, TryLater
from collab.ids import ConnectionId, PersonId, RoomId, client_id, room_id, short_id
from collab.outbox import Outbox
from collab.presence import Holder
from collab.room import Member
from collab.session import YSession
from server.announce import native_frame
from server.caller import Caller
from server.connection import Connection, NativeConnection, YConnection
from server.errors import failure_of
from server.guard import SECURITY_HEADERS
from server.host import RoomHost
from server.messages.events import Error
from server.origin_check import check_host, check_origin
from server.raw_path import raw_path
from server.state import AppState
from server.textmode import TextSession
from server.transport import EXTENSION, RoomTransport

MSGPACK: Final = "pairloom.msgpack"
MOST_PARAMETERS: Final = 50
COLORS: Final = (
    "#c2410c", "#b45309", "#4d7c0f", "#15803d", "#0f766e", "#0369a1", "#4338ca", "#7e22ce", "#be185d", "#b91c1c",
)  # fmt: skip


class SocketRoute(BaseRoute):
    """One prefix whose rest is the room's name, as sent: slashes are legal, nothing is decoded."""

    def __init__(self, prefix: str, state: AppState, *, native: bool) -> None:
        self._prefix = prefix.encode()
        self._state = state
        self._native = native

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for every WebSocket below the prefix."""
        if scope["type"] == "websocket" and raw_path(scope).startswith(self._prefix):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from its handshake to its end."""
        socket = WebSocket(scope, receive, send)
        if refusal := self._refusal(Headers(scope=scope)):
            await socket.receive()
            await refuse(send, 403, "foreign_origin", refusal)
            return
        transport = scope["extensions"].get(EXTENSION)
        if not isinstance(transport, RoomTransport):
            raise RuntimeError(
                "The WebSocket endpoints need server.transport.RoomTransport; start with `pairloom serve`."
            )
        packed = self._native and MSGPACK in scope["subprotocols"]
        await socket.accept(subprotocol=MSGPACK if packed else None)
        try:
            room = room_id(raw_path(scope)[len(self._prefix) :].decode("latin-1"))
            self._state.hub.admit()
        except CollabError as error:
            self._turn_away(transport, error, packed=packed)
            return
        name, color, controlled = _who(scope)
        try:
            await self._serve(transport, room, name, color, controlled=controlled, packed=packed)
        except CollabError as error:
            self._turn_away(transport, error, packed=packed)

    def _refusal(self, headers: Headers) -> str | None:
        settings = self._state.settings
        host = headers.get("host")
        return check_host(host, settings.host, settings.allowed_origins) or check_origin(
            headers.get("origin"), host or "", settings.allowed_origins
        )

    def _turn_away(self, transport: RoomTransport, error: CollabError, *, packed: bool) -> None:
        failure = failure_of(error)
        if self._native:
            event = Error(code=failure.code, message=failure.message, field=failure.field)
            transport.write(native_frame(event, packed=packed))
        transport.end(failure.close, failure.message)

    async def _serve(
        self, transport: RoomTransport, room: RoomId, name: str, color: str, *, controlled: bool, packed: bool
    ) -> None:
        state = self._state
        try:
            host = await state.hub.acquire(room)
        except BaseException:
            state.hub.dismiss()
            raise

        def departed() -> None:
            state.hub.release(host)
            state.hub.dismiss()

        connection = self._connection(transport, host, name, color, departed, controlled=controlled, packed=packed)
        try:
            if host.connections() >= state.limits.room_connections:
                raise TryLater(
                    f"The room has {host.connections()} connections, as many as it may (setting "
                    "limit_room_connections); try again later."
                )
            await connection.opened()
        except BaseException:
            connection.lost()
            connection.depart()
            raise
        await connection.serve()

    def _connection(
        self,
        transport: RoomTransport,
        host: RoomHost,
        name: str,
        color: str,
        departed: Callable[[], None],
        *,
        controlled: bool,
        packed: bool,
    ) -> Connection:
        state = self._state
        identity = ConnectionId(short_id(state.random, "c"))
        name = name or f"Guest {state.random.getrandbits(16) % 900 + 100}"
        color = color or COLORS[state.random.getrandbits(16) % len(COLORS)]
        # Rooms remember people for as long as their documents; one copy of a name serves them all.
        name = sys.intern(name)
        member = Member(Holder(identity), PersonId(name), name, acknowledged=controlled or self._native)
        caller = Caller(identity, member.person, name, color, client_id(state.random), self._native)
        if self._native:
            session = TextSession(packed=packed)
            most = 4 * state.limits.outbox_bytes
            return NativeConnection(transport, host, member, caller, state.dispatch, departed, session, most)
        y = YSession(host.state, member, state.limits, state.clock)
        outbox = Outbox(state.limits.outbox_bytes)
        return YConnection(transport, host, member, caller, state.dispatch, departed, y, outbox)


class NoSocketRoute(BaseRoute):
    """Every other WebSocket address: there is nothing."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for all that is left."""
        return (Match.FULL if scope["type"] == "websocket" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses the handshake."""
        await receive()
        await refuse(send, 404, "not_found", "There is no WebSocket here; use /yjs/{room} or /collaborate/{room}.")


async def refuse(send: Send, status: int, code: str, message: str) -> None:
    """Answers a handshake with an HTTP error in the form that all errors have."""
    body = JSONResponse({"error": {"code": code, "message": message, "field": None}})
    headers = {**SECURITY_HEADERS, "Content-Type": "application/json"}
    await send(
        {
            "type": "websocket.http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "websocket.http.response.body", "body": bytes(body.body)})


def _who(scope: Scope) -> tuple[str, str, bool]:
    """Name, colour (empty if there is none that can be shown), and whether control messages are wanted."""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=MOST_PARAMETERS, errors="replace")
    except ValueError:
        query = {}  # More parameters than any client sends: none of them counts.
    name = _cleaned(query.get("name", [""])[0])
    color = query.get("color", [""])[0]
    return name, color if _is_color(color) else "", query.get("pairloom", ["0"])[0] == "1"


def _cleaned(name: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in name).split())[:80]


def _is_color(color: str) -> bool:
    return len(color) == 7 and color[0] == "#" and all(char in "0123456789abcdefABCDEF" for char in color[1:])
