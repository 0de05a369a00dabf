"""What holds for every HTTP answer: who may ask, the security headers, and the form of errors."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collab.errors import CollabError
from generation.errors import GenerationError
from server.errors import Refused, answer, failure_of
from server.origin_check import check_fetch_site, check_host, check_origin
from server.settings import Settings

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Set unless the answer sets them itself."""

logger = logging.getLogger(__name__)
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Wraps an ASGI application: refuses foreign requests, adds the headers, answers errors in one form."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._bound = settings.host
        self._allowed = tuple(settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_with_headers)
        except (CollabError, GenerationError, Refused, ValidationError, HTTPException) as error:
            if started:
                raise
            await answer(failure_of(error))(scope, receive, send_with_headers)
        except Exception as error:
            if not started:
                logger.exception("a request failed", extra={"path": scope["path"]})
                await answer(failure_of(error))(scope, receive, send_with_headers)
                return
            raise  # the answer was under way: uvicorn logs this and cuts the connection

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host")
        if reason := check_host(host, self._bound, self._allowed):
            raise Refused(421 if host else 400, "wrong_host", reason, field="host")
        if scope["method"] in _READING:
            return
        origin = headers.get("origin")
        reason = check_origin(origin, host or "", self._allowed)
        if reason is None and origin is None:
            reason = check_fetch_site(headers.get("sec-fetch-site"))
        if reason:
            raise Refused(403, "foreign_origin", reason, field="origin")


class Guards:
    """Makes the wrappers of one application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def page(self, app: ASGIApp) -> ASGIApp:
        """For what only pages of this server read."""
        return Guard(app, self._settings)

    def api(self, app: ASGIApp) -> ASGIApp:
        """For what pages of allowed origins may read too (CORS)."""
        guarded = Guard(app, self._settings)
        if not self._settings.allowed_origins:
            return guarded
        return CORSMiddleware(
            guarded,
            allow_origins=self._settings.allowed_origins,
            allow_methods=["DELETE", "GET", "POST", "PUT"],
            allow_headers=["Content-Type", "If-Match", "If-None-Match"],
            expose_headers=["ETag"],
            max_age=600,
        )
