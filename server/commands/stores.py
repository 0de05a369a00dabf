"""The stores as the commands open them: not to serve rooms, but to look at them or copy them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgpack

from collab.ids import NodeId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from server.commands.printing import CommandFailed
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class SharedRooms:
    """The store in Redis, and the connection to it."""

    link: RedisLink
    store: RedisStore
    prefix: str

    async def live_nodes(self) -> dict[NodeId, str]:
        """The nodes whose lease is good, with what they are called. Unlike SharedStore.renew it writes nothing."""
        with self.link.failures():
            seconds, micros = await self.link.client.time()
            leases = await self.link.client.hgetall(f"{self.prefix}nodes")
        now = int(seconds) * 1000 + int(micros) // 1000
        live = {}
        for node, lease in sorted(leases.items()):
            until, about = msgpack.unpackb(lease, raw=True)
            if until > now:
                name = NodeId(node.decode())
                live[name] = _label(about, name)
        return live

    async def unlisted(self) -> list[str]:
        """Rooms that are stored and not in the index of rooms."""
        index = f"{self.prefix}rooms"
        found = []
        # The prefix holds no character that means something in a pattern (see its setting).
        with self.link.failures():
            async for key in self.link.client.scan_iter(match=f"{self.prefix}{{*}}:meta", count=1000):
                room = key[len(self.prefix) + 1 : -len("}:meta")]
                if await self.link.client.zscore(index, room) is None:
                    found.append(room.decode("utf-8", "replace"))
        return sorted(found)


@asynccontextmanager
async def shared_rooms(settings: Settings, *, seconds: float, connect: bool = True) -> AsyncIterator[SharedRooms]:
    """Opens the store in Redis; no command of it takes longer than ``seconds``.

    Raises CommandFailed without a usable redis_url, and StoreUnavailable unless ``connect`` is False.
    """
    if settings.redis_url is None:
        raise CommandFailed("redis_url is not set; set it (PAIRLOOM_REDIS_URL) to where the rooms are.", code=2)
    try:
        url = settings.redis_url.get_secret_value()
        link = await RedisLink.open(url, command_timeout=seconds, connect=connect)
    except ValueError as error:
        raise CommandFailed(f"redis_url: {error}.", code=2) from error
    try:
        store = RedisStore(link, writer=f"command-{secrets.token_hex(8)}", prefix=settings.redis_prefix)
        try:
            yield SharedRooms(link, store, settings.redis_prefix)
        finally:
            await store.close()
    finally:
        await link.aclose()


def _label(about: bytes, node: NodeId) -> str:
    """What a node calls itself; its id if it does not."""
    try:
        return str(msgpack.unpackb(about)["name"])[:80]
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        return node
