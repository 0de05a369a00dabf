"""What checks find in an answer is repaired once, or offered with the finding."""

from __future__ import annotations

from generation.errors import ModelRefused
from generation.events import (
    SuggestionAdded,
)
from generation.scripted import ScriptedModel, said
from generation.views import GenerationRequest
from tests.generation.fakes import ADA, ROOM, FakeRoom
from tests.generation.io.playing import APP, EDIT, NEW, ask, engine, finished

BROKEN = EDIT.replace("return 10", "return (")


async def test_a_change_that_breaks_a_file_is_repaired_once_by_the_model(room: FakeRoom) -> None:
    repair = "app.py\n<<<<<<< SEARCH\n    return (\n=======\n    return (10)\n>>>>>>> REPLACE\n"
    model = ScriptedModel(said(BROKEN), said(repair))
    async with engine(room, model) as made:
        job = await ask(made, room)
    assert (job.state, job.findings, job.hunks_applied) == ("complete", (), 1)
    assert room.text("app.py") == APP.replace("return 1\n", "return (10)\n")
    assert len(model.asked) == 2
    assert "app.py, line 2: the file could be parsed before" in model.asked[1][-1].content


async def test_a_change_that_stays_broken_is_offered_with_what_was_found(room: FakeRoom) -> None:
    model = ScriptedModel(said(BROKEN))
    async with engine(room, model) as made:
        job = await ask(made, room)
        assert job.state == "needs_review"
        assert len(model.asked) == 2
        assert room.text("app.py") == APP
        assert not job.can_undo
        [suggestion] = await made.suggestions(ROOM)
        assert suggestion.findings == job.findings
        assert "app.py, line 2" in suggestion.findings[0]
        await made.answer(ROOM, suggestion.suggestion, "accept", ADA)
    assert "return (" in room.text("app.py")


async def test_a_repair_that_fails_leaves_the_finding(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(BROKEN), [ModelRefused("No.")])) as made:
        job = await ask(made, room)
    assert job.state == "needs_review"
    assert len(job.findings) == 1


async def test_what_was_recalled_and_repaired_can_be_undone_and_redone(room: FakeRoom) -> None:
    repair = "app.py\n<<<<<<< SEARCH\n    return (\n=======\n    return (10)\n>>>>>>> REPLACE\n"
    async with engine(room, ScriptedModel(said(NEW + BROKEN), said(repair))) as made:
        job = await ask(made, room)
        await made.undo(ROOM, job.job, ADA)
        assert room.text("app.py") == APP
        await made.redo(ROOM, job.job, ADA)
    assert room.text("app.py") == APP.replace("return 1\n", "return (10)\n")


async def test_in_review_what_was_found_is_noted_at_the_suggestion(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(BROKEN))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        job = await finished(room)
        [suggestion] = await made.suggestions(ROOM)
    assert suggestion.findings == job.findings != ()
    assert [event.suggestion.findings for event in room.of(SuggestionAdded)] == [(), job.findings]
