"""A live room: what is decided is written to the right connections, framed once, also to slow ones."""

from __future__ import annotations

import asyncio

from collab.editor import Editor
from collab.errors import InvalidOperation, StoreUnavailable
from collab.ids import ClientId, FileId, JobId, PersonId
from collab.memory import MemoryStore
from collab.origin import ImportOrigin, JobOrigin
from collab.outbox import OutboxState
from collab.wire import AwarenessEntry, awareness_message, sync_step1, sync_update
from server.host import RoomHost
from tests.collab.replicas import FILE
from tests.server.wired_clients import LIMIT, ROOM, Client, room_with, turn

ORIGIN = ImportOrigin(PersonId("Ann"))


async def test_what_one_turn_brings_goes_out_as_one_frame_and_not_back_to_its_author() -> None:
    async with room_with(3) as (host, (ann, bob, eve)):
        ann.send(sync_update(ann.replica.create(text="")))
        for letter in "olleh":
            ann.send(sync_update(ann.replica.insert(0, letter)))
        await turn()
        assert ann.take() == []
        assert bob.take() == [2]
        assert eve.take() == [2]
        assert bob.replica.read() == host.document.text(FILE) == "hello"


async def test_edits_of_two_in_one_turn_go_to_both() -> None:
    async with room_with(2) as (_, (ann, bob)):
        ann.send(sync_update(ann.replica.create(text="a")))
        await turn()
        bob.take()
        ann.send(sync_update(ann.replica.insert(1, "b")))
        bob.send(sync_update(bob.replica.insert(0, "c")))
        await turn()
        assert (ann.take(), bob.take()) == ([2], [2])
        assert ann.replica.read() == bob.replica.read() == "cab"


async def test_an_edit_of_the_server_goes_to_everybody() -> None:
    async with room_with(1) as (host, (ann,)):
        host.change(lambda editor: editor.create(FILE, "a.txt", "made"), ORIGIN)
        assert ann.take() == [2]
        assert ann.replica.read() == "made"


async def test_what_a_change_did_before_it_failed_reaches_everybody() -> None:
    store = MemoryStore()
    async with room_with(1, store) as (host, (ann,)):
        host.change(lambda editor: editor.create(FILE, "a.txt", "text"), ORIGIN)

        def failing(editor: Editor) -> None:
            editor.splice(FILE, 0, 0, "kept ")
            editor.splice(FILE, 0, 1000, "")

        try:
            host.change(failing, ORIGIN)
        except InvalidOperation:
            await host.durable()
        ann.take()
        assert ann.replica.read() == host.document.text(FILE) == "kept text"
        assert len((await store.load(ROOM)).entries) == 2


async def fill(ann: Client, host: RoomHost) -> None:
    ann.send(sync_update(ann.replica.create(text="start")))
    await turn()


def written(host: RoomHost, client: int, file: str, text: str) -> bytes:
    """The update of a job that makes a file."""
    fork = host.document.fork(ClientId(client))
    update = fork.edit(lambda editor: editor.create(FileId(file), f"{file}.txt", text))[1].update
    assert update is not None
    return update


async def test_what_jobs_write_at_about_the_same_time_is_one_frame() -> None:
    async with room_with(2) as (host, (ann, bob)):
        writes = 0
        wrote = asyncio.Event()

        def count() -> None:
            nonlocal writes
            writes += 1
            wrote.set()

        bob.transport.on_write = count
        for number in range(1, 4):
            origin = JobOrigin(JobId(f"j{number}"), PersonId("Ann"))
            host.apply(written(host, 100 + number, f"g{number}", "text"), origin)
            host.set_presence(ClientId(100 + number), {"user": {"name": f"job {number}"}})
        assert (ann.take(), bob.take()) == ([], [])
        async with asyncio.timeout(5):
            await wrote.wait()
        await turn()
        assert writes == 1
        assert (ann.take(), bob.take()) == ([2, 10], [2, 10])
        assert {bob.replica.read(f"g{number}") for number in range(1, 4)} == {"text"}


async def test_what_jobs_write_comes_behind_what_it_follows_upon() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.take()
        host.apply(written(host, 101, "g1", "text"), JobOrigin(JobId("j1"), PersonId("Ann")))
        ann.send(sync_update(ann.replica.insert(5, "!")))
        host.apply(written(host, 102, "g2", "text"), JobOrigin(JobId("j2"), PersonId("Ann")))
        await turn()
        bob.take()
        assert bob.replica.read() == "start!"
        assert bob.replica.read("g1") == bob.replica.read("g2") == "text"


async def test_who_falls_behind_before_what_jobs_wrote_has_gone_out_gets_it_all_the_same() -> None:
    async with room_with(2) as (host, (ann, bob)):
        host.apply(written(host, 101, "g1", "text"), JobOrigin(JobId("j1"), PersonId("Ann")))
        bob.protocol.pause_writing()
        host.flush()
        assert (ann.take(), bob.take()) == ([2], [2])
        assert bob.replica.read("g1") == "text"
        bob.protocol.resume_writing()
        assert bob.take() == []


async def test_an_edit_of_a_person_does_not_wait_for_what_jobs_write() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.take()
        host.apply(written(host, 101, "g1", "text"), JobOrigin(JobId("j1"), PersonId("Ann")))
        ann.send(sync_update(ann.replica.insert(5, "!")))
        await turn()
        assert bob.take() == [2, 2]
        assert bob.replica.read() == "start!"
        assert ann.take() == [2]


async def test_presence_goes_to_all_and_is_echoed() -> None:
    async with room_with(2) as (host, (ann, bob)):
        ann.send(awareness_message([AwarenessEntry(ClientId(1), 1, b'{"user":{"name":"Ann"}}').encode()]))
        await turn()
        assert (ann.take(), bob.take()) == ([10], [10])
        assert [view.name for view in host.people()] == ["Ann"]


async def test_a_malformed_frame_ends_its_connection_alone() -> None:
    async with room_with(2) as (host, (ann, bob)):
        ann.send(b"\x00\x02\x05ab")
        await turn()
        assert b"\x88" in ann.transport.written
        assert (host.connections(), ann.departed) == (1, 1)
        bob.send(sync_update(bob.replica.create(text="works")))
        await turn()
        assert host.document.text(FILE) == "works"


async def test_a_connection_that_was_lost_departs_once() -> None:
    async with room_with(1) as (host, (ann,)):
        ann.send(sync_update(ann.replica.create(text="last words")))
        ann.protocol.connection_lost(None)
        ann.connection.depart()
        await turn()
        assert (host.connections(), ann.departed) == (0, 1)
        assert host.document.text(FILE) == "last words"


# Slow readers


async def test_a_reader_that_pauses_in_the_middle_of_a_broadcast_disturbs_nobody() -> None:
    async with room_with(4) as (host, (ann, bob, eve, dan)):
        await fill(ann, host)
        for client in (bob, eve, dan):
            client.take()
        paused = False

        def pause() -> None:
            nonlocal paused
            if not paused:
                paused = True
                bob.transport.size = 70_000
                bob.protocol.pause_writing()

        bob.transport.on_write = pause
        ann.send(sync_update(ann.replica.insert(0, "x")))
        await turn()
        assert paused
        assert (bob.take(), eve.take(), dan.take()) == ([2], [2], [2])
        assert bob.connection.outbox.state is OutboxState.SLOW


async def test_a_message_that_fills_the_buffer_itself_is_caught_up_from_a_valid_state() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.take()

        def pause() -> None:
            bob.transport.on_write = lambda: None
            bob.transport.size = 2 * LIMIT
            bob.protocol.pause_writing()

        bob.transport.on_write = pause
        ann.send(sync_update(ann.replica.insert(0, "y" * 2 * LIMIT)))
        await turn()
        ann.send(sync_update(ann.replica.insert(0, "shed ")))
        await turn()
        assert bob.connection.outbox.state is OutboxState.LAGGING
        assert bob.take() == [2]
        bob.transport.size = 0
        bob.protocol.resume_writing()
        assert bob.take() == [2]
        assert bob.replica.read() == ann.replica.read()


async def test_an_edit_that_comes_in_the_turn_in_which_a_reader_resumes_is_not_lost() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.protocol.pause_writing()
        ann.send(sync_update(ann.replica.insert(0, "while slow ")))
        await turn()
        ann.send(sync_update(ann.replica.insert(0, "at that moment ")))
        bob.protocol.resume_writing()
        await turn()
        bob.take()
        assert bob.replica.read() == "at that moment while slow start"


async def test_a_lagging_reader_is_caught_up_with_one_update_and_goes_on() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.take()
        bob.protocol.pause_writing()
        bob.transport.size = LIMIT + 1
        for number in range(20):
            ann.send(sync_update(ann.replica.insert(0, f"{number} ")))
            await turn()
        ann.send(sync_update(ann.replica.delete(0, 5)))
        await turn()
        assert bob.take() == []
        bob.transport.size = 0
        bob.protocol.resume_writing()
        assert bob.take() == [2]
        ann.send(sync_update(ann.replica.insert(0, "live ")))
        await turn()
        assert bob.take() == [2]
        assert bob.replica.read() == ann.replica.read() == host.document.text(FILE)


async def test_presence_that_a_slow_reader_missed_is_shown_when_it_has_drained() -> None:
    async with room_with(2) as (_, (ann, bob)):
        bob.protocol.pause_writing()
        ann.send(awareness_message([AwarenessEntry(ClientId(1), 1, b'{"user":{}}').encode()]))
        await turn()
        bob.send(b"\x03\x00")
        assert bob.take() == []
        bob.protocol.resume_writing()
        assert bob.take() == [10]


async def test_a_question_of_a_reader_with_a_full_buffer_is_answered_once_it_has_drained() -> None:
    async with room_with(2) as (host, (ann, bob)):
        await fill(ann, host)
        bob.take()
        bob.protocol.pause_writing()
        bob.transport.size = LIMIT + 1
        for _ in range(100):
            bob.send(sync_step1(b"\0"))
        assert bob.take() == []
        bob.transport.size = 0
        bob.protocol.resume_writing()
        assert bob.take() == [1]


# Saving


async def test_a_store_that_fails_and_recovers_is_told_with_what_is_durable() -> None:
    store = MemoryStore()
    async with room_with(1, store) as (host, (ann,)):
        ann.send(sync_update(ann.replica.create()))
        await turn()
        await host.durable()
        store.break_down(StoreUnavailable("The disk is full."))
        ann.send(sync_update(ann.replica.insert(0, "unsaved")))
        while host.saving:  # noqa: ASYNC110 - until the writer has found out
            await asyncio.sleep(0)
        reasons = [host.not_saved_reason]
        store.repair()
        await host.durable()
        reasons.append(host.not_saved_reason)
        assert reasons == ["The disk is full.", ""]
        assert len((await store.load(ROOM)).entries) == 2


async def test_durable_waits_for_what_came_in_this_turn_too() -> None:
    store = MemoryStore()
    async with room_with(1, store) as (host, (ann,)):
        ann.send(sync_update(ann.replica.create(text="just now")))
        await host.durable()
        assert len((await store.load(ROOM)).entries) == 1
