"""The server dies while people type, and comes back."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow, StartServer
from tests.e2e.window import READ, Window

pytestmark = IN_BROWSER

# Whenever the page says that all is saved, keeps the text that it shows at that moment.
KEEP_SAVED = f"""
window.saidSaved = "";
const state = document.querySelector("[data-testid=save-state]");
new MutationObserver(() => {{
  if (state.dataset.state === "saved") window.saidSaved = {READ};
}}).observe(state, {{ attributes: true, characterData: true, childList: true, subtree: true }});
"""


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


async def waiting_edits(window: Window) -> int:
    """How many edits the window says to be waiting."""
    state = window.get("save-state")
    await expect(state).to_have_text(re.compile(r"^Offline: [1-9]\d* edits? waiting$"))
    found = re.search(r"\d+", await state.inner_text())
    assert found is not None
    return int(found[0])


async def test_what_was_saved_survives_a_kill_and_what_was_typed_meanwhile_follows(
    start_server: StartServer, open_window: OpenWindow, room: str
) -> None:
    server = await start_server()
    ada, ben = both = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    for window in both:
        window.survives_loss = True
        await window.page.evaluate(KEEP_SAVED)
        await window.at_end()

    alphabet, numbers = "abcdefghijklmnopqrstuvwxyz" * 2, "0123456789" * 5

    async def kill_while_they_type() -> None:
        await ada.shows_part("jkl")
        async with asyncio.timeout(20):
            # Not by wait_for_function, which the page's policy may refuse as it evaluates text there.
            while not await ada.page.evaluate("window.saidSaved"):  # noqa: ASYNC110 - a page wakes nobody
                await asyncio.sleep(0.01)
        await server.kill()

    await asyncio.gather(ada.type(alphabet, 20), ben.type(numbers, 20), kill_while_they_type())
    before = [await waiting_edits(window) for window in both]
    await asyncio.gather(ada.type("more"), ben.type("77"))
    assert [await waiting_edits(window) for window in both] == [before[0] + 4, before[1] + 2]
    said = [str(await window.page.evaluate("window.saidSaved")) for window in both]

    # First where the browsers do not look, so that they cannot bring back what was lost.
    port, server.port = server.port, 0
    await server.start()
    stored = (await server.read(room, "note.txt")).decode()
    await server.stop()
    assert letters(said[0])
    assert letters(stored).startswith(letters(said[0]))
    assert digits(stored).startswith(digits(said[1]))

    server.port = port
    await server.start()
    await asyncio.gather(ada.saved(), ben.saved())
    text = await ada.text()
    assert letters(text) == alphabet + "more"
    assert digits(text) == numbers + "77"
    await ben.shows(text)
    assert await server.read(room, "note.txt") == text.encode()


async def test_a_page_that_is_reloaded_while_the_server_is_away_loses_nothing(
    start_server: StartServer, open_window: OpenWindow, room: str
) -> None:
    server = await start_server()
    ada = await open_window(server, "Ada")
    await ada.create("note.txt")
    await ada.at_end()
    await ada.type("saved ")
    await ada.saved()
    ada.survives_loss = True
    await server.kill()
    await ada.state("offline")
    await ada.type("not yet")
    await waiting_edits(ada)
    # The page itself comes from the server, so it can be loaded again only when that is back.
    await server.start()
    await ada.page.reload()
    await ada.saved()
    await ada.shows("saved not yet")
    assert await server.read(room, "note.txt") == b"saved not yet"


async def test_windows_come_back_after_the_server_was_stopped_in_order_and_started_again(
    start_server: StartServer, open_window: OpenWindow, room: str
) -> None:
    server = await start_server()
    ada, ben = both = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    for window in both:
        window.survives_loss = True
        await window.at_end()
    await ada.type("before ")
    await ben.shows("before ")
    await server.stop()
    await asyncio.gather(ada.state("offline"), ben.state("offline"))
    await ada.type("meanwhile")
    await server.start()
    await asyncio.gather(ada.saved(), ben.saved())
    await ben.shows("before meanwhile")
    await expect(ben.person("Ada")).to_have_count(1)
    await expect(ben.get("person")).to_have_count(1)
