"""The first stage: what the model sees of the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collab.errors import NotFound
from collab.ids import FileId
from generation.context.material import Material
from generation.context.pieces import Context
from generation.context.selection import Candidate, select
from generation.context.tokens import estimate
from generation.jobs import Job
from generation.pipeline import AnswerWriter
from generation.settings import GenerationSettings

_FORMATS_TOKENS = 2_000
"""What says how to answer takes its part too."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job that begins, the writer of its answer, the settings of its room, and what was gathered for it."""

    job: Job
    writer: AnswerWriter
    room: Mapping[str, object]
    settings: GenerationSettings
    material: Material = field(default_factory=Material)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the model is shown."""

    context: Context


def prepare(task: Task) -> Prepared:
    """Chooses what the model is shown, and tells the writer.

    Raises NotFound when a file that the job names is not there.
    """
    job, settings = task.job, task.settings
    listing = task.writer.session.base_listing()
    named = []
    for ref in job.requested_files:
        found = listing.files.get(FileId(ref)) or listing.by_path(ref)
        if found is None:
            raise NotFound(f"The file {ref[:200]!r} of the request is not there any more.", field="files")
        named.append(found.id)
    instructions = task.room.get("instructions", "")
    instructions = instructions if isinstance(instructions, str) else ""
    fixed = estimate(job.prompt) + _FORMATS_TOKENS
    answer = min(settings.answer_tokens, settings.context_tokens // 2)
    context = select(
        [Candidate(file.id, file.shown) for file in listing.files.values()],
        task.writer.session.base_text,
        job.prompt,
        named,
        max(0, settings.context_tokens - answer - fixed),
        instructions,
        task.material,
        settings.context_wanted,
    )
    task.writer.show(context.seen)
    return Prepared(context)
