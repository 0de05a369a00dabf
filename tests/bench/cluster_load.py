"""Nodes behind a balancer, and the load generator of the kit that PAIRLOOM_BENCH_KIT names."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench.cluster_cpu import CLIENTS, SERVERS, pin, watched
from tests.integration.chaos.nodes import ClusterNode
from tests.program import ROOT
from tests.redis_process import RedisProcess, free_port

REDIS = "redis"
BALANCER = "balancer"
MOST_OTHERS = 15.0
"""Percent of a core; with more, latencies tell more of other processes than of the nodes."""
# Read here, as no setting from outside reaches a test that runs.
KIT = os.environ.get("PAIRLOOM_BENCH_KIT")
WAIT_SECONDS = 20.0
DURABLE: Mapping[str, str] = {"appendonly": "yes", "appendfsync": "always"}


@dataclass(frozen=True)
class Site:
    """What runs. ``port`` is the balancer's; without Redis the only node has the embedded store."""

    nodes: Sequence[ClusterNode]
    redis: RedisProcess | None
    port: int
    balancer: int
    """Its process id."""

    @property
    def pids(self) -> dict[str, int]:
        """The servers and the balancer, by name."""
        found = {node.name: node.pid for node in self.nodes} | {BALANCER: self.balancer}
        return found if self.redis is None else {**found, REDIS: self.redis.pid}


@dataclass(frozen=True)
class Run:
    """One run of the load generator: its row, and the CPU seconds of each server in its window."""

    row: dict[str, Any]
    cpu: dict[str, float]
    others: float
    """What all other processes of the machine used meanwhile, in percent of a core."""

    @property
    def deliveries(self) -> float:
        """In the window."""
        return float(self.row["deliveries_per_s"]) * float(self.row["wall_s"])


def kit() -> Path:
    """The folder of the load generator; without one, the test is skipped."""
    if not KIT or not (Path(KIT) / "loadgen").exists():
        pytest.skip("needs PAIRLOOM_BENCH_KIT: the folder of the load generator, built")
    return Path(KIT)


@asynccontextmanager
async def redis_running(program: Path, folder: Path) -> AsyncIterator[RedisProcess]:
    """A Redis whose every answer means that it is on the disk."""
    async with RedisProcess(program, folder, **DURABLE) as redis:
        pin(redis.pid, SERVERS)
        yield redis


@asynccontextmanager
async def site(
    folder: Path, redis: RedisProcess | None, *, busy: int = 1, idle: int = 0, by_room: bool = False
) -> AsyncIterator[Site]:
    """``busy`` nodes behind a balancer and ``idle`` ones that it does not know, on an empty Redis."""
    async with AsyncExitStack() as stack:
        settings: dict[str, str] = {}
        if redis is not None:
            await asyncio.to_thread(redis.run, "FLUSHALL")
            settings["PAIRLOOM_REDIS_URL"] = redis.url
        nodes = [
            ClusterNode(f"node-{number}", free_port(), folder / f"node-{number}", settings)
            for number in range(busy + idle)
        ]
        for node in nodes:
            stack.push_async_callback(node.end)
            await node.start()
            pin(node.pid, SERVERS)
        ports = [node.port for node in nodes[:busy]]
        port, pid = await stack.enter_async_context(balancer(ports, by_room=by_room))
        yield Site(nodes, redis, port, pid)


@asynccontextmanager
async def balancer(ports: Sequence[int], *, by_room: bool) -> AsyncIterator[tuple[int, int]]:
    """A balancer in front of these ports; its own port and process id."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.cluster_balancer", "--port", str(port)]
    command += ["--to", ",".join(map(str, ports)), *(["--by-room"] if by_room else [])]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await until_listening(port)
        pin(process.pid, CLIENTS)
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def until_listening(port: int) -> None:
    """Waits until somebody listens."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def load(where: Site, workload: str, seconds: int) -> Run:
    """Runs a workload of the kit through the balancer."""
    command = [str(kit() / "loadgen"), "--url", f"ws://127.0.0.1:{where.port}/yjs", "--workload", workload]
    command += ["--protocol", "y-websocket", "--seconds", str(seconds)]
    async with watched(where.pids) as usage:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        pin(process.pid, CLIENTS)
        assert process.stdout is not None
        line = await process.stdout.readline()
        ended = time.monotonic()
        await process.communicate()
    row = json.loads(line)
    assert "error" not in row, row
    assert row["complete"] == 1, row
    end = ended - row["drain_s"]
    cpu = usage.between(end - row["wall_s"], end)
    # The generator counts everything that is not its own as others'.
    return Run(row, cpu, row["other_cpu_pct"] - 100 * sum(cpu.values()) / row["wall_s"])
