"""The main flow on a phone, and without a mouse."""

from __future__ import annotations

from collections.abc import Callable

from playwright.async_api import Locator, expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.window import Window
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Answers = Callable[[str, Answer], None]


async def tab_to(window: Window, wanted: Locator, key: str = "Tab") -> None:
    """Presses Tab until this has the focus.

    In the editor Tab indents; for two seconds after Escape it leaves.
    """
    for _ in range(60):
        if await wanted.evaluate_all("(found) => found.includes(document.activeElement)"):
            return
        if await window.page.evaluate("document.activeElement.matches('.cm-content')"):
            await window.page.keyboard.press("Escape")
        await window.page.keyboard.press(key)
    raise AssertionError(f"60 times Tab did not reach {wanted}")


async def fits(window: Window) -> bool:
    """Whether the page is not wider than the window."""
    return bool(await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_the_main_flow_by_touch_at_390_pixels_in_the_dark(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    answers("greet on a phone", Answer("hello.txt\n````\nhello from the job\n````\n"))
    ben = await open_window(server, "Ben")
    ada = await open_window(
        server,
        "Ada",
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        color_scheme="dark",
    )
    dark = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((part) => part < 80)"
    assert await ada.page.evaluate(dark)
    await ada.get("tab-files").tap()
    assert await fits(ada)
    await ada.get("new-file").tap()
    await ada.get("new-file-path").fill("note.txt")
    await ada.page.keyboard.press("Enter")
    await ada.shows_file("note.txt")
    assert await fits(ada)
    await ada.page.locator(".cm-content").tap()
    await ada.type("typed on a phone")
    await ben.open_file("note.txt")
    await ben.shows("typed on a phone")
    await ben.at_end()
    await ben.type(" and a desk")
    await ada.shows("typed on a phone and a desk")
    await expect(ada.cursor_of("Ben")).to_be_visible()

    await ada.get("tab-ai").tap()
    assert await fits(ada)
    await ada.get("prompt").fill("greet on a phone")
    await ada.get("ask").tap()
    await ada.job_is("greet on a phone", "complete")
    await ada.get("tab-files").tap()
    await ada.file("hello.txt").tap()
    await ada.shows("hello from the job\n")
    await ada.get("tab-ai").tap()
    await ada.get("job-undo").tap()
    await expect(ben.file("hello.txt")).to_have_count(0)
    await ada.get("tab-people").tap()
    await expect(ada.person("Ben")).to_be_visible()
    assert await fits(ada)
    await ada.saved()


async def test_the_main_flow_with_the_keyboard_only(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    answers("greet by keyboard", Answer("hello.txt\n````\nhello from the job\n````\n"))
    ada = await open_window(server, "Ada")
    press = ada.page.keyboard.press
    await tab_to(ada, ada.get("new-file"))
    await press("Enter")
    await expect(ada.get("new-file-path")).to_be_focused()
    await ada.type("note.txt")
    await press("Enter")
    await ada.shows_file("note.txt")
    await tab_to(ada, ada.page.locator(".cm-content"))
    await ada.type("typed")
    await ada.shows("typed")
    await tab_to(ada, ada.get("prompt"))
    await ada.type("greet by keyboard")
    await press("Control+Enter")
    await ada.job_is("greet by keyboard", "complete")
    await expect(ada.file("hello.txt")).to_be_visible()

    await tab_to(ada, ada.page.locator("[role=treeitem][tabindex='0']"), "Shift+Tab")
    await press("ArrowUp")
    await press("Enter")
    await ada.shows_file("hello.txt")
    await tab_to(ada, ada.page.locator("[role=treeitem][tabindex='0']"), "Shift+Tab")
    await press("F2")
    await expect(ada.get("rename-path")).to_be_focused()
    await press("Control+a")
    await ada.type("greeting.txt")
    await press("Enter")
    await ada.shows_file("greeting.txt")

    await tab_to(ada, ada.page.locator(".cm-content"))
    await tab_to(ada, ada.get("job-undo"))
    await press("Enter")
    await expect(ada.file("greeting.txt")).to_have_count(0)
    await ada.open_file("note.txt")
    await ada.page.locator(".cm-content").focus()
    await press("Control+z")
    await ada.shows("")
