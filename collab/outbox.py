"""What may be written to a slow reader. One per connection; sans-I/O.

The transport's buffer is the queue. It says when it is over its high-water mark (``paused``) and when it
has drained (``resumed``). In between presence is shed at once, edits once the buffer holds ``limit`` bytes,
and control messages last of all. Shed edits are not lost: the document's state at that moment is kept, and
when the reader has drained it gets one update with all that came since.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class OutboxState(Enum):
    """FLOWING: everything is written. SLOW: edits and control only. LAGGING: control only."""

    FLOWING = "flowing"
    SLOW = "slow"
    LAGGING = "lagging"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a drained reader has missed: edits since the state vector ``since`` (None: none), presence.

    ``asked``: the state vector of its last step 1, if that has not been answered.
    """

    since: bytes | None
    presence: bool
    asked: bytes | None = None


class Outbox:
    """Decides about each message to one connection. Sizes in bytes."""

    __slots__ = ("_asked", "_limit", "_presence_shed", "_since", "state")

    def __init__(self, limit: int) -> None:
        self.state = OutboxState.FLOWING
        self._limit = limit
        self._since: bytes | None = None
        self._asked: bytes | None = None
        self._presence_shed = False

    def paused(self) -> None:
        """The transport's buffer is over its high-water mark."""
        if self.state is OutboxState.FLOWING:
            self.state = OutboxState.SLOW

    def resumed(self) -> CatchUp:
        """The transport's buffer has drained; says what has to be sent now."""
        missed = CatchUp(self._since, self._presence_shed, self._asked)
        self.state = OutboxState.FLOWING
        self._since = None
        self._asked = None
        self._presence_shed = False
        return missed

    def edit(self, buffered: int, before: bytes) -> bool:
        """Whether an edit is written; ``before`` is the state vector of the document without it."""
        if self.state is OutboxState.FLOWING:
            return True
        if self.state is OutboxState.SLOW and buffered <= self._limit:
            return True
        if self.state is OutboxState.SLOW:
            self.state = OutboxState.LAGGING
            self._since = before
        return False

    def answer(self, buffered: int, state: bytes) -> bool:
        """Whether a step 1 with this state vector is answered now; else it is when the reader has drained.

        Each answer may be as large as the document, and a client that does not read could ask for many.
        """
        if self.state is OutboxState.FLOWING or buffered <= self._limit:
            return True
        self._asked = state
        return False

    def presence(self) -> bool:
        """Whether a presence message is written."""
        if self.state is OutboxState.FLOWING:
            return True
        self._presence_shed = True
        return False

    def transient(self) -> bool:
        """Whether a message is written that only matters now, such as a token of a stream."""
        return self.state is OutboxState.FLOWING

    def overflows(self, buffered: int) -> bool:
        """Whether even control messages have piled up too far, so that the connection has to end."""
        return buffered > 4 * self._limit
