"""One client stops reading while the room goes on: what the others notice, and how it catches up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from collab.document import Document
from collab.ids import ClientId
from collab.wire import claims
from tests.bench.paused import PausedClient
from tests.bench.process import ServerProcess, running_server
from tests.bench.yclient import YClient

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

SECONDS = float(os.environ.get("PAIRLOOM_SLOW_SECONDS", "30"))
READERS = 10
EDITS_PER_SECOND = 100


async def _type(writer: YClient, seconds: float, size: int) -> None:
    start = time.perf_counter()
    for number in range(int(seconds * EDITS_PER_SECOND)):
        delay = start + number / EDITS_PER_SECOND - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        await writer.type("a" * size)


def _latencies_ms(writer: YClient, reader: YClient) -> list[float]:
    """Of each edit. An update may hold several: all from its own clock up to the next update's."""
    heads = [claims(update) for _, update in reader.arrivals]
    clocks = [head[1] for head in heads if head is not None]
    assert len(clocks) == len(heads)
    ends = [*clocks[1:], len(writer.sent)]
    return [
        1000 * (at - writer.sent[clock])
        for (at, _), begin, end in zip(reader.arrivals, clocks, ends, strict=True)
        for clock in range(begin, end)
    ]


def _p99_ms(writer: YClient, readers: list[YClient]) -> float:
    late = [latency for reader in readers for latency in _latencies_ms(writer, reader)]
    return statistics.quantiles(late, n=100)[98]


async def _run(server: ServerProcess, room: str, *, paused: bool) -> tuple[float, float]:
    """The readers' p99 in ms, and the seconds that the paused one took to catch up."""
    url = f"ws://127.0.0.1:{server.port}/yjs/{room}"
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(YClient(url, 1000))
        readers = [await stack.enter_async_context(YClient(url, 2000 + n)) for n in range(READERS)]
        stopped = PausedClient(server.port, f"/yjs/{room}") if paused else None
        await _type(writer, SECONDS, 1)
        caught_up = 0.0
        if stopped is not None:
            wanted = len(writer.sent)
            begin = time.perf_counter()
            document = Document(ClientId(77))
            await asyncio.to_thread(stopped.resume, document, wanted)
            caught_up = time.perf_counter() - begin
            stopped.close()
        return _p99_ms(writer, readers), caught_up


async def test_a_paused_client_costs_the_others_nothing_and_catches_up_in_place(tmp_path: Path) -> None:
    # A small outbox, so that thirty seconds of typing are far more than it holds.
    with running_server(tmp_path, {"PAIRLOOM_LIMIT_OUTBOX_BYTES": "16384"}) as server:
        rounds = [
            (await _run(server, f"alone-{n}", paused=False), await _run(server, f"paused-{n}", paused=True))
            for n in range(3)
        ]
    ratio = statistics.median(with_paused[0] / without[0] for without, with_paused in rounds)
    slowest = max(with_paused[1] for _, with_paused in rounds)
    print("\np99 without and with it, ms:", [(round(w[0], 2), round(p[0], 2)) for w, p in rounds])
    print(f"p99 with a paused client {ratio:.2f} x that without; it caught up in {slowest:.3f} s at most")
    assert ratio <= 1.2
    assert slowest <= 1.0


def test_the_paused_client_of_these_tests_really_stops_reading() -> None:
    """Else the test above would prove nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            accepted.setblocking(False)
            written = 0
            with contextlib.suppress(BlockingIOError):
                while written < 64 * 1024 * 1024:
                    written += accepted.send(b"x" * 4096)
            assert written < 64 * 1024 * 1024
