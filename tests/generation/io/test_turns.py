from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from generation.io.turns import Turns


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


def test_connections_are_left_alone_longer_the_more_jobs_there_are() -> None:
    turns = Turns()
    with ExitStack() as streams:
        rests = []
        for _ in range(40):
            streams.enter_context(turns.stream())
            rests.append(turns.rest(0.04))
    assert rests == sorted(rests)
    assert rests[0] == pytest.approx(0.03)
    assert rests[-1] == pytest.approx(0.038)
    with turns.stream():
        assert turns.rest(0.04) == rests[0]


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
