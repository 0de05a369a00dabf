"""How large a model's window should be for a job."""

from __future__ import annotations

from typing import Final

from collab.ids import FileId
from generation.choice import Wanted, wanted
from generation.context.tokens import estimate
from generation.jobs import Job
from generation.pipeline import AnswerWriter

FORMATS: Final = 2_000
"""Tokens of what is said beside the files."""
_ENOUGH: Final = 400_000
"""Tokens. A project that has more is not read any further for this."""


def wants(job: Job, writer: AnswerWriter) -> Wanted:
    """What the job asks of a model: all of the files that it names, and of the others as much as fits."""
    listing = writer.session.base_listing()
    named: set[FileId] = set()
    for ref in job.requested_files:
        found = listing.files.get(FileId(ref)) or listing.by_path(ref)
        if found is not None:
            named.add(found.id)
    least = estimate(job.prompt) + FORMATS + sum(estimate(writer.session.base_text(file)) for file in named)
    most = least
    for file in listing.files:
        if most > _ENOUGH:
            break
        if file not in named:
            most += estimate(writer.session.base_text(file))
    return wanted(job.prompt, least, most)
