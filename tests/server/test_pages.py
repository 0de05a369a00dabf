from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.pages import NONCE_MARK, client_folder, content_security_policy
from server.settings import Settings
from tests.server.routes_fakes import FakeState, error_of


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built client, and a file next to its folder that nobody may read."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f'<meta name="csp-nonce" content="{NONCE_MARK}"><b>Pairloom ü</b>', "utf-8")
    (folder / "assets" / "main-ABC.js").write_text("1;" * 1000)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


async def test_the_bare_address_leads_to_the_default_room(built: Path) -> None:
    async with FakeState(Settings(room="team/a%20b")).client(built) as client:
        for path in ("/", "/r", "/r/"):
            response = await client.get(path)
            assert response.status_code == 307
            assert response.headers["location"] == "/r/team/a%20b"


async def test_the_page_has_a_nonce_of_its_own_in_text_and_policy(built: Path) -> None:
    async with FakeState().client(built) as client:
        pages = [await client.get("/r/main"), await client.get("/r/a/b%20c")]
    nonces = set()
    for page in pages:
        assert page.status_code == 200
        assert "Pairloom ü" in page.text
        assert NONCE_MARK not in page.text
        found = re.search(r'content="([^"]+)"', page.text)
        assert found is not None
        assert f"'nonce-{found[1]}'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        nonces.add(found[1])
    assert len(nonces) == 2


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert content_security_policy("127.0.0.1:8000", "abc").split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'nonce-abc'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]


def test_a_host_header_cannot_add_to_the_policy() -> None:
    policy = content_security_policy("x; script-src *", "abc")
    assert "connect-src 'self';" in policy
    assert "*" not in policy


@pytest.mark.parametrize("room", ["a//b", "a/", "%22%3Ca//", "x" * 300])
async def test_a_page_for_a_name_that_no_room_may_have_says_so(built: Path, room: str) -> None:
    async with FakeState().client(built) as client:
        response = await client.get("http://127.0.0.1:8000/r/" + room)
    assert response.status_code == 400
    assert "There is no such room" in response.text


async def test_assets_are_kept_for_ever(built: Path) -> None:
    async with FakeState().client(built) as client:
        response = await client.get("/assets/main-ABC.js")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "javascript" in response.headers["content-type"]


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fsecret.txt",
        "%2e%2e/%2e%2e/secret.txt",
        "..%5c..%5csecret.txt",
        "%2fetc/passwd",
        "missing.js",
        "%00",
        "",
    ],
)
async def test_nothing_outside_of_the_assets_is_served(built: Path, path: str) -> None:
    async with FakeState().client(built) as client:
        response = await client.get(f"/assets/{path}")
    assert "secret" not in response.text
    assert error_of(response)[0] == 404
    assert response.headers["cache-control"] == "no-store"


async def test_the_icon_is_there(built: Path) -> None:
    async with FakeState().client(built) as client:
        response = await client.get("/favicon.ico")
    assert response.headers["content-type"] == "image/svg+xml"


async def test_without_a_built_client_the_page_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.routes.client_folder", lambda: None)
    async with FakeState().client() as client:
        page, asset = await client.get("/r/main"), await client.get("/assets/main.js")
    assert page.status_code == 503
    assert "make install" in page.text
    assert asset.status_code == 404


def test_the_built_client_is_looked_for_in_the_package_and_then_in_the_checkout(tmp_path: Path) -> None:
    package = tmp_path / "server"
    assert client_folder(package) is None
    for folder in (tmp_path / "web" / "dist", package / "static"):
        folder.mkdir(parents=True)
        assert client_folder(package) != folder
        (folder / "index.html").write_text("")
        assert client_folder(package) == folder
