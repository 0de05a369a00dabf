"""A talk with models that is not held when the same was asked before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from collab.ids import RoomId
from generation.cache import CachedAnswer
from generation.choice import Plan
from generation.context.tokens import estimate
from generation.io.answers import Answers
from generation.io.exchange import Exchange
from generation.io.overhearing import Overheard
from generation.io.talking import Listener, Talk
from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.resilience import Ask
from generation.views import Attempt

PIECE_CHARS: Final = 2_000
"""So much of a cached answer is written at once; then others have their turn."""


class Remembered:
    """Implements generation.stages.generate.Talking. With ``fresh``, models are asked in any case."""

    def __init__(
        self, answers: Answers, room: RoomId, exchange: Exchange, plan: Plan, listener: Listener, *, fresh: bool
    ) -> None:
        self._answers = answers
        self._room = room
        self._clock = exchange.clock
        self._spec = plan.models[0]
        self._listener = listener
        self._fresh = fresh
        self._overheard = Overheard(exchange.models)
        self.talk = Talk(replace(exchange, models=self._overheard), plan, listener)
        """What is said when nothing is remembered."""
        self._key = ""
        self.found = False
        """Whether the answer was remembered, so that no model was asked."""

    async def go(
        self,
        writer: AnswerWriter,
        messages: Sequence[Message],
        asking: Callable[[Ask], Sequence[Message]] | None = None,
    ) -> None:
        """See Talking.go."""
        self._key = self._answers.key(self._room, self._spec, messages)
        answer = None if self._fresh else await self._answers.find(self._room, self._key)
        self._listener.check()
        if answer is None:
            await self.talk.go(writer, messages, asking)
        else:
            self.found = True
            await self._play(answer, writer)

    @property
    def ended(self) -> bool:
        """See Talking.ended."""
        return self.found or self.talk.ended

    def judge(self, writer: AnswerWriter) -> None:
        """See Talking.judge."""
        self.talk.judge(writer)

    async def keep(self) -> None:
        """The answer was good: whoever asks the same may have it."""
        text = self._overheard.only
        if text is not None and not self.found:
            await self._answers.keep(self._room, self._key, text, self._spec.name)

    async def _play(self, answer: CachedAnswer, writer: AnswerWriter) -> None:
        began = self._clock.monotonic()
        age = max(0, round((self._clock.wall_ms() - answer.at_ms) / 1000))
        self._listener.asking(self._spec, "")
        self._listener.said(f"The same was asked {age} s ago, so its answer is used again.")
        for start in range(0, len(answer.text), PIECE_CHARS):
            self._listener.check()
            writer.feed(answer.text[start : start + PIECE_CHARS])
            self._listener.counted(estimate(answer.text[: start + PIECE_CHARS]))
            self._listener.merge()
            await asyncio.sleep(0)
        self._listener.check()
        await self._listener.until_free()
        writer.finish(ended=True)
        seconds = round(self._clock.monotonic() - began, 3)
        self._listener.tried(Attempt(answer.model, "answered", cost=0.0, seconds=seconds, at_ms=answer.at_ms))
