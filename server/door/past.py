"""Finds the text of an older version of a file: in this node's memory, in the room's history, at other nodes."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Protocol

import msgpack

from collab.errors import StoreError, TryLater
from collab.history.chain import Chain
from collab.ids import FileId, NodeId, RoomId
from server.door.texts import Known, Texts, version_of
from server.history.ports import Host, Rooms
from server.history.shelf import Shelf

TOPIC: Final = "texts"
ASK_SECONDS: Final = 1.0
MOST_PAST: Final = 30
"""So many older texts of a file are looked at in the history."""

logger = logging.getLogger(__name__)


class Peers(Protocol):
    """The other nodes; ``server.cluster.Cluster``."""

    async def holders(self, room: RoomId) -> Sequence[NodeId]:
        """The other live nodes that hold the room. Raises StoreError."""
        ...

    async def ask_about(self, topic: str, node: NodeId, payload: bytes, timeout: float) -> bytes:
        """A node's answer. Raises TryLater when there is none in time."""
        ...

    def answer_about(self, topic: str, answer: Callable[[NodeId, bytes], Awaitable[bytes]]) -> None:
        """Sets what answers other nodes' questions of a topic, before the node starts."""
        ...


class OlderTexts:
    """The texts that a room's versions hold."""

    def __init__(self, rooms: Rooms, shelf: Callable[[Host], Shelf]) -> None:
        """``shelf`` gives where a room's versions are kept."""
        self._rooms = rooms
        self._shelf = shelf

    async def find(self, room: RoomId, path: str, versions: Collection[str]) -> Known | None:
        """A text that the file had in one of the last versions of the room. Raises StoreError, TryLater."""
        async with self._rooms.held(room) as host:
            shelf = self._shelf(host)
            return await shelf.steadily(lambda: _found(shelf, path, versions))


class Past:
    """Looks in one place after the other; finds nothing rather than raising."""

    def __init__(self, texts: Texts, history: OlderTexts | None = None, peers: Peers | None = None) -> None:
        self.texts = texts
        self._history = history
        self._peers = peers
        if peers is not None:
            peers.answer_about(TOPIC, self._answer)

    async def find(self, room: RoomId, path: str, versions: Sequence[str]) -> Known | None:
        """The text of the first of these versions that is found."""
        for version in versions:
            known = self.texts.find(room, version)
            if known is not None:
                return known
        for version in versions:
            known = await self._elsewhere(room, version)
            if known is not None:
                return known
        try:
            return await self._history.find(room, path, versions) if self._history is not None else None
        except (StoreError, TryLater) as error:
            logger.warning("an older text was not looked up: %s", error.message, extra={"room": room})
            return None

    async def _elsewhere(self, room: RoomId, version: str) -> Known | None:
        peers = self._peers
        if peers is None:
            return None
        question = bytes(msgpack.packb([room, version]))
        try:
            nodes = await peers.holders(room)
        except StoreError as error:
            logger.warning("no other node was asked for an older text: %s", error.message, extra={"room": room})
            return None
        asked = [asyncio.ensure_future(_asked(peers, node, question)) for node in nodes]
        try:
            for answer in asyncio.as_completed(asked):
                known = await answer
                if known is not None and version_of(known.text) == version:
                    return known
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return None

    async def _answer(self, node: NodeId, payload: bytes) -> bytes:
        try:
            room, version = msgpack.unpackb(payload)
        except (ValueError, TypeError, msgpack.UnpackException):
            raise TryLater("The question cannot be read; let all nodes run the same version.") from None
        known = self.texts.find(RoomId(str(room)), str(version))
        if known is None:
            return b""
        return bytes(msgpack.packb([known.file, await asyncio.to_thread(zlib.compress, known.text.encode(), 1)]))


async def _found(shelf: Shelf, path: str, wanted: Collection[str]) -> Known | None:
    versions = await shelf.versions()
    chain = Chain(versions)
    at = len(versions) - 1
    for _ in range(MOST_PAST):
        if at < 0:
            return None
        row = (await shelf.tree(chain, versions[at])).by_path(path)
        if row is None:
            at -= 1
            continue
        text = await shelf.text(chain, versions[at], row)
        if version_of(text) in wanted:
            return Known(text, row.file)
        # All versions back to the one in which this text came have the same.
        at -= 1
        while at >= 0 and versions[at].number >= row.at:
            at -= 1
    return None


async def _asked(peers: Peers, node: NodeId, question: bytes) -> Known | None:
    try:
        data = await peers.ask_about(TOPIC, node, question, ASK_SECONDS)
        if not data:
            return None
        file, text = msgpack.unpackb(data)
        return Known(zlib.decompress(text).decode(), None if file is None else FileId(str(file)))
    except (TryLater, ValueError, TypeError, zlib.error, msgpack.UnpackException) as error:
        logger.warning("a node did not tell an older text: %s", error, extra={"node": node})
        return None
