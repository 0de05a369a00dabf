"""The event loop with virtual time: nothing waits for real, processes die and stop between their callbacks."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.simulation.virtual_loop import Stuck, VirtualLoop, run


def test_an_hour_passes_at_once() -> None:
    loop = VirtualLoop()
    began = time.monotonic()
    run(loop, asyncio.sleep(3600))
    assert loop.time() == pytest.approx(3600, abs=0.01)
    assert time.monotonic() - began < 5


def test_timeouts_end_what_takes_too_long() -> None:
    async def work() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(VirtualLoop(), work()) == pytest.approx(5, abs=0.01)


def test_timers_fire_in_the_order_of_their_times() -> None:
    heard: list[int] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, heard.append, delay)
        await asyncio.sleep(4)

    run(VirtualLoop(), work())
    assert heard == [1, 2, 3]


def test_a_killed_process_does_nothing_more_not_even_what_it_wanted_to_do_at_its_end() -> None:
    loop = VirtualLoop()
    did: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(2)
            did.append("child")
        finally:
            did.append("child's end")

    async def process() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(child())
            did.append("begun")
            await asyncio.sleep(3)
            did.append("process")

    async def work() -> list[str]:
        loop.begin("one", process())
        await asyncio.sleep(1)
        loop.kill("one")
        await asyncio.sleep(10)
        return list(did)

    assert run(loop, work()) == ["begun"]
    assert not loop.lives("one")
    assert loop.failures == []


def test_a_stopped_process_goes_on_where_it_was_and_late() -> None:
    loop = VirtualLoop()
    heard: list[tuple[str, float]] = []

    async def process(name: str) -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            heard.append((name, round(loop.time(), 1)))

    async def work() -> None:
        loop.begin("one", process("one"))
        loop.begin("two", process("two"))
        await asyncio.sleep(1.5)
        loop.pause("one")
        await asyncio.sleep(8.5)
        loop.resume("one")
        await asyncio.sleep(5)

    run(loop, work())
    assert [at for name, at in heard if name == "one"] == [1.0, 10.0, 11.0]
    assert [at for name, at in heard if name == "two"] == [1.0, 2.0, 3.0]


def test_what_fails_where_nobody_sees_it_is_told() -> None:
    loop = VirtualLoop()

    async def work() -> None:
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    run(loop, work())
    assert [type(failure) for failure in loop.failures] == [ZeroDivisionError]


def test_waiting_for_what_never_comes_is_an_error() -> None:
    loop = VirtualLoop()

    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(loop, work())
