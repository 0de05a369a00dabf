"""Compares the files of rooms with questions by meaning; vectors are made in the background, each once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from collab.errors import NotFound
from collab.ids import FileId, RoomId
from collab.ports import Clock
from generation.embedding import Embedded, Embedder, VectorStore, key_of, pack, unpack
from generation.errors import ModelError
from generation.io.indexing import Indexed
from generation.search.chunks import chunks
from generation.search.index import is_generated
from generation.search.vectors import Matrix, Vectors, normal

FILES_AT_ONCE: Final = 16
"""Files whose pieces are looked up and embedded together."""
REST_SECONDS: Final = 60.0
"""After a failure the endpoint is left alone for so long; files are found by words meanwhile."""
_QUESTIONS: Final = 256
_NEAR: Final = 0.2
"""A cosine below that says that two texts have nothing in common."""

logger = logging.getLogger(__name__)


class Meanings:
    """For all rooms of a process. ``run`` is owned by the process's task group."""

    def __init__(self, embedder: Embedder, store: VectorStore, clock: Clock) -> None:
        self._embedder = embedder
        self._store = store
        self._clock = clock
        self._due: OrderedDict[RoomId, Indexed] = OrderedDict()
        self._wake = asyncio.Event()
        self._resting = 0.0
        self._questions: OrderedDict[str, Matrix] = OrderedDict()

    @property
    def model(self) -> str:
        """The embedding model's name."""
        return self._embedder.name

    async def run(self) -> None:
        """Makes vectors of what has changed, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                _, found = self._due.popitem(last=False)
                try:
                    await self.update(found)
                except ModelError as error:
                    self._rest(error)
                    self._due.setdefault(found.room, found)
                    await asyncio.sleep(REST_SECONDS)

    def settled(self, found: Indexed) -> None:
        """A room's index is up to date; its vectors follow."""
        self._due[found.room] = found
        self._wake.set()

    async def update(self, found: Indexed) -> None:
        """Makes the vectors of what has changed in a room. Raises ModelError."""
        digests = found.index.digests()
        for file in [file for file in found.embedded if file not in digests]:
            self._drop(found, file)
        stale = [file for file, digest in digests.items() if found.embedded.get(file) != digest]
        for start in range(0, len(stale), FILES_AT_ONCE):
            await self._embed_files(found, {file: digests[file] for file in stale[start : start + FILES_AT_ONCE]})

    async def similar(self, found: Indexed, question: str, most: int, patience: float) -> list[str] | None:
        """The files whose meaning is nearest to a question's, the nearest first; None if nobody can tell now."""
        if found.vectors is None or not len(found.vectors) or self._clock.monotonic() < self._resting:
            return None
        try:
            async with asyncio.timeout(patience):
                vector = await self._question(question)
        except TimeoutError:
            return None
        except ModelError as error:
            self._rest(error)
            return None
        if vector.shape[-1] != found.vectors.size:
            return None
        return [file for file, cosine in found.vectors.nearest(vector, most) if cosine >= _NEAR]

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Vectors for anybody's texts. Raises ModelError."""
        return await self._embedder.embed(texts)

    async def _embed_files(self, found: Indexed, digests: dict[str, bytes]) -> None:
        pieces = {file: self._pieces(found, file) for file in digests}
        texts = list(dict.fromkeys(text for some in pieces.values() for text in some))
        vectors = await self._vectors(texts)
        for file, some in pieces.items():
            rows = [vectors[text] for text in some if text in vectors]
            self._drop(found, file)
            found.embedded[file] = digests[file]
            if not rows:
                continue
            if found.vectors is None or found.vectors.size != len(rows[0]):
                found.vectors = Vectors(len(rows[0]))
            if not found.vectors.put(file, normal([row.tolist() for row in rows])):
                logger.info("room %s has too many files to compare all by meaning", found.room)
        await asyncio.sleep(0)

    def _pieces(self, found: Indexed, file: str) -> list[str]:
        document = found.document()
        if document is None:
            return []
        listed = document.listing().files.get(FileId(file))
        if listed is None or is_generated(listed.shown):
            return []
        try:
            return list(chunks(listed.shown, document.text(FileId(file))))
        except NotFound:
            return []

    async def _vectors(self, texts: Sequence[str]) -> dict[str, Matrix]:
        """The vectors of texts, those that are kept and those that are made."""
        keys = {text: key_of(self.model, text) for text in texts}
        kept = await self._store.get(list(keys.values()))
        made: dict[str, Matrix] = {}
        for text, key in keys.items():
            try:
                made[text] = unpack(kept[key])
            except (KeyError, ValueError):
                continue
        missing = [text for text in texts if text not in made]
        if not missing:
            return made
        answer = await self._embedder.embed(missing)
        rows = _rows(answer, self.model)
        fresh = dict(zip(missing, rows, strict=True))
        await self._store.put({keys[text]: pack(row) for text, row in fresh.items()})
        # Where the model's name is the same and its vectors are others, what was kept is of no use.
        return {text: row for text, row in made.items() if len(row) == len(rows[0])} | fresh

    async def _question(self, question: str) -> Matrix:
        found = self._questions.get(question)
        if found is None:
            answer = await self._embedder.embed([question])
            found = self._questions[question] = _rows(answer, self.model)[0]
            if len(self._questions) > _QUESTIONS:
                self._questions.popitem(last=False)
        self._questions.move_to_end(question)
        return found

    def _drop(self, found: Indexed, file: str) -> None:
        found.embedded.pop(file, None)
        if found.vectors is not None:
            found.vectors.drop(file)

    def _rest(self, error: ModelError) -> None:
        self._resting = self._clock.monotonic() + REST_SECONDS
        logger.warning("files are found by words alone for %g s: %s", REST_SECONDS, error.message)


def _rows(answer: Embedded, model: str) -> Matrix:
    try:
        return normal(answer.vectors)
    except ValueError as error:
        raise ModelError(f"The vectors of {model} cannot be used: {error}.") from error
