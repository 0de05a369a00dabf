"""Real servers, one browser, and windows in it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from server.pages import client_folder
from tests.conftest import missing
from tests.e2e.line import Line
from tests.e2e.serving import Server
from tests.e2e.window import Window, watched
from tests.fakes.openai_server import Answer, FakeOpenAI

StartServer = Callable[..., Awaitable[Server]]
OpenWindow = Callable[..., Awaitable[Window]]
WAIT_MS = 20_000
IN_BROWSER = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]
"""Marks of each module here: the browser lives in one event loop."""


@pytest.fixture(scope="session")
def built() -> Path:
    """The built client."""
    folder = client_folder()
    return folder if folder is not None else missing("needs the browser client; run `make install`")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path, built: Path) -> AsyncIterator[Browser]:
    """One browser for all tests."""
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium, args=["--disable-gpu", "--disable-background-timer-throttling"]
        )
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
def model() -> Iterator[FakeOpenAI]:
    """A model that answers what tests tell it to: see ``answers``."""
    with FakeOpenAI(Answer(match="what no test asks for")) as fake:
        yield fake


@pytest.fixture
def answers(model: FakeOpenAI) -> Callable[[str, Answer], None]:
    """Says what the model answers when its question holds these words."""

    def add(words: str, answer: Answer) -> None:
        answer.match = words
        model.script.answers.append(answer)

    return add


@pytest.fixture(scope="session")
def with_model(model: FakeOpenAI) -> dict[str, str]:
    """Environment of a server that asks the model."""
    return {"PAIRLOOM_MODEL": "loom-1", "PAIRLOOM_BASE_URL": model.base_url, "PAIRLOOM_API_KEY": "test"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(with_model: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with a model, shared by the tests that let it live; each uses its own room."""
    shared = Server(tmp_path_factory.mktemp("shared"), with_model)
    await shared.start()
    yield shared
    await shared.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Starts a server that belongs to one test."""
    started: list[Server] = []

    async def start(**environment: str) -> Server:
        own = Server(tmp_path, environment)
        started.append(own)
        await own.start()
        return own

    yield start
    for one in started:
        await one.stop()


_rooms = itertools.count(1)


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return f"room-{next(_rooms)}"


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(browser: Browser, room: str) -> AsyncIterator[OpenWindow]:
    """Opens the test's room in a browser context of its own; at the end nothing may have gone wrong in any."""
    contexts: list[BrowserContext] = []
    windows: list[Window] = []

    async def open_one(server: Server, name: str, line: Line | None = None, **options: Any) -> Window:
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        if line is not None:
            await context.route_web_socket("**/*", line.connect)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        window = await watched(context, name)
        windows.append(window)
        await window.open(server.room(room))
        return window

    yield open_one
    for context in contexts:
        await context.close()
    assert [trouble for window in windows for trouble in window.troubles] == []


@pytest_asyncio.fixture(loop_scope="session")
async def both(server: Server, open_window: OpenWindow) -> tuple[Window, Window]:
    """Two people's windows in one room of the shared server."""
    ada, ben = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    return ada, ben
