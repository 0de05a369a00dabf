"""Answers what is looked for in a room's files, and what a model was sent for a job."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import asdict
from typing import Protocol

from collab.document import Document
from collab.errors import NotFound
from collab.ids import RoomId
from generation.book import SENT
from generation.search.answers import SearchAnswer
from generation.sent import MOST_JOBS
from generation.sent import Sent as Kept
from server.messages.parts import RequestId
from server.messages.search import Search, SearchResult, Sent, SentResult


class Room(Protocol):
    """What the requests need of a room."""

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document."""
        ...

    def records(self, kind: str) -> Awaitable[dict[str, bytes]]:
        """All records of one kind. Raises StoreError."""
        ...


class Finder(Protocol):
    """Finds files; ``generation.io.searching.Searching`` does."""

    async def search(self, room: RoomId, document: Document, question: str, most: int = 10) -> SearchAnswer:
        """The files that answer a question. Raises InvalidInput."""
        ...


async def handle(host: Room, finder: Finder | None, request: Search | Sent) -> SearchResult | SentResult:
    """Carries a request out. Raises InvalidInput, NotFound, StoreError."""
    if isinstance(request, Sent):
        return await sent(host, request.job, request.id)
    return await found(host, finder, request.question, request.most, request.id)


async def found(
    host: Room, finder: Finder | None, question: str, most: int, answer_to: RequestId | None = None
) -> SearchResult:
    """The files that answer a question. Raises InvalidInput; NotFound without a finder."""
    if finder is None:
        raise NotFound("This server does not search.")
    answer = await finder.search(host.room, host.document, question, most)
    return SearchResult.model_validate({"id": answer_to, "question": question, **asdict(answer)})


async def sent(host: Room, job: str, answer_to: RequestId | None = None) -> SentResult:
    """What a model was sent for a job. Raises NotFound where nothing is kept of that, StoreError."""
    data = (await host.records(SENT)).get(job)
    if data is None:
        raise NotFound(
            f"Nothing is kept of what was sent for the job {job[:80]!r}: there is no such job, it has not asked "
            f"yet, or it is not among the newest {MOST_JOBS}.",
            field="job",
        )
    return SentResult.model_validate({"id": answer_to, **asdict(Kept.from_bytes(data))})
