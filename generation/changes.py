"""Changes that were made at once by a writer that worked from an older copy, kept as jobs are.

What a PUT, an import or a restore did can be reviewed and undone like what a job did, so its record is that of a
job that has ended. A change that is large, or that takes several requests, is told in parts: each is written under
a client id of its own, by which one that comes twice is known.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace

from collab.errors import Conflict, InvalidInput
from collab.ids import ClientId, JobId
from collab.ledger import Ledger
from collab.merge.suggestions import Suggestion
from generation.book import SUGGESTION, Book, Change
from generation.jobs import Job
from generation.states import JobState
from generation.views import Asker, ChangeKind, NewChange

_LEVEL = 1
"""How hard is tried to make it small: texts get a third of their size in no time."""


def new_change(
    change: JobId,
    kind: ChangeKind,
    title: str,
    client: ClientId,
    files: Sequence[str],
    ledger: Ledger,
    suggestions: Sequence[Suggestion] = (),
    applied: int = 0,
    *,
    more: bool = False,
) -> NewChange:
    """A change, or with ``more`` a further part of one, as it is told to the keeper of a room's jobs."""
    return NewChange(
        change,
        kind,
        title,
        client,
        tuple(files),
        _packed(ledger.to_bytes()),
        tuple(_packed(one.to_bytes()) for one in suggestions),
        applied,
        more,
    )


def recorded(book: Book, change: NewChange, asker: Asker, color: str, at_ms: int) -> tuple[Job, list[Change]]:
    """Puts a change, or a further part of one, into the book; its job, and the other records.

    A part that is there already adds nothing, and a question that was asked before is not asked again. Raises
    InvalidInput, StoreCorrupt, and Conflict if the id is that of something else, or of what was undone since.
    """
    try:
        ledger = Ledger.from_bytes(_unpacked(change.ledger))
        suggestions = [Suggestion.from_bytes(_unpacked(one)) for one in change.suggestions]
    except (binascii.Error, zlib.error) as error:
        raise InvalidInput(
            "A change of another node cannot be read; let all nodes run the same version."
        ) from error
    known = {suggestion.suggestion: suggestion.job for suggestion in book.suggestions.all()}
    job = book.jobs.get(JobId(change.change))
    if job is None and suggestions and ledger.empty and all(one.suggestion in known for one in suggestions):
        asked_before = book.jobs.get(known[suggestions[0].suggestion])
        if asked_before is not None:
            return asked_before, []
    if job is None:
        job = Job(
            id=JobId(change.change),
            kind=change.kind,
            prompt=change.title,
            asked_by=asker.name,
            person=asker.person,
            model="",
            offline=False,
            clients=[],
            color=color,
            created_ms=at_ms,
            state=JobState.COMPLETE,
            progress=1.0,
        )
        book.jobs[job.id] = job
    elif ClientId(change.client) in job.clients:
        return job, []
    elif not change.more or job.kind != change.kind or job.person != asker.person or job.undone:
        raise Conflict(
            f"There is a change {job.id} already, and nothing can be added to it; use another id.", field="change"
        )
    job.clients.append(ClientId(change.client))
    job.touch(change.files, change.files)
    job.hunks_applied += change.applied
    changes = []
    if not ledger.empty:
        job.wrote = True
        changes.append(book.extend_ledger(job.id, ledger))
    for suggestion in suggestions:
        if suggestion.suggestion not in known:
            mine = replace(suggestion, job=job.id)
            book.suggestions.add(mine)
            changes.append(Change(SUGGESTION, mine.suggestion, mine.to_bytes()))
    job.hunks_pending = book.pending(job.id)
    job.state = JobState.NEEDS_REVIEW if job.hunks_pending else JobState.COMPLETE
    return job, changes


def _packed(data: bytes) -> str:
    return b64encode(zlib.compress(data, _LEVEL)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(b64decode(text, validate=True))
