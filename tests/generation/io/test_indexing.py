from __future__ import annotations

import asyncio

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.io.clock import SystemClock
from generation.io.indexing import Indexed, Indexes
from tests.generation.fakes import ROOM, ManualClock


@pytest.fixture
def document() -> Document:
    made = Document(ClientId(1))
    made.watch_files()
    for number in range(30):
        add(made, f"f{number}.py", f"def function{number}():\n    return function{(number + 1) % 30}()\n")
    return made


def add(document: Document, path: str, text: str) -> FileId:
    file = FileId(f"id-{path}")
    document.edit(lambda editor: editor.create(file, path, text))
    return file


def found(indexed: Indexed, question: str) -> list[str]:
    return [hit.path for hit in indexed.index.search(question, 5)]


async def test_the_index_is_there_when_it_is_asked_for(document: Document) -> None:
    indexed = await Indexes(SystemClock()).ready(ROOM, document)
    assert indexed.fresh
    assert found(indexed, "function7")[0] == "f7.py"


async def test_what_changed_is_taken_in_by_itself_and_at_once_for_who_asks(document: Document) -> None:
    indexes = Indexes(SystemClock())
    task = asyncio.create_task(indexes.run())
    indexed = await indexes.ready(ROOM, document)
    document.edit(lambda editor: editor.splice(FileId("id-f3.py"), 0, 0, "# zebra\n"))
    assert found(await indexes.ready(ROOM, document), "zebra") == ["f3.py"]
    document.edit(lambda editor: editor.splice(FileId("id-f4.py"), 0, 0, "# giraffe\n"))
    async with asyncio.timeout(10):
        while not indexed.fresh:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    assert found(indexed, "giraffe") == ["f4.py"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_needs_not_the_last_second_gets_what_there_is_but_for_new_files(document: Document) -> None:
    clock = ManualClock()
    indexes = Indexes(clock)
    clock.now += 5
    indexed = await indexes.ready(ROOM, document, lag=1.0)
    assert indexed.fresh
    document.edit(lambda editor: editor.splice(FileId("id-f3.py"), 0, 0, "# zebra\n"))
    clock.now += 0.9
    assert found(await indexes.ready(ROOM, document, lag=1.0), "zebra") == []
    add(document, "new.py", "giraffe = 1\n")
    assert found(await indexes.ready(ROOM, document, lag=1.0), "giraffe") == ["new.py"]
    document.edit(lambda editor: editor.splice(FileId("id-f4.py"), 0, 0, "# lion\n"))
    clock.now += 1.1
    assert found(await indexes.ready(ROOM, document, lag=1.0), "lion") == ["f4.py"]
    document.edit(lambda editor: editor.splice(FileId("id-f5.py"), 0, 0, "# tiger\n"))
    assert found(await indexes.ready(ROOM, document), "tiger") == ["f5.py"]


async def test_who_has_no_patience_gets_what_there_is_and_the_rest_follows(document: Document) -> None:
    for number in range(400):
        add(document, f"more{number}.py", f"word{number} " * 400)
    indexes = Indexes(SystemClock())
    task = asyncio.create_task(indexes.run())
    indexed = await indexes.ready(ROOM, document, 0.005)
    assert len(found(indexed, "word399")) == 0
    async with asyncio.timeout(20):
        while not indexed.fresh:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
    assert found(indexed, "word399")[0] == "more399.py"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_room_that_is_loaded_anew_is_not_read_anew(document: Document) -> None:
    indexes = Indexes(SystemClock())
    before = await indexes.ready(ROOM, document)
    again = document.fork(ClientId(2))
    again.watch_files()
    again.edit(lambda editor: editor.delete(FileId("id-f1.py")))
    indexed = await indexes.ready(ROOM, again)
    assert indexed.index is before.index
    assert "f1.py" not in found(indexed, "function1")
    assert found(indexed, "function2")[0] == "f2.py"


async def test_pieces_of_a_changed_file_are_let_go_of(document: Document) -> None:
    indexes = Indexes(SystemClock())
    indexed = await indexes.ready(ROOM, document)
    indexed.pieces.put("outline", "old", [FileId("id-f1.py")])
    document.edit(lambda editor: editor.splice(FileId("id-f1.py"), 0, 0, "x"))
    assert indexed.pieces.get("outline") is None


async def test_a_deleted_room_is_forgotten(document: Document) -> None:
    indexes = Indexes(SystemClock())
    before = await indexes.ready(ROOM, document)
    indexes.forget(ROOM)
    assert (await indexes.ready(ROOM, document)).index is not before.index


async def test_others_have_their_turn_while_it_works(document: Document) -> None:
    for number in range(200):
        add(document, f"more{number}.py", f"word{number} " * 2_000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(count())
    await Indexes(SystemClock()).ready(ROOM, document)
    assert turns > 5
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_changes_all_the_time_is_taken_in_without_an_end_being_waited_for(document: Document) -> None:
    indexes = Indexes(SystemClock())
    indexed = await indexes.ready(ROOM, document)
    written: list[str] = []

    async def write() -> None:
        while True:
            written.append(f"# line {len(written)}\n")
            document.edit(lambda editor: editor.splice(FileId("id-f3.py"), 0, 0, written[-1]))
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await indexes.ready(ROOM, document)
    assert len(written) > 1
    assert found(indexed, "line")[0] == "f3.py"
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
