"""Which rooms' jobs a node keeps: claims that cross each other, and answers that come late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from collab.errors import StoreUnavailable
from collab.ids import NodeId, RoomId
from collab.shared import Keep
from collab.shared_memory import SharedMemory, SharedMemoryStore
from server.keeping import Keeping
from server.lease import LEASE_SECONDS, Lease
from tests.collab.replicas import HandClock

ROOM = RoomId("room")


class Node:
    """One node's keeps, on a store whose answers to claims can be held back."""

    def __init__(self, world: SharedMemory, clock: HandClock, writer: str) -> None:
        self.clock = clock
        self.store: SharedMemoryStore = world.store(writer)
        self.lease = Lease(writer, writer, clock)
        self.lost: list[RoomId] = []
        self.keeping = Keeping(lambda: self.store, self.lease, self._look, self.lost.extend)

    async def _look(self) -> None:
        await self.lease.renew(self.store)

    def hold_answers(self) -> asyncio.Event:
        """From now on the answers to claims come when the event is set."""
        let = asyncio.Event()
        real = self.store.claim

        async def late(room: RoomId, node: NodeId, dead: Sequence[NodeId]) -> Keep:
            answer = await real(room, node, dead)
            await let.wait()
            return answer

        self.store.claim = late  # type: ignore[method-assign]
        return let

    def answer_at_once(self) -> None:
        del self.store.claim


async def nodes() -> tuple[Node, Node]:
    clock = HandClock()
    world = SharedMemory(clock, Random(1))
    one, two = Node(world, clock, "one"), Node(world, clock, "two")
    await one.lease.begin(one.store)
    await two.lease.begin(two.store)
    await one.lease.renew(one.store)
    return one, two


async def test_who_claims_first_keeps() -> None:
    one, two = await nodes()
    kept = await one.keeping.claim(ROOM)
    assert one.keeping.keep(ROOM) == kept
    assert (await two.keeping.claim(ROOM)) == kept
    assert two.keeping.keep(ROOM) is None


async def test_a_keep_holds_only_while_the_lease_does() -> None:
    one, _ = await nodes()
    await one.keeping.claim(ROOM)
    one.clock.now += LEASE_SECONDS
    assert one.keeping.keep(ROOM) is None


async def test_an_answer_to_an_older_claim_does_not_take_a_newer_keep_back() -> None:
    one, _ = await nodes()
    let = one.hold_answers()
    slow = asyncio.create_task(one.keeping.claim(ROOM))
    await asyncio.sleep(0)
    one.answer_at_once()
    one.clock.now += LEASE_SECONDS + 1
    assert not await one.lease.renew(one.store)
    one.lease.rename()
    one.keeping.drop()
    await one.lease.begin(one.store)
    newer = await one.keeping.claim(ROOM)
    let.set()
    assert await slow == newer
    assert one.keeping.keep(ROOM) == newer
    assert one.lost == []


async def test_a_keep_that_the_store_has_given_to_another_ends() -> None:
    one, two = await nodes()
    kept = await one.keeping.claim(ROOM)
    await one.store.unclaim(ROOM, kept)
    await two.keeping.claim(ROOM)
    await one.keeping.verify()
    assert one.keeping.keep(ROOM) is None
    assert one.lost == [ROOM]


async def test_a_keep_that_was_given_up_unheard_is_ended_before_it_is_claimed_again() -> None:
    one, two = await nodes()
    kept = await one.keeping.claim(ROOM)
    real = one.store.unclaim

    async def unheard(room: RoomId, keep: Keep) -> None:
        raise StoreUnavailable("The answer was lost.")

    one.store.unclaim = unheard  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await one.keeping.leave(ROOM)
    assert one.lost == [ROOM]
    one.store.unclaim = real  # type: ignore[method-assign]
    again = await one.keeping.claim(ROOM)
    assert again.token > kept.token
    await real(ROOM, kept)  # It comes late, and ends nothing.
    assert await two.keeping.claim(ROOM) == again
