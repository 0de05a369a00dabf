"""The native dialect against a running server: in a terminal, in programs, beside Yjs clients."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab.offsets import utf16_length
from collab.text_ops import Delete, Insert, Retain, TextOp
from tests.integration.native_clients import TIMEOUT, NativeClient, native, running_server, yjs

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("data")) as address:
        yield address


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of this test alone."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]


async def test_a_person_edits_a_file_with_short_lines(address: str, room: str) -> None:
    async with native(address, room, "Ann") as ann, native(address, room, "Bea") as bea:
        await ann.until("user_joined")
        await ann.send("new app.py")
        assert (await ann.until("applied"))["path"] == "app.py"
        await ann.send('insert app.py 0:0 print("hello")\\n')
        version = (await ann.until("applied"))["version"]
        seen = await bea.until("text_operation")
        assert (seen["by"], seen["version"]) == ("Ann", version)
        await bea.send("read app.py")
        assert (await bea.until("file_content"))["text"] == 'print("hello")\n'
        await ann.send("who")
        assert [person["name"] for person in (await ann.until("people"))["people"]] == ["Ann", "Bea"]
    assert not [told for told in ann.told if told["type"] == "text_operation"]


async def test_who_comes_and_goes_is_seen_and_nobody_is_told_of_themselves(address: str, room: str) -> None:
    async with native(address, room, "Ann") as ann:
        async with native(address, room, "Bea") as bea:
            assert (await ann.until("user_joined"))["person"]["name"] == "Bea"
            await bea.send("who")
            await bea.until("people")
        assert (await ann.until("user_left"))["name"] == "Bea"
    assert [told["type"] for told in bea.told][:2] == ["welcome", "people"]


async def test_a_cursor_is_seen_with_its_place(address: str, room: str) -> None:
    async with native(address, room, "Ann") as ann, native(address, room, "Bea", packed=True) as bea:
        await ann.ask({"type": "create_file", "path": "a.txt", "text": "one\ntwo"})
        await bea.ask({"type": "files"})
        place = {"line": 1, "character": 2}
        await bea.send({"type": "cursor_update", "file": "a.txt", "position": place})
        seen = await ann.until("cursor_update")
        assert (seen["name"], seen["path"], seen["position"]) == ("Bea", "a.txt", place)


async def test_edits_are_told_to_be_saved(address: str, room: str) -> None:
    async with native(address, room) as ann:
        await ann.ask({"type": "create_file", "path": "a.txt"})
        assert (await ann.until("saved"))["count"] == 1


@pytest.mark.parametrize("packed", [False, True])
async def test_bad_requests_are_answered_and_the_connection_goes_on(address: str, room: str, packed: bool) -> None:
    async with native(address, room, packed=packed) as ann:
        for bad, code in (
            ({"type": "raed"}, "unknown_type"),
            ({"type": "read"}, "invalid_input"),
            ({"type": "read", "file": "nope"}, "not_found"),
            ({"type": "create_file", "path": "../x"}, "invalid_path"),
            ({"type": "undo", "job": "j0"}, "not_found"),
            ({"type": "answer", "suggestion": "s0", "choice": "accept"}, "not_found"),
        ):
            answer = await ann.ask(bad)
            assert (answer["type"], answer["code"]) == ("error", code)
        assert (await ann.ask({"type": "ping"}))["type"] == "pong"


async def test_a_frame_of_the_wrong_kind_is_answered_and_the_connection_goes_on(address: str, room: str) -> None:
    async with native(address, room) as ann, native(address, room, packed=True) as bea:
        await ann._socket.send(b"\x80")
        assert (await ann.until("error"))["code"] == "malformed_message"
        await bea._socket.send("who")
        assert (await bea.until("error"))["code"] == "malformed_message"
        assert (await ann.ask({"type": "ping"}))["type"] == "pong"
        assert (await bea.ask({"type": "ping"}))["type"] == "pong"


def some_operation(chance: random.Random, text: str) -> TextOp:
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.randrange(3))
    head, gone = Retain(utf16_length(text[:start])), Delete(utf16_length(text[start:end]))
    insert = Insert(chance.choice(["a", "é", "😀", "\n", "word "]))
    # Both orders are allowed, and stand differently to what others insert at either end.
    steps = (head, gone, insert) if chance.random() < 0.5 else (head, insert, gone)
    return tuple(step for step in steps if step.length)


async def test_native_clients_and_a_yjs_client_that_type_at_once_converge(address: str, room: str) -> None:
    async with (
        native(address, room, "Ann") as ann,
        native(address, room, "Bea", packed=True) as bea,
        yjs(address, room) as eve,
    ):
        await ann.ask({"type": "create_file", "path": "a.txt", "text": "één 😀 twee\n"})
        file = await ann.read("a.txt")
        assert await bea.read("a.txt") == file
        async with asyncio.timeout(TIMEOUT):
            while file not in eve.files:
                eve.changed.clear()
                await eve.changed.wait()

        async def type_natively(client: NativeClient, seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(60):
                await client.operate(file, some_operation(chance, client.texts[file]))

        async def type_in_yjs() -> None:
            for number in range(60):
                await eve.insert(file, 0, f"{number} ")
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(type_natively(ann, 1))
            tasks.create_task(type_natively(bea, 2))
            tasks.create_task(type_in_yjs())

        # What the server has once it has heard all of eve's edits is what everybody must have in the end.
        await eve.insert(file, 0, "END ")
        async with asyncio.timeout(TIMEOUT):
            while not ann.texts[file].startswith("END "):
                await ann.next()
            while not bea.texts[file].startswith("END "):
                await bea.next()
        server = await ann.ask({"type": "read", "file": file})
        while bea.versions[file] < server["version"]:
            await bea.next()
        async with asyncio.timeout(TIMEOUT):
            while eve.text(file) != server["text"]:
                eve.changed.clear()
                await eve.changed.wait()
        assert ann.texts[file] == bea.texts[file] == server["text"]


async def test_a_generation_is_watched_answered_and_undone_with_short_lines(address: str, room: str) -> None:
    async with native(address, room, "Ann") as ann, native(address, room, "Bea") as bea:
        await ann.send("ask a small web page")
        job = (await ann.until("generation_started"))["job"]
        assert job["offline"] is True
        suggestion = (await bea.until("suggestion_added"))["suggestion"]
        assert (await bea.until("generation_complete"))["job"]["job"] == job["job"]
        await bea.send(f"accept {suggestion['suggestion']}")
        created = (await bea.until("file_created"))["file"]
        assert created["path"] == suggestion["path"]
        await bea.send(f"read {created['path']}")
        assert (await bea.until("file_content"))["text"] == suggestion["after"]
        await ann.send(f"undo {job['job']}")
        assert "undone" in (await ann.until("done"))["message"]
        await ann.send("files")
        assert (await ann.until("file_list"))["files"] == []


async def test_versions_go_on_counting_after_a_restart(tmp_path: Path, room: str) -> None:
    with running_server(tmp_path) as address:
        async with native(address, room) as ann:
            await ann.ask({"type": "create_file", "path": "a.txt", "text": "one"})
            file = await ann.read("a.txt")
            told = (await ann.operate(file, (Insert("x"),)))["version"]
            await ann.until("saved", count=2)
    with running_server(tmp_path) as address:
        async with native(address, room) as ann:
            await ann.read(file)
            assert ann.texts[file] == "xone"
            assert ann.versions[file] >= told


async def test_somebody_undoes_and_redoes_their_own_last_change_and_nobody_elses(address: str, room: str) -> None:
    async with native(address, room, "Ann") as ann, native(address, room, "Bea") as bea:
        await ann.ask({"type": "create_file", "path": "a.txt", "text": "one\ntwo\n"})
        await ann.ask({"type": "edit", "file": "a.txt", "start": {"line": 0, "character": 3}, "text": " ANN"})
        await bea.ask({"type": "edit", "file": "a.txt", "start": {"line": 0, "character": 5}, "text": "(bea)"})
        await bea.ask(
            {
                "type": "edit",
                "file": "a.txt",
                "start": {"line": 1, "character": 0},
                "end": {"line": 1, "character": 3},
            }
        )
        await ann.ask({"type": "undo_mine"})
        assert (await ann.ask({"type": "read", "file": "a.txt"}))["text"] == "one(bea)\n\n"
        await bea.ask({"type": "undo_mine"})
        assert (await ann.ask({"type": "read", "file": "a.txt"}))["text"] == "one\ntwo\n"
        await ann.ask({"type": "redo_mine"})
        await bea.ask({"type": "redo_mine"})
        assert (await ann.ask({"type": "read", "file": "a.txt"}))["text"] == "one A(bea)NN\n\n"
        refused = await ann.ask({"type": "redo_mine"})
        assert (refused["type"], refused["code"]) == ("error", "conflict")
