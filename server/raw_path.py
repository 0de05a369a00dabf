"""Routes that read the path as it was sent.

Starlette matches the decoded path, in which ``a%2Fb`` and ``a/b`` are the same; as the name of a room they
are two (wire.md). So these routes match ``raw_path`` and decode each parameter by itself, exactly once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from server.errors import Refused

Endpoint = Callable[[Request], Awaitable[Response]]
BODY_BYTES: Final = 64 * 1024
"""The largest body of a route that does not say otherwise."""


class RawRoute(BaseRoute):
    """One address and its methods. HEAD is answered as GET.

    In the template, ``{name}`` is one segment and ``{name:path}``, at the end only, one or more. Their
    decoded values are in ``request.path_params``, the ones as sent in ``request.scope["raw_params"]``.
    """

    def __init__(
        self,
        template: str,
        methods: Mapping[str, Endpoint],
        wrap: Callable[[ASGIApp], ASGIApp],
        *,
        body_bytes: int = BODY_BYTES,
    ) -> None:
        self.template = template
        self._segments = template.split("/")
        self._methods = dict(methods)
        if "GET" in methods:
            self._methods.setdefault("HEAD", methods["GET"])
        self._body_bytes = body_bytes
        self._app = wrap(self._answer)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full, whatever the method is: a wrong one is this route's to refuse."""
        if scope["type"] != "http":
            return Match.NONE, {}
        found = _match(self._segments, raw_path(scope).split(b"/"))
        return (Match.NONE, {}) if found is None else (Match.FULL, {"raw_params": found})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the endpoint inside the wrapper."""
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._methods.get(scope["method"])
        if endpoint is None:
            allowed = ", ".join(sorted(self._methods))
            raise Refused(
                405,
                "method_not_allowed",
                f"{scope['method']} is no method of this address; it takes {allowed}.",
                headers={"Allow": allowed},
            )
        raw = scope["raw_params"]
        scope["path_params"] = {name: decode(name, value) for name, value in raw.items()}
        request = Request(scope, receive, send)
        refuse_large(request, self._body_bytes)
        response = await endpoint(request)
        await response(scope, receive, send)


def raw_path(scope: Scope) -> bytes:
    """The path as it was sent, without the query."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else scope["path"].encode()


def decode(name: str, raw: bytes) -> str:
    """Decodes one part of a path. Raises Refused (400) if it is not UTF-8."""
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refused(
            400, "invalid_input", f"The {name} in the address is not percent-encoded UTF-8.", field=name
        ) from None


def refuse_large(request: Request, most: int) -> None:
    """Raises Refused (413) for a body that says to be larger than ``most`` bytes."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise too_large(most)


def too_large(most: int) -> Refused:
    """The error for a body of more than ``most`` bytes."""
    return Refused(
        413,
        "limit_exceeded",
        f"The body has more than the {most:,} bytes that this address takes; send less, or raise the limit "
        "in the settings.",
        field="body",
        headers={"Connection": "close"},
    )


def _match(template: list[str], segments: list[bytes]) -> dict[str, bytes] | None:
    found: dict[str, bytes] = {}
    for index, part in enumerate(template):
        if part.endswith(":path}"):
            rest = b"/".join(segments[index:])
            if not rest:
                return None
            found[part[1:-6]] = rest
            return found
        if index >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[index]:
                return None
            found[part[1:-1]] = segments[index]
        elif part.encode() != segments[index]:
            return None
    return found if len(segments) == len(template) else None
