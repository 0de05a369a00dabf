"""Builds what finds files and gathers contexts, from the settings of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from collab.ids import RoomId
from collab.ports import Clock
from collab.syntax.syntax import Syntax
from generation.cache import AnswerCache
from generation.catalog import OPENAI_URL
from generation.context.shared import PieceCache
from generation.io.answers import Answers
from generation.io.gathering import Gathering
from generation.io.indexing import Indexed, Indexes
from generation.io.meanings import Meanings
from generation.io.searching import Searching
from generation.io.shared_pieces import SharedPieces
from generation.io.summarising import Summaries
from generation.io.vectors_file import VectorFile
from generation.ports import Models
from server.settings import Settings

FILE: Final = "vectors.db"


class Finding:
    """The parts, which share their indexes. ``meanings`` is None where no embedding model is set."""

    def __init__(
        self,
        settings: Settings,
        models: Models,
        clock: Clock,
        answers: AnswerCache | None = None,
        pieces: PieceCache | None = None,
    ) -> None:
        """``answers`` keeps what a model says of files, ``pieces`` what is made of them, for all processes.

        Raises InvalidInput for a summary model that is not configured.
        """
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self.meanings: Final = self._meanings(settings, clock)
        settled = self.meanings.settled if self.meanings is not None else _nobody
        self.indexes: Final = Indexes(clock, settled)
        self.search: Final = Searching(self.indexes, self.meanings)
        summaries = None
        if settings.summary_model is not None:
            models.spec(settings.summary_model)
            kept = Answers(answers, clock) if answers is not None else None
            summaries = Summaries(models, settings.summary_model, clock, kept)
        self._pieces = SharedPieces(pieces, clock) if pieces is not None else None
        # A parser is for one thread at a time; all of this is in the event loop's.
        self.gathering: Final = Gathering(
            self.indexes,
            Syntax(),
            clock,
            meanings=self.meanings,
            summarise=summaries,
            pieces=self._pieces,
        )

    def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        self.indexes.forget(room)
        if self._pieces is not None:
            self._pieces.forget(room)

    async def run(self) -> None:
        """Takes in what changes, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.indexes.run())
                if self.meanings is not None:
                    group.create_task(self.meanings.run())
        finally:
            for close in self._closers:
                await close()

    def _meanings(self, settings: Settings, clock: Clock) -> Meanings | None:
        if settings.embedding_model is None:
            return None
        # Imported here: the openai package takes 20 MB and half a second, and most servers need none of it.
        from generation.io.openai_embedder import OpenAIEmbedder

        own = settings.embedding_base_url
        key = settings.embedding_api_key
        if key is None and own is None:
            # A key goes only to the endpoint that it was given for.
            key = settings.api_key
        url = own or settings.base_url or OPENAI_URL
        secret = key.get_secret_value() if key is not None else None
        embedder = OpenAIEmbedder(settings.embedding_model, url, secret)
        store = VectorFile(settings.data_dir / FILE)
        self._closers += [embedder.aclose, store.close]
        return Meanings(embedder, store, clock)


def _nobody(_: Indexed) -> None:
    """Nobody waits for an index to be up to date."""
