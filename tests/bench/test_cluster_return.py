"""A thousand clients lose their node at once and come back to the other one.

``make bench ARGS=tests/bench/test_cluster_return.py``. The clients come back spread over five seconds at most, as
the browser's client does.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from tests.bench.cluster_cpu import CLIENTS, SERVERS, pin
from tests.bench.cluster_load import redis_running
from tests.bench.cluster_returning import Document, Returning
from tests.collab.replicas import Replica
from tests.integration.chaos.nodes import ClusterNode
from tests.program import ROOT
from tests.redis_process import free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

COUNT = int(os.environ.get("PAIRLOOM_BENCH_RETURNING", "1000"))
ROOMS = 100
SPREAD_SECONDS = 5.0
CHARACTERS = 5_000
AT_ONCE = 20
SYNCED_P99_SECONDS = 6.0
BLOCKED_MS = 100.0


@asynccontextmanager
async def probe(port: int) -> AsyncIterator[dict[str, float]]:
    """How long the node left somebody waiting meanwhile; filled at the end."""
    found: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.bench.cluster_probe", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        pin(process.pid, CLIENTS)
        yield found
        out, _ = await process.communicate(b"")
        found.update(json.loads(out))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def document(number: int) -> Document:
    """A room with a text."""
    replica = Replica(1_000 + number)
    replica.create(text="x" * CHARACTERS)
    return Document(f"returning-{number}", replica)


async def join_all(clients: list[Returning], port: int) -> None:
    """All join, some at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def join(client: Returning) -> None:
        async with free:
            await client.join(port)

    # The first of each room alone: it brings the text that the others expect.
    for some in (clients[:ROOMS], clients[ROOMS:]):
        async with asyncio.TaskGroup() as tasks:
            for client in some:
                tasks.create_task(join(client))


async def test_a_thousand_clients_are_in_sync_again_within_six_seconds(redis_server: Path, tmp_path: Path) -> None:
    random = Random(1)
    documents = [document(number) for number in range(ROOMS)]
    clients = [Returning(documents[number % ROOMS], 10_000 + number) for number in range(COUNT)]
    async with redis_running(redis_server, tmp_path / "redis") as redis:
        settings = {"PAIRLOOM_REDIS_URL": redis.url}
        nodes = [ClusterNode(f"node-{n}", free_port(), tmp_path / f"node-{n}", settings) for n in range(2)]
        lost, left = nodes
        try:
            for node in nodes:
                await node.start()
                pin(node.pid, SERVERS)
            await join_all(clients, lost.port)
            brought = sum(client.brought for client in clients)

            async def come_back(client: Returning, wait: float) -> float:
                went = await client.stay()
                await asyncio.sleep(wait)
                await client.join(left.port)
                synced = time.perf_counter()
                await client.type()
                return synced - went

            async with probe(left.port) as waits, asyncio.TaskGroup() as tasks:
                returns = [tasks.create_task(come_back(one, random.uniform(0, SPREAD_SECONDS))) for one in clients]
                await asyncio.sleep(1)
                await lost.kill()
            assert "Traceback" not in left.log.read_text()
        finally:
            for node in nodes:
                await node.end()
            for client in clients:
                if client.socket is not None:
                    client.socket.transport.abort()
    took = [task.result() for task in returns]
    p99 = statistics.quantiles(took, n=100)[98]
    print(
        f"\n{COUNT} clients in {ROOMS} rooms came back over {SPREAD_SECONDS:.0f} s: in sync again after "
        f"{statistics.median(took):.2f} s (median), {p99:.2f} s (p99), {max(took):.2f} s (the last), with "
        f"{sum(client.tries for client in clients) - 2 * COUNT} tries that were refused"
    )
    print(f"the node that they came to left nobody waiting for more than {waits['max_ms']:.0f} ms: {waits}")
    assert sum(client.brought for client in clients) == brought, "the node that they came to lacked something"
    assert p99 < SYNCED_P99_SECONDS
    assert waits["max_ms"] <= BLOCKED_MS
