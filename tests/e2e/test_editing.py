"""Two people in one room."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.window import Window, all_show

pytestmark = IN_BROWSER

Both = tuple[Window, Window]


async def test_a_file_that_one_creates_is_seen_renamed_and_deleted_by_both(
    both: Both, server: Server, room: str
) -> None:
    ada, ben = both
    await ada.create("src/plan.txt")
    await ben.open_file("src/plan.txt")
    await ben.rename("src/plan.txt", "docs/plan.txt")
    await ada.shows_file("docs/plan.txt")
    await expect(ada.file("src/plan.txt")).to_have_count(0)
    await ada.saved()
    assert await server.paths(room) == ["docs/plan.txt"]
    await ada.delete("docs/plan.txt")
    await expect(ben.file("docs/plan.txt")).to_have_count(0)
    await expect(ben.get("notice")).to_contain_text("deleted")
    await ada.saved()
    assert await server.paths(room) == []


async def test_what_two_type_at_one_time_in_two_places_stands_in_both_windows(
    both: Both, server: Server, room: str
) -> None:
    ada, ben = both
    await server.write(room, "poem.txt", "first:\n\nlast:")
    await asyncio.gather(ada.open_file("poem.txt"), ben.open_file("poem.txt"))
    await asyncio.gather(ada.at_line(1), ben.at_end())
    above, below = " the quick brown fox\njumps over", " pack my box\nwith five dozen"
    await asyncio.gather(ada.type(above), ben.type(below))
    text = f"first:{above}\n\nlast:{below}"
    await all_show(both, text)
    await asyncio.gather(ada.saved(), ben.saved())
    assert await server.read(room, "poem.txt") == text.encode()


async def test_what_two_type_at_one_time_in_one_place_is_kept_whole(both: Both) -> None:
    ada, ben = both
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    await asyncio.gather(ada.at_end(), ben.at_end())
    letters, digits = "abcdefghijklmnopqrstuvwxyz", "01234567890123456789"
    await asyncio.gather(ada.type(letters), ben.type(digits))
    await asyncio.gather(ada.saved(), ben.saved())
    text = await ada.text()
    assert "".join(filter(str.isalpha, text)) == letters
    assert "".join(filter(str.isdigit, text)) == digits
    await ben.shows(text)


async def test_undo_takes_back_only_what_the_person_typed(both: Both) -> None:
    ada, ben = both
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    await ada.at_end()
    await ada.type("mine ")
    await ben.shows("mine ")
    await ben.at_end()
    await ben.type("yours")
    await all_show(both, "mine yours")
    # Who types slowly, as on a busy machine, has several steps to undo.
    steps = 0
    while await ada.text() != "yours":
        assert steps < len("mine ")
        await ada.page.keyboard.press("Control+z")
        steps += 1
    await all_show(both, "yours")
    for _ in range(steps):
        await ada.page.keyboard.press("Control+Shift+Z")
    await all_show(both, "mine yours")


async def test_cursor_and_selection_of_the_other_are_seen_with_the_name(both: Both) -> None:
    ada, ben = both
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    await ada.at_end()
    await ada.type("one two three")
    await expect(ben.cursor_of("Ada")).to_be_visible()
    await ada.page.keyboard.press("Shift+Control+ArrowLeft")
    await expect(ben.page.locator(".cm-remote-selection")).to_have_text("three")
    name = await ben.cursor_of("Ada").evaluate("(name) => getComputedStyle(name, '::after').content")
    assert "Ada" in name
    await expect(ben.person("Ada")).to_contain_text("note.txt")


async def test_a_new_name_is_seen_at_once_and_kept_over_a_reload(both: Both) -> None:
    ada, ben = both
    await ada.get("name-input").fill("Countess")
    await ada.page.keyboard.press("Enter")
    await expect(ben.person("Countess")).to_be_visible()
    await ada.page.reload()
    await ada.saved()
    await expect(ada.get("name-input")).to_have_value("Countess")
    await expect(ben.person("Countess")).to_have_count(1)
    await expect(ben.get("person")).to_have_count(1)


async def test_who_closes_the_window_is_gone_for_the_others(server: Server, open_window: OpenWindow) -> None:
    ada, ben = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await ada.create("note.txt")
    await ben.open_file("note.txt")
    await ben.at_end()
    await ben.type("x")
    await expect(ada.cursor_of("Ben")).to_be_visible()
    await ben.page.close()
    await expect(ada.person("Ben")).to_have_count(0, timeout=5_000)
    await expect(ada.cursor_of("Ben")).to_have_count(0)
