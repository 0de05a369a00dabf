"""Modes, answers and the record of what was decided, on a real document with a scripted model."""

from __future__ import annotations

import pytest

from collab.errors import Conflict, InvalidInput, NotFound
from collab.ids import ClientId, JobId
from collab.ledger import Ledger
from collab.merge.resolver import TextResolver
from collab.wire import IdRange
from generation.changes import new_change
from generation.events import JobFinished, SuggestionAdded, SuggestionAnswered
from generation.io.service import GenerationEngine
from generation.scripted import ScriptedModel, said
from generation.views import GenerationRequest, Mode, SuggestionView
from tests.generation.fakes import ADA, BOB, ROOM, FakeRoom, Person
from tests.generation.io.playing import APP, EDIT, Gate, engine, finished, text

WHOLE = "app.py\n````python\n" + APP.replace("1", "10").replace("def b", "def c") + "````\n"
BOTH_FILES = EDIT + "new.py\n````python\nx = 1\n````\n"


@pytest.fixture
def room() -> FakeRoom:
    made = FakeRoom({})
    made.add("app.py", APP)
    return made


async def asked(
    made: GenerationEngine, room: FakeRoom, mode: Mode | None = "review"
) -> tuple[SuggestionView, ...]:
    await made.submit(ROOM, GenerationRequest("Change app.py", mode=mode), ADA)
    await finished(room)
    return tuple(await made.suggestions(ROOM))


async def test_in_the_mode_ask_a_rewrite_is_offered_part_by_part_and_a_hunk_lands(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(WHOLE), said(EDIT))) as made:
        one, two = await asked(made, room, "ask")
        assert [(some.before, some.after) for some in (one, two)] == [
            ("    return 1\n", "    return 10\n"),
            ("def b():\n", "def c():\n"),
        ]
        assert room.text("app.py") == APP
        await made.submit(ROOM, GenerationRequest("Again", mode="ask"), ADA)
        await finished(room, 2)
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")


async def test_the_rooms_setting_is_the_mode_of_jobs_that_name_none(room: FakeRoom) -> None:
    room.document.edit(lambda editor: editor.setting("mode", "review"))
    async with engine(room, ScriptedModel(said(EDIT), said(EDIT))) as made:
        assert len(await asked(made, room, None)) == 1
        await made.submit(ROOM, GenerationRequest("Again", mode="auto"), ADA)
        await finished(room, 2)
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")


async def test_both_keeps_both_texts_one_after_the_other(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        (hunk,) = await asked(made, room)
        assert hunk.choices == ("accept", "reject", "both", "edit")
        answered = await made.answer(ROOM, hunk.suggestion, "both", BOB)
        assert (answered.state, answered.current, answered.answered_by) == ("both", "    return 1\n", "Bob")
        assert answered.answered_ms >= answered.at_ms > 0
        assert room.text("app.py") == APP.replace("return 1\n", "return 1\n    return 10\n")


async def test_a_text_by_hand_is_put_there_and_undone_with_the_job(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        (hunk,) = await asked(made, room)
        answered = await made.answer(ROOM, hunk.suggestion, "edit", BOB, "    return 7\n")
        assert answered.state == "edited"
        assert room.text("app.py") == APP.replace("return 1\n", "return 7\n")
        await made.undo(ROOM, hunk.job, ADA)
        assert room.text("app.py") == APP


async def test_a_choice_that_a_suggestion_does_not_have_is_refused(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said("<<<<<<< DELETE app.py\n"))) as made:
        (delete,) = await asked(made, room, "auto")
        with pytest.raises(InvalidInput, match="accept, reject"):
            await made.answer(ROOM, delete.suggestion, "both", BOB)
        with pytest.raises(InvalidInput, match="edit"):
            await made.answer(ROOM, delete.suggestion, "accept", BOB, "text")
        assert [some.state for some in await made.suggestions(ROOM)] == ["open"]


async def test_all_of_a_file_are_accepted_and_then_all_of_the_job_rejected(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(BOTH_FILES))) as made:
        hunk, new = await asked(made, room)
        done = await made.answer_all(ROOM, hunk.job, "app.py", "accept", BOB)
        assert (done.answered, done.failed, done.job.hunks_pending) == (1, (), 1)
        assert room.text("app.py") == APP.replace("return 1\n", "return 10\n")
        done = await made.answer_all(ROOM, hunk.job, None, "reject", BOB)
        assert (done.answered, done.job.state) == (1, "complete")
        assert "new.py" not in [file.shown for file in room.document.listing().files.values()]
        assert [event.suggestion.suggestion for event in room.of(SuggestionAnswered)] == [
            hunk.suggestion,
            new.suggestion,
        ]
        with pytest.raises(NotFound):
            await made.answer_all(ROOM, "j-nobody", None, "reject", BOB)
        with pytest.raises(InvalidInput):
            await made.answer_all(ROOM, hunk.job, None, "both", BOB)


async def test_what_is_gone_does_not_keep_the_others_from_being_accepted(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(BOTH_FILES))) as made:
        hunk, _ = await asked(made, room)
        room.document.edit(lambda editor: editor.delete(room.document.file("app.py").id))
        done = await made.answer_all(ROOM, hunk.job, None, "accept", BOB)
        assert done.answered == 1
        assert "app.py" in done.failed[0]
        assert room.text("new.py") == "x = 1\n"
        states = {some.suggestion: some.state for some in await made.suggestions(ROOM, all_of_them=True)}
        assert states[hunk.suggestion] == "gone"


async def test_a_collision_that_can_be_merged_is_merged_and_stays_on_record(room: FakeRoom) -> None:
    gate = Gate()
    script = [text(EDIT[: EDIT.index("10")]), gate, *said(EDIT[EDIT.index("10") :])]
    async with engine(room, ScriptedModel(script), resolver=TextResolver()) as made:
        person = Person(room, 7)
        await made.submit(ROOM, GenerationRequest("x"), ADA)
        await gate.reached.wait()
        file = room.document.file("app.py").id
        person.type(file, APP.index("return 1"), "  ")
        person.push()
        gate.open.set()
        job = await finished(room)
        assert (job.state, job.hunks_applied, job.hunks_pending) == ("complete", 1, 0)
        assert room.text("app.py") == APP.replace("    return 1\n", "      return 10\n")
        assert await made.suggestions(ROOM) == []
        (merged,) = await made.suggestions(ROOM, all_of_them=True)
        assert (merged.state, merged.conflict, merged.layer) == ("merged", "overlapping_edits", "tokens")
        assert (merged.before, merged.current, merged.after) == (
            "    return 1\n",
            "      return 1\n",
            "    return 10\n",
        )
        await made.undo(ROOM, job.job, ADA)
        assert room.text("app.py") == APP.replace("    return 1\n", "      return 1\n")


async def test_a_change_that_was_made_at_once_is_kept_shown_and_undone_as_a_job_is(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel()) as made:
        before = room.document.state_vector()
        ledger = Ledger()
        file = room.document.file("app.py").id
        fork = room.document.fork(ClientId(77))
        _, applied = fork.edit(lambda editor: editor.splice(file, 0, 0, "import os\n"))
        assert applied.update is not None
        ledger.insert(file, IdRange(ClientId(77), 0, 10))
        room.document.apply([applied.update])
        assert room.document.state_vector() != before
        change = new_change(JobId("c1"), "import", "Import of 1 file", ClientId(77), ["app.py"], ledger, (), 1)
        view = await made.record(ROOM, change, ADA)
        assert (view.kind, view.state, view.can_undo, view.asked_by) == ("import", "complete", True, "Ada")
        assert await made.record(ROOM, change, ADA) == view
        assert len(room.of(JobFinished)) == 1
        with pytest.raises(Conflict):
            await made.retry(ROOM, "c1", ADA)
        await made.undo(ROOM, "c1", BOB)
        assert room.text("app.py") == APP
        await made.redo(ROOM, "c1", BOB)
        assert room.text("app.py") == "import os\n" + APP


async def test_every_suggestion_says_where_its_place_begins_and_ends(room: FakeRoom) -> None:
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        await asked(made, room)
        (event,) = room.of(SuggestionAdded)
        assert event.suggestion.anchor is not None
        assert event.suggestion.end is not None
