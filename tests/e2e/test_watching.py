"""The windows notice what must not happen in any other test."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.e2e.conftest import IN_BROWSER
from tests.e2e.serving import Server
from tests.e2e.window import watched

pytestmark = IN_BROWSER


@pytest.mark.parametrize(
    ("script", "noticed"),
    [
        ("console.error('wrong')", "wrong"),
        ("setTimeout(() => { throw Error('thrown') })", "thrown"),
        ("document.body.setAttribute('style', 'color: red')", "Content-Security-Policy"),
        ("fetch('http://elsewhere.invalid/').catch(() => {})", "elsewhere.invalid"),
        ("location.assign('http://elsewhere.invalid/')", "request to another host"),
    ],
)
async def test_a_window_notices(browser: Browser, server: Server, room: str, script: str, noticed: str) -> None:
    context = await browser.new_context()
    window = await watched(context, "Ada")
    await window.open(server.room(room))
    await window.page.evaluate(f"() => {{ {script} }}")
    await window.troubled(noticed)
    await context.close()
