"""One connection between a simulated client and a node: frames under way, a buffer that fills, a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context
from random import Random

import orjson

from collab.wire import MessageType, read_bytes
from server.transport import Receiver
from tests.simulation.client import Link
from tests.simulation.virtual_loop import VirtualLoop

HIGH_WATER = 1_500
"""Bytes; small, so that readers fall behind."""
LOW_WATER = 400


class Wire:
    """The server's side looks like ``server.transport.RoomTransport``, the client's is a ``Link``."""

    def __init__(
        self,
        loop: VirtualLoop,
        random: Random,
        link: Link,
        process: str,
        received: Callable[[Link, bytes | int], None],
        lost: Callable[[Link], None],
    ) -> None:
        """``received`` and ``lost`` are the client's."""
        self.link = link
        self.process = process
        self.closed = False
        """The server's side has ended."""
        self.cut = False
        """Nothing goes either way any more; whoever does not know yet will find out."""
        self.slow = 0.0
        """Seconds by which the client reads late."""
        self.transport = self
        self.codes: list[int] = []
        self._loop = loop
        self._random = random
        self._inside: Context = loop.context(process)
        self._outside = Context()
        self._received = received
        self._lost = lost
        self._receiver: Receiver | None = None
        self._early: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._up_at = 0.0
        self._down_at = 0.0
        self._pongs: list[asyncio.Future[None]] = []

    # The client's side

    def flush(self) -> None:
        """Sends what the client has put into its link."""
        while self.link.up:
            frame = self.link.up.popleft()
            self._up_at = max(self._up_at + 1e-6, self._loop.time() + self._latency())
            self._loop.call_at(self._up_at, self._arrive, frame, context=self._inside)

    def abandon(self, notice: float) -> None:
        """The connection is cut; the server finds out after ``notice`` seconds."""
        if not self.cut:
            self.cut = True
            self._loop.call_later(notice, self._end, context=self._inside)

    def break_off(self, notice: float) -> None:
        """The server is gone; the client finds out after ``notice`` seconds."""
        if not self.cut:
            self.cut = True
            self._loop.call_later(notice, self._lost, self.link, context=self._outside)

    # The server's side

    def attach(self, receiver: Receiver, high_water: int) -> None:
        """See RoomTransport.attach."""
        self._receiver = receiver
        if self.closed:
            self._end()
            return
        early, self._early = self._early, []
        for frame in early:
            self._arrive(frame)

    @property
    def buffered(self) -> int:
        """See RoomTransport.buffered."""
        return self._buffered

    def write(self, framed: bytes) -> None:
        """See RoomTransport.write. Several frames may come in one piece."""
        if self.closed or self.cut:
            return
        for payload in _payloads(framed):
            self._buffered += len(payload)
            self._down_at = max(self._down_at + 1e-6, self._loop.time() + self._latency() + self.slow)
            self._loop.call_at(self._down_at, self._give, payload, context=self._outside)
        if self._buffered > HIGH_WATER and not self._paused and self._receiver is not None:
            self._paused = True
            self._receiver.paused()

    def end(self, code: int, reason: str) -> None:
        """See RoomTransport.end."""
        self.codes.append(code)
        if not self.closed:
            self._end()
            if not self.cut:
                self.cut = True
                self._loop.call_later(self._latency(), self._lost, self.link, context=self._outside)

    def probe(self, pong: asyncio.Future[None]) -> None:
        """See RoomTransport.probe."""
        if not self.cut:
            self._loop.call_later(2 * self._latency(), self._pong, pong, context=self._inside)

    # Inside

    def _latency(self) -> float:
        return 0.001 + self._random.random() * 0.02

    def _arrive(self, frame: bytes) -> None:
        if self.closed or self.cut:
            return
        if self._receiver is None:
            self._early.append(frame)
        else:
            self._receiver.received(frame)

    def _give(self, payload: bytes) -> None:
        self._buffered -= len(payload)
        if self._paused and self._buffered <= LOW_WATER:
            self._paused = False
            self._loop.call_soon(self._resume, context=self._inside)
        if self.cut or not self.link.alive:
            return
        if payload[0] != MessageType.CONTROL:
            self._received(self.link, payload)
        elif b'"saved"' in payload[:40]:
            message = orjson.loads(read_bytes(payload, 1)[0])
            self._received(self.link, int(message["count"]))

    def _resume(self) -> None:
        if self._receiver is not None and not self.closed:
            self._receiver.resumed()

    def _end(self) -> None:
        self.closed = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()

    def _pong(self, pong: asyncio.Future[None]) -> None:
        if not pong.done() and not self.cut:
            pong.set_result(None)


def _payloads(framed: bytes) -> Iterator[bytes]:
    """What is in the frames of a server, one after the other."""
    at = 0
    while at < len(framed):
        length, start = framed[at + 1], at + 2
        size = {126: 2, 127: 8}.get(length, 0)
        if size:
            length = int.from_bytes(framed[start : start + size], "big")
        at = start + size + length
        yield framed[start + size : at]
