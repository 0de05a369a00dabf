"""Answers that models gave, for whoever asks exactly the same again soon.

An answer is found again only by all that it depends on: the room, what the asker may see, the model, its limits,
and every message that it was sent, which hold the texts of the files. So nothing has to be thrown away when a file
changes: the next request has another key.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

from collab.errors import MalformedMessage
from collab.ids import RoomId
from collab.ports import Clock
from generation.ports import Message

ANSWER_BYTES: Final = 256 * 1024
"""A longer answer is not kept."""
ALL_RIGHTS: Final = "all"
"""There is no sign-in yet: everybody who reaches a room sees all of it."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer's whole text, the model that gave it, and when (milliseconds since 1970, UTC)."""

    text: str
    model: str
    at_ms: int

    def to_bytes(self) -> bytes:
        """The answer as it is kept."""
        return json.dumps([self.text, self.model, self.at_ms], ensure_ascii=False).encode("utf-8", "replace")

    @staticmethod
    def from_bytes(data: bytes) -> CachedAnswer:
        """The reverse of to_bytes. Raises MalformedMessage."""
        try:
            text, model, at_ms = json.loads(data)
        except (ValueError, TypeError) as error:
            raise MalformedMessage("A cached answer cannot be read.") from error
        if not (isinstance(text, str) and isinstance(model, str) and isinstance(at_ms, int)):
            raise MalformedMessage("A cached answer is of another kind.")
        return CachedAnswer(text, model, at_ms)


@dataclass(frozen=True, slots=True)
class CacheBounds:
    """What a cache holds at most; the answers that were not used for longest go first."""

    entries: int = 1_000
    seconds: float = 900.0
    """An answer is kept for so long, however often it is used."""
    total_bytes: int = 32 * 1024 * 1024


class AnswerCache(Protocol):
    """Keeps answers for a while. Raises StoreError only, and may forget whatever it likes at any time."""

    async def get(self, room: RoomId, key: str) -> CachedAnswer | None:
        """The answer of this key, which counts as used now."""
        ...

    async def put(self, room: RoomId, key: str, answer: CachedAnswer) -> None:
        """Keeps an answer; one that is too long is not kept."""
        ...

    async def claim(self, room: RoomId, key: str, seconds: float) -> bool:
        """Whether the caller is the one who asks for this answer ahead; nobody else is for so many seconds."""
        ...

    async def forget(self, room: RoomId) -> None:
        """The room is deleted."""
        ...


class MemoryAnswers:
    """Implements AnswerCache for one process."""

    def __init__(self, clock: Clock, bounds: CacheBounds | None = None) -> None:
        self._clock = clock
        self._bounds = bounds if bounds is not None else CacheBounds()
        self._kept: OrderedDict[tuple[RoomId, str], tuple[float, bytes]] = OrderedDict()
        self._claims: dict[tuple[RoomId, str], float] = {}
        self._bytes = 0

    async def get(self, room: RoomId, key: str) -> CachedAnswer | None:
        """See AnswerCache.get."""
        found = self._kept.get((room, key))
        if found is None:
            return None
        until, data = found
        if until <= self._clock.monotonic():
            self._drop((room, key))
            return None
        self._kept.move_to_end((room, key))
        return CachedAnswer.from_bytes(data)

    async def put(self, room: RoomId, key: str, answer: CachedAnswer) -> None:
        """See AnswerCache.put."""
        data = answer.to_bytes()
        if len(data) > ANSWER_BYTES:
            return
        self._drop((room, key))
        self._kept[room, key] = (self._clock.monotonic() + self._bounds.seconds, data)
        self._bytes += len(data)
        while len(self._kept) > self._bounds.entries or self._bytes > self._bounds.total_bytes:
            self._drop(next(iter(self._kept)))

    async def claim(self, room: RoomId, key: str, seconds: float) -> bool:
        """See AnswerCache.claim."""
        now = self._clock.monotonic()
        self._claims = {one: until for one, until in self._claims.items() if until > now}
        if (room, key) in self._claims:
            return False
        self._claims[room, key] = now + seconds
        return True

    async def forget(self, room: RoomId) -> None:
        """See AnswerCache.forget."""
        for one in [one for one in self._kept if one[0] == room]:
            self._drop(one)

    def _drop(self, one: tuple[RoomId, str]) -> None:
        found = self._kept.pop(one, None)
        if found is not None:
            self._bytes -= len(found[1])


def key_of(
    model: Sequence[str | int | None], messages: Sequence[Message], *, room: RoomId, rights: str = ALL_RIGHTS
) -> str:
    """The key of an answer: a digest of all that it depends on.

    ``model`` says which model gives it and within which limits; ``rights`` what the asker may see.
    """
    parts = [room, rights, list(model), [[message.role, message.content] for message in messages]]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=24).hexdigest()
