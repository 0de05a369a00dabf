"""Whose change it is. Every mutation of a document carries one of these; storage, undo and audit read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collab.errors import StoreCorrupt
from collab.ids import ClientId, ConnectionId, JobId, PersonId


@dataclass(frozen=True, slots=True)
class PersonOrigin:
    """An edit that came in over a connection.

    ``relayed`` holds the client ids in the update that do not belong to this connection: their edits were
    brought along (another tab's, or what the server had lost), not written, by this person.
    """

    person: PersonId
    connection: ConnectionId
    relayed: tuple[ClientId, ...] = ()


@dataclass(frozen=True, slots=True)
class JobOrigin:
    """An edit written by a generation job."""

    job: JobId
    asked_by: PersonId


@dataclass(frozen=True, slots=True)
class UndoOrigin:
    """The undo or redo of a job, asked for by a person."""

    job: JobId
    person: PersonId
    redo: bool = False


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """Files brought in over HTTP or by the command line."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class NodeOrigin:
    """An edit that another node of the cluster sent."""

    node: str


@dataclass(frozen=True, slots=True)
class RestoreOrigin:
    """Edits read back from the store."""


Origin = PersonOrigin | JobOrigin | UndoOrigin | ImportOrigin | NodeOrigin | RestoreOrigin

_KINDS: Final[dict[str, type[Origin]]] = {
    "person": PersonOrigin,
    "job": JobOrigin,
    "undo": UndoOrigin,
    "import": ImportOrigin,
    "node": NodeOrigin,
    "restore": RestoreOrigin,
}
_NAMES: Final[dict[type[Origin], str]] = {kind: name for name, kind in _KINDS.items()}


def to_record(origin: Origin) -> list[object]:
    """The origin as a list of plain values, for storage: its kind, then its fields in order."""
    values = [getattr(origin, name) for name in origin.__slots__]
    return [_NAMES[type(origin)], *(list(v) if isinstance(v, tuple) else v for v in values)]


def from_record(record: object) -> Origin:
    """The reverse of to_record. Raises StoreCorrupt for anything else."""
    try:
        if not isinstance(record, list):
            raise TypeError("not a list")
        name, *values = record
        make: Callable[..., Origin] = _KINDS[name]
        return make(*(tuple(v) if isinstance(v, list) else v for v in values))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreCorrupt(f"A stored origin cannot be read: {error!r}.") from error
