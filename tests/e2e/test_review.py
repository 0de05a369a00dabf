"""Suggestions, conflicts and the review of a job, in two browsers at once."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from tests.e2e.colliding import BASE, OURS, PATH, THEIRS, WRITTEN, Answers, collide, hunk
from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.line import Line
from tests.e2e.serving import Server
from tests.e2e.window import Window, all_show
from tests.fakes.openai_server import Answer

pytestmark = IN_BROWSER

Both = tuple[Window, Window]

LONG = "".join(f"line {number}\n" for number in range(1, 13))
OTHER = "one\ntwo\nthree\n"
BEFORE = {"return (": "return 1", "return (2)": "return ("}
"""What a model replaces, first and when it repairs that."""


def hunks(window: Window, state: str) -> Locator:
    return window.get("hunk", state=state)


async def compare(window: Window) -> None:
    """Opens the sides of the only suggestion, from the text."""
    await window.get("inline-compare").click()
    await expect(window.get("conflict")).to_be_visible()


async def offered(both: Both, server: Server, room: str, answers: Answers, prompt: str) -> None:
    """A job that offers three hunks of one file and one of another, in the panel of Ada's window."""
    ada, ben = both
    shouted = "".join(hunk(f"line {at}", f"LINE {at}") for at in (2, 6, 10))
    answers(prompt, Answer(f"long.txt\n{shouted}\nother.txt\n{hunk('two', '2')}"))
    await server.write(room, "long.txt", LONG)
    await server.write(room, "other.txt", OTHER)
    await asyncio.gather(*(window.open_file("long.txt") for window in both))
    await ada.get("mode-review").click()
    await ada.ask(prompt)
    await ben.job_is(prompt, "needs_review")
    await ada.job(prompt).get_by_test_id("job-review").click()
    await expect(hunks(ada, "open")).to_have_count(4)


async def test_a_collision_is_shown_to_both_and_one_chooses_by_keys_alone(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await collide(both, server, room, answers, "explain by keys")
    for window in both:
        await expect(window.get("inline-suggestion")).to_contain_text("Both changed the same lines")
        await expect(window.get("inline-suggestion")).to_contain_text("Somebody changed these lines meanwhile.")
        await window.shows(OURS)
        await expect(window.page.locator(".cm-suggested")).to_have_text("todo by Ben")
    await compare(ben)
    sides = ben.get("sides")
    await expect(sides.locator("del")).to_have_text(["todo"])
    await expect(sides.locator(".side-ours ins")).to_have_text(" by Ben")

    press = ada.page.keyboard.press
    await ada.page.locator(".cm-content").focus()
    await press("F8")
    await expect(ada.page.locator(".inline-suggestion article")).to_be_focused()
    await press("Enter")
    await expect(ada.get("conflict-accept")).to_be_focused()
    await press("2")
    await expect(ada.get("conflict-result")).to_have_text("todo by Ben")
    await press("ArrowDown")
    await expect(ada.get("conflict-both")).to_be_checked()
    await expect(ada.get("conflict-result")).to_contain_text(f"todo by Ben\n{WRITTEN}")
    await press("Enter")
    await expect(ada.get("conflict")).to_have_count(0)

    # Ben had it open too: who decided and what is said there.
    await expect(ben.get("conflict-decided")).to_contain_text("Both kept by Ada")
    await expect(ben.get("conflict-use")).to_have_count(0)
    await ben.page.keyboard.press("Escape")
    await all_show(both, BASE.replace("todo", f"todo by Ben\n{WRITTEN}"))
    await expect(ben.get("suggestion", state="both")).to_contain_text("Both kept by Ada")
    await expect(ben.get("inline-suggestion")).to_have_count(0)


async def test_of_two_who_choose_at_once_the_second_is_told(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    line = Line()
    ada, ben = both = await open_window(server, "Ada"), await open_window(server, "Ben", line)
    await collide(both, server, room, answers, "explain at once")
    for window, choice in ((ada, "accept"), (ben, "reject")):
        await compare(window)
        await window.get(f"conflict-{choice}").check()
    # Ben chooses before the news of Ada's choice has come.
    line.hold()
    await ada.page.keyboard.press("Enter")
    await expect(ada.get("conflict")).to_have_count(0)
    await ben.page.keyboard.press("Enter")
    await expect(ben.get("conflict-use")).to_be_disabled()
    line.release()
    await expect(ben.get("conflict-decided")).to_have_text(
        "Ada was first (Accepted by Ada), so your choice was not taken."
    )
    await ben.get("conflict-close").click()
    await all_show(both, THEIRS)


async def test_a_text_written_by_hand_takes_the_place_of_both(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await collide(both, server, room, answers, "explain by hand")
    await ben.get("inline-edit").click()
    written = ben.get("conflict").locator(".cm-content")
    await expect(written).to_be_focused()
    await expect(written).to_contain_text("todo by Ben")
    await expect(written).to_contain_text("in square metres")
    await ben.page.keyboard.press("Control+a")
    await ben.type("what both of us mean")
    # It is kept when the dialog is closed for a while.
    await ben.page.keyboard.press("Escape")
    await expect(ben.get("conflict")).to_have_count(0)
    await ben.get("inline-edit").click()
    await expect(written).to_have_text("what both of us mean")
    await ben.page.keyboard.press("Control+Enter")
    await expect(ben.get("conflict")).to_have_count(0)
    await all_show(both, BASE.replace("todo", "what both of us mean"))
    await expect(ada.get("suggestion", state="edited")).to_contain_text("Edited by hand by Ben")
    await ada.act("explain by hand", "undo")
    await all_show(both, OURS)


async def test_a_suggestion_follows_its_place_and_says_when_that_is_gone(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await collide(both, server, room, answers, "explain in place")
    await ada.at_line(1)
    await ada.type("\nand a line\nand another")
    for window in both:
        above = window.page.locator(".inline-suggestion + .cm-line")
        await expect(above).to_have_text("todo by Ben")
    await ben.at_line(6)
    await ben.type(", still")
    await expect(ada.get("inline-suggestion").locator(".diff-removed")).to_contain_text("todo by Ben, still")
    await ada.delete(PATH)
    for window in both:
        await expect(window.get("suggestion", state="open").get_by_test_id("place-gone")).to_contain_text(
            "deleted"
        )
    await ben.get("suggestion-accept").click()
    await expect(ben.get("notice").filter(has_text="has no place any more")).to_be_visible()
    await expect(ada.get("suggestion", state="gone")).to_contain_text("Its place is gone")


async def test_a_job_is_reviewed_by_hunk_by_file_and_as_a_whole(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    await offered(both, server, room, answers, "shout by keys")
    press = ada.page.keyboard.press
    await expect(ada.get("review-counts")).to_have_text("4 to decide")
    await expect(hunks(ada, "open").nth(0)).to_be_focused()
    await press("j")
    await expect(hunks(ada, "open").nth(1)).to_be_focused()
    await press("r")
    await expect(hunks(ada, "rejected")).to_contain_text("Rejected by Ada")
    await expect(hunks(ada, "open").nth(1)).to_be_focused()
    await press("k")
    await press("k")
    await expect(hunks(ada, "open").nth(0)).to_be_focused()
    await press("a")
    await expect(hunks(ada, "accepted")).to_contain_text("Accepted by Ada")
    await ben.shows(LONG.replace("line 2\n", "LINE 2\n"))

    # Ben sees the same panel, and decides about what is left.
    await ben.job("shout by keys").get_by_test_id("job-review").click()
    await expect(ben.get("review-counts")).to_contain_text("2 to decide, 1 accepted, 1 rejected")
    await expect(ben.get("review-file", path="long.txt").get_by_test_id("file-counts")).to_contain_text(
        "1 to decide"
    )
    await ben.get("review-file", path="long.txt").get_by_test_id("file-accept").click()
    await expect(ada.get("review-counts")).to_contain_text("1 to decide, 2 accepted, 1 rejected")
    await ben.get("review-reject").click()
    await expect(ada.get("review-counts")).to_contain_text("2 accepted, 2 rejected")
    await ada.job_is("shout by keys", "complete")
    await ben.get("review-undo").click()
    await expect(ada.get("review-redo")).to_be_visible()
    await ada.get("review-redo").click()
    await expect(ada.get("review-undo")).to_be_visible()
    await press("Escape")
    await ben.get("review-close").click()
    await all_show(both, LONG.replace("line 2\n", "LINE 2\n").replace("line 10\n", "LINE 10\n"))
    assert await server.read(room, "other.txt") == OTHER.encode()


async def test_the_room_says_how_jobs_go_on_unless_one_is_asked_otherwise(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    answers("by the room", Answer(f"other.txt\n{hunk('two', '2')}"))
    answers("by choice", Answer(f"other.txt\n{hunk('three', '3')}"))
    answers("the whole file", Answer("other.txt\n````\nall\nnew\n````\n"))
    await server.write(room, "other.txt", OTHER)
    await asyncio.gather(*(window.open_file("other.txt") for window in both))
    await ada.get("room-mode").select_option("review")
    await expect(ben.get("mode-review")).to_have_attribute("aria-pressed", "true")
    await ben.ask("by the room")
    await ada.job_is("by the room", "needs_review")
    await ben.get("mode-auto").click()
    await ben.ask("by choice")
    await ada.job_is("by choice", "complete")
    await all_show(both, OTHER.replace("three", "3"))
    await ben.get("mode-ask").click()
    await ben.ask("the whole file")
    await ada.job_is("the whole file", "needs_review")
    await all_show(both, OTHER.replace("three", "3"))


async def test_a_collision_is_decided_on_a_phone_in_the_dark(
    server: Server, open_window: OpenWindow, room: str, answers: Answers
) -> None:
    ben = await open_window(server, "Ben")
    ada = await open_window(server, "Ada")
    await collide((ada, ben), server, room, answers, "explain on a phone")
    phone = await open_window(
        server, "Eve", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    await phone.shows_file(PATH)
    await phone.get("inline-compare").tap()
    await expect(phone.get("conflict")).to_be_visible()
    fits = "document.querySelector('dialog').scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth"
    assert await phone.page.evaluate(fits)
    await phone.get("conflict-accept").tap()
    await phone.get("conflict-use").tap()
    await all_show((ada, ben, phone), THEIRS)
    await phone.get("tab-ai").tap()
    await phone.job("explain on a phone").get_by_test_id("job-review").tap()
    await expect(hunks(phone, "accepted")).to_contain_text("by Eve")
    assert await phone.page.evaluate("document.body.scrollWidth <= innerWidth")


async def test_what_checks_found_stands_with_the_suggestion_and_with_the_job(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    answers("pad to the left", Answer("pad.py\n````\ndef pad(:\n    pass\n````\n"))
    await server.write(room, "main.py", "print(1)\n")
    await ada.ask("pad to the left")
    await ben.job_is("pad to the left", "needs_review")
    suggested = ben.get("suggestion", state="open")
    await expect(suggested.get_by_test_id("finding")).to_contain_text("pad.py, line 1")
    await expect(ada.job("pad to the left").get_by_test_id("finding")).to_contain_text("pad.py, line 1")
    await ben.job("pad to the left").get_by_test_id("job-review").click()
    await expect(hunks(ben, "open").get_by_test_id("finding")).to_contain_text("pad.py")
    await expect(ada.file("pad.py")).to_have_count(0)


async def test_what_a_check_finds_in_a_suggestion_is_repaired_and_the_first_one_gives_way(
    both: Both, server: Server, room: str, answers: Answers
) -> None:
    ada, ben = both
    # The request for the repair holds these words as well.
    for written in "return (", "return (2)":
        answers("answer with two", Answer(f"calc.py\n{hunk(f'    {BEFORE[written]}', f'    {written}')}"))
    await server.write(room, "calc.py", "def two():\n    return 1\n")
    await ben.open_file("calc.py")
    await ada.get("mode-review").click()
    await ada.ask("answer with two")
    await ben.job_is("answer with two", "needs_review")
    await ada.job("answer with two").get_by_test_id("job-review").click()
    await expect(hunks(ada, "open")).to_have_count(1)
    await expect(hunks(ada, "replaced")).to_contain_text("Repaired: another one takes its place")
    await expect(ben.get("inline-suggestion")).to_have_count(1)
    await ben.get("inline-accept").click()
    await ben.shows("def two():\n    return (2)\n")
    await expect(hunks(ada, "accepted")).to_have_count(1)
