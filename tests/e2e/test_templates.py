"""A room without a model."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER, OpenWindow, StartServer

pytestmark = IN_BROWSER


async def test_templates_say_that_they_are_no_ai_and_wait_for_an_answer(
    start_server: StartServer, open_window: OpenWindow, room: str
) -> None:
    server = await start_server()
    ada, ben = both = await asyncio.gather(open_window(server, "Ada"), open_window(server, "Ben"))
    await expect(ada.get("model")).to_contain_text("No AI is configured")
    prompt = "a python module called greet"
    await ada.ask(prompt)
    for window in both:
        await window.job_is(prompt, "needs_review")
        await expect(window.job(prompt)).to_contain_text("no AI")
        await expect(window.get("suggestion", state="open")).to_have_count(2)
    assert await server.paths(room) == []

    def suggested(path: str) -> str:
        return f"New file {path}"

    await ben.page.get_by_role("article", name=suggested("test_greet.py")).get_by_text("Reject").click()
    await expect(ada.get("suggestion", state="rejected")).to_contain_text("by Ben")
    await ada.page.get_by_role("article", name=suggested("greet.py"), exact=True).get_by_text("Accept").click()
    for window in both:
        await window.open_file("greet.py")
        await window.shows_part("def greet(text: str) -> str:")
        await window.job_is(prompt, "complete")
    await ada.saved()
    assert await server.paths(room) == ["greet.py"]
