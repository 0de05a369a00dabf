"""People hold the order of the queue in their hands, and say something further to a job that runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER
from tests.e2e.serving import Server
from tests.e2e.window import Window
from tests.fakes.openai_server import Answer, FakeOpenAI

pytestmark = IN_BROWSER

Answers = Callable[[str, Answer], None]
Both = tuple[Window, Window]


def answer(words: str, hold: threading.Event | None = None) -> Answer:
    """Writes the file that all these jobs are about, so that each has to wait for the one before.

    With ``hold``, it stops within the words.
    """
    return Answer(f"line.txt\n````\n{words}\n````\n", hold=hold, piece=4, after=(15 + len(words)) // 4)


async def order(window: Window, *prompts: str) -> None:
    """Waits until the queue has these jobs, in this order."""
    await expect(window.get("queue").locator(".prompt-text")).to_have_text(list(prompts))


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """Lets held answers go on."""
    event = threading.Event()
    yield event
    event.set()


@pytest_asyncio.fixture(loop_scope="session")
async def line(both: Both, server: Server, room: str, answers: Answers, go_on: threading.Event) -> Both:
    """A job runs, and two wait for it, of which Ada asked the second and the third."""
    ada, ben = both
    await server.write(room, "line.txt", "nothing\n")
    await ada.open_file("line.txt")
    # By their order, as later requests tell of earlier ones.
    for words in "one", "two", "three":
        answers(f"in {room}.", answer(words, go_on if words == "one" else None))
    for number in "first", "second", "third":
        await ada.ask(f"write {number} in {room}.")
        await expect(ada.job(f"write {number} in {room}.").first).to_be_visible()
    return ada, ben


async def test_a_job_is_moved_to_the_front_by_keyboard_and_keeps_the_focus(line: Both, room: str) -> None:
    ada, ben = line
    first, second, third = (f"write {number} in {room}." for number in ("first", "second", "third"))
    for window in line:
        await order(window, first, second, third)
    await expect(ben.job(third).get_by_test_id("job-place")).to_contain_text("Number 2 in the queue")
    await ada.job(third).get_by_test_id("job-priority").focus()
    await ada.page.keyboard.press("Alt+ArrowUp")
    for window in line:
        await order(window, first, third, second)
    await expect(ben.job(third).get_by_test_id("job-place")).to_contain_text("Next in the queue")
    await expect(ada.job(third).get_by_test_id("job-priority")).to_be_focused()
    # By its urgency too.
    await ben.job(second).get_by_test_id("job-priority").select_option("high")
    for window in line:
        await order(window, first, second, third)


async def test_a_paused_job_waits_until_it_is_resumed(
    line: Both, server: Server, room: str, go_on: threading.Event
) -> None:
    ada, ben = line
    first, second, third = (f"write {number} in {room}." for number in ("first", "second", "third"))
    await ben.act(second, "pause")
    await ada.job_is(second, "paused")
    await order(ada, first, third, second)
    go_on.set()
    await ben.job_is(third, "complete")
    assert await server.read(room, "line.txt") == b"two\n"
    await order(ada, second)
    await ada.act(second, "resume")
    await ben.job_is(second, "complete")
    await expect(ben.get("queue")).to_have_count(0)
    assert await server.read(room, "line.txt") == b"three\n"


async def test_a_job_that_runs_is_told_something_further(
    both: Both, room: str, answers: Answers, model: FakeOpenAI, go_on: threading.Event
) -> None:
    ada, ben = both
    asked = f"write a note in {room}."
    answers(asked, answer("held\nback", go_on))
    answers(asked, answer("as it was said"))
    await ada.ask(asked)
    await ben.job_is(asked, "generating")
    await expect(ben.job(asked).get_by_test_id("job-stream")).to_be_visible()
    await ben.act(asked, "steer")
    await ben.get("steer-text").fill("in <i>small</i> letters")
    await ben.page.keyboard.press("Enter")
    await ada.job_is(asked, "complete")
    await expect(ada.job(asked)).to_contain_text("in <i>small</i> letters")
    await expect(ben.get("steer-text")).to_have_count(0)
    assert "in <i>small</i> letters" in str(model.script.requests[-1]["messages"])
    await ada.open_file("line.txt")
    await ada.shows("as it was said\n")
