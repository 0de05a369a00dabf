"""Who asks: the person behind a connection."""

from __future__ import annotations

from dataclasses import dataclass

from collab.ids import ClientId, ConnectionId, PersonId


@dataclass(slots=True)
class Caller:
    """One connection's person. ``client`` is the Yjs client id of a native connection; name and colour change."""

    connection: ConnectionId
    person: PersonId
    name: str
    color: str
    client: ClientId
    native: bool
