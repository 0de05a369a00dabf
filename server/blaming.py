"""Who wrote what of a file, as the messages and the HTTP answer say it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collab.attribution import Attribution, Author
from collab.blame import BlameRange, blame
from collab.document import Document
from collab.listing import File
from collab.offsets import places
from generation.service import JobView
from server.messages.blame import BlameAuthor, BlameResult
from server.messages.parts import RequestId

_HTTP = "http:"


async def plain_blame(
    document: Document, file: File, table: Attribution, jobs: Iterable[JobView]
) -> dict[str, object]:
    """The fields of the answer as plain values: there may be ten thousand ranges.

    It lets others have their turn in between; what it tells is of one moment. Raises NotFound.
    """
    # What is read here is kept, and the next step reads only what has changed since.
    document.runs(file.id)
    await asyncio.sleep(0)
    text, ranges = document.text(file.id), blame(document, file.id, table)
    await asyncio.sleep(0)
    views = {job.job: job for job in jobs}
    authors = {author: number for number, author in enumerate(dict.fromkeys(one.author for one in ranges))}
    return {
        "file": file.id,
        "path": file.shown,
        "authors": [author_part(author, views).model_dump() for author in authors],
        "ranges": list(_rows(text, ranges, authors)),
    }


async def blame_of(
    document: Document,
    file: File,
    table: Attribution,
    jobs: Iterable[JobView],
    answer_to: RequestId | None = None,
) -> BlameResult:
    """As ``plain_blame``, as a message."""
    plain = await plain_blame(document, file, table, jobs)
    await asyncio.sleep(0)
    # All at once, since models that are made one by one take longer.
    return BlameResult.model_validate({"id": answer_to, **plain})


def _rows(text: str, ranges: Sequence[BlameRange], authors: Mapping[Author, int]) -> Iterator[dict[str, object]]:
    start, offset = {"line": 0, "character": 0}, 0
    ends = places(text, [one.end for one in ranges])
    for one, (line, character, units) in zip(ranges, ends, strict=True):
        end = {"line": line, "character": character}
        yield {
            "start": start,
            "end": end,
            "offset": offset,
            "length": units - offset,
            "author": authors[one.author],
            "at_ms": one.at_ms,
        }
        start, offset = end, units


def author_part(author: Author, jobs: Mapping[str, JobView]) -> BlameAuthor:
    """An author as people see it, with what is known of the job."""
    job = jobs.get(author.id) if author.kind in {"job", "change"} else None
    return BlameAuthor(
        kind=author.kind if job is None or job.kind == "job" else "change",
        author=author.id,
        name=job.asked_by if job is not None else shown_name(author.person),
        job=author.id if author.kind in {"job", "change"} else None,
        model=job.model if job is not None and job.kind == "job" else None,
        prompt=job.prompt if job is not None else None,
    )


def shown_name(person: str) -> str:
    """The name of a person, of whom nothing but the name is known: the id says over which way they came."""
    return person.removeprefix(_HTTP)
