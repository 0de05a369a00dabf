from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from generation.errors import StreamBroken
from generation.io.pump import Pump, Signal
from generation.ports import Delta, TextDelta


async def test_what_comes_late_is_not_lost() -> None:
    gate = asyncio.Event()

    async def stream() -> AsyncIterator[Delta]:
        await gate.wait()
        yield TextDelta("late")

    pump = Pump(stream())
    assert await pump.take(0.001) is Signal.NOTHING_YET
    gate.set()
    assert await pump.take(None) == [TextDelta("late")]
    assert await pump.take(None) is Signal.END
    assert await pump.take(None) is Signal.END
    await pump.aclose()


async def test_what_the_stream_raises_is_raised_behind_what_came_before() -> None:
    async def stream() -> AsyncIterator[Delta]:
        yield TextDelta("a")
        raise StreamBroken("cut")

    pump = Pump(stream())
    assert await pump.take(None) == [TextDelta("a")]
    with pytest.raises(StreamBroken):
        await pump.take(None)
    await pump.aclose()


async def test_what_came_together_is_taken_together() -> None:
    pieces: asyncio.Queue[str] = asyncio.Queue()

    async def stream() -> AsyncIterator[Delta]:
        while piece := await pieces.get():
            yield TextDelta(piece)

    pump = Pump(stream())
    pieces.put_nowait("a")
    assert await pump.take(None) == [TextDelta("a")]
    for piece in "bcd":
        pieces.put_nowait(piece)
    assert await pump.take(None) == [TextDelta(piece) for piece in "bcd"]
    pieces.put_nowait("")
    await pump.aclose()


async def test_closing_ends_a_stream_that_waits() -> None:
    ended = asyncio.Event()

    async def stream() -> AsyncIterator[Delta]:
        try:
            await asyncio.Event().wait()
            yield TextDelta("never")
        finally:
            ended.set()

    pump = Pump(stream())
    await pump.take(0.001)
    await pump.aclose()
    assert ended.is_set()


async def test_a_halt_ends_a_stream_that_waits_and_one_that_has_more() -> None:
    async def waits() -> AsyncIterator[Delta]:
        yield TextDelta("a")
        await asyncio.Event().wait()

    async def goes_on() -> AsyncIterator[Delta]:
        while True:
            yield TextDelta("a")

    for stream in (waits(), goes_on()):
        pump = Pump(stream)
        got = await pump.take(None)
        assert isinstance(got, list)
        assert got[0] == TextDelta("a")
        pump.halt()
        assert await pump.take(None) is Signal.END
        await pump.aclose()


async def test_a_halt_ends_a_stream_that_has_not_begun() -> None:
    async def never() -> AsyncIterator[Delta]:
        await asyncio.Event().wait()
        yield TextDelta("never")

    pump = Pump(never())
    taking = asyncio.create_task(pump.take(None))
    await asyncio.sleep(0)
    pump.halt()
    async with asyncio.timeout(5):
        assert await taking is Signal.END
    await pump.aclose()
