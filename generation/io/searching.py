"""Answers questions about a room's files from its index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from collab.document import Document
from collab.errors import InvalidInput, NotFound
from collab.ids import FileId, RoomId
from generation.context.material import Relevance
from generation.context.relevance import matching
from generation.io.indexing import Indexed, Indexes
from generation.io.meanings import Meanings
from generation.search.answers import MOST_HITS, MOST_QUESTION, SearchAnswer, SearchHit, SearchLine
from generation.search.fusion import fused
from generation.search.snippets import lines

PATIENCE_SECONDS: Final = 2.0
"""So long a search waits for a project's first index; then it answers from what there is."""
MEANING_SECONDS: Final = 2.0
"""So long it waits for the vector of a question."""
MOST_LINES: Final = 3


class Searching:
    """For all rooms of a process."""

    def __init__(self, indexes: Indexes, meanings: Meanings | None = None) -> None:
        """Without ``meanings`` files are found by words and references alone."""
        self._indexes = indexes
        self._meanings = meanings

    async def search(self, room: RoomId, document: Document, question: str, most: int = 10) -> SearchAnswer:
        """The files that answer a question. Raises InvalidInput."""
        self._check(question, most)
        found = await self._indexes.ready(room, document, PATIENCE_SECONDS)
        similar = None
        if self._meanings is not None:
            similar = await self._meanings.similar(found, question, MOST_HITS, MEANING_SECONDS)
        ranked = _fused(matching(found.index, question).relevance(), similar)
        asked = found.index.terms.question(question)
        hits: list[SearchHit] = []
        for file, known in ranked:
            if len(hits) >= most:
                break
            listed = document.listing().files.get(file)
            if listed is None:
                continue
            try:
                text = document.text(file)
            except NotFound:
                continue
            best = tuple(SearchLine(one.line, one.text) for one in lines(text, asked, MOST_LINES))
            hits.append(SearchHit(file, listed.shown, round(known.score, 4), known.why, best))
            await asyncio.sleep(0)
        read = found.index.files - found.index.pending
        return SearchAnswer(
            tuple(hits), len(document.listing().files), read, semantic=similar is not None, note=_note(found)
        )

    def _check(self, question: str, most: int) -> None:
        if not question.strip():
            raise InvalidInput("The question is empty; say what to look for.", field="q")
        if len(question) > MOST_QUESTION:
            raise InvalidInput(
                f"The question has {len(question)} characters; at most {MOST_QUESTION} are allowed.", field="q"
            )
        if not 1 <= most <= MOST_HITS:
            raise InvalidInput(f"The number of hits must be from 1 to {MOST_HITS}.", field="most")


def _fused(known: Mapping[FileId, Relevance], similar: Sequence[str] | None) -> list[tuple[FileId, Relevance]]:
    """The files in the order in which they answer, with scores from 0 to 1."""
    ranked = sorted(known.items(), key=lambda item: (-item[1].score, item[0]))
    ranked = [(file, one) for file, one in ranked if one.score > 0]
    if similar is None:
        top = max(1.0, ranked[0][1].score) if ranked else 1.0
        return [(file, Relevance(one.score / top, one.why)) for file, one in ranked]
    both = fused([[file for file, _ in ranked], similar])
    near = "its meaning is near that of the question"
    return [
        (FileId(one), Relevance(score, known[FileId(one)].why if FileId(one) in known else near))
        for one, score in both
    ]


def _note(found: Indexed) -> str:
    return "" if found.fresh else "Not all files are read yet; ask again in a moment."
