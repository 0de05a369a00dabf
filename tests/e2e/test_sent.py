"""People find what is in the project, and see what a model was sent of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server
from tests.e2e.test_narrow_and_keyboard import fits
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Answers = Callable[[str, Answer], None]
CLIENT = "import time\n\n\ndef retry_request(url):\n    time.sleep(1)\n    return url\n"
RULE = "Never sleep without a <b>reason</b>."


async def test_each_piece_that_was_sent_is_seen_with_its_reason_and_word_for_word(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    answers("explain retry_request", Answer("notes.md\n````\nIt waits.\n````\n"))
    await server.write(room, "src/client.py", CLIENT)
    await server.write(room, "AGENTS.md", RULE)
    ada = await open_window(server, "Ada")
    await ada.open_file("src/client.py")
    await ada.ask("explain retry_request")
    await ada.job_is("explain retry_request", "complete")
    job = ada.job("explain retry_request")
    await job.get_by_test_id("job-details").locator("> summary").click()
    await job.get_by_test_id("job-sent").click()
    await expect(ada.get("piece", kind="file", name="src/client.py")).to_contain_text("tokens")
    await expect(ada.get("piece", kind="project_rules")).to_contain_text("AGENTS.md")
    await ada.get("sent-words").click()
    message = ada.get("sent-message").filter(has_text="time.sleep(1)")
    await expect(message).to_be_visible()
    # Shown as text, whatever is in it.
    await expect(ada.get("sent-message").filter(has_text=RULE)).to_have_count(1)
    await ada.page.set_viewport_size({"width": 390, "height": 844})
    assert await fits(ada)
    await ada.page.keyboard.press("Escape")
    await expect(ada.get("sent")).to_have_count(0)
    await ada.shows(CLIENT)


async def test_a_line_of_the_project_is_found_and_opened_with_the_keyboard(
    server: Server, open_window: OpenWindow, room: str
) -> None:
    await server.write(room, "src/client.py", CLIENT)
    await server.write(room, "readme.md", "<b>Nothing</b> about it\n")
    ada = await open_window(server, "Ada")
    await ada.open_file("readme.md")
    await ada.page.keyboard.press("Alt+Shift+F")
    await expect(ada.get("search")).to_be_focused()
    await ada.type("retry request")
    hit = ada.get("search-hit", path="src/client.py", line="4")
    await expect(hit).to_contain_text("def retry_request(url):")
    await expect(hit).to_have_attribute("aria-selected", "true")
    await ada.page.keyboard.press("Enter")
    await ada.shows_file("src/client.py")
    await expect(ada.page.locator(".cm-content")).to_be_focused()
    await ada.type("# found\n")
    await ada.shows(CLIENT.replace("def", "# found\ndef"))
    await ada.page.keyboard.press("Alt+Shift+F")
    await expect(hit).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.file("readme.md")).to_be_visible()


async def test_a_question_that_nothing_answers_says_so(server: Server, open_window: OpenWindow, room: str) -> None:
    await server.write(room, "a.txt", "something\n")
    ada = await open_window(server, "Ada")
    await ada.get("search").fill("zyxwvut")
    await expect(ada.get("search-found")).to_contain_text("Nothing was found.")
    await expect(ada.get("search-hit")).to_have_count(0)
