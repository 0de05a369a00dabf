"""The talk with a model: its stream is read into the writer of an answer, and asked for again where it may be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final, Protocol

from collab.ports import Clock
from generation.errors import GenerationError, ModelError, StreamBroken
from generation.io.pump import Pump, Signal
from generation.pipeline import AnswerWriter
from generation.ports import (
    Delta,
    FinishDelta,
    Message,
    Model,
    Random,
    ReasoningDelta,
    StreamLimits,
    TextDelta,
    UsageDelta,
)
from generation.resilience import Retries
from generation.settings import GenerationSettings

_BYTES_A_TOKEN: Final = 4.3
_FINISHED: Final = {
    "stop": None,
    "length": "The answer reached the longest that the model gives.",
    "content_filter": "The provider's content filter ended the answer; other words may pass it.",
}


class Listener(Protocol):
    """Hears how the talk goes. All but ``said`` raise StaleEpoch when nothing more may land."""

    def check(self) -> None:
        """Something has come."""
        ...

    def merge(self) -> None:
        """What was written may land now."""
        ...

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        """So many tokens of the answer have come, as estimated from its bytes or ``reported`` by the provider."""
        ...

    def writing(self) -> None:
        """The model goes on writing."""
        ...

    def said(self, detail: str) -> None:
        """Something that the room should know."""
        ...


class Talk:
    """One request to a model, with its tries."""

    def __init__(
        self,
        model: Model,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        listener: Listener,
    ) -> None:
        self._model = model
        self._settings = settings
        self._clock = clock
        self._random = random
        self._listener = listener
        self._bytes = 0
        self._tokens = 0
        self._finish: str | None = None
        self._merged = 0.0

    async def go(self, writer: AnswerWriter, messages: Sequence[Message]) -> None:
        """Reads the whole answer into the writer. Raises ModelError when no more try may be made."""
        settings = self._settings
        limits = StreamLimits(
            connect=settings.timeout_connect,
            first_token=settings.timeout_first_token,
            silence=settings.timeout_silence,
            total=settings.timeout_total,
        )
        retries = Retries(settings, self._random)
        while True:
            try:
                await self._stream(writer, messages, limits)
                return
            except ModelError as error:
                wait = None if self._bytes else retries.wait(error)
                if wait is None:
                    raise
                self._listener.said(f"{error.message} Trying again in {wait:.1f} s.")
            await asyncio.sleep(wait)

    def judge(self, writer: AnswerWriter) -> None:
        """Raises StreamBroken if the answer is not complete, GenerationError if it changes nothing."""
        if writer.cut is not None:
            raise StreamBroken(writer.cut)
        if self._finish is None:
            raise StreamBroken(f"The answer of {self._model.name} ended before it was complete.")
        if words := _FINISHED.get(self._finish):
            raise StreamBroken(words)
        if not writer.changes:
            said = " ".join([*writer.problems, *writer.prose.split()])
            raise GenerationError(
                f"The answer changes no file. It says: {said}" if said else "The answer is empty."
            )

    async def _stream(self, writer: AnswerWriter, messages: Sequence[Message], limits: StreamLimits) -> None:
        interval = self._settings.merge_interval_ms / 1000
        listener = self._listener
        self._merged = self._clock.monotonic()
        async with aclosing(Pump(self._model.stream(messages, limits))) as pump:
            while True:
                got = await pump.next(interval if writer.dirty else None)
                if got is Signal.END:
                    return
                # A late token of a job that was ended meanwhile must not land.
                listener.check()
                if not isinstance(got, Signal):
                    self._take(writer, got)
                if writer.cut is not None:
                    return
                now = self._clock.monotonic()
                if writer.dirty and (got is Signal.NOTHING_YET or now - self._merged >= interval):
                    self._merged = now
                    listener.merge()
                listener.writing()

    def _take(self, writer: AnswerWriter, delta: Delta) -> None:
        match delta:
            case TextDelta(text):
                self._bytes += len(text.encode("utf-8", "surrogatepass"))
                # A stream may carry unpaired surrogates as JSON escapes; no file can hold them.
                writer.feed(text.encode("utf-8", "replace").decode())
            case ReasoningDelta(text):
                self._bytes += len(text.encode("utf-8", "surrogatepass"))
            case UsageDelta(_, answer_tokens):
                self._tokens = max(answer_tokens, self._tokens)
                self._listener.counted(self._tokens, reported=True)
                return
            case FinishDelta(reason):
                self._finish = reason
        self._tokens = max(self._tokens, round(self._bytes / _BYTES_A_TOKEN))
        self._listener.counted(self._tokens)
