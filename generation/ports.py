"""What generation needs from outside, as Protocols, and the values that pass through them.

The server implements Rooms and RoomHandle; ``generation/io`` holds the adapters of Model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from collab.document import Applied, Document
from collab.editor import Editor
from collab.ids import ClientId, RoomId
from collab.ledger import Ledger
from collab.origin import Origin
from collab.ports import LogEntry
from generation.catalog import Catalog, ModelSpec
from generation.context.people import Participant
from generation.events import GenerationEvent

T = TypeVar("T")


class RoomHandle(Protocol):
    """One loaded room, as a job sees it. All methods that are not awaited act at once, in order.

    Where several nodes share the room, only the keeper of its jobs may change what is theirs. On a node that is it
    no more, ``change`` and ``apply`` raise KeepLost for a JobOrigin or an UndoOrigin, and ``put_record`` drops
    what is of ``generation.book.KEPT_KINDS``.
    """

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document. Read it freely; change it only through ``change`` and ``apply``."""
        ...

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        """Edits the live document in one transaction, which is broadcast and stored."""
        ...

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Applies an update to the live document, which is broadcast and stored."""
        ...

    def announce(self, event: GenerationEvent) -> None:
        """Tells everybody in the room."""
        ...

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        """Sets, or with None removes, the awareness state of a client of this process."""
        ...

    def participants(self) -> Sequence[Participant]:
        """The people who are here, and where."""
        ...

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Stores (or with None forgets) a record, soon and in the order of the calls and changes.

        A record of the kind ``generation.book.OPEN`` tells of what is applied next: it is stored before that.
        """
        ...

    def settle(self) -> None:
        """What people have sent so far is in the document now, and on its way to everybody."""
        ...

    def may_generate(self) -> bool:
        """Whether this node may change what is the jobs' at this instant; always, where no other node is."""
        ...

    def watch_log(self, watch: Callable[[LogEntry], None]) -> None:
        """Has each further entry of the room's log told, this node's and others', about when it is applied.

        The next call takes the place of the last one. ``watch`` must be quick, and not change the room.
        """
        ...

    async def beside(self) -> list[Ledger]:
        """What people's undos of their own changes have done, for the undo of a job. Raises StoreError."""
        ...

    async def caught_up(self) -> None:
        """Returns when the document has all that the room's log had at the call. Raises StoreUnavailable.

        At once, where no other node is.
        """
        ...

    async def durable(self) -> None:
        """Returns when all that was applied and put so far is stored. Raises StoreUnavailable."""
        ...

    async def records(self, kind: str) -> dict[str, bytes]:
        """All records of one kind, by key."""
        ...


class Rooms(Protocol):
    """Gives access to rooms."""

    def held(self, room: RoomId) -> AbstractAsyncContextManager[RoomHandle]:
        """Loads the room if it is not, and keeps it loaded meanwhile. Raises InvalidInput, StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning, sent apart from the answer. Never written anywhere."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """Tokens that the provider counted. ``cached_tokens`` are those of the prompt that it had cached."""

    prompt_tokens: int
    answer_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class FinishDelta:
    """Why the answer ended: ``stop``, ``length``, ``content_filter``, or another word of the provider."""

    reason: str


Delta = TextDelta | ReasoningDelta | UsageDelta | FinishDelta


async def _at_once() -> None:
    pass


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Times in seconds that one stream may take, and the tokens of its answer (None: the model's own).

    After each piece that has come ``rest`` is awaited before the connection is read again. Meanwhile more gathers:
    to wake up for each token of a fast model costs several times as much.
    """

    connect: float = 10.0
    first_token: float = 60.0
    silence: float = 30.0
    total: float = 600.0
    answer_tokens: int | None = None
    rest: Callable[[], Awaitable[None]] = _at_once


class Model(Protocol):
    """One model that answers."""

    @property
    def name(self) -> str:
        """The name that the room sees."""
        ...

    @property
    def offline(self) -> bool:
        """True for built-in templates, which are no AI: what they write is always offered for review."""
        ...

    def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """Asks once and streams the answer.

        Raises ModelUnavailable, ModelRateLimited or ModelRefused before the first delta, StreamBroken
        after it; never tries again by itself. A stream that ends without FinishDelta was cut short. Closing
        the iterator ends the request. Where the last message is the assistant's, the model goes on from there.
        """
        ...


class Models(Protocol):
    """The models that are configured."""

    @property
    def catalog(self) -> Catalog:
        """All that are configured, in the order of fallback, without templates."""
        ...

    @property
    def default(self) -> str | None:
        """Name of the first model; None when only the offline one is there."""
        ...

    def spec(self, name: str | None) -> ModelSpec:
        """What is known of the model of this name, templates included, or of the first one.

        Raises InvalidInput with what is available.
        """
        ...

    def open(self, name: str | None) -> Model:
        """The model of this name, or the first one. Raises InvalidInput with what is available."""
        ...


class Random(Protocol):
    """The part of ``random.Random`` that generation uses."""

    def getrandbits(self, k: int, /) -> int:
        """``k`` random bits as a number."""
        ...

    def random(self) -> float:
        """A number from 0 up to 1."""
        ...
