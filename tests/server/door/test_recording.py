from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest

from collab.errors import CollabError, Conflict, InvalidInput, KeepLost, TryLater
from collab.ids import ClientId, JobId, PersonId, RoomId
from collab.ledger import Ledger
from generation.changes import new_change
from generation.service import Asker, JobView, NewChange
from server.door import recording
from server.door.recording import Recorder
from tests.server.routes_fakes import JOB, FakeGeneration

ROOM = RoomId("r")
KIM = Asker(PersonId("kim"), "Kim")
CHANGE = new_change(JobId("c1"), "put", "Wrote a.txt", ClientId(7), ["a.txt"], Ledger())


class Keeper(FakeGeneration):
    """Refuses as often as it is told."""

    def __init__(self, *errors: CollabError) -> None:
        super().__init__()
        self.errors = list(errors)
        self.noted: list[str] = []

    async def record(self, room: RoomId, change: NewChange, asker: Asker) -> JobView:
        if self.errors:
            raise self.errors.pop(0)
        self.noted.append(change.change)
        return replace(JOB, job=change.change)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(recording, "MOST_WAIT", 0.002)


@asynccontextmanager
async def running(recorder: Recorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_change_is_noted_at_once_where_that_is_possible() -> None:
    keeper = Keeper()
    assert await Recorder(keeper, Random(1)).record(ROOM, CHANGE, KIM) == "c1"
    assert keeper.noted == ["c1"]


async def test_a_change_that_the_keeper_cannot_take_is_noted_later() -> None:
    keeper = Keeper(TryLater("Gone."), KeepLost("Another one."), TryLater("Still gone."))
    recorder = Recorder(keeper, Random(1))
    async with running(recorder):
        assert await recorder.record(ROOM, CHANGE, KIM) is None
        async with asyncio.timeout(10):
            await recorder.idle.wait()
        assert keeper.noted == ["c1"]


async def test_a_change_whose_id_is_taken_is_noted_under_another() -> None:
    keeper = Keeper(Conflict("There is one."))
    noted = await Recorder(keeper, Random(1)).record(ROOM, CHANGE, KIM)
    assert noted is not None
    assert noted != "c1"
    assert keeper.noted == [noted]


@pytest.mark.parametrize("later", [False, True])
async def test_a_change_that_is_refused_for_good_is_not_told_again(later: bool) -> None:
    keeper = Keeper(*[TryLater("Gone.")][:later], InvalidInput("Odd."))
    recorder = Recorder(keeper, Random(1))
    async with running(recorder):
        assert await recorder.record(ROOM, CHANGE, KIM) is None
        async with asyncio.timeout(10):
            await recorder.idle.wait()
        assert keeper.noted == []
        assert keeper.errors == []
