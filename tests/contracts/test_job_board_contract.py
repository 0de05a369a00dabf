"""What every job board must do. Runs on each adapter of ``generation.sharing.JobBoard``, the twin included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collab.ids import JobId, NodeId, RoomId
from collab.io.clock import SystemClock
from collab.io.redis_link import RedisLink
from generation.board import MemoryBoard
from generation.io.bell import LoopBell
from generation.io.redis_board import RedisJobBoard
from generation.sharing import JobBoard, Ticket
from generation.views import Priority
from tests.contracts.redis_servers import Servers, servers

ANNA = NodeId("a.0")
BERT = NodeId("b.0")
ROOM = RoomId("team/project")
LONG = 60.0
SHORT = 0.05


class Boards:
    """The board, as several nodes see it, and what may happen to what is behind it."""

    def __init__(self, first: JobBoard, second: JobBoard, wipe: Callable[[], Awaitable[object]]) -> None:
        self.first = first
        self.second = second
        self.wipe = wipe


@pytest.fixture(scope="module")
def shared(redis_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(redis_server, tmp_path_factory.mktemp("redis")) as each:
        yield each


@pytest.fixture(params=["memory", "redis", "cluster"])
async def boards(request: pytest.FixtureRequest) -> AsyncIterator[Boards]:
    if request.param == "memory":
        memory = MemoryBoard(SystemClock(), LoopBell())

        async def forget() -> None:
            memory.wipe()

        yield Boards(memory, memory, forget)
        return
    each: Servers = request.getfixturevalue("shared")
    server = await each.empty(request.param)
    links = [await RedisLink.open(server.url) for _ in range(2)]
    first, second = (RedisJobBoard(link, "test:") for link in links)
    yield Boards(first, second, lambda: asyncio.to_thread(server.run, "FLUSHALL"))
    for link in links:
        await link.aclose()


@pytest.fixture
def board(boards: Boards) -> JobBoard:
    return boards.first


async def post(board: JobBoard, *jobs: str, priority: Priority = "normal") -> None:
    for job in jobs:
        await board.post(priority, ROOM, JobId(job))


async def taken(board: JobBoard, node: NodeId = ANNA) -> Ticket:
    ticket = await board.take(node, 0)
    assert ticket is not None
    return ticket


async def test_an_empty_board_gives_nothing(board: JobBoard) -> None:
    assert await board.take(ANNA, 0) is None
    assert await board.take(ANNA, SHORT) is None


async def test_a_ticket_comes_back_as_it_was_posted(board: JobBoard) -> None:
    await board.post("high", ROOM, JobId("j1"))
    ticket = await taken(board)
    assert (ticket.priority, ticket.room, ticket.job, ticket.deliveries) == ("high", ROOM, "j1", 1)


async def test_who_comes_first_is_served_first(board: JobBoard) -> None:
    await post(board, "j1", "j2", "j3")
    assert [(await taken(board)).job for _ in range(3)] == ["j1", "j2", "j3"]


async def test_a_higher_priority_goes_before_all_lower_ones(board: JobBoard) -> None:
    await post(board, "low", priority="low")
    await post(board, "normal", priority="normal")
    await post(board, "high", priority="high")
    assert [(await taken(board)).job for _ in range(3)] == ["high", "normal", "low"]


async def test_a_ticket_goes_to_one_node_only(boards: Boards) -> None:
    jobs = [f"j{number}" for number in range(20)]
    await post(boards.first, *jobs)
    takes = [boards.first.take(ANNA, 0) for _ in jobs] + [boards.second.take(BERT, 0) for _ in jobs]
    tickets = [ticket for ticket in await asyncio.gather(*takes) if ticket is not None]
    assert sorted(ticket.job for ticket in tickets) == sorted(jobs)


async def test_a_waiting_node_wakes_up_at_once_when_something_is_posted(boards: Boards) -> None:
    waiting = asyncio.create_task(boards.second.take(BERT, LONG))
    await asyncio.sleep(0)
    await post(boards.first, "j1", priority="low")
    async with asyncio.timeout(2):
        ticket = await waiting
    assert ticket is not None
    assert ticket.job == "j1"


async def test_what_is_posted_while_it_waits_is_taken_once(boards: Boards) -> None:
    waiting = [
        asyncio.create_task(boards.first.take(ANNA, 0.3)),
        asyncio.create_task(boards.second.take(BERT, 0.3)),
    ]
    await post(boards.first, "j1")
    assert [ticket.job for ticket in await asyncio.gather(*waiting) if ticket is not None] == ["j1"]


async def test_a_wait_that_is_cancelled_loses_no_ticket(boards: Boards) -> None:
    waiting = asyncio.create_task(boards.second.take(BERT, LONG))
    await asyncio.sleep(SHORT)
    waiting.cancel()
    await asyncio.wait([waiting])
    await post(boards.first, "j1")
    assert (await taken(boards.first)).job == "j1"


async def test_a_ticket_that_is_done_is_gone(board: JobBoard) -> None:
    await post(board, "j1")
    ticket = await taken(board)
    await board.done(ticket)
    await board.done(ticket)
    assert await board.take(ANNA, 0) is None
    assert await board.reclaim(BERT, 0) == []


async def test_only_what_was_not_heard_of_for_so_long_is_reclaimed(boards: Boards) -> None:
    await post(boards.first, "j1", "j2")
    first = await taken(boards.first)
    assert await boards.second.reclaim(BERT, LONG) == []
    await asyncio.sleep(2 * SHORT)
    assert await boards.second.reclaim(BERT, SHORT) == [replace(first, deliveries=2)]
    # Its time begins anew with that, and what nobody has taken is not reclaimed.
    assert await boards.first.reclaim(ANNA, LONG) == []


async def test_a_beat_keeps_a_ticket(boards: Boards) -> None:
    await post(boards.first, "j1")
    ticket = await taken(boards.first)
    await asyncio.sleep(0.3)
    assert await boards.first.beat(ANNA, [ticket]) == []
    assert await boards.second.reclaim(BERT, 0.29) == []


async def test_a_beat_tells_what_others_have_and_does_not_take_it_back(boards: Boards) -> None:
    await post(boards.first, "j1", "j2")
    first, second = await taken(boards.first), await taken(boards.first)
    await boards.second.hand(second, BERT)
    assert await boards.first.beat(ANNA, [first, second]) == [second]
    assert await boards.second.beat(BERT, [second]) == []


async def test_a_beat_tells_what_another_node_has_done(boards: Boards) -> None:
    await post(boards.first, "j1")
    ticket = await taken(boards.first)
    await boards.second.hand(ticket, BERT)
    await boards.second.done(ticket)
    assert await boards.first.beat(ANNA, [ticket]) == [ticket]


async def test_a_ticket_that_was_handed_on_is_the_other_nodes(boards: Boards) -> None:
    await post(boards.first, "j1")
    ticket = await taken(boards.first)
    await boards.first.hand(ticket, BERT)
    assert await boards.second.take(BERT, 0) is None
    assert await boards.second.beat(BERT, [ticket]) == []
    await asyncio.sleep(2 * SHORT)
    assert [one.deliveries for one in await boards.first.reclaim(ANNA, SHORT)] == [3]


async def test_a_ticket_that_is_done_cannot_be_handed_on(boards: Boards) -> None:
    await post(boards.first, "j1")
    ticket = await taken(boards.first)
    await boards.first.done(ticket)
    await boards.first.hand(ticket, BERT)
    assert await boards.second.reclaim(BERT, 0) == []


async def test_what_a_departing_node_has_goes_back_to_the_front(boards: Boards) -> None:
    await post(boards.first, "j1", "j2", "j3")
    await post(boards.first, "urgent", priority="high")
    tickets = [await taken(boards.first) for _ in range(3)]
    await boards.first.depart(ANNA)
    again = [await taken(boards.second, BERT) for _ in range(4)]
    assert [ticket.job for ticket in again] == ["urgent", "j1", "j2", "j3"]
    assert [ticket.deliveries for ticket in again] == [2, 2, 2, 1]
    assert await boards.first.beat(ANNA, tickets) == tickets


async def test_what_went_back_is_not_reclaimed_but_taken(boards: Boards) -> None:
    await post(boards.first, "j1")
    await taken(boards.first)
    await boards.first.depart(ANNA)
    await asyncio.sleep(2 * SHORT)
    assert await boards.second.reclaim(BERT, SHORT) == []
    assert (await taken(boards.second, BERT)).job == "j1"


async def test_a_waiting_node_wakes_up_when_another_departs(boards: Boards) -> None:
    await post(boards.first, "j1")
    await taken(boards.first)
    waiting = asyncio.create_task(boards.second.take(BERT, LONG))
    await asyncio.sleep(SHORT)
    await boards.first.depart(ANNA)
    async with asyncio.timeout(2):
        ticket = await waiting
    assert ticket is not None
    assert ticket.job == "j1"


async def test_a_node_without_tickets_may_depart(board: JobBoard) -> None:
    await board.depart(ANNA)
    await post(board, "j1")
    assert (await taken(board)).job == "j1"


async def test_a_board_that_lost_everything_goes_on(boards: Boards) -> None:
    await post(boards.first, "j1", "j2")
    ticket = await taken(boards.first)
    await boards.wipe()
    assert await boards.first.beat(ANNA, [ticket]) == []
    await boards.first.done(ticket)
    await boards.first.hand(ticket, BERT)
    assert await boards.second.reclaim(BERT, 0) == []
    assert await boards.second.take(BERT, 0) is None
    await post(boards.first, "j3")
    assert (await taken(boards.second, BERT)).job == "j3"


async def test_a_node_that_waits_while_everything_is_lost_hears_of_the_next_ticket(boards: Boards) -> None:
    waiting = asyncio.create_task(boards.second.take(BERT, LONG))
    await asyncio.sleep(SHORT)
    await boards.wipe()
    await post(boards.first, "j1")
    async with asyncio.timeout(2):
        ticket = await waiting
    assert ticket is not None
    assert ticket.job == "j1"
