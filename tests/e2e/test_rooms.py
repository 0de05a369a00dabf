"""Rooms with odd names, large files, and one person with two tabs."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.window import LINES, Window, all_show

pytestmark = IN_BROWSER

Both = tuple[Window, Window]


async def test_the_bare_address_opens_the_default_room(server: Server, open_window: OpenWindow) -> None:
    ada = await open_window(server, "Ada")
    await ada.open(server.address)
    assert ada.page.url == server.room("main")


@pytest.mark.parametrize("room", ["team/garden", "caf%C3%A9%20%F0%9F%99%82"])
async def test_a_room_may_have_an_odd_name(server: Server, open_window: OpenWindow) -> None:
    ada, ben = both = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await ada.create("note.txt")
    await ada.at_end()
    await ada.type("hello")
    await ada.saved()
    await ben.open_file("note.txt")
    await all_show(both, "hello")
    await ben.get("import-input").set_input_files({"name": "b.txt", "mimeType": "text/plain", "buffer": b"b"})
    await expect(ben.get("import-summary")).to_contain_text("1 created")
    await expect(ada.file("b.txt")).to_be_visible()
    async with ada.page.expect_download() as download:
        await ada.get("export").click()
    assert (await download.value).suggested_filename.endswith(".zip")


async def test_two_tabs_of_one_browser_are_two_people_with_one_name(both: Both, server: Server, room: str) -> None:
    ada, ben = both
    tab = Window(await ada.page.context.new_page(), "Ada")
    await tab.open(server.room(room))
    await ada.create("note.txt")
    await tab.open_file("note.txt")
    await ben.open_file("note.txt")
    await asyncio.gather(ada.at_end(), tab.at_end())
    await asyncio.gather(ada.type("abc"), tab.type("123"))
    await asyncio.gather(ada.saved(), tab.saved())
    text = await ada.text()
    assert sorted(text) == sorted("abc123")
    await all_show([tab, ben], text)
    await expect(ben.person("Ada")).to_have_count(2)
    await tab.page.close()
    await expect(ben.person("Ada")).to_have_count(1)
    await expect(ben.cursor_of("Ada")).to_have_count(1)
    assert tab.troubles == []


async def test_a_file_of_ten_thousand_lines_is_edited_at_both_ends(both: Both, server: Server, room: str) -> None:
    ada, ben = both
    lines = "".join(f"line {number} of a long file\n" for number in range(10_000))
    await server.write(room, "long.txt", lines)
    await asyncio.gather(ada.open_file("long.txt"), ben.open_file("long.txt"))
    await ben.at_end()
    await expect(ben.page.locator(LINES).last).to_have_text("")
    await ada.at_line(1)
    await asyncio.gather(ada.type(" top"), ben.type("bottom"))
    await asyncio.gather(ada.saved(), ben.saved())
    stored = (await server.read(room, "long.txt")).decode()
    assert stored == lines.replace("file\n", "file top\n", 1) + "bottom"
    await ada.at_end()
    await ada.shows_part("bottom")
