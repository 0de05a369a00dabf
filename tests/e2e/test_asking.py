"""People say how a job is to be done, and see why it was done so and what it took."""

from __future__ import annotations

import threading
from collections.abc import Callable

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.line import Line
from tests.e2e.serving import Server
from tests.e2e.window import Window
from tests.fakes.openai_server import Answer, FakeOpenAI

pytestmark = IN_BROWSER

Answers = Callable[[str, Answer], None]
NOTE = "note.txt\n````\nwritten by the job\n````\n"


async def facts(window: Window, prompt: str) -> str:
    """Opens the details of a job; what they say."""
    details = window.job(prompt).get_by_test_id("job-details")
    await details.locator("> summary").click()
    return await details.get_by_test_id("job-facts").inner_text()


async def test_strategy_model_and_priority_are_asked_for_and_shown_with_the_job(
    server: Server, open_window: OpenWindow, answers: Answers, model: FakeOpenAI
) -> None:
    answers("note how it was asked", Answer(NOTE))
    ada = await open_window(server, "Ada")
    ben = await open_window(server, "Ben")
    await ada.get("strategy").select_option("full")
    await expect(ada.page.locator("datalist option[value=loom-1]")).to_have_count(1)
    await ada.get("wanted-model").fill("loom-large")
    await ada.get("priority").select_option("high")
    await ada.ask("note how it was asked")
    await ben.job_is("note how it was asked", "complete")
    told = await facts(ben, "note how it was asked")
    for words in "loom-large", "Full", "high":
        assert words in told
    assert model.script.requests[-1]["model"] == "loom-large"
    # Urgent is said for each job anew, the rest is kept for the next one.
    await expect(ada.get("priority")).to_have_value("normal")
    await expect(ada.get("strategy")).to_have_value("full")


async def test_what_is_written_while_the_server_has_not_answered_yet_stays(
    server: Server, open_window: OpenWindow, answers: Answers
) -> None:
    go_on = threading.Event()
    for _ in "asked", "steered":
        answers("note for a slow line", Answer(NOTE, hold=go_on))
    line = Line()
    ada = await open_window(server, "Ada", line)
    line.hold()
    await ada.ask("note for a slow line")
    await expect(ada.get("ask")).to_have_text("Asking…")
    await ada.get("prompt").fill("the next thing")
    line.release()
    await expect(ada.get("ask")).to_have_text("Ask")
    await expect(ada.get("prompt")).to_have_value("the next thing")
    # The same where a job is told something further.
    await ada.act("note for a slow line", "steer")
    line.hold()
    await ada.get("steer-text").fill("in small letters")
    await ada.get("steer-send").click()
    await expect(ada.get("steer-send")).to_have_text("Saying…")
    await ada.get("steer-text").fill("and in one line")
    line.release()
    await expect(ada.get("steer-send")).to_have_text("Say")
    await expect(ada.get("steer-text")).to_have_value("and in one line")
    # Nor is it lost when the job ends before it is said.
    go_on.set()
    await ada.job_is("note for a slow line", "complete")
    await expect(ada.get("notice")).to_contain_text("Not said to the job: and in one line")


async def test_a_job_that_runs_is_in_the_queue_and_leaves_it(
    server: Server, open_window: OpenWindow, answers: Answers
) -> None:
    go_on = threading.Event()
    answers("note slowly", Answer(NOTE, hold=go_on))
    ada = await open_window(server, "Ada")
    await ada.ask("note slowly")
    queued = ada.get("queue").get_by_test_id("job").filter(has_text="note slowly")
    await expect(queued).to_have_attribute("data-state", "generating")
    go_on.set()
    await ada.job_is("note slowly", "complete")
    await expect(ada.get("queue")).to_have_count(0)


async def test_the_rules_of_a_room_are_kept_for_all_and_sent_with_each_job(
    server: Server, open_window: OpenWindow, answers: Answers, model: FakeOpenAI
) -> None:
    answers("note by the rules", Answer(NOTE))
    rule = "Write <b>every</b> note in small letters."
    ada = await open_window(server, "Ada")
    ben = await open_window(server, "Ben")
    await ada.get("rules").locator("> summary").click()
    await ada.get("rules-text").fill(rule)
    await ada.get("rules-keep").click()
    await expect(ben.get("rules")).to_contain_text(rule)
    await ben.ask("note by the rules")
    await ben.job_is("note by the rules", "complete")
    assert rule in str(model.script.requests[-1]["messages"])
