"""Two people on two nodes: they write together, Redis goes away and comes back, and a node dies under a job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.window import all_show
from tests.fakes.openai_server import Answer
from tests.redis_process import RedisProcess

pytestmark = IN_BROWSER

Nodes = tuple[Server, Server, RedisProcess]
Answers = Callable[[str, Answer], None]


@pytest_asyncio.fixture(loop_scope="session")
async def nodes(tmp_path: Path, redis_server: Path, with_model: dict[str, str]) -> AsyncIterator[Nodes]:
    """Two nodes and their Redis."""
    folder = tmp_path / "redis"
    folder.mkdir()
    async with RedisProcess(redis_server, folder, appendonly="yes", appendfsync="always") as redis:
        servers = []
        for name in ("one", "two"):
            data = tmp_path / name
            data.mkdir()
            environment = {**with_model, "PAIRLOOM_REDIS_URL": redis.url, "PAIRLOOM_NODE_NAME": name}
            servers.append(Server(data, environment))
            await servers[-1].start()
        yield servers[0], servers[1], redis
        for server in servers:
            await server.stop()


async def test_people_on_two_nodes_write_together_and_are_told_when_redis_is_away(
    nodes: Nodes, open_window: OpenWindow
) -> None:
    one, two, redis = nodes
    ada, ben = both = await asyncio.gather(open_window(one, "Ada"), open_window(two, "Ben"))
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    await expect(ada.person("Ben")).to_be_visible()
    await expect(ben.person("Ada")).to_be_visible()
    await asyncio.gather(*(window.at_end() for window in both))
    await ada.type("from ada;")
    await ben.shows("from ada;")
    await expect(ben.cursor_of("Ada")).to_be_visible()

    redis.pause()
    await ada.type("while away;")
    await ada.state("not_saved")
    await ben.at_end()
    await ben.type("ben too;")
    await ben.state("not_saved")

    redis.resume()
    await asyncio.gather(*(window.saved() for window in both))
    text = await ada.text()
    assert sorted(text.split(";")) == ["", "ben too", "from ada", "while away"]
    await all_show(both, text)


async def test_a_job_goes_on_when_the_node_that_runs_it_dies(
    nodes: Nodes, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    one, two, _ = nodes
    go_on = threading.Event()
    hunk = "area.txt\n<<<<<<< SEARCH\ntodo\n=======\nwidth times height\n>>>>>>> REPLACE\n"
    answers("fill in the area", Answer(hunk, hold=go_on, after=4))
    await one.write(room, "area.txt", "top\n\ntodo\n\nbottom\n")
    # Ada comes first, so her node keeps the room's jobs.
    ada = await open_window(one, "Ada")
    ada.survives_loss = True
    await ada.ask("fill in the area")
    await ada.job_is("fill in the area", "generating")
    ben = await open_window(two, "Ben")
    await ben.open_file("area.txt")
    await ben.job_is("fill in the area", "generating")

    await one.kill()
    go_on.set()
    await ben.job_is("fill in the area", "complete")
    await ben.shows("top\n\nwidth times height\n\nbottom\n")
    await ben.act("fill in the area", "undo")
    await ben.shows("top\n\ntodo\n\nbottom\n")
