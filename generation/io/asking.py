"""Has a question carried out by whoever keeps the room's jobs: here, or at another node."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from collab.errors import CollabError, KeepLost, StoreUnavailable, TryLater
from collab.ids import NodeId, RoomId
from collab.ports import Clock
from generation.ports import Random
from generation.questions import (
    Question,
    Result,
    decode_answer,
    decode_question,
    encode_error,
    encode_question,
    encode_result,
)
from generation.sharing import Peers

PATIENCE_SECONDS: Final = 10.0
"""A node that is gone is noticed after its lease, and its rooms are another one's then."""
ASK_SECONDS: Final = 3.0
_FIRST_WAIT: Final = 0.05
_MOST_WAIT: Final = 1.0
_MOST_KEEPERS: Final = 5_000

logger = logging.getLogger(__name__)


class _NoAnswer(CollabError):
    """Raised when the node that was asked says nothing; the question may have been carried out."""


class Asking:
    """The questions of this node to others, and theirs to it."""

    def __init__(
        self, peers: Peers, clock: Clock, random: Random, carry_out: Callable[[Question], Awaitable[Result]]
    ) -> None:
        """``carry_out`` does what is asked where this node keeps the room; raises errors of ``collab.errors``."""
        self._peers = peers
        self._clock = clock
        self._random = random
        self._carry_out = carry_out
        self._keepers: OrderedDict[RoomId, NodeId] = OrderedDict()
        self._leaving = False

    def leave(self) -> None:
        """From now on this node becomes the keeper of no room."""
        self._leaving = True

    async def ask(self, question: Question, patience: float = PATIENCE_SECONDS) -> Result:
        """What the room's keeper answers, whoever that is by then.

        Raises what the keeper raises; TryLater when none can be had in ``patience`` seconds. A question whose
        answer was lost is asked again, so it may be carried out twice.
        """
        deadline = self._clock.monotonic() + patience
        wait = _FIRST_WAIT
        while True:
            left = deadline - self._clock.monotonic()
            try:
                return await self._once(question, max(0.1, min(ASK_SECONDS, left)))
            except (KeepLost, _NoAnswer, StoreUnavailable) as error:
                self._keepers.pop(question.room, None)
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    raise TryLater(
                        f"The server that keeps the AI jobs of this room cannot be reached: {error.message} Try "
                        "again in a moment."
                    ) from error
            await asyncio.sleep(min(left, wait * (0.5 + self._random.random())))
            wait = min(wait * 2, _MOST_WAIT)

    def forget(self, room: RoomId) -> None:
        """Whoever kept the room may do so no more."""
        self._keepers.pop(room, None)

    async def tell(self, node: NodeId, question: Question) -> Result:
        """What one node answers. Raises what it raises, and TryLater when it says nothing in time."""
        return decode_answer(question, await self._peers.ask(node, encode_question(question), ASK_SECONDS))

    async def answer(self, node: NodeId, payload: bytes) -> bytes:
        """Answers another node; for ``Peers.serve``. Raises nothing."""
        try:
            return encode_result(await self._here(decode_question(payload)))
        except CollabError as error:
            return encode_error(error)
        except Exception:
            logger.exception("a question of another node could not be answered", extra={"node": node})
            return encode_error(CollabError("The server made a mistake; its log says more. Try again."))

    async def _once(self, question: Question, timeout: float) -> Result:
        room = question.room
        if self._peers.keep(room) is not None:
            return await self._here(question)
        keeper = self._keepers.get(room)
        if keeper is None or keeper == self._peers.node or not self._peers.live(keeper):
            if self._leaving:
                raise TryLater("This server is stopping; reconnect, and ask again.")
            keeper = (await self._peers.claim(room)).node
            if keeper == self._peers.node:
                return await self._here(question)
            self._keepers[room] = keeper
            if len(self._keepers) > _MOST_KEEPERS:
                self._keepers.popitem(last=False)
        try:
            data = await self._peers.ask(keeper, encode_question(question), timeout)
        except TryLater as error:
            raise _NoAnswer(error.message) from error
        return decode_answer(question, data)

    async def _here(self, question: Question) -> Result:
        if self._peers.keep(question.room) is None:
            raise KeepLost("This node does not keep the room's jobs any more; ask again.")
        result = await self._carry_out(question)
        if self._peers.keep(question.room) is None:
            # What was done may have been refused: the next keeper is asked whether it was.
            raise KeepLost("This node does not keep the room's jobs any more; ask again.")
        return result
