"""What a room or a session wants done. They decide; the server does.

``payload`` is always one whole message of the dialect, not yet framed for the WebSocket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.ports import LogEntry

if TYPE_CHECKING:
    from collab.document import Applied
    from collab.room import Member


@dataclass(frozen=True, slots=True)
class Send:
    """One message to one connection."""

    member: Member
    payload: bytes


@dataclass(frozen=True, slots=True)
class SendState:
    """A sync step 2 with what ``state`` (a state vector) lacks, as the document is when it is carried out."""

    member: Member
    state: bytes


@dataclass(frozen=True, slots=True)
class SendPresence:
    """All presence states, to one connection."""

    member: Member


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A document update to all connections, except the one whose edit it is, where it is one's alone."""

    update: bytes
    author: Member | None


@dataclass(frozen=True, slots=True)
class BroadcastPresence:
    """Changed presence states to all connections, their authors included: the echo keeps a lone user of
    y-websocket connected, which otherwise reconnects after 30 s without a message.
    """

    payload: bytes
    clients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """The document has changed; for those who follow texts and files rather than updates."""

    applied: Applied
    by: str


@dataclass(frozen=True, slots=True)
class Persist:
    """An entry for the room's log."""

    entry: LogEntry


@dataclass(frozen=True, slots=True)
class Durable:
    """The first ``count`` sync messages of this connection are stored."""

    member: Member
    count: int


@dataclass(frozen=True, slots=True)
class Control:
    """A control message (JSON) that this connection sent."""

    member: Member
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Ends one connection with a WebSocket close code and a reason in words."""

    member: Member
    code: int
    reason: str


Effect = (
    Send | SendState | SendPresence | Broadcast | BroadcastPresence | Changed | Persist | Durable | Control | Close
)
