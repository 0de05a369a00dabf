"""``POST /api/generate`` of the running server, which is not the browser's way but tells the same."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Answers = Callable[[str, Answer], None]
HELLO = "hello.txt\n````\nhello there\nand goodbye\n````\n"


async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_the_events_come_in_order_and_the_browser_shows_the_same_job(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    answers("greet by stream", Answer(HELLO, delay=0.01))
    ada = await open_window(server, "Ada")
    asked = {"room": room, "prompt": "greet by stream", "name": "curl"}
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("POST", f"{server.address}/api/generate", json=asked) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        told = [event async for event in events(response)]
    kinds = [event["type"] for event in told]
    order = ["context_ready", "strategy_determined", "file_start", "token", "file_end", "complete"]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places) or sorted(places[:2]) + places[2:] == sorted(places)
    assert kinds[-1] == "complete"
    assert "".join(event["text"] for event in told if event["type"] == "token") == "hello there\nand goodbye\n"
    await ada.job_is("greet by stream", "complete")
    await expect(ada.job("greet by stream")).to_contain_text("Asked by curl")
    await ada.open_file("hello.txt")
    await ada.shows("hello there\nand goodbye\n")


async def test_a_client_that_goes_away_cancels_the_job_unless_it_detached(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    ada = await open_window(server, "Ada")
    go_on = threading.Event()
    for prompt, detach in (("leave and cancel", False), ("leave and detach", True)):
        answers(prompt, Answer(HELLO, hold=go_on, after=3))
        asked = {"room": room, "prompt": prompt, "detach": detach}
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("POST", f"{server.address}/api/generate", json=asked) as response,
        ):
            async for event in events(response):
                if event["type"] == "token":
                    break
    await ada.job_is("leave and cancel", "cancelled")
    await ada.job_is("leave and detach", "generating")
    go_on.set()
    await ada.job_is("leave and detach", "complete")
    await ada.open_file("hello.txt")
    await ada.shows("hello there\nand goodbye\n")
