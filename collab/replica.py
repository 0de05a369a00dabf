"""Where one node stands in a room's shared log. A state machine without I/O.

A node hears of entries in three ways: it stores its own, the bus brings those of others, and it reads the log.
An entry may be applied as soon as it is heard of, since the document takes updates in any order and any number
of times; what is kept here is which positions are there without a hole, so that a lost announcement is
noticed, and whether the log is still the one that this node has read.

A log may also fork: for some seconds after another server has become master, the old one may go on to take
entries. Two branches have the same identity, and positions in the one say nothing of the other; only the stamps
tell them apart. So an entry that is at a place where this node knows of another one makes it compare all that both
have.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from collab.ports import LogEntry
from collab.shared import Committed, Mark, SharedEntry, Stamp, Tail

GAP_SECONDS: Final = 0.05
"""An announcement that is out of order comes within this time, or not at all."""
GAP_SECONDS_MOST: Final = 2.0
AHEAD: Final = 20_000
"""Positions beyond a hole that are remembered; with more the log is read anyway."""
RECENT: Final = 128
"""Positions before the mark whose stamps are remembered; an announcement of an older one has the log read."""


class Reading(Enum):
    """What a tail has told."""

    GOOD = "good"
    """The node has all that the log has."""
    STALE = "stale"
    """It answers a question that is no longer the one; ask again."""
    LOST = "lost"
    """The log has lost something, or nobody can tell: compare what both have, and bring back what it lacks."""
    DELETED = "deleted"
    """The room was deleted."""


class Replica:
    """One node's place in one log. Times in seconds of a monotonic clock."""

    __slots__ = (
        "_ahead",
        "_doubt",
        "_forked",
        "_heard",
        "_recent",
        "_since",
        "_tries",
        "_unsure",
        "_writer",
        "log",
        "position",
        "stamp",
    )

    def __init__(self, writer: str, mark: Mark) -> None:
        self._writer = writer
        self.log = mark.log
        self.position = mark.position
        self.stamp = mark.stamp
        self._ahead: dict[int, Stamp] = {}
        self._recent: dict[int, Stamp] = _at(mark)
        self._since: float | None = None
        self._tries = 0
        self._doubt = False
        self._heard = 0
        """The last position of which was heard when the log was asked for last: it must be there."""
        self._forked = False
        """Two entries claimed the same position: no mark tells any more what the log has and this node has not."""
        self._unsure = False
        """The mark stays where it is until the log has been read from it: a log that lost something and has grown
        since would else be taken for the one that this node knows.
        """

    @property
    def mark(self) -> Mark:
        """How far the log is read without a hole."""
        return Mark(self.log, self.position, self.stamp)

    def committed(self, done: Committed, now: float) -> None:
        """Notes that the node's own entries are stored."""
        if not self._belongs(done.log):
            self.doubt()
            return
        for index, number in enumerate(done.numbers):
            self._have(done.first + index, Stamp(self._writer, number))
        self._advance(now)

    def arrived(self, log: str, entries: Sequence[SharedEntry], now: float) -> list[LogEntry]:
        """The bus has brought entries of others; those that are new."""
        if not self._belongs(log):
            self.doubt()
            return []
        new = [
            shared.entry
            for shared in entries
            if shared.stamp.writer != self._writer and self._have(shared.entry.seq, shared.stamp)
        ]
        self._advance(now)
        return new

    def doubt(self) -> None:
        """Something may have been missed, or lost: the log is to be read."""
        self._doubt = self._unsure = True

    def due(self, now: float) -> bool:
        """Whether the log is to be read now."""
        return self._doubt or len(self._ahead) > AHEAD or (self._since is not None and now >= self._wait_until())

    @property
    def due_at(self) -> float | None:
        """When a hole will be old enough; None without one."""
        return None if self._since is None else self._wait_until()

    def asked(self, now: float) -> Mark:
        """The log is being read from here."""
        self._doubt = False
        self._heard = max(self._ahead, default=self.position)
        if self._since is not None:
            self._since = now
            self._tries += 1
        return self.mark

    def read(self, asked: Mark, tail: Tail, now: float) -> tuple[Reading, list[LogEntry]]:
        """What the log has after the mark with which it was asked; the entries that are new."""
        if tail.deleted:
            return Reading.DELETED, []
        if asked.log != self.log or asked.position > self.position:
            self._doubt = True
            return Reading.STALE, []
        if not asked.log and tail.log:
            # A log that began since this node has found none.
            self.log = tail.log
        if not self.log and not tail.log:
            return Reading.GOOD, []
        if tail.same is not True or tail.log != self.log or tail.last < self._heard:
            return Reading.LOST, []
        # Somebody may have begun to doubt again since it was asked.
        self._unsure = self._doubt
        new = [
            shared.entry
            for shared in tail.entries
            if self._have(shared.entry.seq, shared.stamp) and shared.stamp.writer != self._writer
        ]
        if self._forked:
            return Reading.LOST, []
        self._advance(now)
        return Reading.GOOD, new

    def resynced(self, mark: Mark) -> None:
        """The node has read all that the log has up to this mark, and what the log lacks is on its way."""
        self.log, self.position, self.stamp = mark.log, mark.position, mark.stamp
        self._ahead = {}
        self._recent = _at(mark)
        self._heard = 0
        self._since = None
        self._tries = 0
        self._doubt = self._unsure = self._forked = False

    def _belongs(self, log: str) -> bool:
        if not self.log:
            self.log = log
        return log == self.log

    def _have(self, position: int, stamp: Stamp) -> bool:
        """Notes an entry; whether this node may not have it."""
        before = position <= self.position
        known = self._recent.get(position) if before else self._ahead.get(position)
        if known == stamp:
            return False
        if known is not None:
            self._forked = True
        if before or known is not None:
            self.doubt()
        else:
            self._ahead[position] = stamp
        return True

    def _advance(self, now: float) -> None:
        if self._unsure:
            return
        ahead = self._ahead
        before = self.position
        while (stamp := ahead.pop(self.position + 1, None)) is not None:
            self.position += 1
            self.stamp = self._recent[self.position] = stamp
            self._recent.pop(self.position - RECENT, None)
        if not ahead:
            self._since = None
            self._tries = 0
        elif self._since is None or self.position > before:
            self._since = now

    def _wait_until(self) -> float:
        assert self._since is not None
        return self._since + min(GAP_SECONDS_MOST, GAP_SECONDS * 2.0**self._tries)


def _at(mark: Mark) -> dict[int, Stamp]:
    return {} if mark.stamp is None else {mark.position: mark.stamp}
