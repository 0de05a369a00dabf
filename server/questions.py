"""Questions that nodes ask each other: sent to one node, answered by a message with the same number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping

from collab.errors import CollabError, TryLater
from collab.ids import NodeId
from server.bus_messages import Answer, Question

Topic = Callable[[NodeId, bytes], Awaitable[bytes]]
"""Answers the questions of one topic: who asks, and what."""

logger = logging.getLogger(__name__)


async def answered(question: Question, node: NodeId, topics: Mapping[str, Topic]) -> Answer:
    """The answer to a question of another node; whatever goes wrong is part of it."""
    try:
        topic = topics.get(question.topic)
        if topic is None:
            raise TryLater(f"This node does not know what {question.topic[:40]!r} is; it has another version.")
        return Answer(question.number, True, await topic(node, question.payload))
    except CollabError as error:
        return Answer(question.number, False, error.message.encode())
    except Exception:
        logger.exception("a question of another node could not be answered")
        return Answer(question.number, False, b"The node made a mistake; its log says more.")


class Questions:
    """The questions of this node that wait for an answer."""

    def __init__(self, send: Callable[[NodeId, Question], None], name_of: Callable[[NodeId], str]) -> None:
        self._send = send
        self._name_of = name_of
        self._waiting: dict[int, tuple[NodeId, asyncio.Future[bytes]]] = {}
        self._last = 0

    async def ask(self, node: NodeId, topic: str, payload: bytes, timeout: float) -> bytes:
        """A node's answer. Raises TryLater when it gives none, or says why not."""
        self._last += 1
        number = self._last
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (node, waiting)
        try:
            self._send(node, Question(number, topic, payload))
            async with asyncio.timeout(timeout):
                return await waiting
        except TimeoutError:
            raise TryLater(
                f"Node {self._name_of(node)!r} did not answer in {timeout:g} s; try again in a moment."
            ) from None
        finally:
            del self._waiting[number]

    def answered(self, node: NodeId, answer: Answer) -> None:
        """An answer has come; one that nobody waits for is ignored."""
        asked, waiting = self._waiting.get(answer.number, (None, None))
        if waiting is None or asked != node or waiting.done():
            return
        if answer.good:
            waiting.set_result(answer.payload)
        else:
            waiting.set_exception(TryLater(answer.payload.decode(errors="replace")[:1000]))

    def give_up(self, live: Container[NodeId]) -> None:
        """Nodes that are not among these will not answer any more."""
        for node, waiting in self._waiting.values():
            if node not in live and not waiting.done():
                waiting.set_exception(TryLater(f"Node {self._name_of(node)!r} has gone; try again in a moment."))
