"""Asks a model once more, to repair what checks found in its answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from generation.catalog import ModelSpec
from generation.errors import GenerationError, StaleEpoch
from generation.io.talking import Listener
from generation.jobs import Job
from generation.ports import Message
from generation.repair import Repair
from generation.sent import Purpose
from generation.stages.generate import Talking
from generation.views import Attempt

logger = logging.getLogger(__name__)


class Mending:
    """Hears how the talk about one repair goes. Implements generation.io.talking.Listener.

    Nothing that the model says here lands by itself, so there is no progress to tell but words.
    """

    def __init__(self, repair: Repair, of: Listener, count: Callable[[int], None]) -> None:
        """``of`` is the listener to the talk whose answer is repaired; ``count`` takes the tokens so far."""
        self._repair = repair
        self._of = of
        self._count = count

    def check(self) -> None:
        """Something has come."""
        self._of.check()

    def merge(self) -> None:
        """What was written goes into the copies that are repaired."""
        self._repair.pull()

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        """So many tokens have come."""
        self._count(tokens)

    def writing(self) -> None:
        """The model goes on writing."""

    def asking(self, model: ModelSpec, why: str) -> None:
        """A model is asked now."""

    def sending(self, model: str, messages: Sequence[Message], purpose: Purpose = "answer") -> None:
        """These messages go to a model now."""
        self._of.sending(model, messages, "repair")

    async def until_free(self) -> None:
        """The copies are the repair's own."""
        self.merge()

    def tried(self, attempt: Attempt) -> None:
        """A request to a model has ended; it counts as any other of the job."""
        self._of.tried(attempt)

    def said(self, detail: str) -> None:
        """Something that the room should know."""
        self._of.said(detail)


async def mend(repair: Repair, job: Job, talk: Talking) -> Repair | None:
    """Has the model repair; None if it cannot be asked, or gives no answer that can be used. Raises StaleEpoch."""
    try:
        await talk.go(repair.writer, repair.messages)
        repair.writer.finish(ended=talk.ended)
        repair.pull()
        talk.judge(repair.writer)
    except StaleEpoch:
        raise
    except GenerationError as error:
        # What was found stands, and is told; that it could not be repaired adds nothing for the room.
        logger.info("job %s: nothing was repaired: %s", job.id, error.message)
        return None
    return repair
