"""Where Redis is, read from one URL: a server, a master that Sentinels name, or a Cluster.

    redis://[user:password@]host[:6379][/db]                 rediss:// with TLS
    unix://[user:password@]/path/of/the/socket[?db=0]
    redis+sentinel://[user:password@]host[:26379],.../master[/db][?sentinel_password=..]
    redis+cluster://[user:password@]host[:6379],...

``+sentinel`` and ``+cluster`` go with ``rediss`` too. User and password are percent-encoded where they hold
characters that mean something in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

PORT = 6379
SENTINEL_PORT = 26379


class Kind(Enum):
    """How the servers at an address are set up."""

    SERVER = "server"
    SOCKET = "socket"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_SCHEMES: Mapping[str, tuple[Kind, bool]] = MappingProxyType(
    {
        "redis": (Kind.SERVER, False),
        "rediss": (Kind.SERVER, True),
        "unix": (Kind.SOCKET, False),
        "redis+sentinel": (Kind.SENTINEL, False),
        "rediss+sentinel": (Kind.SENTINEL, True),
        "redis+cluster": (Kind.CLUSTER, False),
        "rediss+cluster": (Kind.CLUSTER, True),
    }
)

_TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"})
_SENTINEL_OPTIONS = frozenset({"sentinel_username", "sentinel_password"})
_CERT_REQS = frozenset({"none", "optional", "required"})


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed URL. Its text never shows a user or a password."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    """Of the socket."""
    service: str = ""
    """The name under which Sentinels know the master."""
    db: int = 0
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    tls_options: Mapping[str, str | bool] = field(default_factory=dict, repr=False)
    """``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``, ``ssl_cert_reqs``, ``ssl_check_hostname``."""

    def __str__(self) -> str:
        """Words for messages: where this is."""
        hosts = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        if self.kind is Kind.SOCKET:
            return f"Redis at {self.path}"
        if self.kind is Kind.SENTINEL:
            return f"the Redis master {self.service!r} of the Sentinels at {hosts}"
        if self.kind is Kind.CLUSTER:
            return f"the Redis Cluster at {hosts}"
        return f"Redis at {hosts}"


def parse(url: str) -> Address:
    """The address that a URL names. Raises ValueError, which tells what is wrong and shows no password."""
    scheme, found, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not found or scheme not in _SCHEMES:
        allowed = ", ".join(f"{name}://" for name in _SCHEMES)
        raise ValueError(f"the Redis URL must begin with one of {allowed}")
    kind, tls = _SCHEMES[scheme]
    rest, _, query = rest.partition("?")
    user, at, rest = rest.rpartition("@")
    username, password = _credentials(user) if at else (None, None)
    options = _options(query, kind, tls)
    if kind is Kind.SOCKET:
        if not rest.startswith("/") or rest == "/":
            raise ValueError("the Redis URL must name a socket by its whole path: unix:///run/redis.sock")
        return Address(
            kind, path=unquote(rest), db=_db(options.get("db", "")), username=username, password=password
        )
    netloc, _, path = rest.partition("/")
    parts = [unquote(part) for part in path.split("/") if part]
    service = ""
    if kind is Kind.SENTINEL:
        if not parts:
            raise ValueError(
                "the Redis URL must name the master after the Sentinels: redis+sentinel://host:26379/mymaster"
            )
        service = parts.pop(0)
    if kind is Kind.CLUSTER and parts:
        raise ValueError("a Redis Cluster has one database only: take what follows the hosts out of the URL")
    if len(parts) > 1:
        raise ValueError(f"the Redis URL has too much after the database {parts[0]!r}")
    if parts and "db" in options:
        raise ValueError("the Redis URL names the database twice: in its path and as db=")
    return Address(
        kind,
        hosts=_hosts(netloc, kind),
        service=service,
        db=_db(parts[0] if parts else options.get("db", "")),
        tls=tls,
        username=username,
        password=password,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        tls_options={name: _tls_option(name, options[name]) for name in sorted(_TLS_OPTIONS & options.keys())},
    )


def _credentials(text: str) -> tuple[str | None, str | None]:
    name, colon, secret = text.partition(":")
    return unquote(name) or None, (unquote(secret) or None) if colon else None


def _options(query: str, kind: Kind, tls: bool) -> dict[str, str]:
    allowed: set[str] = set() if kind is Kind.CLUSTER else {"db"}
    if tls:
        allowed |= _TLS_OPTIONS
    if kind is Kind.SENTINEL:
        allowed |= _SENTINEL_OPTIONS
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in allowed:
            can = f"it may have {', '.join(sorted(allowed))}" if allowed else "it may have none"
            raise ValueError(f"the Redis URL has an option {name!r} that does not go with it; {can}")
        if name in options:
            raise ValueError(f"the Redis URL has the option {name!r} twice")
        options[name] = value
    return options


def _tls_option(name: str, value: str) -> str | bool:
    if name == "ssl_check_hostname":
        if value.lower() not in {"true", "false"}:
            raise ValueError("ssl_check_hostname in the Redis URL must be true or false")
        return value.lower() == "true"
    if name == "ssl_cert_reqs" and value not in _CERT_REQS:
        raise ValueError(f"ssl_cert_reqs in the Redis URL must be one of {', '.join(sorted(_CERT_REQS))}")
    return value


def _hosts(netloc: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    names = netloc.split(",")
    if kind is Kind.SERVER and len(names) > 1:
        raise ValueError("the Redis URL names several servers: use redis+sentinel:// or redis+cluster:// for that")
    return tuple(_host(name.strip(), SENTINEL_PORT if kind is Kind.SENTINEL else PORT) for name in names)


def _host(text: str, default: int) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise ValueError(f"the Redis URL has a malformed host {text!r}; an IPv6 one is written [::1]:6379")
        port = port[1:]
    else:
        host, _, port = text.partition(":")
    host = unquote(host)
    if not host:
        raise ValueError("the Redis URL lacks a host")
    if not port:
        return host, default
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"the port of {host!r} in the Redis URL must be a number from 1 to 65535")
    return host, int(port)


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"the database in the Redis URL must be a number, not {text!r}")
    return int(text)
