"""What the engine needs when several nodes run jobs, as Protocols.

One node at a time keeps a room's jobs: it alone changes their records and runs them, under a token that fences
off whoever kept them before. The others ask it. Which job of which room is worked on next is decided by a board
that all nodes share.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collab.ids import JobId, NodeId, RoomId
from collab.shared import Keep
from generation.events import GenerationEvent
from generation.views import Priority


class Peers(Protocol):
    """The other nodes, and this one's place among them. ``server/cluster.py`` implements it."""

    @property
    def node(self) -> NodeId:
        """The id of this node; another one after it has lost its lease."""
        ...

    def live(self, node: NodeId) -> bool:
        """Whether a node's lease was good when this one last looked, a few seconds ago at most."""
        ...

    async def claim(self, room: RoomId) -> Keep:
        """Makes this node the keeper of the room's jobs unless another live node is; the keeper there is now.

        Raises StoreUnavailable.
        """
        ...

    async def unclaim(self, room: RoomId) -> None:
        """Ends this node's keep of the room, if it has it."""
        ...

    def keep(self, room: RoomId) -> Keep | None:
        """The keep that this node has of the room, if it holds at this instant: the lease is good and no other
        node has taken over as far as this one knows. Asked again before every step that must not come late.
        """
        ...

    async def ask(self, node: NodeId, payload: bytes, timeout: float) -> bytes:
        """A node's answer. Raises TryLater when there is none in time; the question may have been carried out."""
        ...

    def serve(
        self,
        answer: Callable[[NodeId, bytes], Awaitable[bytes]],
        lost: Callable[[Sequence[RoomId]], None],
        overheard: Callable[[RoomId, GenerationEvent], None],
        restored: Callable[[RoomId], None],
    ) -> None:
        """Sets who is called, before the node starts: ``answer`` for what other nodes ask, ``lost`` when this
        node keeps these rooms no more against its will, ``overheard`` for what another node's jobs announced
        in a room that this one holds, ``restored`` when the store had lost something of a room, whose records
        must be written again by its keeper.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """One turn of a room on the board: some job of it may be run. ``id`` names it on the board."""

    id: str
    priority: Priority
    room: RoomId
    job: JobId
    deliveries: int = 1
    """How often it was given to a node, this time included."""


class JobBoard(Protocol):
    """The jobs that may run next, for all nodes. Raises StoreUnavailable and StoreError only."""

    async def post(self, priority: Priority, room: RoomId, job: JobId) -> None:
        """Puts a ticket at the end of its priority's line."""
        ...

    async def take(self, node: NodeId, wait: float) -> Ticket | None:
        """The first ticket of the highest priority, given to this node until it is ``done``; None when there is
        none after ``wait`` seconds.
        """
        ...

    async def beat(self, node: NodeId, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Says that these are being worked on; those that another node has meanwhile."""
        ...

    async def reclaim(self, node: NodeId, idle: float) -> list[Ticket]:
        """Tickets whose node has not been heard of for ``idle`` seconds, given to this one."""
        ...

    async def hand(self, ticket: Ticket, node: NodeId) -> None:
        """Gives a ticket to another node, which counts as having taken it now."""
        ...

    async def done(self, ticket: Ticket) -> None:
        """Takes a ticket off the board."""
        ...

    async def depart(self, node: NodeId) -> None:
        """The node takes no more: what it still has goes back to the line, and its name is forgotten."""
        ...
