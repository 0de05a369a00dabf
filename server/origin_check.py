"""Whether a request comes from a page that may talk to this server. Pure: headers in, a reason out.

Two things are refused. A page of another site, which a browser would let send requests here with the
person's reach (``check_origin``, ``check_fetch_site``). And a page whose own name was pointed at this machine
after it was loaded (DNS rebinding): its origin and the Host header agree, but the name is not ours
(``check_host``). Both checks are needed, for HTTP and for WebSockets alike. Programs send no Origin and pass.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def check_origin(origin: str | None, host_header: str, allowed: Sequence[str]) -> str | None:
    """None if this Origin header may be served, else the reason in words.

    Fine are: no Origin (not sent by a page), the origin that ``host_header`` names, and ``allowed`` ones
    (``https://pairloom.example.org``, lower case, without a slash at the end).
    """
    if origin is None:
        return None
    if origin.lower() in allowed:
        return None
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return _foreign(origin)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname:
        return _foreign(origin)
    here = split_host(host_header)
    if here is None or (here[0], here[1] or default) != (parts.hostname, port or default):
        return _foreign(origin)
    return None


def check_fetch_site(sec_fetch_site: str | None) -> str | None:
    """None if a browser's Sec-Fetch-Site header allows a change, else the reason in words.

    For requests without an Origin header only: an allowed origin is cross-site too.
    """
    if sec_fetch_site is None or sec_fetch_site in {"same-origin", "none"}:
        return None
    return (
        "The browser says that a page of another site sent this request. Open the room's own page, or add "
        "the site's origin to the setting allowed_origins."
    )


def check_host(host_header: str | None, bound: str, allowed: Sequence[str]) -> str | None:
    """None if the Host header names this server, else the reason in words.

    A server that listens on a loopback address (``bound``) is reached under a loopback name, ``bound``
    itself, or, through a proxy, the host of an allowed origin. One that listens elsewhere is reached
    under names that it cannot know, so only the form is checked.
    """
    here = split_host(host_header) if host_header else None
    if here is None:
        return "The Host header is missing or no host; send the name of this server."
    name, _ = here
    if not _is_loopback(bound) or _is_loopback(name) or name == bound.strip("[]").lower():
        return None
    if any(urlsplit(origin).hostname == name for origin in allowed):
        return None
    return (
        f"The Host header names {name[:200]!r}, and this server listens for this machine only. Open it as "
        "localhost or 127.0.0.1, or add the origin under which a proxy shows it to allowed_origins."
    )


def split_host(host_header: str) -> tuple[str, int | None] | None:
    """Name (lower case, without brackets) and port of a Host header; None if it is none."""
    if not host_header or any(char in "/\\?#@ \t;,\"'" or not 33 <= ord(char) < 127 for char in host_header):
        return None
    try:
        parts = urlsplit(f"//{host_header}")
        if not parts.hostname:
            return None
        return parts.hostname, parts.port
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    bare = name.strip("[]").lower().rstrip(".")
    # Browsers resolve localhost and all names below it to this machine (RFC 6761).
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def _foreign(origin: str) -> str:
    return (
        f"Pages of {origin[:200]!r} may not use this server. Open the room's own page, or add the origin to "
        "the setting allowed_origins."
    )
