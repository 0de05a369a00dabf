"""Ten minutes of coming, typing and going: what the server holds on to."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.bench.process import ServerProcess, running_server
from tests.bench.yclient import YClient

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

ROOMS = 50
VISITS_PER_SECOND = 10
SECONDS = float(os.environ.get("PAIRLOOM_SOAK_SECONDS", "600"))
WARM_UP = SECONDS / 10


async def _visit(server: ServerProcess, number: int) -> None:
    url = f"ws://127.0.0.1:{server.port}/yjs/soak-{number % ROOMS}"
    async with YClient(url, 10_000 + 2 * number) as one, YClient(url, 10_001 + 2 * number) as other:
        for _ in range(20):
            await one.type()
            await other.type()
        await one.arrived.wait()
        await other.arrived.wait()


async def _soak(server: ServerProcess) -> tuple[float, float, int]:
    start = time.monotonic()
    early = 0.0
    visits = 0
    while (elapsed := time.monotonic() - start) < SECONDS:
        await _visit(server, visits)
        visits += 1
        # A steady pace, so that the number of visits does not depend on the machine.
        await asyncio.sleep(max(0.0, start + visits / VISITS_PER_SECOND - time.monotonic()))
        if not early and elapsed >= WARM_UP:
            early = server.resident_mib()
    return early, server.resident_mib(), visits


async def test_memory_stays_within_a_tenth_of_what_it_was_after_the_first_minute(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        early, late, visits = await _soak(server)
    print(f"\n{visits} visits: {early:.1f} MiB after {WARM_UP:.0f} s, {late:.1f} MiB after {SECONDS:.0f} s")
    assert late <= 1.1 * early
