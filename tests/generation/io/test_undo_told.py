"""An undo, or a redo, whose node dies before the record of it is stored."""

from __future__ import annotations

import pytest

from collab.document import Document
from collab.errors import LimitExceeded
from collab.ids import ClientId
from generation.book import JOB, JOB_KINDS, OPEN, Book, Change
from generation.scripted import ScriptedModel, said
from generation.turning import finish_turn, forget_turn, turn
from tests.generation.fakes import ADA, ROOM, FakeRoom
from tests.generation.io.playing import APP, EDIT, ask, engine


def book_of(room: FakeRoom) -> Book:
    return Book.read({kind: dict(room.store.get(kind, {})) for kind in JOB_KINDS}, interrupt=None)


def put(room: FakeRoom, changes: list[Change]) -> None:
    for change in changes:
        room.put_record(change.kind, change.key, change.value)


@pytest.mark.parametrize("landed", [True, False])
async def test_the_node_after_it_finishes_the_undo(landed: bool) -> None:
    room = FakeRoom({})
    room.add("app.py", APP)
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
    before = room.document.encode()
    book = book_of(room)
    turn(room, book, book.job(job.job), [], ADA, redo=False, shared=True)
    assert list(room.store[OPEN]) == [f"{job.job}.undo", f"{job.job}.redo"]
    assert room.text("app.py") == APP

    document = Document(ClientId(2))
    document.apply([room.document.encode() if landed else before])
    again = FakeRoom(room.store, document)
    book = book_of(again)
    found = book.job(job.job)
    assert (found.undone, found.ended) == (False, True)
    changes = finish_turn(again, book, found, 7)
    assert again.text("app.py") == APP
    assert book.job(job.job).view().undone
    assert finish_turn(again, book, found, 7) == []
    put(again, [*changes, Change(JOB, found.id, found.to_bytes()), *forget_turn(found, redo=False)])
    assert again.store[OPEN] == {}
    async with engine(again, ScriptedModel(), seed=2) as made:
        await made.redo(ROOM, job.job, ADA)
        assert "return 10" in again.text("app.py")
        await made.undo(ROOM, job.job, ADA)
    assert again.text("app.py") == APP


@pytest.mark.parametrize("landed", [True, False])
async def test_the_node_after_it_finishes_the_redo(landed: bool) -> None:
    room = FakeRoom({})
    room.add("app.py", APP)
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
        await made.undo(ROOM, job.job, ADA)
    before = room.document.encode()
    book = book_of(room)
    turn(room, book, book.job(job.job), [], ADA, redo=True, shared=True)
    assert list(room.store[OPEN]) == [f"{job.job}.again", f"{job.job}.back"]
    assert "return 10" in room.text("app.py")

    document = Document(ClientId(2))
    document.apply([room.document.encode() if landed else before])
    again = FakeRoom(room.store, document)
    book = book_of(again)
    found = book.job(job.job)
    assert found.undone
    changes = finish_turn(again, book, found, 7)
    assert again.text("app.py").count("return 10") == 1
    assert not book.job(job.job).view().undone
    assert finish_turn(again, book, found, 7) == []
    put(again, [*changes, Change(JOB, found.id, found.to_bytes()), *forget_turn(found, redo=True)])
    assert again.store[OPEN] == {}
    # What it put back is the job's: a retry adds to it, and one undo takes all of it.
    async with engine(again, ScriptedModel(said(EDIT)), seed=2) as made:
        await made.undo(ROOM, job.job, ADA)
    assert again.text("app.py") == APP


async def test_an_undo_that_is_refused_is_not_finished_by_anybody() -> None:
    room = FakeRoom({})
    room.add("app.py", APP)
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
    book = book_of(room)
    room.fail_with = LimitExceeded("The room is full.")
    with pytest.raises(LimitExceeded):
        turn(room, book, book.job(job.job), [], ADA, redo=False, shared=True)
    assert not book.job(job.job).view().undone
    assert room.store[OPEN] == {}


async def test_an_undo_that_nobody_else_could_find_is_not_told_of() -> None:
    room = FakeRoom({})
    room.add("app.py", APP)
    async with engine(room, ScriptedModel(said(EDIT))) as made:
        job = await ask(made, room)
        await made.undo(ROOM, job.job, ADA)
    assert not room.store.get(OPEN)
    book = book_of(room)
    assert finish_turn(room, book, book.job(job.job), 7) == []
