"""What history needs of the rest of the server, as Protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from collab.attribution import Attribution
from collab.document import Applied, Document
from collab.ids import ClientId, NodeId, RoomId
from collab.ledger import Ledger
from collab.origin import Origin
from collab.presence import PresenceView
from collab.shared import Keep
from generation.views import Asker
from server.history.watch import RoomWatch
from server.messages.events import AnyEvent


class Host(Protocol):
    """One loaded room; ``server.host.RoomHost`` in the process."""

    keep: Callable[[], Keep | None] | None
    held: int
    """While it is above 0, the room stays loaded."""
    retired: bool
    watch: RoomWatch | None

    @property
    def room(self) -> RoomId:
        """The room's name."""
        ...

    @property
    def document(self) -> Document:
        """The live document; changed only through ``apply``."""
        ...

    def attribution(self) -> Attribution:
        """Who wrote what, up to now. Raises StoreCorrupt."""
        ...

    def people(self) -> Sequence[PresenceView]:
        """Everybody who is here, over all nodes."""
        ...

    def connections(self) -> int:
        """How many connections the room has over this node."""
        ...

    def flush(self) -> None:
        """Applies what has come in."""
        ...

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Applies an update to the live document, which is broadcast and stored. Raises LimitExceeded."""
        ...

    def tell(self, message: AnyEvent) -> None:
        """Tells everybody who follows events, on all nodes."""
        ...

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Stores or forgets a record, soon and in order; drops those of versions that this node may not make."""
        ...

    async def records(self, kind: str) -> dict[str, bytes]:
        """All records of one kind."""
        ...

    async def caught_up(self) -> None:
        """Returns when the document has all that the log had at the call. Raises StoreError."""
        ...

    async def durable(self) -> None:
        """Returns when all that was done so far is stored. Raises StoreUnavailable."""
        ...


class Rooms(Protocol):
    """The rooms of this process; ``server.hub.Hub``."""

    def held(self, room: RoomId) -> AbstractAsyncContextManager[Host]:
        """Loads the room if it is not, and keeps it loaded meanwhile. Raises StoreError, TryLater."""
        ...


class Peers(Protocol):
    """The other nodes; ``server.cluster.Cluster``."""

    @property
    def node(self) -> NodeId:
        """The id of this node."""
        ...

    async def claim(self, room: RoomId) -> Keep:
        """Makes this node the keeper of the room unless another live node is; the keeper there is now.

        Raises StoreUnavailable.
        """
        ...

    def keep(self, room: RoomId) -> Keep | None:
        """The keep that this node has of the room, if it holds at this instant."""
        ...

    async def ask_about(self, topic: str, node: NodeId, payload: bytes, timeout: float) -> bytes:
        """A node's answer. Raises TryLater when there is none in time."""
        ...

    def answer_about(self, topic: str, answer: Callable[[NodeId, bytes], Awaitable[bytes]]) -> None:
        """Sets what answers other nodes' questions of a topic, before the node starts."""
        ...


class Doors(Protocol):
    """Where changes of whoever worked from an older copy go in: they are kept with a ledger, and can be undone."""

    async def apply_change(
        self,
        host: Host,
        title: str,
        files: Sequence[str],
        updates: Sequence[bytes],
        client: ClientId,
        ledger: Ledger,
        asker: Asker,
    ) -> str:
        """Applies what was restored to the live document, one after the other so that the room goes on meanwhile,
        and keeps it as a change; returns its id.

        ``title`` says in words what it is, ``files`` are paths, ``client`` is whom the update is by. Raises
        LimitExceeded, KeepLost, StoreError.
        """
        ...
