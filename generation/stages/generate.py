"""The third stage: the model answers, and its stream is written as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.resilience import Ask
from generation.stages.determine import Determined


class Talking(Protocol):
    """A talk with a model, or with several one after the other. ``generation.io.talking`` has it."""

    async def go(
        self,
        writer: AnswerWriter,
        messages: Sequence[Message],
        asking: Callable[[Ask], Sequence[Message]] | None = None,
    ) -> None:
        """Reads an answer into the writer, up to its end. Raises ModelError.

        ``asking`` words the request for another model or shorter; without it the same messages are sent.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether the model itself ended its answer."""
        ...

    def judge(self, writer: AnswerWriter) -> None:
        """Looks at an answer that is finished.

        Raises StreamBroken if it is not complete, GenerationError if it changes nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer whose stream has ended; the writer has all of it."""

    writer: AnswerWriter
    talk: Talking


async def generate(
    determined: Determined,
    writer: AnswerWriter,
    talk: Talking,
    asking: Callable[[Ask], Sequence[Message]] | None = None,
) -> Generated:
    """Asks, and writes what comes. Raises ModelError, and StaleEpoch when the job was ended meanwhile."""
    await talk.go(writer, determined.messages, asking)
    return Generated(writer, talk)
