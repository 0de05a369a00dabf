"""A room that has taken a hundred thousand updates: how long its stream gets, and how quickly it opens.

``make bench ARGS=tests/bench/test_cluster_log.py``.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from collab.compaction import CompactionPolicy
from collab.ids import RoomId
from collab.io.compactor import Compactor
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from tests.bench.cluster_cpu import CLIENTS, SERVERS, pin
from tests.bench.cluster_load import redis_running
from tests.bench.yclient import YClient
from tests.integration.chaos.nodes import ClusterNode
from tests.redis_process import RedisProcess, free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

UPDATES = int(os.environ.get("PAIRLOOM_BENCH_UPDATES", "100000"))
PER_SECOND = 2_500
WRITERS = 2
OPENERS = 5
ROOM = "long"
SAMPLE_SECONDS = 0.05
SETTLED_SECONDS = 30.0
TIMES = 1.5
MORE_SECONDS = 0.05
BOUND = CompactionPolicy().entries + 2 * PER_SECOND
"""Compaction begins above so many entries, and what comes meanwhile is added: two seconds' worth at most."""


def stream_length(redis: RedisProcess) -> int:
    """Entries in the room's stream."""
    length = redis.run("XLEN", f"pairloom:{{{ROOM}}}:log")
    assert isinstance(length, int)
    return length


async def type_some(writers: list[YClient], count: int) -> None:
    """Updates at a steady pace."""
    start = time.perf_counter()
    for number in range(count):
        delay = start + number / PER_SECOND - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        await writers[number % len(writers)].type()


async def watch(redis: RedisProcess, lengths: list[int]) -> None:
    """Samples the stream for ever."""
    while True:
        lengths.append(await asyncio.to_thread(stream_length, redis))
        await asyncio.sleep(SAMPLE_SECONDS)


async def opening_seconds(redis: RedisProcess, folder: Path) -> float:
    """The median of how long nodes that do not have the room take until somebody who joins has it."""
    took = []
    settings = {"PAIRLOOM_REDIS_URL": redis.url}
    for number in range(OPENERS):
        node = ClusterNode(f"opener-{number}", free_port(), folder / f"opener-{number}", settings)
        try:
            await node.start()
            pin(node.pid, SERVERS)
            async with YClient(f"ws://127.0.0.1:{node.port}/yjs/elsewhere", 7):
                start = time.perf_counter()
                async with YClient(f"ws://127.0.0.1:{node.port}/yjs/{ROOM}", 8):
                    took.append(time.perf_counter() - start)
            # In order, as one that is killed while it compacts the room keeps the lock for minutes.
            await node.stop()
        finally:
            await node.end()
    return statistics.median(took)


async def until_compacted(store: RedisStore, node: ClusterNode) -> None:
    """Ends the node in order, and puts a checkpoint of everything in place."""
    await node.stop()
    compactor = Compactor(store)
    async with asyncio.timeout(SETTLED_SECONDS):
        while True:
            async with store.compacting(RoomId(ROOM)) as mine:
                if mine:
                    await compactor.compact(RoomId(ROOM))
                    break
            await asyncio.sleep(0.1)
    await compactor.close()


async def test_a_room_of_a_hundred_thousand_updates_opens_as_if_it_were_compacted(
    redis_server: Path, tmp_path: Path
) -> None:
    lengths: list[int] = []
    async with redis_running(redis_server, tmp_path / "redis") as redis:
        link = await RedisLink.open(redis.url)
        store = RedisStore(link, writer="bench")
        node = ClusterNode("writer", free_port(), tmp_path / "writer", {"PAIRLOOM_REDIS_URL": redis.url})
        try:
            await node.start()
            pin(node.pid, SERVERS)
            pin(os.getpid(), CLIENTS)
            url = f"ws://127.0.0.1:{node.port}/yjs/{ROOM}"
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(watch(redis, lengths))
                writers = [await stack.enter_async_context(YClient(url, 100 + n)) for n in range(WRITERS)]
                # What comes in one turn of a node's loop may be one entry.
                while (entries := (await store.load(RoomId(ROOM))).last_seq) < UPDATES:
                    await type_some(writers, max(UPDATES - entries, PER_SECOND))
                as_it_is = await opening_seconds(redis, tmp_path)
                watching.cancel()
                left = await asyncio.to_thread(stream_length, redis)
            await until_compacted(store, node)
            assert await asyncio.to_thread(stream_length, redis) == 0
            compacted = await opening_seconds(redis, tmp_path)
        finally:
            await node.end()
            await link.aclose()
    print(
        f"\n{entries} entries, never more than {max(lengths)} in the stream (at most {BOUND}), {left} at the end"
    )
    print(f"the room opens in {1000 * as_it_is:.1f} ms, compacted in {1000 * compacted:.1f} ms")
    assert max(lengths) <= BOUND
    assert as_it_is <= TIMES * compacted + MORE_SECONDS
