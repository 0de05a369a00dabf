"""The room's history: kept under a name, compared, and brought back, for everybody."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.e2e.colliding import Answers, hunk
from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.line import Line
from tests.e2e.serving import Server
from tests.e2e.window import Window, all_show
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Both = tuple[Window, Window]


async def keep(window: Window, name: str) -> None:
    """Keeps the room as it is under a name, in the panel that is open."""
    await window.get("version-name").fill(name)
    await window.get("version-save").click()
    await expect(window.get("version").filter(has_text=name)).to_be_visible()


async def start(both: Both, server: Server, room: str) -> None:
    await server.write(room, "note.txt", "first\nsecond\n")
    await server.write(room, "other.txt", "untouched\n")
    await asyncio.gather(*(window.open_file("note.txt") for window in both))


async def test_a_version_is_kept_looked_at_compared_and_a_file_brought_back(
    both: Both, server: Server, room: str
) -> None:
    ada, ben = both
    await start(both, server, room)
    await ben.get("history-toggle").click()
    await ada.get("history-toggle").click()
    await keep(ada, "before the change")
    # Ben's list has it at once.
    await expect(ben.get("version").filter(has_text="before the change")).to_contain_text("Ada")
    await ben.get("history-close").click()
    await ben.shows_file("note.txt")
    await ben.at_line(2)
    await ben.type(" and more")
    change = ada.get("version-change", path="note.txt")
    await expect(change.locator(".diff-removed")).to_contain_text("second")
    await expect(change.locator(".diff-added")).to_contain_text("second and more")
    await expect(ada.get("version-change")).to_have_count(1)

    await ada.get("show-files").click()
    await ada.get("file-then", path="note.txt").click()
    await expect(ada.get("text-then").locator(".cm-line")).to_have_text(["first", "second", ""])
    await ada.get("restore-file-then").click()
    await expect(ada.get("confirm")).to_contain_text("before the change")
    await ada.get("confirm-yes").click()
    await ben.shows("first\nsecond\n")

    # It is a change like any other: shown apart from the AI's jobs, and undone by anybody.
    restore = ben.page.get_by_role("region", name="Other changes").get_by_test_id("job").first
    await expect(restore).to_contain_text("Restore")
    await expect(restore).to_contain_text("Ada")
    await restore.get_by_test_id("job-undo").click()
    await ben.shows("first\nsecond and more\n")
    await restore.get_by_test_id("job-redo").click()
    await ben.shows("first\nsecond\n")


async def test_a_name_that_is_written_while_another_is_being_kept_stays(
    server: Server, open_window: OpenWindow
) -> None:
    line = Line()
    ada = await open_window(server, "Ada", line)
    await ada.get("history-toggle").click()
    line.hold()
    await ada.get("version-name").fill("the first")
    await ada.get("version-save").click()
    await ada.get("version-name").fill("the second")
    line.release()
    await expect(ada.get("version").filter(has_text="the first")).to_be_visible()
    await expect(ada.get("version-name")).to_have_value("the second")


async def test_a_jobs_versions_are_compared_and_the_whole_room_brought_back_by_keys(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    answers("make history", Answer(f"note.txt\n{hunk('first', 'FIRST')}\nmade.txt\n````\nmade\n````\n"))
    await start(both, server, room)
    await ada.ask("make history")
    await ben.job_is("make history", "complete")
    await ada.page.keyboard.press("Alt+Shift+H")
    slider = ada.get("history-slider")
    await expect(slider).to_be_focused()
    before = ada.get("version", cause="job_started")
    await expect(before).to_contain_text("Before “make history”")
    await expect(ada.get("version", cause="job_ended")).to_contain_text("After “make history”")
    await ada.page.keyboard.press("ArrowLeft")
    await expect(before).to_have_attribute("aria-current", "true")
    await expect(ada.get("version-change")).to_have_count(2)

    after = await ada.get("version", cause="job_ended").get_attribute("data-version")
    await ada.get("compare-with").select_option(after)
    await expect(ada.get("version-change", path="made.txt")).to_contain_text("New")
    await ada.get("restore-all").focus()
    await ada.page.keyboard.press("Enter")
    await expect(ada.get("confirm-yes")).to_be_focused()
    await ada.page.keyboard.press("Enter")
    await expect(ben.file("made.txt")).to_have_count(0)
    await ben.shows("first\nsecond\n")
    await expect(ada.get("notice")).to_contain_text("Brought back")
    await slider.focus()
    await ada.page.keyboard.press("Escape")
    await all_show(both, "first\nsecond\n")


async def test_who_comes_back_is_told_what_happened(server: Server, open_window: OpenWindow, room: str) -> None:
    ada, ben = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await start((ada, ben), server, room)
    await expect(ada.get("activity")).to_have_count(0)
    await ada.page.goto(f"{server.address}/health/live")
    await expect(ben.person("Ada")).to_have_count(0)
    await ben.at_line(1)
    # Who wrote what is known to the second, so this takes longer than one.
    await ben.type(" while you were away", delay=70)
    await ben.saved()
    await ada.page.goto(server.room(room))
    await expect(ada.get("activity")).to_contain_text("1 file changed by Ben")
    await ada.get("activity-show").click()
    await expect(ada.get("history")).to_be_visible()
    await expect(ada.get("activity")).to_have_count(0)


async def test_the_history_fits_a_phone(server: Server, open_window: OpenWindow, room: str) -> None:
    ben = await open_window(server, "Ben")
    await server.write(room, "note.txt", "first\n")
    phone = await open_window(
        server, "Eve", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    await phone.get("history-toggle").tap()
    await keep(phone, "kept on a phone")
    await ben.open_file("note.txt")
    await ben.at_line(1)
    await ben.type(" line")
    await expect(phone.get("version-change", path="note.txt")).to_contain_text("first line")
    assert await phone.page.evaluate("document.body.scrollWidth <= innerWidth")
    await phone.get("restore-file").tap()
    await phone.get("confirm-yes").tap()
    await ben.shows("first\n")
