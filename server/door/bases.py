"""From which texts imports went on: what each source of files had when it was imported or exported last.

A source is a folder, or a person where none is named. For each path its last versions are kept in records of the
room, and the texts themselves in packs beside it, so that all nodes know them, also after a restart. Whatever two
nodes that import at the same time do to each other's records, at worst a text is not known, and the room is asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgpack

from collab.errors import StoreCorrupt
from collab.ports import Clock
from server.door.ports import Host
from server.door.texts import version_of

SOURCES: Final = "import_source"
"""The kind of the records that tell what each source had: several of a source, by its name and a number."""
PACKS: Final = "import_pack"
"""The kind of the records that tell which packs of texts there are: by its number, how many texts one has."""
KEPT: Final = 3
"""Versions of a file that are remembered of each source."""
MOST_RECORDS: Final = 16
"""Records of one source before they are put together."""
MOST_SOURCES: Final = 50
"""Sources of a room; the one that was not heard of for longest is forgotten first."""
PACK_CHARS: Final = 512 * 1024
_LEVEL: Final = 6

logger = logging.getLogger(__name__)


def pack_kind(pack: str) -> str:
    """The kind of the record that holds the texts of a pack. Numbers are used again, so that kinds stay few."""
    return f"import_text:{pack}"


@dataclass(frozen=True, slots=True)
class Place:
    """A version of a file, and the pack that holds its text."""

    version: str
    pack: str


@dataclass(slots=True)
class Source:
    """What one source had: by path its last versions, the newest first. ``records`` says where that is stored."""

    at_ms: int = 0
    files: dict[str, list[Place]] = field(default_factory=dict)
    records: list[int] = field(default_factory=list)


def _to_bytes(at_ms: int, files: Mapping[str, Sequence[Place]]) -> bytes:
    rows = {path: [[place.version, place.pack] for place in places] for path, places in files.items()}
    return zlib.compress(json.dumps([at_ms, rows], ensure_ascii=False).encode(), _LEVEL)


def _from_bytes(data: bytes) -> tuple[int, dict[str, list[Place]]]:
    try:
        at_ms, rows = json.loads(zlib.decompress(data))
        files = {
            str(path): [Place(str(version), str(pack)) for version, pack in places]
            for path, places in rows.items()
        }
        return int(at_ms), files
    except (ValueError, TypeError, AttributeError, zlib.error) as error:
        raise StoreCorrupt(f"The record of an import cannot be read: {error!r}.") from error


class Bases:
    """What the sources of one room had; made for one import or export.

    ``turn`` keeps those of this process from noting at the same time.
    """

    def __init__(self, host: Host, clock: Clock, turn: asyncio.Lock) -> None:
        self._host = host
        self._clock = clock
        self._turn = turn
        self._sources: dict[str, Source] = {}
        self._read: dict[str, dict[str, str]] = {}
        """The texts of the packs that were read, by version."""

    async def read(self) -> None:
        """Reads what is stored; call it first. Raises StoreError."""
        records = await self._host.records(SOURCES)
        self._sources = await asyncio.to_thread(_sources_of, records, self._host.room)
        self._read = {}

    def versions(self, source: str, path: str) -> list[str]:
        """The versions of a file that a source had, the newest first."""
        return [place.version for place in self._places(source, path)]

    def imported(self, path: str, text: str) -> bool:
        """Whether a text is just what some source had under this path."""
        known = {place.version for source in self._sources.values() for place in source.files.get(path, ())}
        return bool(known) and version_of(text) in known

    async def base(self, source: str, path: str, theirs: str) -> str | None:
        """The text from which a source went on; of several it may have been, the one that ``theirs`` is most like.

        It may be older than what was exported last, as when that was not unpacked: what others wrote in between
        must not seem to be deleted by the source. Raises StoreError.
        """
        places = self._places(source, path)
        if places and places[0].version == version_of(theirs):
            return theirs
        texts = [text for place in places if (text := await self._text(place)) is not None]
        return min(texts, key=lambda text: _distance(text, theirs)) if texts else None

    async def note(self, source: str, files: Mapping[str, str]) -> None:
        """Notes that a source has these texts now, by path.

        Call it when what was made of them is stored. Raises StoreError.
        """
        if files:
            async with self._turn:
                await self.read()
                await self._note(source, files)

    def _places(self, source: str, path: str) -> list[Place]:
        known = self._sources.get(source)
        return known.files.get(path, []) if known is not None else []

    async def _text(self, place: Place) -> str | None:
        return (await self._texts(place.pack)).get(place.version)

    async def _texts(self, pack: str) -> dict[str, str]:
        texts = self._read.get(pack)
        if texts is None:
            data = (await self._host.records(pack_kind(pack))).get("texts")
            texts = self._read[pack] = await asyncio.to_thread(_unpacked, data, pack, self._host.room)
        return texts

    async def _note(self, source: str, files: Mapping[str, str]) -> None:
        packs = {pack: int(count) for pack, count in (await self._host.records(PACKS)).items() if count.isdigit()}
        stored = {
            place.version: place.pack
            for one in self._sources.values()
            for known in one.files.values()
            for place in known
        }
        versions = await asyncio.to_thread(lambda: {path: version_of(text) for path, text in files.items()})
        new = {version: files[path] for path, version in versions.items() if stored.get(version) not in packs}
        stored.update(await self._store(new, packs))
        known = self._sources.setdefault(source, Source())
        known.at_ms = self._clock.wall_ms()
        for path, version in versions.items():
            before = [place for place in known.files.get(path, ()) if place.version != version]
            known.files[path] = [Place(version, stored[version]), *before][:KEPT]
        await self._put_source(source, known, {path: known.files[path] for path in versions})
        for oldest in sorted(self._sources, key=lambda one: self._sources[one].at_ms)[:-MOST_SOURCES]:
            self._forget(oldest, self._sources.pop(oldest).records)
        await self._tidy(packs)

    async def _store(self, new: Mapping[str, str], packs: dict[str, int]) -> dict[str, str]:
        """Stores texts; the pack of each."""
        places: dict[str, str] = {}
        for batch in _batches(new):
            pack = next(str(number) for number in range(len(packs) + 1) if str(number) not in packs)
            packs[pack] = len(batch)
            self._host.put_record(PACKS, pack, str(len(batch)).encode())
            self._host.put_record(pack_kind(pack), "texts", await asyncio.to_thread(_packed, batch))
            self._read[pack] = batch
            places.update(dict.fromkeys(batch, pack))
        return places

    async def _put_source(self, source: str, known: Source, news: Mapping[str, Sequence[Place]]) -> None:
        number = max(known.records, default=-1) + 1
        together = len(known.records) >= MOST_RECORDS
        data = await asyncio.to_thread(_to_bytes, known.at_ms, known.files if together else news)
        self._host.put_record(SOURCES, f"{number}:{source}", data)
        if together:
            self._forget(source, known.records)
            known.records = []
        known.records.append(number)

    def _forget(self, source: str, records: Iterable[int]) -> None:
        for number in records:
            self._host.put_record(SOURCES, f"{number}:{source}", None)

    async def _tidy(self, packs: dict[str, int]) -> None:
        """Moves what is needed out of packs that hold mostly what is not, and forgets these."""
        needed: dict[str, set[str]] = {}
        for source in self._sources.values():
            for known in source.files.values():
                for place in known:
                    needed.setdefault(place.pack, set()).add(place.version)
        sparse = [pack for pack, count in packs.items() if 2 * len(needed.get(pack, ())) < count]
        moved: dict[str, str] = {}
        for pack in sparse:
            texts = await self._texts(pack) if pack in needed else {}
            moved.update((version, texts[version]) for version in needed.get(pack, ()) if version in texts)
        packed = await self._store(moved, packs)
        for name, source in self._sources.items() if packed else ():
            if any(place.version in packed for known in source.files.values() for place in known):
                source.files = {
                    path: [Place(one.version, packed.get(one.version, one.pack)) for one in known]
                    for path, known in source.files.items()
                }
                await self._put_source(name, source, source.files)
        for pack in sparse:
            self._host.put_record(PACKS, pack, None)
            self._host.put_record(pack_kind(pack), "texts", None)


def _sources_of(records: Mapping[str, bytes], room: str) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    rows: list[tuple[int, str, bytes]] = []
    for key, data in records.items():
        number, _, name = key.partition(":")
        if number.isdigit():
            rows.append((int(number), name, data))
    for place, name, data in sorted(rows):
        source = sources.setdefault(name, Source())
        source.records.append(place)
        try:
            at_ms, files = _from_bytes(data)
        except StoreCorrupt as error:
            logger.error("%s", error.message, extra={"room": room})
            continue
        source.at_ms = max(source.at_ms, at_ms)
        source.files.update(files)
    return sources


def _batches(texts: Mapping[str, str]) -> list[dict[str, str]]:
    batches: list[dict[str, str]] = []
    chars = PACK_CHARS
    for version, text in texts.items():
        if chars + len(text) > PACK_CHARS:
            batches.append({})
            chars = 0
        batches[-1][version] = text
        chars += len(text)
    return batches


def _packed(texts: Mapping[str, str]) -> bytes:
    return zlib.compress(msgpack.packb(dict(texts)), _LEVEL)


def _unpacked(data: bytes | None, pack: str, room: str) -> dict[str, str]:
    if data is None:
        return {}
    try:
        return {str(version): str(text) for version, text in msgpack.unpackb(zlib.decompress(data)).items()}
    except (ValueError, AttributeError, zlib.error, msgpack.UnpackException) as error:
        logger.error("the texts %s of imports cannot be read: %r", pack, error, extra={"room": room})
        return {}


def _distance(one: str, other: str) -> int:
    """By how many lines two texts differ, wherever they are."""
    lines, others = Counter(one.split("\n")), Counter(other.split("\n"))
    return (lines - others).total() + (others - lines).total()
