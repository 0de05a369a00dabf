"""The engine on a real document, with a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from collab.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from collab.ids import ClientId, ConnectionId
from collab.origin import ChangeOrigin, JobOrigin, PersonOrigin, UndoOrigin
from collab.ports import LogEntry
from generation.catalog import ModelSpec, Provider
from generation.errors import ModelRefused, ModelUnavailable, StreamBroken
from generation.events import (
    ContextReady,
    FileEnded,
    FileStarted,
    GenerationEvent,
    JobChanged,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobTokens,
    StrategyDetermined,
    SuggestionAdded,
    SuggestionAnswered,
)
from generation.ports import FinishDelta
from generation.scripted import ScriptedModel, Step, said
from generation.views import Choice, GenerationRequest, Mode
from tests.generation.fakes import ADA, BOB, ROOM, FakeRoom, Person
from tests.generation.io.playing import APP, EDIT, NEW, ONCE, QUICK, Gate, ask, engine, finished, text


async def test_a_job_changes_a_file_and_says_what_it_does(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said("Sure.\n\n" + EDIT))) as made:
        job = await ask(made, room)
    assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
    assert (job.state, job.error, job.hunks_applied, job.files) == ("complete", None, 1, ("app.py",))
    assert job.progress == 1
    assert job.can_undo
    kinds = [type(event) for event in room.events if not isinstance(event, JobProgressed)]
    order = [JobStarted, ContextReady, StrategyDetermined, FileStarted, JobTokens, FileEnded, JobFinished]
    assert [kind for kind in order if kind in kinds] == order
    assert sorted(order, key=kinds.index) == order
    assert {type(origin) for origin in room.origins} == {JobOrigin}


async def test_a_job_passes_through_its_stages_in_order(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        await ask(made, room)
    seen = list(dict.fromkeys(event.job.state for event in room.of(JobProgressed)))
    stages = ["preparing", "context_analysis", "generating", "post_processing", "validating"]
    assert seen == stages
    progress = [event.job.progress for event in room.of(JobProgressed)]
    assert progress == sorted(progress)


async def test_a_new_file_is_created(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(NEW))) as made:
        await ask(made, room)
    assert room.text("new.py") == "x = 1\n"


async def test_the_model_sees_the_file_the_rules_and_the_request(room: FakeRoom) -> None:
    model = ScriptedModel(said(EDIT))
    async with engine(room, model) as made:
        await ask(made, room)
    [messages] = model.asked
    assert "<<<<<<< SEARCH" in messages[0].content
    assert "return 2" in messages[1].content
    assert messages[1].content.endswith("Return 10 in app.py")


async def test_text_appears_while_the_model_still_writes_under_the_jobs_cursor(room: FakeRoom) -> None:
    gate = Gate()
    answer = "new.py\n````\na\nx = 1\n````\n"
    script = [text(answer[:16]), gate, text(answer[16:]), FinishDelta("stop")]
    async with engine(room, ScriptedModel(script)) as made:
        job = await made.submit(ROOM, GenerationRequest("write it"), ADA)
        await room.until(lambda: room.of(JobTokens))
        assert room.text("new.py") == "a\nx "
        state = room.presence[ClientId(job.client)]
        assert state["file"] == room.document.file("new.py").id
        assert state["user"] == {
            "name": "scripted · write it", "color": job.color, "kind": "job", "job": job.job
        }  # fmt: skip
        gate.open.set()
        await finished(room)
    assert room.text("new.py") == "a\nx = 1\n"
    assert room.presence == {}


async def test_nothing_that_people_type_during_a_job_is_lost_and_undo_leaves_exactly_that(
    room: FakeRoom,
) -> None:
    lines = "".join(f"line_{number} = {number}\n" for number in range(40))
    file = room.add("big.py", lines)
    ada, bob = Person(room, 1), Person(room, 2)
    typed = {"ada": "", "bob": ""}

    def people_type() -> None:
        for name, person, at_start in (("ada", ada, True), ("bob", bob, False)):
            person.pull()
            content = person.copy.text(file)
            mark = "#A" if name == "ada" else "#B"
            at = content.index("line_0 ") if at_start else content.index("line_39 ")
            person.type(file, at, mark)
            typed[name] += mark
        ada.push()
        bob.push()

    class Typing:
        async def __call__(self) -> None:
            people_type()
            await asyncio.sleep(0.002)

    answer = "big.py\n<<<<<<< SEARCH\n" + "".join(f"line_{n} = {n}\n" for n in range(10, 20)) + "=======\n"
    answer += "".join(f"LINE_{n} = {n} * 2\n" for n in range(10, 20)) + ">>>>>>> REPLACE\n"
    script: list[Step] = []
    for step in said(answer, 5):
        script += [step, Typing()]
    async with engine(room, ScriptedModel(script)) as made:
        job = await ask(made, room, "double them in big.py")
        content = room.text("big.py")
        assert "LINE_15 = 15 * 2\n" in content
        assert "line_15" not in content
        assert content.count("#A") == len(typed["ada"]) // 2 > 10
        assert content.count("#B") == len(typed["bob"]) // 2 > 10
        undone = await made.undo(ROOM, job.job, BOB)
        mine = lines.replace("line_0 ", typed["ada"] + "line_0 ").replace("line_39 ", typed["bob"] + "line_39 ")
        assert room.text("big.py") == mine
        assert (undone.undone, undone.can_undo) == (True, False)
        redone = await made.redo(ROOM, job.job, BOB)
        assert room.text("big.py") == content
        assert redone.can_undo
    assert {type(origin) for origin in room.origins} == {JobOrigin, UndoOrigin}


async def test_lines_that_people_changed_meanwhile_become_a_suggestion(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(EDIT)])) as made:
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        await gate.reached.wait()
        file = room.document.file("app.py").id
        room.document.edit(lambda editor: editor.splice(file, 0, len(APP), APP.replace("1", "1111")))
        gate.open.set()
        job = await finished(room)
        assert (job.state, job.hunks_pending, job.hunks_applied) == ("needs_review", 1, 0)
        [suggestion] = await made.suggestions(ROOM)
        assert room.of(SuggestionAdded)[0].suggestion.suggestion == suggestion.suggestion
        assert suggestion.after == "    return 10\n"
    assert room.text("app.py") == APP.replace("1", "1111")


async def test_in_review_mode_each_hunk_is_offered_and_lands_when_accepted(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT + "\n" + NEW))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        job = await finished(room)
        assert room.text("app.py") == APP
        assert (job.state, job.hunks_pending, job.can_undo) == ("needs_review", 2, False)
        hunk, new = await made.suggestions(ROOM)
        assert (hunk.kind, hunk.before, hunk.current) == ("hunk", "    return 1\n", "    return 1\n")
        assert (await made.answer(ROOM, hunk.suggestion, "accept", BOB)).state == "accepted"
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
        assert (await made.answer(ROOM, new.suggestion, "reject", BOB)).state == "rejected"
        assert "new.py" not in [file.shown for file in room.document.listing().files.values()]
        [after] = await made.jobs(ROOM)
        assert (after.state, after.hunks_pending, after.hunks_applied) == ("complete", 0, 1)
        await made.undo(ROOM, after.job, ADA)
    assert room.text("app.py") == APP
    assert [event.suggestion.answered_by for event in room.of(SuggestionAnswered)] == ["Bob", "Bob"]
    assert room.of(JobChanged)


async def test_the_first_answer_decides_and_the_second_hears_who_gave_it(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        await finished(room)
        [hunk] = await made.suggestions(ROOM)
        await made.answer(ROOM, hunk.suggestion, "reject", BOB)
        choices: tuple[Choice, ...] = ("accept", "reject")
        for choice in choices:
            with pytest.raises(Conflict, match="Bob"):
                await made.answer(ROOM, hunk.suggestion, choice, ADA)
        assert room.text("app.py") == APP


async def test_a_suggestion_whose_place_is_gone_says_so(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        await finished(room)
        [hunk] = await made.suggestions(ROOM)
        file = room.document.file("app.py").id
        assert hunk.gone == ""
        room.document.edit(lambda editor: editor.delete(file))
        [hunk] = await made.suggestions(ROOM)
        assert (hunk.state, hunk.gone) == ("open", "The file was deleted, so this has no place any more.")
        with pytest.raises(Conflict):
            await made.answer(ROOM, hunk.suggestion, "accept", ADA)
        assert room.of(SuggestionAnswered)[-1].suggestion.state == "gone"
        assert await made.suggestions(ROOM) == []


async def test_the_offline_model_always_asks(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel()) as made:
        await made.submit(ROOM, GenerationRequest("write a readme", model="offline"), ADA)
        job = await finished(room)
        assert (job.offline, job.mode, job.state, job.hunks_pending) == (True, "review", "needs_review", 1)
        [suggestion] = await made.suggestions(ROOM)
        assert "not from an AI" in suggestion.reason
    assert [file.shown for file in room.document.listing().files.values()] == ["app.py"]


async def test_the_offline_model_answers_honestly_when_no_template_fits(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel()) as made:
        await made.submit(ROOM, GenerationRequest("sing", model="offline"), ADA)
        job = await finished(room)
    assert job.state == "failed"
    assert job.error is not None
    assert "No AI model is configured" in job.error


@pytest.mark.parametrize("finish", [[], [FinishDelta("length")], [StreamBroken("It broke off.")]])
async def test_after_a_failure_in_mid_stream_closed_hunks_stay_and_the_open_one_goes(
    room: FakeRoom, finish: list[Step]
) -> None:
    second = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20"
    model = ScriptedModel([*said(EDIT + second)[:-1], *finish], said("new.py\n````\ny\n````\n"))
    async with engine(room, model, ONCE) as made:
        job = await ask(made, room)
        assert (job.state, job.hunks_applied) == ("failed", 1)
        assert job.error
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
        await made.retry(ROOM, job.job, ADA)
        again = await finished(room, 2)
        assert (again.job, again.state, again.error) == (job.job, "complete", None)
        assert again.client != job.client
        assert "An earlier try" in model.asked[1][1].content
        await made.undo(ROOM, job.job, ADA)
    assert room.text("app.py") == APP


async def test_what_somebody_far_away_types_in_a_new_file_that_broke_off_comes_back(room: FakeRoom) -> None:
    gate = Gate()
    model = ScriptedModel([*said("new.py\n````\none\ntwo\n"), gate, StreamBroken("It broke off.")])
    async with engine(room, model) as made:
        await made.submit(ROOM, GenerationRequest("write it"), ADA)
        await gate.reached.wait()
        await room.until(lambda: room.document.listing().by_path("new.py"))
        file, far = room.document.file("new.py").id, Person(room, 1)
        gate.open.set()
        assert (await finished(room)).state == "failed"
        assert room.document.listing().by_path("new.py") is None
        for at, typed in ((0, "mi"), (2, "ne")):
            room.origins.clear()
            far.type(file, at, typed)
            update = far.copy.encode(room.document.state_vector())
            room.document.apply([update])
            room.log_watch(LogEntry(1, 0, PersonOrigin(BOB.person, ConnectionId("c")), update))
            await room.until(lambda: room.origins)
    assert room.text("new.py") == "mine"
    assert isinstance(room.origins[-1], ChangeOrigin)
    assert room.origins[-1].copies


async def test_a_failure_before_the_first_token_is_tried_again(room: FakeRoom) -> None:
    model = ScriptedModel([ModelUnavailable("Down.")], [ModelUnavailable("Down.")], said(EDIT))
    async with engine(room, model) as made:
        assert (await ask(made, room)).state == "complete"
    assert len(model.asked) == 3


@pytest.mark.parametrize(("error", "tries"), [(ModelUnavailable("Down."), 3), (ModelRefused("No."), 1)])
async def test_a_failure_that_stays_fails_the_job(room: FakeRoom, error: ModelUnavailable, tries: int) -> None:
    model = ScriptedModel([error])
    async with engine(room, model) as made:
        job = await ask(made, room)
    assert (job.state, job.error, len(model.asked)) == ("failed", error.message, tries)


async def test_an_answer_that_changes_nothing_fails_with_what_it_says(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said("I cannot do that."))) as made:
        job = await ask(made, room)
    assert job.state == "failed"
    assert job.error == "The answer changes no file. It says: I cannot do that."


async def test_lines_that_are_not_there_become_a_suggestion(room: FakeRoom) -> None:
    answer = EDIT.replace("return 1\n", "return 99\n")
    async with engine(room, ScriptedModel(said(answer))) as made:
        job = await ask(made, room)
        assert job.state == "needs_review"
        [suggestion] = await made.suggestions(ROOM)
        assert "not in the file" in suggestion.reason
    assert room.text("app.py") == APP


async def test_a_rename_lands_and_a_deletion_is_asked(room: FakeRoom) -> None:
    room.add("old.py", "x\n")
    answer = "<<<<<<< DELETE old.py\n<<<<<<< RENAME app.py => main.py\n"
    async with engine(room, ScriptedModel(said(answer))) as made:
        job = await ask(made, room)
        assert (job.hunks_applied, job.hunks_pending) == (1, 1)
        for suggestion in await made.suggestions(ROOM):
            await made.answer(ROOM, suggestion.suggestion, "accept", ADA)
        assert [file.shown for file in room.document.listing().files.values()] == ["main.py"]
        await made.undo(ROOM, job.job, ADA)
    assert sorted(file.shown for file in room.document.listing().files.values()) == ["app.py", "old.py"]


async def test_cancel_stops_a_running_job_at_once_and_keeps_closed_hunks(room: FakeRoom) -> None:
    gate = Gate()
    second = "app.py\n<<<<<<< SEARCH\n    return 2\n=======\n    return 20\n"
    model = ScriptedModel([text(EDIT + second), gate, text("late\n>>>>>>> REPLACE\n"), FinishDelta("stop")])
    async with engine(room, model) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        await room.until(lambda: room.of(JobTokens))
        cancelled = await made.cancel(ROOM, job.job, BOB)
        assert (cancelled.state, cancelled.error) == ("cancelled", "Cancelled by Bob.")
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
        assert room.presence == {}
        gate.open.set()
        await made.submit(ROOM, GenerationRequest("y"), ADA)
        await room.until(lambda: len(room.of(JobFinished)) == 1)
        with pytest.raises(Conflict, match="ended already"):
            await made.cancel(ROOM, job.job, BOB)
    assert "late" not in room.text("app.py")


async def test_a_queued_job_can_be_cancelled(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(EDIT)]), replace(QUICK, running_per_room=1)) as made:
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        await gate.reached.wait()
        waiting = await made.submit(ROOM, GenerationRequest("y"), ADA)
        assert (await made.cancel(ROOM, waiting.job, ADA)).state == "cancelled"
        gate.open.set()
        await finished(room, 2)
    assert [event.job.state for event in room.of(JobFinished)] == ["cancelled", "complete"]


async def test_a_watcher_that_comes_late_gets_the_events_from_the_start(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate, *said(EDIT)])) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        await gate.reached.wait()
        events: list[GenerationEvent] = []
        async with made.watch(job.job) as stream:
            gate.open.set()
            events = [event async for event in stream]
        kinds = [type(event) for event in events]
        assert kinds[0] is JobStarted
        assert ContextReady in kinds
        assert kinds[-1] is JobFinished
        async with made.watch(job.job) as stream:
            assert [type(event) async for event in stream] == [JobFinished]
        with pytest.raises(NotFound):
            async with made.watch("jnone"):
                pass


async def test_a_watcher_that_does_not_read_slows_nothing(room: FakeRoom) -> None:
    answer = "new.py\n````\n" + "x = 1\n" * 500 + "````\n"
    async with engine(room, ScriptedModel(said(answer, 3)), replace(QUICK, watch_events=20)) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        async with made.watch(job.job) as stream:
            await finished(room)
            events = [event async for event in stream]
    assert len(events) <= 21
    assert isinstance(events[-1], JobFinished)


async def test_a_mistake_in_the_engine_fails_that_job_only(
    room: FakeRoom, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with engine(room, ScriptedModel([broken], said(EDIT))) as made:
        job = await ask(made, room)
        assert job.state == "failed"
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        assert (await finished(room, 2)).state == "complete"
    assert "ZeroDivisionError" in caplog.text


async def test_a_document_that_takes_no_more_fails_the_job_in_words(room: FakeRoom) -> None:
    room.fail_with = LimitExceeded("The room is full.")
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
    assert (job.state, job.error) == ("failed", "The room is full.")


async def test_a_file_that_the_model_was_not_shown_is_not_overwritten(room: FakeRoom) -> None:
    room.add("secret.py", "y = 1\n" * 20_000)
    answer = "secret.py\n````\nz = 1\n````\n"
    small = ModelSpec("scripted", Provider("p"), "scripted", context_tokens=8_000)
    async with engine(room, ScriptedModel(said(answer)), specs=[small]) as made:
        job = await ask(made, room, "x")
    assert job.hunks_pending == 1
    assert room.text("secret.py").startswith("y = 1\n")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (GenerationRequest(" "), InvalidInput),
        (GenerationRequest("x" * 40_000), LimitExceeded),
        (GenerationRequest("\ud800"), InvalidInput),
        (GenerationRequest("x", files=("no.py",)), NotFound),
        (GenerationRequest("x", model="none"), InvalidInput),
    ],
)
async def test_requests_that_cannot_be_done_are_refused(
    room: FakeRoom, request_: GenerationRequest, error: type[Exception]
) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        with pytest.raises(error):
            await made.submit(ROOM, request_, ADA)
        assert await made.jobs(ROOM) == []


async def test_a_room_takes_only_so_many_jobs(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate]), replace(QUICK, jobs_per_room=2)) as made:
        for _ in range(2):
            await made.submit(ROOM, GenerationRequest("x"), ADA)
        with pytest.raises(LimitExceeded):
            await made.submit(ROOM, GenerationRequest("x"), ADA)


async def test_old_jobs_are_forgotten_with_their_records(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT)), replace(QUICK, jobs_kept=2)) as made:
        for count in range(1, 5):
            await made.submit(ROOM, GenerationRequest("x"), ADA)
            await finished(room, count)
            for suggestion in await made.suggestions(ROOM):
                await made.answer(ROOM, suggestion.suggestion, "reject", ADA)
        assert len(await made.jobs(ROOM)) == 2
    assert len(room.store["job"]) == 2


@pytest.mark.parametrize("act", ["cancel", "retry", "undo", "redo"])
async def test_a_job_that_is_not_there_is_not_found(room: FakeRoom, act: str) -> None:
    async with engine(room, ScriptedModel()) as made:
        call: Callable[..., Awaitable[object]] = getattr(made, act)
        with pytest.raises(NotFound):
            await call(ROOM, "jnone", ADA)


async def test_a_forgotten_room_has_no_jobs_any_more(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([gate])) as made:
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        await gate.reached.wait()
        made.forget(ROOM)
        room.store.clear()
        assert await made.jobs(ROOM) == []


async def test_a_suggestion_accepted_while_the_job_runs_is_undone_with_it(room: FakeRoom) -> None:
    gate = Gate()
    blind = "app.py\n<<<<<<< SEARCH\nnot there\n=======\nx\n>>>>>>> REPLACE\n"
    script = [text("<<<<<<< DELETE app.py\n" + blind), gate, *said(NEW)]
    async with engine(room, ScriptedModel(script)) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        await room.until(lambda: len(room.of(SuggestionAdded)) == 2)
        [delete] = [s for s in await made.suggestions(ROOM) if s.kind == "delete_file"]
        await made.answer(ROOM, delete.suggestion, "accept", BOB)
        assert room.document.listing().files == {}
        gate.open.set()
        done = await finished(room)
        assert (done.hunks_applied, done.hunks_pending, done.state) == (2, 1, "needs_review")
        await made.undo(ROOM, job.job, ADA)
    assert [file.shown for file in room.document.listing().files.values()] == ["app.py"]
    assert room.text("app.py") == APP


async def test_a_job_that_is_retried_while_its_cancelled_try_still_ends_goes_on(room: FakeRoom) -> None:
    gate = Gate()
    async with engine(room, ScriptedModel([text(NEW[:-5]), gate], said(EDIT))) as made:
        job = await made.submit(ROOM, GenerationRequest("x"), ADA)
        await room.until(lambda: room.of(JobTokens))
        await asyncio.gather(made.cancel(ROOM, job.job, ADA), made.retry(ROOM, job.job, ADA))
        done = await finished(room, 2)
    assert done.state == "complete"
    assert [file.shown for file in room.document.listing().files.values()] == ["app.py"]


async def test_a_hunk_without_a_certain_place_waits_until_it_has_one(room: FakeRoom) -> None:
    file = room.add("twice.py", "x = 1\ny = 0\nx = 1\n")
    answer = "twice.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n"
    async with engine(room, ScriptedModel(said(answer))) as made:
        await ask(made, room)
        [suggestion] = await made.suggestions(ROOM)
        with pytest.raises(Conflict, match="2 times"):
            await made.answer(ROOM, suggestion.suggestion, "accept", ADA)
        room.document.edit(lambda editor: editor.splice(file, 0, 6, ""))
        assert (await made.answer(ROOM, suggestion.suggestion, "accept", ADA)).state == "accepted"
    assert room.text("twice.py") == "y = 0\nx = 2\n"


async def test_a_part_of_the_answer_that_cannot_be_done_is_told(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT + EDIT.replace("app.py", "no.py")))) as made:
        job = await ask(made, room)
    assert (job.state, job.hunks_applied) == ("complete", 1)
    assert job.error == "no.py is not there, so no lines of it can be replaced."


async def test_several_jobs_write_into_one_file_at_once(room: FakeRoom) -> None:
    file = room.add("big.py", "".join(f"line {number}\n" for number in range(30)))
    scripts = []
    for number in (3, 13, 23):
        answer = f"big.py\n<<<<<<< SEARCH\nline {number}\n=======\n"
        answer += "".join(f"job {number} wrote {index}\n" for index in range(20)) + ">>>>>>> REPLACE\n"
        script: list[Step] = []
        for step in said(answer, 9):
            script += [step, lambda: asyncio.sleep(0.001)]
        scripts.append(script)
    async with engine(room, ScriptedModel(*scripts)) as made:
        jobs = [(await made.submit(ROOM, GenerationRequest("x"), ADA)).job for _ in scripts]
        await finished(room, 3)
        assert {event.job.state for event in room.of(JobFinished)} == {"complete"}
        content = room.document.text(file)
        assert [content.count(f"job {number} wrote") for number in (3, 13, 23)] == [20, 20, 20]
        await made.undo(ROOM, jobs[1], ADA)
        content = room.document.text(file)
        assert [content.count(f"job {number} wrote") for number in (3, 13, 23)] == [20, 0, 20]
        assert "line 12\nline 13\nline 14\n" in content


@pytest.mark.parametrize("mode", ["auto", "review"])
async def test_texts_beyond_ascii_are_changed_in_the_right_place(room: FakeRoom, mode: Mode) -> None:
    before = "é👍 zwölf\nfünf\n👍👍\nsüß\n"
    room.add("uni.txt", before)
    answer = "uni.txt\n<<<<<<< SEARCH\n👍👍\n=======\n👍 e\u0301 👍\nneu\n>>>>>>> REPLACE\n"
    async with engine(room, ScriptedModel(said(answer, 1))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode=mode), ADA)
        job = await finished(room)
        file = room.document.file("uni.txt").id
        room.document.edit(lambda editor: editor.splice(file, 0, 0, "ß👍\n"))
        for suggestion in await made.suggestions(ROOM):
            assert suggestion.current == "👍👍\n"
            await made.answer(ROOM, suggestion.suggestion, "accept", BOB)
        assert room.text("uni.txt") == "ß👍\n" + before.replace("👍👍\n", "👍 e\u0301 👍\nneu\n")
        await made.undo(ROOM, job.job, BOB)
    assert room.text("uni.txt") == "ß👍\n" + before
