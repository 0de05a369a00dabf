"""What checks find in an answer is repaired once, or offered with the finding."""

from __future__ import annotations

import asyncio

import pytest

from collab.errors import Conflict
from generation.errors import ModelRefused
from generation.events import SuggestionAdded, SuggestionAnswered
from generation.scripted import ScriptedModel, said
from generation.views import GenerationRequest
from tests.generation.fakes import ADA, ROOM, FakeRoom
from tests.generation.io.playing import APP, EDIT, NEW, Gate, ask, engine, finished

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


async def test_in_review_a_repair_is_suggested_instead(room: FakeRoom) -> None:
    repair = "app.py\n<<<<<<< SEARCH\n    return (\n=======\n    return (10)\n>>>>>>> REPLACE\n"
    model = ScriptedModel(said(NEW + BROKEN), said(repair))
    async with engine(room, model) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        job = await finished(room)
        assert (job.state, job.findings, job.hunks_pending, job.hunks_applied) == ("needs_review", (), 2, 0)
        assert room.text("app.py") == APP
        new, better = await made.suggestions(ROOM)
        assert (new.path, new.kind) == ("new.py", "new_file")
        assert (better.path, better.kind, better.findings) == ("app.py", "hunk", ())
        assert "return (10)" in better.after
        [before] = [one.suggestion for one in room.of(SuggestionAnswered)]
        assert (before.path, before.state, before.reason) == ("app.py", "replaced", better.reason)
        with pytest.raises(Conflict, match="is replaced already"):
            await made.answer(ROOM, before.suggestion, "accept", ADA)
        await made.answer(ROOM, better.suggestion, "accept", ADA)
    assert room.text("app.py") == APP.replace("return 1\n", "return (10)\n")


async def test_a_new_file_that_is_only_offered_is_repaired_too(room: FakeRoom) -> None:
    broken = NEW.replace("x = 1", "x = (")
    assert broken != NEW
    async with engine(room, ScriptedModel(said(broken), said(NEW))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        job = await finished(room)
        assert (job.findings, job.hunks_pending) == ((), 1)
        [better] = await made.suggestions(ROOM)
        await made.answer(ROOM, better.suggestion, "accept", ADA)
    assert room.text("new.py") == "x = 1\n"


async def test_a_suggestion_that_somebody_has_answered_is_not_repaired(room: FakeRoom) -> None:
    gate = Gate()
    repair = "app.py\n<<<<<<< SEARCH\n    return (\n=======\n    return (10)\n>>>>>>> REPLACE\n"
    async with engine(room, ScriptedModel(said(BROKEN), [gate, *said(repair)])) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        await asyncio.wait_for(gate.reached.wait(), 5)
        [suggestion] = await made.suggestions(ROOM)
        await made.answer(ROOM, suggestion.suggestion, "reject", ADA)
        gate.open.set()
        job = await finished(room)
        assert await made.suggestions(ROOM) == []
        assert [one.state for one in await made.suggestions(ROOM, all_of_them=True)] == ["rejected"]
    assert (job.state, len(job.findings), job.hunks_pending) == ("complete", 1, 0)
    assert room.text("app.py") == APP


async def test_lines_that_are_left_out_of_a_suggestion_are_repaired(room: FakeRoom) -> None:
    whole = "app.py\n````python\ndef f():\n    return 10\n\n# ... rest unchanged ...\n````\n"
    full = "app.py\n````python\n" + APP.replace("return 1\n", "return 10\n") + "````\n"
    async with engine(room, ScriptedModel(said(whole), said(full))) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review", files=("app.py",)), ADA)
        job = await finished(room)
        suggestions = await made.suggestions(ROOM)
    assert job.hunks_pending == len(suggestions) >= 1
    assert not any("rest unchanged" in one.after for one in suggestions)


async def test_in_review_what_was_found_is_noted_at_the_suggestion(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(BROKEN), [ModelRefused("No.")])) as made:
        await made.submit(ROOM, GenerationRequest("x", mode="review"), ADA)
        job = await finished(room)
        [suggestion] = await made.suggestions(ROOM)
    assert suggestion.findings == job.findings != ()
    assert [event.suggestion.findings for event in room.of(SuggestionAdded)] == [(), job.findings]
