"""A node's lease: good for a while, renewed in time, or with a gap that must be known of."""

from __future__ import annotations

import asyncio
from random import Random

from collab.ids import NodeId
from collab.shared_memory import SharedMemory, SharedMemoryStore
from server.lease import LEASE_SECONDS, MARGIN_SECONDS, Lease
from tests.collab.replicas import HandClock


async def test_a_lease_is_good_until_a_moment_before_its_end() -> None:
    clock = HandClock()
    lease = Lease("w", "node", clock)
    await lease.begin(SharedMemory(clock, Random(1)).store("w"))
    assert lease.good
    clock.now += LEASE_SECONDS - MARGIN_SECONDS
    assert not lease.good


async def test_a_renewal_in_time_leaves_no_gap_and_a_late_one_says_so() -> None:
    clock = HandClock()
    store = SharedMemory(clock, Random(1)).store("w")
    lease = Lease("w", "node", clock)
    await lease.begin(store)
    clock.now += 1.5
    assert await lease.renew(store)
    assert not lease.lapsed
    clock.now += LEASE_SECONDS - MARGIN_SECONDS / 2
    assert await lease.renew(store)
    assert lease.good
    assert lease.lapsed


async def test_a_lease_that_was_lost_is_not_renewed() -> None:
    clock = HandClock()
    store = SharedMemory(clock, Random(1)).store("w")
    lease = Lease("w", "node", clock)
    await lease.begin(store)
    clock.now += LEASE_SECONDS + 1
    assert not await lease.renew(store)
    lease.rename()
    await lease.begin(store)
    assert (lease.node, lease.good) == ("w.1", True)


async def test_an_answer_that_newer_ones_have_overtaken_takes_nothing_back() -> None:
    clock = HandClock()
    store = SharedMemory(clock, Random(1)).store("w")
    lease = Lease("w", "node", clock)
    await lease.begin(store)
    arrived = asyncio.Event()
    real = store.renew

    async def late(node: NodeId, about: bytes, seconds: float) -> dict[NodeId, bytes] | None:
        answer = await real(node, about, seconds)
        await arrived.wait()
        return answer

    store.renew = late  # type: ignore[method-assign]
    slow = asyncio.create_task(lease.renew(store))
    await asyncio.sleep(0)
    store.renew = real  # type: ignore[method-assign]
    clock.now += LEASE_SECONDS - MARGIN_SECONDS - 0.5
    assert await lease.renew(store)
    arrived.set()
    assert await slow
    clock.now += 1.0
    assert lease.good


async def test_a_node_that_came_back_under_another_id_does_not_heed_what_was_said_to_the_old_one() -> None:
    clock = HandClock()
    store = SharedMemory(clock, Random(1)).store("w")
    lease = Lease("w", "node", clock)
    await lease.begin(store)
    clock.now += LEASE_SECONDS + 1
    first, second = await asyncio.gather(_come_back(lease, store), _come_back(lease, store))
    assert (first, second) == (False, True)
    assert (lease.node, lease.good) == ("w.1", True)


async def _come_back(lease: Lease, store: SharedMemoryStore) -> bool:
    kept = await lease.renew(store)
    if not kept:
        lease.rename()
        await lease.begin(store)
    return kept
