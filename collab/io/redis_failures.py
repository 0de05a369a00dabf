"""What Redis and its client raise, as errors of the store: in words, with what to do, without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from redis import exceptions

from collab.errors import StoreError, StoreUnavailable

_REPLIES: Mapping[str, str] = MappingProxyType(
    {
        "OOM": "is out of memory (maxmemory): give it more, or delete rooms; it must not evict keys (noeviction)",
        "READONLY": "is a replica that takes no writes: after a fail-over this ends by itself, otherwise "
        "point PAIRLOOM_REDIS_URL at the master",
        "LOADING": "is still loading its data: it will be there soon",
        "MISCONF": "refuses writes because it cannot save to its disk: look at its log and at the disk",
        "NOAUTH": "asks for a password: put it into PAIRLOOM_REDIS_URL",
        "WRONGPASS": "refuses the user or the password: correct them in PAIRLOOM_REDIS_URL",
        "NOPERM": "does not let its user do this: give it the commands, keys and channels it needs (ACL)",
        "CLUSTERDOWN": "says that the cluster is down: some of its slots have no master",
        "MASTERDOWN": "has lost its master: wait for the fail-over, or look at the master",
        "MOVED": "is part of a Redis Cluster: write redis+cluster:// in PAIRLOOM_REDIS_URL",
        "ASK": "is moving keys to another server of the cluster: try again soon",
        "TRYAGAIN": "is moving keys to another server of the cluster: try again soon",
        "NOREPLICAS": "refuses writes because it has too few replicas (min-replicas-to-write)",
        "BUSY": "is busy with a script that does not end: look at it with SLOWLOG, end it with SCRIPT KILL",
        "UNBLOCKED": "has ended a wait because its role changed: try again",
        "DENIED": "runs in protected mode: set a password, or bind it to the right interface",
    }
)
"""What the first word of an error reply says of the server."""

_TYPES: Mapping[type[Exception], str] = MappingProxyType(
    {
        exceptions.OutOfMemoryError: "OOM",
        exceptions.ReadOnlyError: "READONLY",
        exceptions.BusyLoadingError: "LOADING",
        exceptions.NoPermissionError: "NOPERM",
        exceptions.MasterDownError: "MASTERDOWN",
        exceptions.ClusterDownError: "CLUSTERDOWN",
        exceptions.MovedError: "MOVED",
        exceptions.TryAgainError: "TRYAGAIN",
        exceptions.AskError: "ASK",
    }
)
"""Errors from whose text the client has taken the first word. A kind comes before the kind that it is of."""

UNREACHED = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterError,
    exceptions.RedisClusterException,
    OSError,
)
"""What says nothing of the command, only that no answer came."""


@contextmanager
def failures(place: str) -> Iterator[None]:
    """Raises StoreUnavailable or StoreError for what Redis, its client and the network raise inside.

    ``place`` names the server as ``Address`` does.
    """
    try:
        yield
    except Exception as error:
        if not expected(error):
            raise
        raise explain(error, place) from error


def expected(error: BaseException) -> bool:
    """Whether it is something that Redis, its client or the network raise, and no bug.

    The client passes on what uvloop raises for a write to a connection that was closed meanwhile, a RuntimeError.
    """
    known = isinstance(error, (exceptions.RedisError, exceptions.RedisClusterException, OSError))
    return known or _closed(error)


def _closed(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and "the handler is closed" in str(error)


def explain(error: BaseException, place: str) -> StoreError:
    """The store's error for one of Redis, its client or the network."""
    place = place[:1].upper() + place[1:]
    chain = list(_chain(error))
    for each in chain:
        if word := _word(each):
            return StoreUnavailable(f"{place} {_REPLIES[word]}.")
    if any(isinstance(each, exceptions.AuthenticationError) for each in chain):
        return StoreUnavailable(f"{place} {_REPLIES['WRONGPASS']}.")
    if any(isinstance(each, ConnectionRefusedError) or "111 connecting" in str(each) for each in chain):
        return StoreUnavailable(f"{place} refuses connections: start it, or correct PAIRLOOM_REDIS_URL.")
    if any(isinstance(each, exceptions.TimeoutError | TimeoutError) for each in chain):
        return StoreUnavailable(
            f"{place} does not answer: look whether it runs, is overloaded, or the network is cut."
        )
    if _closed(error):
        return StoreUnavailable(f"{place} has closed a connection: look at it and at the network.")
    text = _text(chain[-1])
    if isinstance(error, UNREACHED):
        return StoreUnavailable(f"{place} cannot be reached ({text}): look at it and at the network.")
    return StoreError(f"{place} did not carry out a command ({text}): see docs/operating.md for its version.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: the client wraps what happens while it connects."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        inner = each.args[0] if each.args else None
        each = inner if isinstance(inner, BaseException) else each.__cause__ or each.__context__


def _word(error: BaseException) -> str:
    if not isinstance(error, exceptions.RedisError | exceptions.RedisClusterException):
        return ""
    for kind, word in _TYPES.items():
        if isinstance(error, kind):
            return word
    text = str(error)
    if text.startswith("Error running script"):
        # Redis 6.2 puts where it happened in the script before its own words.
        text = text.rpartition(": -")[2]
    # A pipeline puts the command, which may hold what people wrote, before the server's words.
    word = text.rpartition("caused error: ")[2].partition(" ")[0]
    if word in _REPLIES:
        return word
    if isinstance(error, exceptions.AuthenticationError) and "required" in text:
        return "NOAUTH"
    if isinstance(error, exceptions.ConnectionError) and "previous master is now a slave" in text:
        return "READONLY"
    return ""


def _text(error: BaseException) -> str:
    """The error's own words, without the command, and cut off."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).rpartition("caused error: ")[2].partition(", with args beginning with")[0]
    return (words or type(error).__name__)[:160].rstrip(". ")
