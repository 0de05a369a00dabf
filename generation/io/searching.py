"""Answers questions about a room's files from its index."""

from __future__ import annotations

import asyncio
from typing import Final

from collab.document import Document
from collab.errors import InvalidInput, NotFound
from collab.ids import RoomId
from generation.context.relevance import relevance
from generation.io.indexing import Indexed, Indexes
from generation.search.answers import MOST_HITS, MOST_QUESTION, SearchAnswer, SearchHit, SearchLine
from generation.search.snippets import lines

PATIENCE_SECONDS: Final = 2.0
"""So long a search waits for a project's first index; then it answers from what there is."""
MOST_LINES: Final = 3


class Searching:
    """For all rooms of a process."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    async def search(self, room: RoomId, document: Document, question: str, most: int = 10) -> SearchAnswer:
        """The files that answer a question. Raises InvalidInput."""
        self._check(question, most)
        found = await self._indexes.ready(room, document, PATIENCE_SECONDS)
        ranked = sorted(relevance(found.index, question).items(), key=lambda item: (-item[1].score, item[0]))
        top = max(1.0, ranked[0][1].score) if ranked else 1.0
        asked = found.index.terms.question(question)
        hits: list[SearchHit] = []
        for file, known in ranked:
            if len(hits) >= most or known.score <= 0:
                break
            listed = document.listing().files.get(file)
            if listed is None:
                continue
            try:
                text = document.text(file)
            except NotFound:
                continue
            best = tuple(SearchLine(one.line, one.text) for one in lines(text, asked, MOST_LINES))
            hits.append(SearchHit(file, listed.shown, round(known.score / top, 4), known.why, best))
            await asyncio.sleep(0)
        return SearchAnswer(
            tuple(hits),
            found.index.files,
            found.index.files - found.index.pending,
            semantic=False,
            note=_note(found),
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


def _note(found: Indexed) -> str:
    behind = found.index.pending
    return f"{behind} files are still to be read; ask again in a moment for all of them." if behind else ""
