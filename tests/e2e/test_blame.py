"""Who wrote what, in the margin."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from tests.e2e.colliding import Answers, hunk
from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.window import Window
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Both = tuple[Window, Window]

WRITTEN = "from ada\nfrom ben\nfrom the job\n"


def marks(window: Window) -> Locator:
    return window.get("blame-mark")


async def write_together(both: Both, answers: Answers, prompt: str) -> None:
    """Ada writes a line, Ben another, and a job of Ben's a third."""
    ada, ben = both
    answers(prompt, Answer(f"note.txt\n{hunk('to do', 'from the job')}"))
    await ada.create("note.txt")
    await ada.at_end()
    await ada.type("from ada\n")
    await ben.open_file("note.txt")
    await ben.shows("from ada\n")
    await ben.at_end()
    await ben.type("from ben\nto do\n")
    await ben.saved()
    await ben.ask(prompt)
    await asyncio.gather(*(window.job_is(prompt, "complete") for window in both))


async def test_the_margin_says_who_wrote_each_line_to_both_and_follows_what_is_typed(
    both: Both, answers: Answers
) -> None:
    ada, ben = both
    await write_together(both, answers, "fill in for the margin")
    await ada.get("blame-toggle").click()
    await ben.page.locator(".cm-content").focus()
    await ben.page.keyboard.press("Alt+Shift+B")
    for window in both:
        await expect(marks(window)).to_have_text(["Ada", "Ben", "AI · Ben"])
    await marks(ada).nth(2).hover()
    tip = ada.get("blame-tip")
    await expect(tip).to_contain_text("AI job asked by Ben")
    await expect(tip).to_contain_text("loom-1")
    await expect(tip).to_contain_text("fill in for the margin")

    await ada.at_line(2)
    await ada.type("\nfrom ada again")
    # At once, what stood there is where it was; a second later the new line has its author.
    for window in both:
        await expect(marks(window)).to_have_text(["Ada", "Ben", "Ada", "AI · Ben"])

    await ben.page.keyboard.press("Alt+Shift+B")
    await expect(marks(ben)).to_have_count(0)
    await expect(marks(ada)).to_have_count(4)


async def test_the_margin_is_read_with_the_keyboard_only(both: Both, answers: Answers) -> None:
    ada, _ = both
    await write_together(both, answers, "fill in for the keyboard")
    await ada.page.locator(".cm-content").focus()
    await ada.page.keyboard.press("Alt+Shift+B")
    line = ada.get("blame-line")
    await ada.page.keyboard.press("Control+Home")
    await expect(line).to_contain_text("Ada")
    await ada.page.keyboard.press("ArrowDown")
    await expect(line).to_contain_text("Ben")
    await ada.page.keyboard.press("ArrowDown")
    await expect(line).to_contain_text("AI job asked by Ben · loom-1 · “fill in for the keyboard”")


async def test_the_margin_on_a_phone_leaves_room_for_the_text(
    server: Server, open_window: OpenWindow, answers: Answers
) -> None:
    ada, ben = await open_window(server, "Ada"), await open_window(server, "Ben")
    await write_together((ada, ben), answers, "fill in for a phone")
    phone = await open_window(
        server, "Eve", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    await phone.shows_file("note.txt")
    await phone.get("blame-toggle").tap()
    await expect(marks(phone)).to_have_count(3)
    box = await phone.page.locator(".cm-line").first.bounding_box()
    assert box is not None
    assert box["width"] > 250
    await phone.page.locator(".cm-line").nth(1).tap()
    await expect(phone.get("blame-line")).to_contain_text("Ben")
