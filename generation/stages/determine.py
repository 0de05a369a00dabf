"""The second stage: how the job goes about its work, and the messages that ask the model for it."""

from __future__ import annotations

from dataclasses import dataclass

from collab.ids import FilePath
from generation import prompt as prompts
from generation.catalog import ModelSpec
from generation.context.pieces import Context
from generation.context.tokens import estimate
from generation.jobs import Job
from generation.ports import Message
from generation.stages.prepare import Prepared
from generation.strategy import Strategy, aimed, choose


@dataclass(frozen=True, slots=True)
class Determined:
    """What a model is asked. ``tokens`` is an estimate of all messages; ``aims`` are the paths that it will write
    to, as far as that can be said beforehand.
    """

    context: Context
    strategy: Strategy
    messages: list[Message]
    tokens: int
    aims: tuple[FilePath, ...] = ()


def determine(job: Job, prepared: Prepared, model: ModelSpec | None = None) -> Determined:
    """Chooses the strategy for a job and words the request, for the model if that is known."""
    context = prepared.context
    strategy = choose(job.prompt, context, job.requested_strategy)
    messages = prompts.build(job.prompt, context, strategy, job.written, model, job.steers)
    tokens = sum(estimate(message.content) for message in messages)
    aims = aimed(context) if strategy.name == "targeted" else []
    return Determined(context, strategy, messages, tokens, tuple(file.path for file in aims))
