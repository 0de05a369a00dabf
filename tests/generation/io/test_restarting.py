"""What outlives the process that a job ran in, and tries of a job after one that has ended."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial

import pytest

from collab.document import Document
from collab.errors import Conflict
from collab.ids import ClientId
from collab.io.clock import SystemClock
from collab.origin import JobOrigin
from generation.events import (
    JobFinished,
    JobTokens,
)
from generation.io import landing
from generation.io.service import GenerationEngine
from generation.ports import FinishDelta
from generation.scripted import FixedModels, ScriptedModel, Step, said
from generation.views import GenerationRequest
from tests.generation.fakes import ADA, BOB, ROOM, FakeRoom, FakeRooms
from tests.generation.io.playing import APP, EDIT, NEW, ONCE, QUICK, Gate, ask, engine, finished, text


async def test_when_the_process_ends_jobs_are_interrupted_and_can_be_retried_after(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([text(EDIT), gate])) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        await room.until(lambda: room.of(JobTokens))
    assert room.of(JobFinished)[-1].job.state == "interrupted"
    again = FakeRoom(room.store, room.document)
    async with engine(again, ScriptedModel(said(NEW)), seed=2) as made:
        [stored] = await made.jobs(ROOM)
        assert (stored.job, stored.state, stored.can_undo) == (job.job, "interrupted", True)
        assert "The server stopped" in (stored.error or "")
        await made.retry(ROOM, job.job, BOB)
        assert (await finished(again)).state == "complete"


async def test_after_a_crash_the_job_is_interrupted_and_undo_takes_all_it_wrote(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([text(NEW[:-5]), text("y = 2\n"), gate])) as made:
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        await room.until(lambda: room.of(JobTokens))
        first = dict(room.store["ledger"])
        await room.until(lambda: "y = 2" in room.text("new.py"))
        # What the disk holds after kill -9: all of the log, all but the last of the records.
        store = {kind: dict(records) for kind, records in room.store.items()} | {"ledger": first}
        log = room.document.encode()
    document = Document(ClientId(2))
    document.apply([log])
    again = FakeRoom(store, document)
    async with engine(again, ScriptedModel(said(NEW)), seed=2) as made:
        [job] = await made.jobs(ROOM)
        assert job.state == "interrupted"
        # As it was when it was stored last, which is when it had begun to write at the latest.
        assert (job.files, job.model, job.strategy) == (("new.py",), "scripted", "targeted")
        await made.undo(ROOM, job.job, ADA)
    assert [file.shown for file in document.listing().files.values()] == ["app.py"]
    assert again.text("app.py") == APP


async def test_while_text_only_goes_on_what_undo_takes_back_is_stored_seldom_and_whole_at_the_end(
    room: FakeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "GROWING_EVERY", 1e9)
    stored: list[bytes | None] = []
    put = room.put_record

    def watched(kind: str, key: str, value: bytes | None) -> None:
        if kind == "ledger":
            stored.append(value)
        put(kind, key, value)

    monkeypatch.setattr(room, "put_record", watched)
    steps: list[Step] = [text("new.py\n````python\n")]
    for number in range(8):
        line = f"x{number} = {number}\n"
        steps += [text(line), partial(room.until, partial(has, room, "new.py", line))]
    async with engine(room, ScriptedModel([*steps, text("````\n"), FinishDelta("stop")])) as made:
        job = await ask(made, room)
        assert sum(isinstance(origin, JobOrigin) for origin in room.origins) >= 8
        assert 2 <= len(stored) <= 4
        again = FakeRoom(room.store, room.document)
        async with engine(again, ScriptedModel(), seed=2) as other:
            await other.undo(ROOM, job.job, ADA)
        assert [file.shown for file in room.document.listing().files.values()] == ["app.py"]


def has(room: FakeRoom, path: str, line: str) -> bool:
    return any(file.shown == path for file in room.document.listing().files.values()) and line in room.text(path)


async def test_undo_and_redo_survive_a_restart(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
        await made.undo(ROOM, job.job, ADA)
    again = FakeRoom(room.store, room.document)
    async with engine(again, ScriptedModel(), seed=2) as made:
        with pytest.raises(Conflict, match="undone already"):
            await made.undo(ROOM, job.job, ADA)
        await made.redo(ROOM, job.job, ADA)
        assert "return 10" in again.text("app.py")
        await made.undo(ROOM, job.job, ADA)
    assert again.text("app.py") == APP


async def test_a_record_that_cannot_be_read_hides_only_itself(
    room: FakeRoom, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
    room.put_record("job", "jbroken", b"{")
    again = FakeRoom(room.store, room.document)
    async with engine(again, ScriptedModel()) as made:
        assert [view.job for view in await made.jobs(ROOM)] == [job.job]
    assert "jbroken" in caplog.text


async def test_records_are_read_once_however_many_ask(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel()) as made:
        await asyncio.gather(*(made.jobs(ROOM) for _ in range(20)))
    assert room.loads == 4


async def test_a_try_after_an_undo_begins_anew(room: FakeRoom) -> None:
    model = ScriptedModel([*said(EDIT)[:-1]], said(NEW))
    async with engine(room, model, ONCE) as made:
        job = await ask(made, room)
        await made.undo(ROOM, job.job, ADA)
        await made.retry(ROOM, job.job, ADA)
        done = await finished(room, 2)
        assert (done.state, done.hunks_applied, done.undone) == ("complete", 1, False)
        assert "An earlier try" not in model.asked[1][1].content
        await made.undo(ROOM, job.job, ADA)
    assert room.text("app.py") == APP
    assert [file.shown for file in room.document.listing().files.values()] == ["app.py"]


async def test_after_a_try_anew_the_undo_of_another_job_still_knows_its_text(room: FakeRoom) -> None:
    file = room.add("a.txt", "top\nend\n")
    one = said("a.txt\n<<<<<<< SEARCH\ntop\n=======\ntop\nof one\n>>>>>>> REPLACE\n")
    two = said("a.txt\n<<<<<<< SEARCH\nof one\n=======\n>>>>>>> REPLACE\n")
    async with engine(room, ScriptedModel(one, two[:-1], two), ONCE) as made:
        first = (await made.submit(ROOM, GenerationRequest("x"), ADA)).job
        await finished(room)
        second = (await made.submit(ROOM, GenerationRequest("x"), ADA)).job
        await finished(room, 2)
        await made.undo(ROOM, second, ADA)
        assert room.document.text(file) == "top\nof one\nend\n"
        await made.retry(ROOM, second, ADA)
        await finished(room, 3)
        assert room.document.text(file) == "top\nend\n"
        await made.undo(ROOM, first, ADA)
        await made.undo(ROOM, second, ADA)
    assert room.document.text(file) == "top\nend\n"


async def test_a_drained_engine_interrupts_its_jobs_and_ends(room: FakeRoom) -> None:
    gate = Gate()
    made = GenerationEngine(
        FakeRooms(room),
        FixedModels(ScriptedModel([text(EDIT), gate])),
        replace(QUICK, jobs_running=1),
        SystemClock(),
        random.Random(1),
    )
    task = asyncio.create_task(made.run())
    await made.submit(ROOM, GenerationRequest("x"), ADA)
    await room.until(lambda: room.of(JobTokens))
    waiting = await made.submit(ROOM, GenerationRequest("y"), ADA)
    await made.drain()
    await asyncio.wait_for(task, 1)
    assert room.of(JobFinished)[-1].job.state == "interrupted"
    assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
    assert [job.state for job in await made.jobs(ROOM) if job.job == waiting.job] == ["queued"]
    await made.drain()


async def test_what_finished_jobs_took_is_known_after_a_restart(room: FakeRoom) -> None:
    prompt = "Return 10 in app.py"
    for number in range(3):
        async with engine(room, ScriptedModel(said(EDIT)), seed=number) as made:
            await made.submit(ROOM, GenerationRequest(prompt, mode="review"), ADA)
            await finished(room, number + 1)
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(EDIT)]), seed=9) as made:
        await made.submit(ROOM, GenerationRequest(prompt, mode="review"), ADA)
        await gate.reached.wait()
        [job] = [one for one in await made.jobs(ROOM) if one.state == "generating"]
        assert job.eta_seconds is not None
        assert job.eta_confidence is not None
        assert job.expected_tokens is not None
        assert 10 < job.expected_tokens < 30
        gate.open.set()
        await finished(room, 4)
