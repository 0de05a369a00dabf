"""The server's side of one WebSocket connection, once it has been accepted."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, cast

from collab.errors import CollabError
from collab.outbox import Outbox
from collab.room import Member
from collab.session import YSession
from server.announce import control_frame, native_frame
from server.caller import Caller
from server.dispatch import Dispatch
from server.host import RoomHost
from server.messages.events import AnyEvent, Error, Goodbye
from server.messages.requests import AnyRequest
from server.textmode import TextSession, control_request
from server.transport import RoomTransport

PRESENCE_MARK: Final = 64 * 1024
"""Bytes in a connection's buffer above which presence is no longer written to it."""
PROBE_SECONDS: Final = 3.0
"""A connection that is not heard of for so long after a probe has lost its presence to its heir."""
MOST_REQUESTS: Final = 64
"""Requests of one connection that wait for their turn; more are refused."""

logger = logging.getLogger(__name__)


class Connection(ABC):
    """What the two dialects share: the transport, the room, and requests answered one after the other."""

    __slots__ = ("_departed", "_dispatch", "_host", "_inbox", "_transport", "caller", "member")

    native = False

    def __init__(
        self,
        transport: RoomTransport,
        host: RoomHost,
        member: Member,
        caller: Caller,
        dispatch: Dispatch,
        departed: Callable[[], None],
    ) -> None:
        """``departed`` is called once, when nothing more is done for this connection."""
        self._departed: Callable[[], None] | None = departed
        self._transport = transport
        self._host = host
        self.member = member
        self.caller = caller
        self._dispatch = dispatch
        self._inbox: asyncio.Queue[AnyRequest | None] | None = None

    def write(self, framed: bytes) -> None:
        """Writes a message that is framed already."""
        self._transport.write(framed)

    @property
    def buffered(self) -> int:
        """Bytes that wait in the transport's buffer."""
        return self._transport.buffered

    def end(self, code: int, reason: str) -> None:
        """Closes the connection."""
        logger.info("connection closed by the server", extra={"code": code, "reason": reason})
        self._transport.end(code, reason)

    def probe(self, gone: Callable[[], None]) -> None:
        """Asks whether somebody is still there; calls ``gone`` when nothing is heard in time."""
        loop = asyncio.get_running_loop()
        pong: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(PROBE_SECONDS, gone)
        pong.add_done_callback(lambda _: timer.cancel())
        self._transport.probe(pong)

    @abstractmethod
    async def opened(self) -> None:
        """Greets the client, and takes the transport over."""

    async def serve(self) -> None:
        """Answers requests until the connection has ended; returns at once for a client that makes none."""
        if self._inbox is None:
            return
        while (request := await self._inbox.get()) is not None:
            await self._answer(request)
        self.depart()

    async def _answer(self, request: AnyRequest) -> None:
        try:
            reply = cast("AnyEvent | None", await self._dispatch.handle(self._host, self.caller, request))
        except CollabError as error:
            reply = Error(id=request.id, code=error.code, message=error.message, field=error.field)
        except Exception:
            logger.exception("a request failed", extra={"request": request.type})
            reply = Error(
                id=request.id,
                code="internal_error",
                message="The server failed to carry this out; what was done before is kept. Try again.",
            )
        if reply is not None:
            self.tell(reply)

    def _take(self, request: AnyRequest | Error) -> None:
        assert self._inbox is not None
        if isinstance(request, Error):
            self.tell(request)
            return
        try:
            self._inbox.put_nowait(request)
        except asyncio.QueueFull:
            self.tell(
                Error(
                    id=request.id,
                    code="limit_exceeded",
                    message=f"{MOST_REQUESTS} requests wait already; wait for their answers.",
                )
            )

    @abstractmethod
    def tell(self, event: AnyEvent) -> None:
        """Sends one event to this connection alone."""

    def leaving(self) -> None:
        """The process stops."""
        self.tell(Goodbye(reason="The server stops.", retry_ms=self._dispatch.retry_ms()))

    def raw_write(self) -> Callable[[bytes], None]:
        """The transport's own write, for the one place where every call counts; not after ``lost``."""
        return self._transport.transport.write

    def lost(self) -> None:
        """The connection has ended."""
        self._host.leave(self)
        if self._inbox is None:
            self.depart()
            return
        while self._inbox.full():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)

    def depart(self) -> None:
        """Lets go of the room; a second call does nothing."""
        departed, self._departed = self._departed, None
        if departed is not None:
            departed()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, CollabError):
            self.end(error.close, error.message)
            return
        logger.error("a message could not be handled", exc_info=error)
        self.end(1011, "The server failed to handle a message.")


class YConnection(Connection):
    """A client of the y-websocket dialect, with control messages if it asked for them."""

    __slots__ = ("_session", "outbox")

    def __init__(
        self,
        transport: RoomTransport,
        host: RoomHost,
        member: Member,
        caller: Caller,
        dispatch: Dispatch,
        departed: Callable[[], None],
        session: YSession,
        outbox: Outbox,
    ) -> None:
        super().__init__(transport, host, member, caller, dispatch, departed)
        self._session = session
        self.outbox = outbox
        if member.acknowledged:
            self._inbox = asyncio.Queue(MOST_REQUESTS)

    async def opened(self) -> None:
        """Begins the sync, and takes the transport over."""
        if self.member.acknowledged:
            self.tell(await self._dispatch.welcome(self._host, self.caller))
        self._host.join(self)
        self._host.perform(self._session.opened())
        self._transport.attach(self, PRESENCE_MARK)

    def received(self, data: bytes | str) -> None:
        """One message."""
        if isinstance(data, str):
            self.end(
                1007,
                "This address speaks the y-websocket protocol, in binary frames; for text use /collaborate.",
            )
            return
        session = self._session
        try:
            effects = session.receive(data)
            if session.turn_due:
                session.turn_due = False
                self._host.schedule()
            if effects:
                self._host.perform(effects)
        except Exception as error:  # noqa: BLE001 - one connection's error must not reach the event loop
            self._failed(error)
            return
        if session.probe:
            self._probe_rivals()

    def paused(self) -> None:
        """The reader has fallen behind."""
        self.outbox.paused()
        self._host.slow(self)

    def resumed(self) -> None:
        """The reader has drained what waited."""
        self._host.reads_again(self)

    def ask(self, text: str) -> None:
        """A control message."""
        self._take(control_request(text))

    def tell(self, event: AnyEvent) -> None:
        """Sends one control message, if this client knows them."""
        if self.member.acknowledged:
            self.write_control(control_frame(event), transient=False)

    def write_control(self, framed: bytes, *, transient: bool) -> None:
        """Writes a framed control message; one that only matters now is dropped for a slow reader."""
        if transient and not self.outbox.transient():
            return
        if self.outbox.overflows(self.buffered):
            self.end(1013, "This connection reads too slowly; reconnect.")
            return
        self.write(framed)

    def _probe_rivals(self) -> None:
        rivals = self._session.probe
        self._session.probe = []
        for rival in rivals:
            self._host.probe(rival)


class NativeConnection(Connection):
    """A client of the native dialect: readable JSON, or the same in msgpack."""

    __slots__ = ("_limit", "_session", "packed")

    native = True

    def __init__(
        self,
        transport: RoomTransport,
        host: RoomHost,
        member: Member,
        caller: Caller,
        dispatch: Dispatch,
        departed: Callable[[], None],
        session: TextSession,
        limit: int,
    ) -> None:
        super().__init__(transport, host, member, caller, dispatch, departed)
        self._session = session
        self._limit = limit
        self.packed = session.packed
        self._inbox = asyncio.Queue(MOST_REQUESTS)

    async def opened(self) -> None:
        """Greets the client, and takes the transport over."""
        await self._host.load_versions()
        self.tell(await self._dispatch.welcome(self._host, self.caller))
        # In the same turn, so that the events follow right upon what the welcome said.
        self._host.join(self)
        self._transport.attach(self, PRESENCE_MARK)

    def received(self, data: bytes | str) -> None:
        """One message."""
        try:
            self._take(self._session.receive(data))
        except Exception as error:  # noqa: BLE001 - one connection's error must not reach the event loop
            self._failed(error)

    def paused(self) -> None:
        """The buffer is over its mark: ``tell_framed`` looks at it from now on anyway."""

    def resumed(self) -> None:
        """The buffer has drained."""

    def tell(self, event: AnyEvent) -> None:
        """Sends one event."""
        self.tell_framed(native_frame(event, packed=self.packed), transient=False)

    def tell_framed(self, framed: bytes, *, transient: bool) -> None:
        """Writes a framed event. Operations cannot be skipped, so a reader that lags too far has to rejoin."""
        buffered = self.buffered
        if transient and buffered > PRESENCE_MARK:
            return
        if buffered > self._limit:
            self.end(1013, "This connection reads too slowly; reconnect and read the files again.")
            return
        self.write(framed)
