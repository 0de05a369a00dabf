"""What a model was sent for a job: word for word, why each piece was chosen, and what was left out.

Kept as a record of the room, packed. It holds texts of the room and what people asked, nothing of how the
provider is reached.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from collab.errors import StoreCorrupt
from generation.context.pieces import Context
from generation.ports import Message

Purpose = Literal["answer", "continuation", "repair", "cached", "summary"]
MOST_ASKS: Final = 12
"""Requests of one job that are kept, the last ones: a job may ask again, or another model."""
MOST_BYTES: Final = 2_000_000
"""Characters of the messages of one request that are kept; what is cut is said."""
MOST_JOBS: Final = 30
"""Jobs of a room of which it is kept, the newest."""
_UNPACKED: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class SentPiece:
    """A piece of the context. ``kind`` and ``form`` as in ``generation.context.pieces``; ``reason`` says why it
    is not there as a whole.
    """

    kind: str
    name: str
    form: str
    why: str
    tokens: int
    score: float
    pinned: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message, word for word."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class SentAsk:
    """One request to a model. Tokens are estimates; ``others`` counts files of which only the path was told."""

    model: str
    at_ms: int
    strategy: str
    strategy_why: str
    tokens: int
    budget: int
    pieces: tuple[SentPiece, ...]
    others: int
    note: str
    messages: tuple[SentMessage, ...]
    purpose: Purpose = "answer"
    """For a first answer, to go on with one that broke off, or to repair one; or it was asked before, and nothing
    was sent again; or a model was to sum up a file that is too long to be shown.
    """


@dataclass(frozen=True, slots=True)
class Sent:
    """All that is kept of one job's requests, the last one at the end."""

    job: str
    asks: tuple[SentAsk, ...] = ()

    def then(self, ask: SentAsk) -> Sent:
        """With one more."""
        return replace(self, asks=(*self.asks, ask)[-MOST_ASKS:])

    def to_bytes(self) -> bytes:
        """As a record."""
        return zlib.compress(json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "surrogatepass"), 6)

    @staticmethod
    def from_bytes(data: bytes) -> Sent:
        """The reverse of to_bytes. Raises StoreCorrupt."""
        try:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(data, _UNPACKED)
            if not unpacker.eof:
                raise ValueError("it is cut, or too large")
            values: dict[str, Any] = json.loads(text.decode("utf-8", "surrogatepass"))
            return Sent(values["job"], tuple(_ask(one) for one in values["asks"]))
        except (zlib.error, ValueError, TypeError, KeyError) as error:
            raise StoreCorrupt(f"What was sent for a job cannot be read: {error!r}.") from error


def sent_ask(
    context: Context,
    messages: Sequence[Message],
    *,
    model: str,
    at_ms: int,
    strategy: str,
    strategy_why: str,
    tokens: int,
    purpose: Purpose = "answer",
) -> SentAsk:
    """What is kept of a request."""
    pieces = tuple(
        SentPiece(
            one.piece.kind,
            one.piece.name,
            one.form,
            one.piece.why,
            one.tokens,
            round(one.piece.score, 3),
            one.piece.pinned,
            one.reason,
        )
        for one in context.pieces
    )
    left = MOST_BYTES
    kept: list[SentMessage] = []
    for message in messages:
        content = message.content
        if len(content) > left:
            content = f"{content[:left]}\n[{len(content) - left} more characters were sent and are not kept]"
        left = max(0, left - len(content))
        kept.append(SentMessage(message.role, content))
    return SentAsk(
        model,
        at_ms,
        strategy,
        strategy_why,
        tokens,
        context.budget,
        pieces,
        len(context.others),
        context.note,
        tuple(kept),
        purpose,
    )


def _ask(values: dict[str, Any]) -> SentAsk:
    return SentAsk(
        **{
            **values,
            "pieces": tuple(SentPiece(**one) for one in values["pieces"]),
            "messages": tuple(SentMessage(**one) for one in values["messages"]),
        }
    )
