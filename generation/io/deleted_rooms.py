"""Rooms that were deleted, until a cache has forgotten them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from collab.ids import RoomId


class DeletedRooms:
    """What a cache has of them goes before it is used next; nobody waits for that when a room is deleted."""

    def __init__(self, forget: Callable[[RoomId], Awaitable[None]]) -> None:
        self._forget = forget
        self._rooms: set[RoomId] = set()

    def add(self, room: RoomId) -> None:
        """The room is deleted."""
        self._rooms.add(room)

    async def settle(self) -> None:
        """Has them forgotten. Raises what the cache raises; those that are left are forgotten the next time."""
        while self._rooms:
            room = next(iter(self._rooms))
            await self._forget(room)
            self._rooms.discard(room)
