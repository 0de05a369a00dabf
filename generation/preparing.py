"""The first two stages of a job: what the model sees of the room, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collab.errors import NotFound
from collab.ids import FileId
from generation import prompt as prompts
from generation.context.selection import Candidate, Context, select
from generation.context.tokens import estimate
from generation.jobs import Job
from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.settings import GenerationSettings
from generation.strategy import Strategy, choose

_FORMATS_TOKENS = 2_000
"""The instructions, the formats and the list of other files take their part too."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a model is asked. ``tokens`` is an estimate of all messages."""

    context: Context
    strategy: Strategy
    messages: list[Message]
    tokens: int


def prepare(job: Job, writer: AnswerWriter, room: Mapping[str, object], settings: GenerationSettings) -> Prepared:
    """The request for a job; the writer is told what the model is shown. ``room`` are the room's settings.

    Raises NotFound when a file that the job names is not there.
    """
    context = _context(job, writer, room, settings)
    strategy = choose(job.prompt, context, job.requested_strategy)
    messages = prompts.build(job.prompt, context, strategy, job.written)
    return Prepared(context, strategy, messages, sum(estimate(message.content) for message in messages))


def _context(job: Job, writer: AnswerWriter, room: Mapping[str, object], settings: GenerationSettings) -> Context:
    listing = writer.session.base_listing()
    named = []
    for ref in job.requested_files:
        found = listing.files.get(FileId(ref)) or listing.by_path(ref)
        if found is None:
            raise NotFound(f"The file {ref[:200]!r} of the request is not there any more.", field="files")
        named.append(found.id)
    instructions = room.get("instructions", "")
    instructions = instructions if isinstance(instructions, str) else ""
    fixed = estimate(job.prompt) + estimate(instructions) + _FORMATS_TOKENS
    answer = min(settings.answer_tokens, settings.context_tokens // 2)
    context = select(
        [Candidate(file.id, file.shown) for file in listing.files.values()],
        writer.session.base_text,
        job.prompt,
        named,
        max(0, settings.context_tokens - answer - fixed),
        instructions,
    )
    writer.show([file.id for file in context.shown])
    return context
