"""Where one room's versions are kept: reads and writes their records."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from collab.errors import NotFound, StoreCorrupt
from collab.history.chain import Chain, Fold, Reads, checked_text, tree_of
from collab.history.pack import Pack, chunks
from collab.history.tree import Row, Tree
from collab.history.version import KIND, PACKS, PackRef, Version, read_versions
from collab.ids import FileId, Random, short_id
from server.history.ports import Host

T = TypeVar("T")
INLINE_BYTES: Final = 1024
"""A version that holds no more is one record."""
_AT_ONCE: Final = 64 * 1024
"""A pack of so many bytes is unpacked in the event loop; larger ones in a thread."""
_TRIES: Final = 3

logger = logging.getLogger(__name__)


class _Gone(StoreCorrupt):
    """Raised when a pack is not there: it may have been put together with another one since."""


class PackCache:
    """The packs that were read last, of all rooms, up to so many bytes. What an id stands for never changes."""

    def __init__(self, most_bytes: int = 16 * 1024 * 1024) -> None:
        self._most = most_bytes
        self._packs: OrderedDict[str, tuple[Pack, int]] = OrderedDict()
        self._bytes = 0

    def get(self, pack: str) -> Pack | None:
        """A pack, if it is known."""
        found = self._packs.get(pack)
        if found is None:
            return None
        self._packs.move_to_end(pack)
        return found[0]

    def put(self, ident: str, pack: Pack, size: int) -> None:
        """Remembers a pack of so many bytes."""
        if ident in self._packs or size > self._most:
            return
        self._packs[ident] = (pack, size)
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._packs.popitem(last=False)[1][1]


class Shelf:
    """The versions of one room. Reading is for every node, writing for the one that makes the room's versions."""

    def __init__(self, host: Host, cache: PackCache, random: Random) -> None:
        self._host = host
        self._cache = cache
        self._random = random

    # Reading

    async def versions(self) -> list[Version]:
        """All versions, oldest first. Raises StoreError."""
        versions, problems = read_versions(await self._host.records(KIND))
        for problem in problems:
            logger.error("%s", problem, extra={"room": self._host.room})
        return versions

    async def find(self, ref: str) -> tuple[Version, list[Version]]:
        """The version of this id, or the last one of this name, and all versions. Raises NotFound, StoreError."""
        versions = await self.versions()
        found = next((one for one in versions if one.id == ref), None)
        if found is None:
            found = next((one for one in reversed(versions) if one.name and one.name == ref), None)
        if found is None:
            raise NotFound(
                f"There is no version {ref[:80]!r}; ask for the history, which lists those that are kept.",
                field="version",
            )
        return found, versions

    async def steadily(self, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` brings, asked again where versions were thinned out under it. Raises what it raises."""
        for _ in range(_TRIES - 1):
            try:
                return await read()
            except _Gone:
                logger.debug("a version is looked up again", extra={"room": self._host.room})
        return await read()

    async def tree(self, chain: Chain, version: Version) -> Tree:
        """The list of files of a version. Raises StoreError."""
        return await asyncio.to_thread(tree_of, await self.run(chain.tree(version)))

    async def text(self, chain: Chain, version: Version, row: Row) -> str:
        """The text of a file of a version. Raises StoreError."""
        return await asyncio.to_thread(checked_text, await self.run(chain.text(version, row)), row)

    async def texts(self, chain: Chain, version: Version, rows: Iterable[Row]) -> dict[FileId, str]:
        """The texts of several files of a version. Raises StoreError."""
        wanted = {row.file: row for row in rows}
        folds = await self.run(chain.texts(version, wanted.values()))

        def all_texts() -> dict[FileId, str]:
            return {file: checked_text(fold, wanted[file]) for file, fold in folds.items()}

        return await asyncio.to_thread(all_texts)

    async def folds(self, chain: Chain, version: Version, rows: Iterable[Row]) -> dict[FileId, Fold]:
        """What makes the texts of several files of a version. Raises StoreError."""
        return await self.run(chain.texts(version, rows))

    async def run(self, reads: Reads[T]) -> T:
        """Reads what a generator wants. Raises StoreError."""
        known: dict[str, Pack] = {}
        try:
            version = next(reads)
            while True:
                pack = known.get(version.id)
                if pack is None:
                    pack = known[version.id] = await self.pack(version)
                version = reads.send(pack)
        except StopIteration as done:
            result: T = done.value
            return result

    async def pack(self, version: Version) -> Pack:
        """What a version holds, which must be something. Raises StoreError."""
        ref = version.pack
        if ref is None:
            return Pack.from_bytes(version.inline)
        known = self._cache.get(ref.id)
        if known is not None:
            return known
        records = await self._host.records(ref.kind)
        pieces = [records.get(key) for key in ref.places]
        data = b"".join(piece for piece in pieces if piece is not None)
        if None in pieces:
            raise _Gone(
                f"What the version {version.id} holds is not stored any more. Other versions can still be read."
            )
        pack = Pack.from_bytes(data) if len(data) <= _AT_ONCE else await asyncio.to_thread(Pack.from_bytes, data)
        self._cache.put(ref.id, pack, len(data))
        return pack

    # Writing

    async def packs(self) -> dict[str, PackRef]:
        """Where packs are, or may be: those of versions, and any that were being written when a process ended.

        A record that cannot be read stands for nothing. Raises StoreError.
        """
        found = {}
        for key, data in (await self._host.records(PACKS)).items():
            try:
                found[key] = PackRef.from_bytes(key, data)
            except StoreCorrupt as error:
                logger.error("%s", error.message, extra={"room": self._host.room})
        return found

    async def put(self, version: Version, data: bytes | None) -> Version:
        """Stores a version and what it holds (None: nothing), in this order: where the pack is, the pack, the
        version. Whatever comes between, each version can be read. Raises StoreError.
        """
        stored = replace(version, pack=None, inline=b"", size=len(data or b""))
        if data is not None and len(data) <= INLINE_BYTES:
            stored = replace(stored, inline=data)
        elif data is not None:
            slots = {ref.slot for ref in (await self.packs()).values()}
            slot = next(number for number in range(len(slots) + 1) if number not in slots)
            pieces = chunks(data)
            ref = PackRef(short_id(self._random, "p", 12), slot, len(pieces))
            self._host.put_record(PACKS, ref.id, ref.to_bytes())
            for key, piece in zip(ref.places, pieces, strict=True):
                self._host.put_record(ref.kind, key, piece)
            stored = replace(stored, pack=ref)
        self._host.put_record(KIND, stored.id, stored.to_bytes())
        return stored

    def put_again(self, version: Version) -> None:
        """Stores a version whose contents are stored."""
        self._host.put_record(KIND, version.id, version.to_bytes())

    def remove(self, version: Version) -> None:
        """Forgets a version; its pack goes with ``tidy``."""
        self._host.put_record(KIND, version.id, None)

    async def tidy(self, versions: Iterable[Version]) -> None:
        """Forgets packs that belong to none of these, which are all of the room. Raises StoreError."""
        used = {version.pack.id for version in versions if version.pack is not None}
        for ident, ref in (await self.packs()).items():
            if ident not in used:
                for key in ref.places:
                    self._host.put_record(ref.kind, key, None)
                self._host.put_record(PACKS, ident, None)
