"""Notes what models are sent for one job, as it is sent."""

from __future__ import annotations

from collections.abc import Sequence

from collab.ids import JobId
from collab.ports import Clock
from generation.book import SENT, Book
from generation.context.pieces import Context
from generation.context.tokens import estimate
from generation.ports import Message, RoomHandle
from generation.sent import MOST_JOBS, Purpose, Sent, sent_ask
from generation.stages.determine import Determined


class Sending:
    """One try of a job. Of the room's older jobs it lets what they sent go."""

    def __init__(self, handle: RoomHandle, book: Book, job: JobId, clock: Clock) -> None:
        self._handle = handle
        self._book = book
        self._clock = clock
        self._sent = Sent(job)
        self._determined: Determined | None = None

    def determined(self, determined: Determined) -> None:
        """What follows is sent because this was chosen."""
        self._determined = determined

    def note(self, model: str, messages: Sequence[Message], purpose: Purpose) -> None:
        """These messages go to the model; for an answer that is kept from before, they would have."""
        chosen = self._determined
        if purpose == "answer" and chosen is not None and list(messages) != chosen.messages:
            purpose = "continuation"
        apart = purpose in {"repair", "summary"}
        ask = sent_ask(
            Context() if apart or chosen is None else chosen.context,
            messages,
            model=model,
            at_ms=self._clock.wall_ms(),
            strategy="" if chosen is None else chosen.strategy.name,
            strategy_why="" if chosen is None else chosen.strategy.why,
            tokens=sum(estimate(message.content) for message in messages),
            purpose=purpose,
        )
        self._sent = self._sent.then(ask)
        self._handle.put_record(SENT, self._sent.job, self._sent.to_bytes())
        for job in self._book.beyond(MOST_JOBS):
            self._handle.put_record(SENT, job, None)
