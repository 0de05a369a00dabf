"""The job board over a real Redis: what it does beyond what every board must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collab.errors import StoreUnavailable
from collab.ids import JobId, NodeId, RoomId
from collab.io.redis_link import RedisLink
from generation.io.redis_board import RedisJobBoard
from tests.redis_process import RedisProcess

ANNA = NodeId("a.0")
BERT = NodeId("b.0")
ROOM = RoomId("team/project")
LINE = "test:jobs:{board}:normal"


@pytest.fixture
async def server(redis_server: Path, tmp_path: Path) -> AsyncIterator[RedisProcess]:
    async with RedisProcess(redis_server, tmp_path, appendonly="yes") as server:
        yield server


@pytest.fixture
async def link(server: RedisProcess) -> AsyncIterator[RedisLink]:
    link = await RedisLink.open(server.url)
    yield link
    await link.aclose()


@pytest.fixture
def board(link: RedisLink) -> RedisJobBoard:
    return RedisJobBoard(link, "test:")


async def consumers(server: RedisProcess) -> set[str]:
    with server.client() as client:
        found = await asyncio.to_thread(client.xinfo_consumers, LINE, "pairloom")
    return {one["name"].decode() for one in found}


async def test_tickets_and_who_has_them_outlive_a_restart(board: RedisJobBoard, server: RedisProcess) -> None:
    await board.post("normal", ROOM, JobId("j1"))
    await board.post("normal", ROOM, JobId("j2"))
    ticket = await board.take(ANNA, 0)
    assert ticket is not None
    await server.restart()
    assert await board.beat(ANNA, [ticket]) == []
    second = await board.take(BERT, 0)
    assert second is not None
    assert second.job == "j2"


async def test_a_wait_ends_with_unavailable_when_the_server_goes(
    board: RedisJobBoard, server: RedisProcess
) -> None:
    waiting = asyncio.create_task(board.take(ANNA, 60))
    await server.until(lambda client: any(one["cmd"] == "xread" for one in client.client_list()))
    await server.stop()
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await waiting
    with pytest.raises(StoreUnavailable, match="refuses connections"):
        await board.post("normal", ROOM, JobId("j1"))
    await server.start()
    await board.post("normal", ROOM, JobId("j1"))
    assert await board.take(ANNA, 1) is not None


async def test_an_entry_that_is_no_ticket_is_removed(
    board: RedisJobBoard, server: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(server.run, "XADD", LINE, "*", "something", "else")
    await board.post("normal", ROOM, JobId("j1"))
    ticket = await board.take(ANNA, 0)
    assert ticket is not None
    assert ticket.job == "j1"
    assert await asyncio.to_thread(server.run, "XLEN", LINE) == 1
    assert "is no ticket" in caplog.text


async def test_a_ticket_whose_entry_was_deleted_is_given_to_nobody(
    board: RedisJobBoard, server: RedisProcess
) -> None:
    await board.post("normal", ROOM, JobId("j1"))
    ticket = await board.take(ANNA, 0)
    assert ticket is not None
    await asyncio.to_thread(server.run, "XDEL", LINE, ticket.id)
    await board.depart(ANNA)
    assert await board.take(BERT, 0) is None
    assert await board.reclaim(BERT, 0) == []


async def test_a_departed_node_is_no_consumer_any_more(board: RedisJobBoard, server: RedisProcess) -> None:
    await board.post("normal", ROOM, JobId("j1"))
    await board.take(ANNA, 0)
    assert ANNA in await consumers(server)
    await board.depart(ANNA)
    assert ANNA not in await consumers(server)


async def test_the_name_of_a_node_that_has_nothing_is_forgotten_in_time(
    link: RedisLink, server: RedisProcess
) -> None:
    board = RedisJobBoard(link, "test:", forget_seconds=0.05)
    for _ in range(2):
        await board.post("normal", ROOM, JobId("j"))
    ticket = await board.take(ANNA, 0)
    assert ticket is not None
    await board.done(ticket)
    await board.take(BERT, 0)
    await asyncio.sleep(0.1)
    assert await board.reclaim(NodeId("c.0"), 60) == []
    # Bert has a ticket still, which would be lost with the name.
    assert await consumers(server) == {BERT}


async def test_what_is_done_leaves_nothing_behind(board: RedisJobBoard, server: RedisProcess) -> None:
    for number in range(10):
        await board.post("normal", ROOM, JobId(f"j{number}"))
        ticket = await board.take(ANNA, 0)
        assert ticket is not None
        await board.done(ticket)
    assert await asyncio.to_thread(server.run, "XLEN", LINE) == 0
