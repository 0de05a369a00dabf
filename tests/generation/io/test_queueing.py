"""The queue of a room on the engine: pause, resume, steer, places, one writer per file, bounds, failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collab.errors import Conflict, HourlyLimit, InvalidInput, LimitExceeded, NotFound, TooManyJobs
from collab.io.clock import SystemClock
from generation.errors import ModelRefused
from generation.events import JobFinished, JobProgressed, JobTokens
from generation.io.service import GenerationEngine
from generation.ports import FinishDelta, TextDelta
from generation.scripted import ScriptedModel, Step, said
from generation.usage import Account, Bounds, MemoryUsage, Quotas
from generation.views import GenerationRequest, JobView, Priority
from tests.generation.fakes import ADA, BOB, ROOM, FakeRoom
from tests.generation.io.playing import APP, EDIT, NEW, QUICK, Gate, engine, finished

ONE = replace(QUICK, jobs_running=1)
HALF = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n    # half\n"
REST = ">>>>>>> REPLACE\n"


async def submit(made: GenerationEngine, prompt: str = "x", priority: Priority = "normal", *files: str) -> JobView:
    return await made.submit(ROOM, GenerationRequest(prompt, tuple(files), priority=priority), ADA)


async def view(made: GenerationEngine, job: str) -> JobView:
    return next(one for one in await made.jobs(ROOM) if one.job == job)


async def places(made: GenerationEngine) -> dict[str, int | None]:
    return {job.prompt: job.position for job in reversed(await made.jobs(ROOM))}


# Places


async def test_the_jobs_that_wait_know_their_places_and_are_told_when_they_change(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        await submit(made, "first")
        await gate.reached.wait()
        for prompt in ("second", "third"):
            await submit(made, prompt)
        await submit(made, "urgent", "high")
        assert await places(made) == {"first": None, "second": 2, "third": 3, "urgent": 1}
        told = [
            (event.job.prompt, event.detail) for event in room.of(JobProgressed) if event.job.state == "queued"
        ]
        assert told[-2:] == [
            ("second", "It is number 2 in the queue."),
            ("third", "It is number 3 in the queue."),
        ]
        gate.open.set()
        await finished(room, 4)
    assert [event.job.prompt for event in room.of(JobFinished)] == ["first", "urgent", "second", "third"]


async def test_people_take_turns_in_a_room(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        for number in range(4):
            await submit(made, f"a{number}")
        await made.submit(ROOM, GenerationRequest("b0"), BOB)
        gate.open.set()
        await finished(room, 5)
    assert [event.job.prompt for event in room.of(JobFinished)] == ["a0", "b0", "a1", "a2", "a3"]


async def test_a_job_is_moved_and_prioritised(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        await submit(made, "first")
        await gate.reached.wait()
        jobs = [(await submit(made, prompt)).job for prompt in ("second", "third", "fourth")]
        assert (await made.move(ROOM, jobs[2], 1, BOB)).position == 1
        assert (await made.prioritise(ROOM, jobs[1], "high", BOB)).priority == "high"
        assert await places(made) == {"first": None, "second": 3, "third": 1, "fourth": 2}
        assert b'"priority":"high"' in room.store["job"][jobs[1]], "another keeper must know"
        gate.open.set()
        await finished(room, 4)
    assert [event.job.prompt for event in room.of(JobFinished)] == ["first", "third", "fourth", "second"]


async def test_a_job_that_does_not_wait_has_no_place(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        running = await submit(made)
        await gate.reached.wait()
        with pytest.raises(InvalidInput, match="does not wait"):
            await made.move(ROOM, running.job, 1, ADA)
        with pytest.raises(InvalidInput, match="does not wait"):
            await made.prioritise(ROOM, running.job, "low", ADA)
        with pytest.raises(NotFound):
            await made.move(ROOM, "j9", 1, ADA)


# Pause and resume


async def test_a_waiting_job_that_is_paused_lets_others_go_first(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        await submit(made, "first")
        await gate.reached.wait()
        waits = (await submit(made, "second")).job
        await submit(made, "third")
        paused = await made.pause(ROOM, waits, BOB)
        assert (paused.state, paused.position) == ("paused", None)
        assert await places(made) == {"first": None, "second": None, "third": 1}
        gate.open.set()
        await finished(room, 2)
        assert (await view(made, waits)).state == "paused"
        assert (await made.resume(ROOM, waits, BOB)).state == "queued"
        await finished(room, 3)
    assert [event.job.prompt for event in room.of(JobFinished)] == ["first", "third", "second"]
    details = [event.detail for event in room.of(JobProgressed)]
    assert "Paused by Bob." in details
    assert "Resumed by Bob." in details


async def test_a_running_job_that_is_paused_keeps_what_is_complete_and_goes_on_from_there(room: FakeRoom) -> None:
    gate = Gate()
    model = ScriptedModel(
        [TextDelta(EDIT + HALF), gate, TextDelta("late\n" + REST), FinishDelta("stop")],
        said("app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n" + REST),
    )
    async with engine(room, model) as made:
        job = (await submit(made, "Return more")).job
        await gate.reached.wait()
        await room.until(lambda: "# half" in room.text("app.py"))
        await made.pause(ROOM, job, BOB)
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n"), "the open block is taken back"
        assert room.presence == {}
        gate.open.set()
        await made.resume(ROOM, job, ADA)
        done = await finished(room)
    assert (done.state, done.hunks_applied) == ("complete", 2)
    assert room.text("app.py") == APP.replace("return 1\n", "return 10\n").replace("return 2\n", "return 20\n")
    assert "It wrote to:\n\napp.py" in model.asked[1][1].content


async def test_a_paused_job_survives_a_restart_and_can_be_undone_once_it_is_cancelled(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([TextDelta(EDIT + HALF), gate])) as made:
        job = (await submit(made)).job
        await room.until(lambda: "# half" in room.text("app.py"))
        await made.pause(ROOM, job, ADA)
    async with engine(room, ScriptedModel(said(NEW)), seed=2) as made:
        assert (await view(made, job)).state == "paused"
        with pytest.raises(Conflict, match="cancel it first"):
            await made.undo(ROOM, job, ADA)
        await made.cancel(ROOM, job, ADA)
        await made.undo(ROOM, job, ADA)
    assert room.text("app.py") == APP


async def test_pausing_and_resuming_twice_changes_nothing_more(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), ONE) as made:
        await submit(made)
        await gate.reached.wait()
        job = (await submit(made)).job
        await made.pause(ROOM, job, ADA)
        assert (await made.pause(ROOM, job, ADA)).state == "paused"
        await made.resume(ROOM, job, ADA)
        assert (await made.resume(ROOM, job, ADA)).position == 1
        gate.open.set()
        await finished(room, 2)
        for act in (made.pause, made.resume):
            with pytest.raises(Conflict, match="has ended"):
                await act(ROOM, job, ADA)


# Steer


async def test_a_steered_job_keeps_what_is_complete_and_is_asked_anew_in_its_place(room: FakeRoom) -> None:
    gate = Gate()
    model = ScriptedModel(
        [TextDelta(EDIT + HALF), gate, TextDelta("late\n" + REST), FinishDelta("stop")],
        said("app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 21\n" + REST),
    )
    async with engine(room, model, ONE) as made:
        job = (await submit(made, "Return more")).job
        await gate.reached.wait()
        waits = (await submit(made, "other", "high")).job
        await room.until(lambda: "# half" in room.text("app.py"))
        steered = await made.steer(ROOM, job, "And 21 in b, please.", BOB)
        assert steered.steers == ("And 21 in b, please.",)
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
        assert (await view(made, waits)).position == 1, "its place stays its own"
        gate.open.set()
        done = await finished(room)
    assert (done.job, done.state) == (job, "complete")
    assert room.text("app.py") == APP.replace("return 1\n", "return 10\n").replace("return 2\n", "return 21\n")
    asked = model.asked[1][1].content
    assert asked.index("It wrote to:\n\napp.py") < asked.index("Return more") < asked.index("And 21 in b, please.")
    assert "Bob says: And 21 in b, please." in [event.detail for event in room.of(JobProgressed)]


async def test_a_waiting_job_that_is_steered_waits_on(room: FakeRoom) -> None:
    gate = Gate()
    model = ScriptedModel([gate, *said(NEW)])
    async with engine(room, model, ONE) as made:
        await submit(made)
        await gate.reached.wait()
        job = (await submit(made, "Second")).job
        assert (await made.steer(ROOM, job, "Shorter.", ADA)).position == 1
        gate.open.set()
        await finished(room, 2)
    assert len(model.asked) == 2
    assert model.asked[1][1].content.endswith(
        "Second\n\nSaid since then, and to be followed where it differs:\n\nShorter."
    )


async def test_a_job_may_be_steered_again_and_again(room: FakeRoom) -> None:
    gates = [Gate() for _ in range(3)]
    model = ScriptedModel(*([gate] for gate in gates), said(EDIT))
    async with engine(room, model) as made:
        job = (await submit(made)).job
        for number, gate in enumerate(gates):
            await gate.reached.wait()
            await made.steer(ROOM, job, f"word {number}", ADA)
        done = await finished(room)
    assert (done.state, done.steers) == ("complete", ("word 0", "word 1", "word 2"))


async def test_a_steered_job_can_be_cancelled_paused_and_drained(room: FakeRoom) -> None:
    gate, again = Gate(), Gate()
    async with engine(room, ScriptedModel([gate], [again], [again])) as made:
        job = (await submit(made)).job
        await gate.reached.wait()
        await made.steer(ROOM, job, "more", ADA)
        await made.cancel(ROOM, job, ADA)
        other = (await submit(made)).job
        await again.reached.wait()
        await made.steer(ROOM, other, "more", ADA)
        await made.drain()
    async with engine(room, ScriptedModel(said(NEW)), seed=2) as made:
        assert [(await view(made, one)).state for one in (job, other)] == ["cancelled", "interrupted"]


@pytest.mark.parametrize(
    ("sentence", "error", "words"),
    [
        (" ", InvalidInput, "empty"),
        ("x" * 40_000, LimitExceeded, "at most"),
        ("ok" * 20, LimitExceeded, "one piece"),
    ],
)
async def test_what_a_job_is_told_is_bounded(
    room: FakeRoom, sentence: str, error: type[Exception], words: str
) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate]), replace(QUICK, prompt_chars=60)) as made:
        job = (await submit(made)).job
        await gate.reached.wait()
        await made.steer(ROOM, job, "y" * 30, ADA)
        with pytest.raises(error, match=words):
            await made.steer(ROOM, job, sentence, ADA)
        assert (await view(made, job)).steers == ("y" * 30,)


# One writer per file


def slow(answer: str, gate: Gate) -> list[Step]:
    return [gate, *said(answer)]


async def test_two_jobs_that_name_one_file_run_one_after_the_other_and_others_beside_them(room: FakeRoom) -> None:
    room.add("b.py", "b = 1\n")
    gate, free = Gate(), Gate()
    model = ScriptedModel(slow(EDIT, gate), slow(NEW, free))
    async with engine(room, model) as made:
        first = (await submit(made, "first", "normal", "app.py")).job
        await gate.reached.wait()
        second = (await submit(made, "second", "normal", "id-app.py")).job
        third = (await submit(made, "third", "normal", "b.py")).job
        await free.reached.wait()
        waiting = await view(made, second)
        assert (waiting.state, waiting.waits_for) == ("queued", first)
        assert (await view(made, third)).state == "generating"
        details = [event.detail for event in room.of(JobProgressed) if event.job.job == second]
        free.open.set()
        gate.open.set()
        await finished(room, 3)
        assert (await view(made, second)).waits_for is None
    assert details == []
    assert len(model.asked) == 3


async def test_a_job_that_turns_out_to_be_about_a_taken_file_waits_before_it_asks_a_model(room: FakeRoom) -> None:
    room.add("b.py", "b = 1\n")
    gate = Gate()
    model = ScriptedModel(
        slow(EDIT, gate), said(EDIT.replace("return 10", "return 11").replace("return 1\n", "return 10\n"))
    )
    async with engine(room, model) as made:
        first = (await submit(made, "Return 10 in app.py")).job
        await gate.reached.wait()
        second = (await submit(made, "Return 11 in app.py")).job
        await room.until(
            lambda: any(event.detail.startswith("It waits until") for event in room.of(JobProgressed))
        )
        waiting = await view(made, second)
        assert (waiting.state, waiting.waits_for, waiting.position) == ("queued", first, 1)
        assert len(model.asked) == 1
        gate.open.set()
        await finished(room, 2)
    assert [event.job.state for event in room.of(JobFinished)] == ["complete", "complete"]
    assert "return 11" in room.text("app.py")
    assert "return 10" in model.asked[1][1].content, "it sees what the first one wrote"


async def test_a_job_that_comes_to_a_taken_file_reads_on_and_writes_when_it_is_free(room: FakeRoom) -> None:
    room.add("b.py", "b = 1\n")
    gate, last = Gate(), Gate()
    b = "b.py\n<<<<<<< SEARCH\nb = 1\n=======\nb = 2\n" + REST
    second = EDIT.replace("return 1\n", "return 2\n").replace("return 10", "return 20")
    model = ScriptedModel(
        [TextDelta(EDIT[:-20]), gate, TextDelta(EDIT[-20:]), FinishDelta("stop")],
        [TextDelta(b + second + NEW), last, FinishDelta("stop")],
    )
    async with engine(room, model) as made:
        first = (await submit(made, "first of all files")).job
        await room.until(lambda: room.of(JobTokens))
        other = (await submit(made, "second of all files")).job
        await room.until(lambda: room.text("b.py") == "b = 2\n")
        last.open.set()
        await room.until(
            lambda: any(event.detail.startswith("Waiting for another job") for event in room.of(JobProgressed))
        )
        assert "return 20" not in room.text("app.py")
        assert len(room.document.listing().files) == 2
        gate.open.set()
        await finished(room, 2)
        states = {(await view(made, job)).state for job in (first, other)}
    assert states == {"complete"}
    assert room.text("app.py") == APP.replace("return 1\n", "return 10\n").replace("return 2\n", "return 20\n")
    assert room.text("new.py") == "x = 1\n"


async def test_two_jobs_that_would_wait_for_each_other_do_not(room: FakeRoom) -> None:
    room.add("b.py", "b = 1\n")
    one, other, late = Gate(), Gate(), Gate()
    b = "b.py\n<<<<<<< SEARCH\nb = 1\n=======\nb = 2\n" + REST
    later = EDIT.replace("return 1\n", "return 2\n").replace("return 10", "return 20")
    model = ScriptedModel(
        [TextDelta(EDIT), one, TextDelta(b), FinishDelta("stop")],
        [TextDelta(b.replace("b = 2", "b = 3")), other, TextDelta(later), late, FinishDelta("stop")],
    )
    async with engine(room, model) as made:
        first = (await submit(made, "first of all files")).job
        await one.reached.wait()
        second = (await submit(made, "second of all files")).job
        await other.reached.wait()
        one.open.set()
        await room.until(
            lambda: any(event.detail.startswith("Waiting for another job") for event in room.of(JobProgressed))
        )
        other.open.set()
        late.open.set()
        await finished(room, 2)
        [found] = [one for one in await made.suggestions(ROOM) if one.job == second]
        assert (found.path, found.after) == ("app.py", "    return 20\n")
        assert found.reason.startswith(f"It is written by the job {first} of Ada too")
        assert (await view(made, first)).hunks_applied >= 1


# Bounds


async def test_a_person_may_have_only_so_many_jobs_and_others_theirs(room: FakeRoom) -> None:
    settings = replace(QUICK, quotas=Quotas(person=Bounds(at_once=2)))
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(NEW)]), settings) as made:
        jobs = [(await submit(made)).job for _ in range(2)]
        with pytest.raises(TooManyJobs, match="limit_jobs_per_person"):
            await submit(made)
        await made.submit(ROOM, GenerationRequest("x"), BOB)
        await made.cancel(ROOM, jobs[0], ADA)
        await made.metering.settle()
        await submit(made)


async def test_a_room_may_have_only_so_many_jobs_paused_ones_among_them(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate]), replace(QUICK, jobs_per_room=2)) as made:
        await made.pause(ROOM, (await submit(made)).job, ADA)
        await submit(made)
        with pytest.raises(TooManyJobs, match=r"This room has 2 jobs .*\(limit_jobs_per_room\)"):
            await made.submit(ROOM, GenerationRequest("x"), BOB)


async def test_only_so_many_jobs_may_be_asked_for_within_an_hour_and_a_retry_is_one(room: FakeRoom) -> None:
    settings = replace(QUICK, quotas=Quotas(room=Bounds(jobs=2)))
    gate = Gate()
    async with engine(room, ScriptedModel([gate]), settings) as made:
        job = (await submit(made)).job
        await made.cancel(ROOM, job, ADA)
        await made.metering.settle()
        await made.retry(ROOM, job, ADA)
        with pytest.raises(HourlyLimit, match="hourly_jobs_per_room") as caught:
            await submit(made)
        assert caught.value.retry_after == pytest.approx(3_570, abs=60)


async def test_a_job_that_waited_does_not_begin_once_its_askers_tokens_are_used_up(room: FakeRoom) -> None:
    settings = replace(ONE, quotas=Quotas(person=Bounds(tokens=1_000)))
    gate = Gate()
    model = ScriptedModel([gate, *said(NEW)])
    usage = MemoryUsage(SystemClock())
    async with engine(room, model, settings, usage=usage) as made:
        await submit(made, "first")
        await gate.reached.wait()
        waits = (await submit(made, "second")).job
        await usage.spend([Account("person", ADA.person)], 1_000, 0)
        gate.open.set()
        await finished(room, 2)
        failed = await view(made, waits)
        with pytest.raises(HourlyLimit, match="hourly_tokens_per_person"):
            await submit(made)
    assert (failed.state, failed.error_code, failed.severity) == ("failed", "hourly_limit", "notice")
    assert failed.error is not None
    assert "You have used 1,3" in failed.error
    assert len(model.asked) == 1


async def test_what_a_job_took_counts_and_counts_again_after_a_restart(room: FakeRoom) -> None:
    settings = replace(QUICK, quotas=Quotas(person=Bounds(tokens=50)))
    async with engine(room, ScriptedModel(said(NEW)), settings) as made:
        await submit(made)
        done = await finished(room)
        await made.metering.settle()
        with pytest.raises(HourlyLimit):
            await submit(made)
    assert done.state == "complete"
    async with engine(room, ScriptedModel(said(NEW)), settings, seed=2) as made:
        await made.jobs(ROOM)
        await made.metering.settle()
        with pytest.raises(HourlyLimit):
            await submit(made)


# Failures


async def test_a_failure_is_found_again_after_a_restart(room: FakeRoom, caplog: pytest.LogCaptureFixture) -> None:
    async with engine(
        room, ScriptedModel([ModelRefused("The key sk-abcdefghijkl is wrong; correct api_key.")])
    ) as made:
        job = (await submit(made)).job
        failed = await finished(room)
    assert (failed.error, failed.error_code, failed.severity) == (
        "The key sk-*** is wrong; correct api_key.",
        "model_refused",
        "error",
    )
    assert failed.request_id.startswith("r")
    async with engine(room, ScriptedModel(said(NEW)), seed=2) as made:
        [failure] = (await view(made, job)).failures
    assert (failure.code, failure.request, failure.person) == ("model_refused", failed.request_id, "Ada")
    assert (failure.model, failure.context_tokens > 100) == ("scripted", True)
    assert failure.at_ms > 1_700_000_000_000
    [record] = [one for one in caplog.records if one.getMessage().startswith(f"job {job} failed")]
    assert record.__dict__["request"] == failed.request_id
    assert "abcdefghijkl" not in caplog.text


async def test_a_job_that_was_interrupted_by_a_restart_says_when(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate])) as made:
        job = (await submit(made)).job
        await gate.reached.wait()
    async with engine(room, ScriptedModel(said(NEW)), seed=2) as made:
        [failure] = (await view(made, job)).failures
    assert (failure.code, failure.severity) == ("interrupted", "warning")
    assert failure.at_ms > 0


async def test_a_deleted_room_ends_its_paused_jobs_too(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate])) as made:
        job = (await submit(made)).job
        await made.pause(ROOM, job, ADA)
        async with made.watch(job) as events:
            made.forget(ROOM)
            last = [event async for event in events][-1]
    assert isinstance(last, JobFinished)
    assert last.job.state == "interrupted"
