"""The windows notice what must not happen in any other test."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import IN_BROWSER, OpenWindow
from tests.e2e.serving import Server

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
async def test_a_window_notices(server: Server, open_window: OpenWindow, script: str, noticed: str) -> None:
    window = await open_window(server, "Ada")
    await window.page.evaluate(f"() => {{ {script} }}")
    await window.troubled(noticed)
