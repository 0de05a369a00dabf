"""Runs the scripts of the Redis store on rooms: many rooms per call on one server, one per call in a Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Any, Final

import msgpack

from collab.errors import StoreError
from collab.ids import RoomId
from collab.io.redis_link import RedisLink, Script
from collab.io.redis_wire import base

ROOMS_PER_CALL: Final = 200
BYTES_PER_CALL: Final = 8 * 1024 * 1024
"""A call with more than this holds up all others too long."""
CALLS_AT_ONCE: Final = 32
_SCRIPTS: Final = (
    "about", "claim", "commit", "delete", "enter", "install", "leave", "nodes", "read", "record", "restore",
    "snapshot", "tails", "unclaim", "unlock",
)  # fmt: skip


class RedisRooms:
    """The rooms that are stored under one prefix. Raises StoreUnavailable and StoreError."""

    def __init__(self, link: RedisLink, prefix: str) -> None:
        if "{" in prefix or "}" in prefix:
            raise StoreError("The prefix of the keys in Redis must not hold braces; choose another redis_prefix.")
        self.link: Final = link
        self.prefix: Final = prefix
        self.index: Final = f"{prefix}rooms"
        self._scripts: Final = _load()
        self._closed = False

    @property
    def clustered(self) -> bool:
        """Whether each room may be on another server."""
        return self.link.clustered

    @property
    def index_in_scripts(self) -> str:
        """The index of rooms, as a script may write it: in a Cluster it may be on another server."""
        return "" if self.clustered else self.index

    @property
    def sharded(self) -> str:
        """Whether scripts publish to the slot only, as they take it."""
        return "1" if self.clustered else "0"

    def key(self, room: RoomId, name: str) -> str:
        """The name of one of a room's keys."""
        return f"{base(self.prefix, room)}:{name}"

    async def run(self, name: str, room: RoomId, args: Sequence[Any] = ()) -> Any:
        """Runs a script on one room."""
        return await self.on(name, [base(self.prefix, room)], args)

    async def on(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Runs a script on these keys."""
        self.check_open()
        return await self.link.script(self._scripts[name], keys, args)

    async def each(
        self, name: str, rooms: Sequence[RoomId], common: Sequence[Any], blobs: Sequence[bytes] = ()
    ) -> list[Any]:
        """Runs a script on each of the rooms, and gives its answers in their order.

        Its arguments are the ``common`` ones, and one blob per room if there are any.
        """
        if not self.clustered:
            answers: list[Any] = []
            for start, end in _calls(rooms, blobs):
                keys = [base(self.prefix, room) for room in rooms[start:end]]
                answers += msgpack.unpackb(await self.on(name, keys, [*common, *blobs[start:end]]), raw=True)
            return answers
        calls = [self.run(name, room, [*common, *blobs[at : at + 1]]) for at, room in enumerate(rooms)]
        return [msgpack.unpackb(answer, raw=True)[0] for answer in await some_at_once(calls)]

    def check_open(self) -> None:
        """Raises StoreError once the store is closed."""
        if self._closed:
            raise StoreError("The store is closed.")

    def close(self) -> None:
        """Nothing is run any more. The link stays open: it is whose who made it."""
        self._closed = True


async def some_at_once(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """What these give, in order; a bounded number of them runs at a time. The first error ends it."""
    places = asyncio.Semaphore(CALLS_AT_ONCE)

    async def one(call: Awaitable[Any]) -> Any:
        async with places:
            return await call

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except* StoreError as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _calls(rooms: Sequence[RoomId], blobs: Sequence[bytes]) -> list[tuple[int, int]]:
    """From where to where each call goes: bounded in rooms and, but for a single room's, in bytes."""
    calls: list[tuple[int, int]] = []
    start = size = 0
    for at in range(len(rooms)):
        more = len(blobs[at]) if blobs else 0
        if at > start and (at - start >= ROOMS_PER_CALL or size + more > BYTES_PER_CALL):
            calls.append((start, at))
            start, size = at, 0
        size += more
    if rooms:
        calls.append((start, len(rooms)))
    return calls


def _load() -> dict[str, Script]:
    folder = files("collab.io").joinpath("lua")
    shared = folder.joinpath("room.lua").read_text(encoding="utf-8")
    return {name: Script(shared + folder.joinpath(f"{name}.lua").read_text(encoding="utf-8")) for name in _SCRIPTS}
