"""One person's browser window: what they do there, what they see, and what must never happen in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
LINES = ".cm-content > .cm-line"
READ = f"Array.from(document.querySelectorAll('{LINES}'), (line) => line.textContent).join('\\n')"
LOST = re.compile(r"WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE")


class Window:
    """A page in a browser context of its own. ``troubles`` gathers what no test may see."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.troubles: list[str] = []
        self.survives_loss = False
        self._hosts: set[str] = set()
        self._new = asyncio.Event()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._trouble(f"page error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    async def open(self, address: str) -> None:
        """Opens a room and waits until it is there."""
        await self.page.goto(address)
        await self.saved()

    def get(self, testid: str, **attributes: str) -> Locator:
        """What has this test id, and these ``data-`` attributes."""
        wanted = "".join(f"[data-{name}={value!r}]" for name, value in attributes.items())
        return self.page.locator(f"[data-testid={testid}]{wanted}")

    # Saving

    async def state(self, state: str) -> None:
        """Waits for a state of saving."""
        await expect(self.get("save-state")).to_have_attribute("data-state", state)

    async def saved(self) -> None:
        await self.state("saved")
        await expect(self.get("save-state")).to_have_text("All changes saved")

    # Files

    def file(self, path: str) -> Locator:
        """The file's row in the tree."""
        return self.get("file-item", path=path)

    async def create(self, path: str) -> None:
        await self.get("new-file").click()
        await self.get("new-file-path").fill(path)
        await self.page.keyboard.press("Enter")
        await self.shows_file(path)

    async def open_file(self, path: str) -> None:
        await self.file(path).click()
        await self.shows_file(path)

    async def shows_file(self, path: str) -> None:
        await expect(self.get("open-path")).to_have_text(path)
        await expect(self.page.locator(".cm-content")).to_be_visible()

    async def rename(self, path: str, new: str) -> None:
        await self.file(path).hover()
        await self.file(path).get_by_test_id("rename").click()
        await self.get("rename-path").fill(new)
        await self.page.keyboard.press("Enter")

    async def delete(self, path: str) -> None:
        await self.file(path).hover()
        await self.file(path).get_by_test_id("delete").click()
        await self.get("confirm-yes").click()

    # Text

    async def text(self) -> str:
        """The open file's text, as it is seen."""
        return str(await self.page.evaluate(READ))

    async def shows(self, text: str) -> None:
        """Waits until the open file has exactly this text."""
        # A text that is given as such is compared without its white space, a pattern is not.
        lines = [re.compile(f"^{re.escape(line)}$") for line in text.split("\n")]
        await expect(self.page.locator(LINES)).to_have_text(lines, use_inner_text=False)

    async def shows_part(self, part: str) -> None:
        """Waits until a line of the open file holds this."""
        await expect(self.page.locator(LINES).filter(has_text=part)).not_to_have_count(0)

    async def at_line(self, number: int) -> None:
        """Puts the cursor to the end of a line, counted from 1."""
        await self.page.locator(LINES).nth(number - 1).click()
        await self.page.keyboard.press("End")

    async def at_end(self) -> None:
        await self.page.locator(".cm-content").focus()
        await self.page.keyboard.press("Control+End")

    async def type(self, text: str, delay: float = 0) -> None:
        """Types at the cursor; ``delay`` in milliseconds between two keys."""
        await self.page.keyboard.type(text, delay=delay)

    def cursor_of(self, name: str) -> Locator:
        """The name at somebody else's cursor."""
        return self.page.locator(f".cm-remote-name[data-name={name!r}]")

    # People

    def person(self, name: str) -> Locator:
        return self.get("person", name=name)

    # Jobs

    async def ask(self, prompt: str) -> None:
        await self.get("prompt").fill(prompt)
        await self.get("ask").click()

    def job(self, prompt: str) -> Locator:
        return self.get("job").filter(has_text=prompt)

    async def job_is(self, prompt: str, state: str) -> None:
        """Waits for a state of the job that was asked for with these words."""
        await expect(self.job(prompt)).to_have_attribute("data-state", state)

    async def act(self, prompt: str, action: str) -> None:
        """Clicks one of the buttons cancel, retry, undo, redo of a job."""
        await self.job(prompt).get_by_test_id(f"job-{action}").click()

    # What must not happen

    async def troubled(self, words: str) -> None:
        """Waits for a trouble with these words, for the test of the watch itself."""
        async with asyncio.timeout(10):
            while not any(words in trouble for trouble in self.troubles):
                self._new.clear()
                await self._new.wait()

    def _trouble(self, what: str) -> None:
        self.troubles.append(what)
        self._new.set()

    def _said(self, message: ConsoleMessage) -> None:
        forgiven = self.survives_loss and LOST.search(message.text)
        if message.type in {"error", "warning"} and not forgiven:
            self._trouble(f"console {message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"}:
            self._hosts.add(parts.netloc)
        if len(self._hosts) > 1:
            self._trouble(f"request to another host: {url}")


async def watched(context: BrowserContext, name: str) -> Window:
    """A window of the person with this name."""
    await context.add_init_script(WATCH)
    await context.add_init_script(
        f"localStorage.getItem('pairloom.name') ?? localStorage.setItem('pairloom.name', {name!r})"
    )
    return Window(await context.new_page(), name)


async def all_show(windows: Sequence[Window], text: str) -> None:
    """Waits until the open file has exactly this text in each window."""
    for window in windows:
        await window.shows(text)
