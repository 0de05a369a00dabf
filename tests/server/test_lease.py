"""A node's lease: good for a while, renewed in time, or with a gap that must be known of."""

from __future__ import annotations

from random import Random

from collab.shared_memory import SharedMemory
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
