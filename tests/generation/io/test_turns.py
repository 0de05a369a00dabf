from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import perf_counter

import pytest

from generation.io.turns import APART, MORE_APART, MORE_REST, REST, Turns


async def test_one_turn_of_the_loop_has_room_for_so_many_and_the_rest_follow_in_order() -> None:
    turns = Turns(most=2)
    turn = 0
    done: list[tuple[int, int]] = []

    async def work(number: int) -> None:
        await turns.mine()
        done.append((number, turn))

    tasks = [asyncio.create_task(work(number)) for number in range(7)]
    while len(done) < len(tasks):
        await asyncio.sleep(0)
        turn += 1
    assert [number for number, _ in done] == list(range(7))
    at = [turn for _, turn in done]
    assert all(at.count(one) <= 2 for one in at)


async def test_streams_are_left_alone_longer_while_jobs_wait_for_their_turns_and_fewer_jobs_start() -> None:
    turns = Turns(most=1)
    assert turns.rest(0.04) == pytest.approx(0.04 * REST)
    assert turns.spacing() == APART

    async def work() -> None:
        await turns.mine()
        await asyncio.sleep(0.002)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        loop = asyncio.get_running_loop()
        # A turn of the loop that takes long makes the others wait for theirs.
        for _ in range(100):
            group.create_task(work())
            loop.call_soon(hold, 0.002)
    waited = turns.rest(0.04)
    assert 0.04 * REST < waited <= 0.04 * (REST + MORE_REST)
    assert APART < turns.spacing() <= APART + MORE_APART
    for _ in range(500):
        await turns.mine()
        await asyncio.sleep(0)
    assert turns.rest(0.04) == pytest.approx(0.04 * REST, rel=0.01)
    assert turns.spacing() == pytest.approx(APART, rel=0.05)


def hold(seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


async def test_streams_that_have_rested_are_read_in_turns_with_what_merges() -> None:
    turns = Turns(most=2)
    turn, done = 0, []

    async def work(name: str, wait: Awaitable[None]) -> None:
        await wait
        done.append((name, turn))

    tasks = [asyncio.create_task(work("read", turns.rested(0.0))) for _ in range(3)]
    tasks += [asyncio.create_task(work("merge", turns.mine())) for _ in range(3)]
    async with asyncio.timeout(5):
        while len(done) < len(tasks):
            await asyncio.sleep(0)
            turn += 1
    at = [turn for _, turn in done]
    assert sorted(name for name, _ in done) == ["merge"] * 3 + ["read"] * 3
    assert all(at.count(one) <= 2 for one in at)


async def test_jobs_that_come_together_start_one_after_the_other() -> None:
    turns = Turns()
    loop = asyncio.get_running_loop()
    at: list[float] = []

    async def start() -> None:
        await turns.apart()
        at.append(loop.time())

    begun = loop.time()
    await start()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(start())
    # The first at once; each of the others not before its time, whatever else the machine does.
    late = [when - begun - number * APART for number, when in enumerate(at)]
    assert all(seconds >= -0.001 for seconds in late)
    assert min(late) < APART / 2


async def test_who_stops_waiting_takes_no_place() -> None:
    turns = Turns(most=1)
    having, first, second = (asyncio.create_task(turns.mine()) for _ in range(3))
    await asyncio.sleep(0)
    assert [task.done() for task in (having, first, second)] == [True, False, False]
    first.cancel()
    async with asyncio.timeout(5):
        await second
        await turns.mine()
    assert first.cancelled()
