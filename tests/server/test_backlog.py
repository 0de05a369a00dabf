"""What waits for a store that is away stays small, and says the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collab.document import Document
from collab.errors import StoreUnavailable
from collab.ids import ClientId, ConnectionId, PersonId
from collab.memory import MemoryStore
from collab.origin import ImportOrigin, PersonOrigin
from server.backlog import shrink
from server.host import RoomHost
from server.hub import Hub
from tests.collab.replicas import FILE
from tests.server.test_hub import ROOM, create, hub_of

ANN = ImportOrigin(PersonId("Ann"))
BOB = PersonOrigin(PersonId("Bob"), ConnectionId("c2"))


@asynccontextmanager
async def away(edits: int) -> AsyncIterator[tuple[Hub, RoomHost, MemoryStore]]:
    store = MemoryStore()
    async with hub_of(store) as hub, hub.held(ROOM) as host:
        host.change(create("start"), ANN)
        await host.durable()
        store.break_down(StoreUnavailable("The disk is full."))
        for number in range(edits):
            origin = BOB if number % 2 else ANN
            host.change(lambda editor: editor.splice(FILE, 0, 0, "some more text "), origin)
        yield hub, host, store


def writer_of(hub: Hub):  # type: ignore[no-untyped-def]
    return hub._writer


async def test_a_backlog_within_its_bound_stays_as_it_is() -> None:
    async with away(50) as (hub, host, store):
        writer = writer_of(hub)
        before = writer.waiting(ROOM)
        shrink(writer, host, 1_000_000)
        assert writer.waiting(ROOM) == before
        store.repair()


async def test_a_larger_one_becomes_one_entry_for_each_author() -> None:
    async with away(200) as (hub, host, store):
        writer = writer_of(hub)
        shrink(writer, host, 6_000)
        waiting = writer.waiting(ROOM)
        assert {entry.origin for entry in waiting} == {ANN, BOB}
        assert len(waiting) == 2
        store.repair()
        await host.durable()
        copy = Document(ClientId(1))
        for entry in (await store.load(ROOM)).entries:
            copy.apply([entry.update])
        assert copy.text(FILE) == host.document.text(FILE)


async def test_one_that_is_still_too_large_becomes_the_document() -> None:
    async with away(300) as (hub, host, store):
        for _ in range(300):
            host.change(lambda editor: editor.splice(FILE, 0, len(host.document.text(FILE)), "short"), ANN)
            host.change(lambda editor: editor.splice(FILE, 0, 0, "x" * 100), ANN)
        writer = writer_of(hub)
        size = writer.backlog_of(ROOM)
        shrink(writer, host, 1)
        assert writer.backlog_of(ROOM) < size / 5
        append = len(writer.waiting(ROOM))
        host.change(lambda editor: editor.splice(FILE, 0, 0, "after "), ANN)
        assert len(writer.waiting(ROOM)) == append + 1
        store.repair()
        await host.durable()
        copy = Document(ClientId(1))
        for entry in (await store.load(ROOM)).entries:
            copy.apply([entry.update])
        assert copy.text(FILE) == host.document.text(FILE)
