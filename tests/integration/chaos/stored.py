"""What is in Redis, read past the nodes: what would be left if they all ended now."""

from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, RoomId
from collab.io.redis_link import RedisLink
from collab.io.redis_store import RedisStore
from collab.limits import Limits
from collab.room import Room
from tests.collab.replicas import HandClock
from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.people import PATH
from tests.integration.chaos.rounds import StoredText


def stored_text(cluster: Cluster) -> StoredText:
    """Reads a room's text from the log and the checkpoint of the cluster's Redis."""

    async def read(name: str) -> str:
        link = await RedisLink.open(cluster.redis.url)
        try:
            stored = await RedisStore(link, writer="reader").load(RoomId(name))
        finally:
            await link.aclose()
        room = Room(RoomId(name), Document(ClientId(1)), Limits(), HandClock())
        room.load(stored)
        file = room.document.listing().by_path(PATH)
        return "" if file is None else room.document.text(file.id)

    return read
