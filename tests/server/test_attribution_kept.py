"""Who wrote what is known after compaction, restarts, outages and migration, and on every node."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from collab.blame import blame
from collab.compaction import CompactionPolicy
from collab.errors import StoreUnavailable
from collab.ids import ConnectionId, PersonId
from collab.io.sqlite import SqliteStore
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.origin import ChangeOrigin, ImportOrigin, Origin, PersonOrigin
from collab.ports import Store
from server.backlog import shrink
from server.commands.copying import Target, copy_room
from server.host import RoomHost
from server.hub import Hub
from tests.collab.replicas import FILE, HandClock
from tests.server.test_cluster import Nodes, both, nodes, text_of, until
from tests.server.test_hub import ROOM, create, hub_of

ANN = PersonOrigin(PersonId("Ann"), ConnectionId("c7"))
BOB = PersonOrigin(PersonId("Bob"), ConnectionId("c2"))
PUT = ChangeOrigin("c1", PersonId("Ann"), "put")
KIM = ImportOrigin(PersonId("http:Kim"))

__all__ = ["nodes"]


def append(host: RoomHost, text: str, origin: Origin) -> None:
    end = len(host.document.text(FILE))
    host.change(lambda editor: editor.splice(FILE, end, end, text), origin)


def whose(host: RoomHost) -> list[tuple[str, str]]:
    text = host.document.text(FILE)
    return [(text[one.start : one.end], one.author.id) for one in blame(host.document, FILE, host.attribution())]


WRITTEN = [("import", "http:Kim"), (" ann", "Ann"), (" bob", "Bob"), (" put", "c1")]


def write_all(host: RoomHost) -> None:
    host.change(create("import"), KIM)
    append(host, " ann", ANN)
    append(host, " bob", BOB)
    append(host, " put", PUT)


async def test_a_room_knows_its_authors_after_compaction_and_a_restart(tmp_path: Path) -> None:
    async def open_store() -> Store:
        return await SqliteStore.open(tmp_path / "rooms.sqlite")

    for round_ in range(3):
        hub = Hub(open_store, Limits(), HandClock(), Random(round_), commit_interval=0.0)
        # Compacted whenever the room is unloaded.
        hub._policy = CompactionPolicy(unload_entries=0)
        async with hub.running():
            async with hub.held(ROOM) as host:
                if round_ == 0:
                    write_all(host)
                assert whose(host)[:4] == WRITTEN
                append(host, f" {round_}", BOB)
                await host.durable()
            await hub._evict(host)
            stored = await hub._opened().load(ROOM)
            assert (stored.entries, stored.last_seq) == ((), 4 + round_ + 1)
            assert stored.checkpoint is not None
            assert stored.checkpoint.attribution
            async with hub.held(ROOM) as host:
                assert whose(host)[:4] == WRITTEN
                assert [author for _, author in whose(host)[4:]] in ([], ["Bob"] * len(whose(host)[4:]))


async def test_what_is_put_together_while_the_store_is_away_keeps_its_authors() -> None:
    store = MemoryStore()
    async with hub_of(store) as hub:
        async with hub.held(ROOM) as host:
            host.change(create("import"), KIM)
            await host.durable()
            store.break_down(StoreUnavailable("The disk is full."))
            append(host, " ann", ANN)
            append(host, " bob", BOB)
            append(host, " put", PUT)
            for _ in range(200):
                append(host, "x" * 100, BOB)
                host.change(lambda editor: editor.splice(FILE, 18, 118, ""), ANN)
            assert hub._writer is not None
            shrink(hub._writer, host, 1)
            assert len(hub._writer.waiting(ROOM)) < 10
            store.repair()
            await host.durable()
        await hub._evict(host)
        async with hub.held(ROOM) as again:
            assert again is not host
            assert whose(again) == WRITTEN


async def test_a_copied_room_has_the_same_authors(tmp_path: Path) -> None:
    store = MemoryStore()
    async with hub_of(store) as hub, hub.held(ROOM) as host:
        write_all(host)
        await host.durable()
        assert hub._compactor is not None
        await hub._compactor.compact(ROOM)
        append(host, " later", BOB)
        await host.durable()
    store.reopen()
    target = await SqliteStore.open(tmp_path / "rooms.sqlite")
    (summary,) = await store.rooms()
    await copy_room(store, Target(target), summary, replacing=False)
    await target.close()

    async def open_store() -> Store:
        return await SqliteStore.open(tmp_path / "rooms.sqlite")

    copy = Hub(open_store, Limits(), HandClock(), Random(1), commit_interval=0.0)
    async with copy.running(), copy.held(ROOM) as host:
        assert whose(host)[:4] == WRITTEN
        assert host.attribution().since(0)[-1].author.id in {"Bob", "c1"}


async def test_every_node_knows_the_authors_of_all(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, _):
        write_all(first)
        await until(lambda: text_of(second).endswith("put"))
        append(second, " two", ANN)
        await until(lambda: text_of(first).endswith("two"))
        assert whose(first) == whose(second) == [*WRITTEN, (" two", "Ann")]
        await first.durable()
        assert one.hub._compactor is not None
        async with one.cluster.shared.compacting(ROOM) as mine:
            assert mine
            assert await one.hub._compactor.compact(ROOM) is not None
        third = await nodes.start()
        async with third.hub.held(ROOM) as late:
            assert whose(late) == [*WRITTEN, (" two", "Ann")]


async def test_what_the_store_lost_comes_back_with_its_authors(nodes: Nodes) -> None:
    async with both(nodes) as (first, second, one, two):
        write_all(first)
        await first.durable()
        await until(lambda: text_of(second).endswith("put"))
        nodes.lose(1)
        await asyncio.gather(one.cluster._links[ROOM].resync(), two.cluster._links[ROOM].resync())
        third = await nodes.start()
        async with third.hub.held(ROOM) as late:
            await until(lambda: text_of(late).endswith("put"))
            assert whose(late) == WRITTEN
            assert {one.author.id for one in late.attribution().since(0)} == {author for _, author in WRITTEN}
