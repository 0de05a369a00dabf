"""Gathers what a model may be shown of a room: from its index, its people, its past requests, its syntax trees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from collab.document import Document
from collab.ids import FileId, FilePath, RoomId
from collab.ports import Clock
from collab.syntax.syntax import Syntax
from generation.book import Book
from generation.context import people as people_of
from generation.context import project, session
from generation.context.material import Excerpt, Material, Relevance
from generation.context.outline import named, outline
from generation.context.people import Participant
from generation.context.relevance import meant, relevance
from generation.context.shared import key_of
from generation.io.indexing import TURN_SECONDS, Indexed, Indexes
from generation.io.meanings import Meanings
from generation.io.shared_pieces import SharedPieces
from generation.io.summarising import Asked
from generation.jobs import Job
from generation.pipeline import AnswerWriter
from generation.ports import RoomHandle
from generation.search.index import is_generated

MOST_OUTLINES: Final = 40
MOST_EXCERPTS: Final = 8
MOST_SIMILAR: Final = 40
MEANING_SECONDS: Final = 2.0
LAG_SECONDS: Final = 1.0
"""The index may be so old where only texts have changed since: while jobs write, each request would renew it."""
MOST_SUMMARISED: Final = 6
SUMMARISED_CHARACTERS: Final = 6_000
"""From this length on a model may sum a file up, if one is set for that: of so many files for one request."""
EXCERPT_CHARACTERS: Final = 12_000
LONG: Final = 24_000
"""Characters of a file from which on a part of it may be shown instead."""

Said = Callable[[str], None]
Summarise = Callable[[RoomId, str, str, Asked], Awaitable[str | None]]
"""A room, a file's path and text to a short text that stands for it; None if there is none."""


@dataclass(frozen=True, slots=True)
class _Base:
    """The state that the job was forked at."""

    writer: AnswerWriter
    paths: Mapping[FileId, FilePath]
    count: int
    """The live document's count of changes then."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Something that is to be made of a file; ``shared`` if any process makes the same of it."""

    file: FileId
    path: str
    kind: str
    make: Callable[[str, str], Awaitable[str]]
    shared: bool = True

    @property
    def name(self) -> str:
        return f"{self.kind} {self.path}"


class Gathering:
    """For all rooms of a process. ``summarise``, if there is one, makes better outlines than the syntax gives;
    ``pieces`` are those that other processes have made.
    """

    def __init__(
        self,
        indexes: Indexes,
        syntax: Syntax,
        clock: Clock,
        *,
        meanings: Meanings | None = None,
        summarise: Summarise | None = None,
        pieces: SharedPieces | None = None,
    ) -> None:
        self._indexes = indexes
        self._syntax = syntax
        self._clock = clock
        self._meanings = meanings
        self._summarise = summarise
        self._pieces = pieces

    async def material(
        self,
        handle: RoomHandle,
        book: Book,
        job: Job,
        writer: AnswerWriter,
        patience: float,
        said: Said,
        asked: Asked,
    ) -> Material:
        """What there is for a job. The writer has just been opened on the room's document; ``asked`` is told of
        what models are asked for it.
        """
        document = handle.document
        listing = writer.session.base_listing()
        base = _Base(writer, {file.id: file.shown for file in listing.files.values()}, document.stamps.count)
        participants = handle.participants()
        if not base.paths:
            return Material(session=session.summarised(book.jobs.values(), job))
        found = self._indexes.of(handle.room, document)
        if not found.fresh and len(base.paths) > 200:
            said(f"Reading the project's {len(base.paths)} files.")
        found = await self._indexes.ready(handle.room, document, patience, lag=LAG_SECONDS)
        similar = None
        if self._meanings is not None:
            similar = await self._meanings.similar(found, job.prompt, MOST_SIMILAR, MEANING_SECONDS)
        related = self._related(found, job, participants, similar or [])
        outlines = await self._outlines(found, document, base, related, asked)
        return Material(
            relevance=related,
            outlines=outlines,
            excerpts=await self._excerpts(found, base, job.prompt),
            project_map=await self._map(found, document, base),
            people=people_of.told(participants, base.paths, job.asked_by),
            session=session.summarised(book.jobs.values(), job),
            runtime=session.found_before(book.jobs.values(), job),
            note=_note(found),
        )

    def _related(
        self, found: Indexed, job: Job, participants: Iterable[Participant], similar: Sequence[str]
    ) -> dict[FileId, Relevance]:
        mine: set[FileId] = set()
        others: set[FileId] = set()
        for person in participants:
            if person.file is not None:
                (mine if person.name == job.asked_by else others).add(person.file)
        return relevance(found.index, job.prompt, sorted(mine), sorted(others - mine), similar)

    async def _outlines(
        self, found: Indexed, document: Document, base: _Base, related: Mapping[FileId, Relevance], asked: Asked
    ) -> dict[FileId, str]:
        ranked = sorted(related, key=lambda file: -related[file].score)
        wanted: list[_Wanted] = []
        for place, file in enumerate(ranked[:MOST_OUTLINES]):
            path = base.paths.get(file)
            if path is not None and not is_generated(path):
                summed = self._summarise is not None and place < MOST_SUMMARISED
                make = partial(self._summary, found.room, asked) if summed else self._outline
                wanted.append(_Wanted(file, path, "summary" if summed else "outline", make, shared=not summed))
        return await self._made(found, document, base, wanted)

    async def _outline(self, path: str, text: str) -> str:
        await self._warm(path, text)
        return outline(self._syntax, path, text)

    async def _summary(self, room: RoomId, asked: Asked, path: str, text: str) -> str:
        """What a model says that a long file is about, above its outline."""
        made = await self._outline(path, text)
        if self._summarise is None or len(text) < SUMMARISED_CHARACTERS:
            return made
        said = await self._summarise(room, path, text, asked)
        return f"{said}\n\n{made}" if said else made

    async def _excerpts(self, found: Indexed, base: _Base, prompt: str) -> tuple[Excerpt, ...]:
        """The definitions that a request names, of files that are long."""
        names = set(found.index.names_in(prompt))
        names = (names & meant(prompt)) or {name for name in names if len(name) > 4}
        files = {file for where in found.index.defining(names).values() if len(where) <= 2 for file in where}
        made: list[Excerpt] = []
        for file in sorted(files):
            path = base.paths.get(FileId(file))
            if path is None:
                continue
            text = base.writer.session.base_text(FileId(file))
            if len(text) < LONG:
                continue
            await self._warm(path, text)
            for symbol in named(self._syntax.symbols(path, text), names.__contains__):
                start = text.rfind("\n", 0, symbol.start) + 1
                end = text.find("\n", symbol.end)
                part = text[start : (end + 1 or len(text))]
                if len(part) <= EXCERPT_CHARACTERS and len(made) < MOST_EXCERPTS:
                    line = text.count("\n", 0, start) + 1
                    made.append(Excerpt(FileId(file), path, symbol.qualified, line, part))
        return tuple(made)

    async def _map(self, found: Indexed, document: Document, base: _Base) -> str:
        wanted: list[_Wanted] = []
        for name in project.chosen(found.index.ranked()):
            file = FileId(name)
            path = base.paths.get(file)
            if path is not None and not is_generated(path):
                wanted.append(_Wanted(file, path, "map", self._map_line))
        return project.worded(list((await self._made(found, document, base, wanted)).values()))

    async def _map_line(self, path: str, text: str) -> str:
        await self._warm(path, text)
        return project.line(path, self._syntax.symbols(path, text))

    async def _made(
        self, found: Indexed, document: Document, base: _Base, wanted: Sequence[_Wanted]
    ) -> dict[FileId, str]:
        """What is made of files' texts, in order. It is kept as long as the live file is as it was when the job
        began, and for other processes under the text that it was made of.
        """

        def same(file: FileId) -> bool:
            return document.watched and document.stamps.of(file) <= base.count

        made = {one.file: found.pieces.get(one.name) if same(one.file) else None for one in wanted}
        lacking = [one for one in wanted if made[one.file] is None]
        text_of = base.writer.session.base_text
        keys: dict[FileId, str] = {}
        known: dict[str, str] = {}
        if self._pieces is not None:
            keys = {one.file: key_of(one.kind, one.path, text_of(one.file)) for one in lacking if one.shared}
            known = await self._pieces.find(found.room, keys.values())
        fresh: dict[str, str] = {}
        for one in lacking:
            key = keys.get(one.file, "")
            piece = known.get(key)
            if piece is None:
                piece = await one.make(one.path, text_of(one.file))
                if key:
                    fresh[key] = piece
            made[one.file] = piece
            if same(one.file):
                found.pieces.put(one.name, piece, [one.file])
        if self._pieces is not None:
            await self._pieces.keep(found.room, fresh)
        return {file: piece for file, piece in made.items() if piece is not None}

    async def _warm(self, path: str, text: str) -> None:
        """Parses in slices."""
        until = self._clock.monotonic() + TURN_SECONDS
        for _ in self._syntax.warm(path, text):
            if self._clock.monotonic() >= until:
                await asyncio.sleep(0)
                until = self._clock.monotonic() + TURN_SECONDS
        await asyncio.sleep(0)


def _note(found: Indexed) -> str:
    if found.fresh or not (found.index.pending or not found.index.files):
        return ""
    return "Not all files of the project were read yet when these were chosen."
