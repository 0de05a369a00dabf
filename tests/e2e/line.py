"""A browser's line to the server that can be slow on purpose."""

from __future__ import annotations

from playwright.async_api import WebSocketRoute


class Line:
    """Passes messages on; while it holds, what the server says waits, and what the browser says does not."""

    def __init__(self) -> None:
        self._held: list[tuple[WebSocketRoute, str | bytes]] | None = None

    async def connect(self, browser: WebSocketRoute) -> None:
        """For ``route_web_socket``."""
        server = browser.connect_to_server()

        def said(message: str | bytes) -> None:
            if self._held is None:
                browser.send(message)
            else:
                self._held.append((browser, message))

        browser.on_message(server.send)
        server.on_message(said)

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        """Delivers what waited, in order."""
        held, self._held = self._held or [], None
        for browser, message in held:
            browser.send(message)
