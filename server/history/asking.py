"""Has something done to a room's versions by the node that makes them: here, or at another node.

That is the keeper of the room's jobs. Nodes ask each other in JSON; an error travels with its code and its words.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import TypeAdapter, ValidationError

from collab.errors import CollabError, KeepLost, MalformedMessage, StoreUnavailable, TryLater
from collab.ids import NodeId, RoomId
from collab.ports import Clock
from generation.questions import ERRORS, encode_error
from server.history.ports import Peers
from server.history.questions import Answer, Question, Restore, Save

TOPIC: Final = "history"
PATIENCE_SECONDS: Final = 10.0
ASK_SECONDS: Final = 5.0
_WAIT: Final = 0.1

_QUESTION: Final[TypeAdapter[Question]] = TypeAdapter(Question)
_ANSWER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)

logger = logging.getLogger(__name__)


class Asking:
    """The questions of this node to others, and theirs to it. Without peers everything is done here."""

    def __init__(
        self, peers: Peers | None, clock: Clock, carry_out: Callable[[Question], Awaitable[Answer]]
    ) -> None:
        self._peers = peers
        self._clock = clock
        self._carry_out = carry_out
        if peers is not None:
            peers.answer_about(TOPIC, self._answer)

    async def ask(self, question: Save | Restore) -> Answer:
        """What the maker of the room's versions answers. The room is held here meanwhile.

        A question whose answer was lost is asked again, so it may be carried out twice. Raises what the maker
        raises, and TryLater when there is none in PATIENCE_SECONDS.
        """
        peers = self._peers
        if peers is None:
            return await self._carry_out(question)
        room = RoomId(question.room)
        until = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                keep = await peers.claim(room)
                if keep.node == peers.node:
                    return await self._carry_out(question)
                return await self._elsewhere(peers, keep.node, question)
            except (KeepLost, TryLater, StoreUnavailable) as error:
                if self._clock.monotonic() >= until:
                    raise TryLater(
                        f"The server that keeps this room's history cannot be reached: {error.message} Try again "
                        "in a moment."
                    ) from error
            await asyncio.sleep(_WAIT)

    async def _elsewhere(self, peers: Peers, node: NodeId, question: Question) -> Answer:
        data = await peers.ask_about(TOPIC, node, _QUESTION.dump_json(question), ASK_SECONDS)
        try:
            answer = json.loads(data)
            if "result" in answer:
                return _ANSWER.validate_python(answer["result"])
            code, message, field = answer["code"], str(answer["message"]), answer["field"]
        except (ValueError, TypeError, KeyError, ValidationError) as error:
            raise MalformedMessage(
                f"An answer of another node cannot be read: {type(error).__name__}. Let all nodes run the same "
                "version."
            ) from None
        raise ERRORS.get(code, CollabError)(message, field=field if isinstance(field, str) else None)

    async def _answer(self, node: NodeId, payload: bytes) -> bytes:
        try:
            question = _QUESTION.validate_json(payload)
        except ValidationError as error:
            return encode_error(
                MalformedMessage(
                    f"A question of another node cannot be read: {error.error_count()} problems. Let all nodes "
                    "run the same version."
                )
            )
        try:
            if self._peers is not None and self._peers.keep(RoomId(question.room)) is None:
                raise KeepLost("This node does not keep the room any more; ask again.")
            result = await self._carry_out(question)
        except CollabError as error:
            return encode_error(error)
        except Exception:
            logger.exception("a question of another node could not be answered", extra={"node": node})
            return encode_error(CollabError("The server made a mistake; its log says more. Try again."))
        return json.dumps({"result": _ANSWER.dump_python(result, mode="json")}).encode()
