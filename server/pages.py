"""Delivers the built browser client: the page of a room, its assets, and the way to it."""

from __future__ import annotations

import html
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import quote

from anyio import to_thread
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from collab.errors import InvalidRoomName
from collab.ids import room_id
from server.guard import Guards
from server.origin_check import split_host
from server.raw_path import RawRoute
from server.settings import Settings

NONCE_MARK: Final = "__CSP_NONCE__"
"""Stands in index.html where the nonce of the response goes."""

_PACKAGE: Final = Path(__file__).resolve().parent
_NOT_BUILT: Final = (
    "The browser client is not built. Run <code>make install</code> in the folder of the source, and start "
    "the server again. Yjs clients and the terminal work without it."
)
_ICON: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' "
    "fill='#1a7f5a'/><path d='M4 5h8M4 8h8M4 11h5' stroke='white' stroke-width='1.6' "
    "stroke-linecap='round'/></svg>"
)


def client_folder(package: Path = _PACKAGE) -> Path | None:
    """Where the built client is: in the installed package, or in the checkout; None if it was not built."""
    for folder in (package / "static", package.parent / "web" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


def pages(settings: Settings, guards: Guards, folder: Path | None) -> list[BaseRoute]:
    """The routes of the client in ``folder``; without one, the page says how to build it."""
    page = Pages(settings, folder)
    found: list[BaseRoute] = [
        RawRoute("/", {"GET": page.home}, guards.page),
        RawRoute("/r", {"GET": page.home}, guards.page),
        RawRoute("/r/", {"GET": page.home}, guards.page),
        RawRoute("/r/{room:path}", {"GET": page.room}, guards.page),
        RawRoute("/favicon.ico", {"GET": page.icon}, guards.page),
    ]
    if folder is not None:
        assets = GZipMiddleware(Assets(directory=folder / "assets", check_dir=False), minimum_size=1024)
        found.append(Mount("/assets", app=guards.page(assets)))
    return found


class Pages:
    """The endpoints of the pages."""

    def __init__(self, settings: Settings, folder: Path | None) -> None:
        self._settings = settings
        self._folder = folder

    async def home(self, request: Request) -> Response:
        """Leads to the default room."""
        return RedirectResponse(f"/r/{quote(self._settings.room, safe=_ROOM_SAFE)}")

    async def room(self, request: Request) -> Response:
        """The client. It reads the room's name from the address, as it was sent; here it is only checked."""
        raw = request.scope["raw_params"]["room"].decode("ascii", "replace")
        try:
            room_id(raw)
        except InvalidRoomName as error:
            return _plain("There is no such room", html.escape(error.message), 400)
        if self._folder is None:
            return _plain("Pairloom is running", _NOT_BUILT, 503)
        text = await to_thread.run_sync((self._folder / "index.html").read_text, "utf-8")
        nonce = secrets.token_urlsafe(18)
        policy = content_security_policy(request.headers.get("host", ""), nonce)
        return HTMLResponse(text.replace(NONCE_MARK, nonce), headers={"Content-Security-Policy": policy})

    async def icon(self, request: Request) -> Response:
        """The icon, for browsers that ask for it without having seen the page."""
        return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


class Assets(StaticFiles):
    """The client's files. Their names hold a hash of their content, so they never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; the answer may be kept for ever."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def content_security_policy(host_header: str, nonce: str) -> str:
    """The policy of the page: nothing from elsewhere, and no script but the client's files.

    The sockets' addresses are written out, as Safari before 15.4 does not count them as 'self'. CodeMirror
    makes style elements while it runs; they carry the nonce.
    """
    connect = "'self'"
    if split_host(host_header) is not None:
        connect += f" ws://{host_header} wss://{host_header}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


_ROOM_SAFE: Final = "-._~!$&'()*+,;=:@%/"


def _plain(title: str, message: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{title}</title><h1>{title}</h1><p>{message}</p></html>",
        status_code=status,
    )
