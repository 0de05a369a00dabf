"""An AI job writes into the file in which two people type."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest
from playwright.async_api import expect

from tests.e2e.colliding import OURS, THEIRS, Answers, collide
from tests.e2e.conftest import IN_BROWSER, OpenWindow, StartServer
from tests.e2e.serving import Server
from tests.e2e.window import Window, all_show
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Both = tuple[Window, Window]

BEFORE = "top\n\narea:\ntodo\n\nbottom"
WRITTEN = "area:\nwidth times height\nin square metres\nnever below zero\n"
ANSWER = f"area.txt\n<<<<<<< SEARCH\narea:\ntodo\n=======\n{WRITTEN}>>>>>>> REPLACE\n"
MIDDLE = ANSWER.index("in square") // 12 + 1
"""Chunks of the answer after which the job stands in the middle of what it writes."""


@pytest.fixture
def go_on() -> threading.Event:
    """Lets a held answer go on."""
    return threading.Event()


async def begin(both: Both, server: Server, room: str) -> None:
    await server.write(room, "area.txt", BEFORE)
    await asyncio.gather(*(window.open_file("area.txt") for window in both))


async def test_a_job_streams_beside_two_people_and_is_undone_and_redone_alone(
    both: Both, server: Server, room: str, answers: Answers, go_on: threading.Event
) -> None:
    ada, ben = both
    answers("explain the area", Answer(ANSWER, hold=go_on, after=MIDDLE, delay=0.03))
    await begin(both, server, room)
    await asyncio.gather(ada.at_line(1), ben.at_end())
    await ada.ask("explain the area")

    # The job stands in the middle: all see its stage, its cursor and name, and what it wrote so far.
    for window in both:
        await window.job_is("explain the area", "generating")
        job = window.job("explain the area")
        await expect(job).to_contain_text("Asked by Ada")
        await expect(job).to_contain_text("loom-1")
        await expect(job.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"^[1-9]\d?$"))
        await expect(job.get_by_test_id("job-stream")).to_contain_text("width times")
        await window.shows_part("width times height")
        writer = window.page.locator("[data-testid=person][data-kind=job]")
        name = await writer.get_attribute("data-name")
        assert name is not None
        await expect(window.cursor_of(name)).to_be_visible()

    await ada.at_line(1)
    await ben.at_end()
    await asyncio.gather(ada.type(" by Ada"), ben.type(" by Ben"))
    go_on.set()
    await asyncio.gather(ada.type(", still typing"), ben.type(", still typing"))
    for window in both:
        await window.job_is("explain the area", "complete")
        await expect(window.page.locator("[data-testid=person][data-kind=job]")).to_have_count(0)

    def text(middle: str) -> str:
        return f"top by Ada, still typing\n\n{middle}\nbottom by Ben, still typing"

    await all_show(both, text(WRITTEN))
    await ben.act("explain the area", "undo")
    await all_show(both, text("area:\ntodo\n"))
    await expect(ada.job("explain the area")).to_contain_text("undone")
    await ada.act("explain the area", "redo")
    await all_show(both, text(WRITTEN))
    await ada.saved()
    assert await server.read(room, "area.txt") == text(WRITTEN).encode()


async def test_a_job_that_is_cancelled_in_mid_stream_leaves_the_file_as_people_have_it(
    both: Both, server: Server, room: str, answers: Answers, go_on: threading.Event
) -> None:
    ada, ben = both
    answers("cancel the area", Answer(ANSWER, hold=go_on, after=MIDDLE))
    await begin(both, server, room)
    await ada.ask("cancel the area")
    await ben.shows_part("width times height")
    await ben.at_line(1)
    await ben.type(" of all")
    await ben.act("cancel the area", "cancel")
    for window in both:
        await window.job_is("cancel the area", "cancelled")
        await expect(window.page.locator("[data-testid=person][data-kind=job]")).to_have_count(0)
    await all_show(both, BEFORE.replace("top", "top of all"))


async def test_typing_into_a_line_that_a_job_leaves_beside_those_that_it_rewrites_is_merged(
    both: Both, server: Server, room: str, answers: Answers, go_on: threading.Event
) -> None:
    ada, ben = both
    answers("merge the area", Answer(ANSWER, hold=go_on, after=MIDDLE))
    await begin(both, server, room)
    await ada.ask("merge the area")
    await ben.shows_part("width times height")
    await ben.at_line(3)
    await ben.type(" of a field")
    go_on.set()
    await ada.job_is("merge the area", "complete")
    await all_show(both, BEFORE.replace("area:\ntodo\n", WRITTEN.replace("area:", "area: of a field")))


async def test_typing_into_the_lines_that_a_job_rewrites_makes_a_suggestion(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await collide(both, server, room, answers, "rewrite the area")
    for window in both:
        await expect(window.get("suggestion", state="open")).to_contain_text("area.txt")
        await expect(window.get("inline-suggestion")).to_be_visible()
        await window.shows(OURS)
    await ben.get("inline-accept").click()
    await all_show(both, THEIRS)
    await expect(ada.get("suggestion", state="accepted")).to_contain_text("by Ben")
    await ada.job_is("rewrite the area", "complete")


async def test_a_rejected_suggestion_changes_nothing(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await collide(both, server, room, answers, "refuse the area")
    await ada.get("suggestion-reject").click()
    await expect(ben.get("suggestion", state="rejected")).to_contain_text("by Ada")
    await expect(ben.get("inline-suggestion")).to_have_count(0)
    await all_show(both, OURS)


async def test_review_first_offers_every_change(both: Both, server: Server, room: str, answers: Answers) -> None:
    ada, ben = both
    answers("review the area", Answer(ANSWER))
    await begin(both, server, room)
    await ada.get("mode-review").click()
    await ada.ask("review the area")
    await ben.job_is("review the area", "needs_review")
    await all_show(both, BEFORE)
    await ben.get("suggestion-accept").click()
    await all_show(both, BEFORE.replace("area:\ntodo\n", WRITTEN))
    await ada.act("review the area", "undo")
    await all_show(both, BEFORE)


async def test_a_model_that_fails_says_so_and_the_file_stays(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    answers("fail the area", Answer(scenario="unauthorized"))
    await begin(both, server, room)
    await ada.ask("fail the area")
    await ben.job_is("fail the area", "failed")
    await expect(ben.job("fail the area").locator(".error")).to_contain_text("key")
    await all_show(both, BEFORE)


async def test_a_job_that_a_kill_interrupted_is_retried(
    start_server: StartServer,
    open_window: OpenWindow,
    with_model: dict[str, str],
    room: str,
    answers: Answers,
    go_on: threading.Event,
) -> None:
    poem = "roses are red\nviolets are blue\nrooms are for more\nthan one or two\n"
    whole = f"poem.txt\n````\n{poem}````\n"
    answers("write a poem", Answer(whole, hold=go_on, after=4))
    answers("write a poem", Answer(whole))
    server = await start_server(**with_model)
    ada, ben = both = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    for window in both:
        window.survives_loss = True
    await ada.create("note.txt")
    await ada.ask("write a poem")
    await ben.open_file("poem.txt")
    await ben.shows_part("roses")
    await server.kill()
    await ada.state("offline")
    await server.start()
    for window in both:
        await window.saved()
        await window.job_is("write a poem", "interrupted")
        await expect(window.job("write a poem")).to_contain_text("The server stopped")
        await expect(window.page.locator("[data-testid=person][data-kind=job]")).to_have_count(0)
    await ben.act("write a poem", "retry")
    for window in both:
        await window.job_is("write a poem", "complete")
    await ada.open_file("poem.txt")
    await all_show(both, poem)
    await ada.act("write a poem", "undo")
    await expect(ben.file("poem.txt")).to_have_count(0)
    await expect(ben.file("note.txt")).to_have_count(1)


async def test_what_an_interrupted_job_had_written_is_undone_alone(
    start_server: StartServer,
    open_window: OpenWindow,
    with_model: dict[str, str],
    room: str,
    answers: Answers,
    go_on: threading.Event,
) -> None:
    answers("break the area", Answer(ANSWER, hold=go_on, after=MIDDLE))
    server = await start_server(**with_model)
    ada = await open_window(server, "Ada")
    ada.survives_loss = True
    await server.write(room, "area.txt", BEFORE)
    await ada.open_file("area.txt")
    await ada.ask("break the area")
    await ada.shows_part("width times height")
    await ada.at_line(1)
    await ada.type(" of all")
    await ada.saved()
    await server.kill()
    await ada.state("offline")
    await ada.type(" people")
    await server.start()
    await ada.saved()
    await ada.job_is("break the area", "interrupted")
    await ada.act("break the area", "undo")
    await ada.shows(BEFORE.replace("top", "top of all people"))
