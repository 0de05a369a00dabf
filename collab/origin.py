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
    """An edit written by a generation job. For ``copies`` see UndoOrigin."""

    job: JobId
    asked_by: PersonId
    copies: bytes = b""


@dataclass(frozen=True, slots=True)
class UndoOrigin:
    """The undo or redo of a job, of a change or of what a person did, asked for by a person.

    ``copies`` tells which of the text is a copy of deleted text that is put back, and so still its author's
    (``collab.attribution_codec.pack_copies``).
    """

    job: JobId
    person: PersonId
    redo: bool = False
    copies: bytes = b""


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """Files brought in over HTTP or by the command line."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class ChangeOrigin:
    """An edit by a changeset of a person who worked from an older copy: a PUT, an import, a restore.

    ``what`` is a word for its kind. For ``copies`` see UndoOrigin.
    """

    change: str
    person: PersonId
    what: str = ""
    copies: bytes = b""


@dataclass(frozen=True, slots=True)
class NodeOrigin:
    """An edit that another node of the cluster sent."""

    node: str


@dataclass(frozen=True, slots=True)
class RestoreOrigin:
    """Edits read back from the store, or put together from several of their origins.

    ``attribution`` tells whose they are (``collab.attribution_codec.encode``), as far as that is known.
    """

    attribution: bytes = b""


Origin = PersonOrigin | JobOrigin | UndoOrigin | ImportOrigin | ChangeOrigin | NodeOrigin | RestoreOrigin

_KINDS: Final[dict[str, type[Origin]]] = {
    "person": PersonOrigin,
    "job": JobOrigin,
    "undo": UndoOrigin,
    "import": ImportOrigin,
    "change": ChangeOrigin,
    "node": NodeOrigin,
    "restore": RestoreOrigin,
}
_NAMES: Final[dict[type[Origin], str]] = {kind: name for name, kind in _KINDS.items()}


def to_record(origin: Origin) -> list[object]:
    """The origin as a list of plain values, for storage: its kind, then its fields in order.

    Empty bytes at the end are left out: they are all that versions before this one do not know.
    """
    values = [getattr(origin, name) for name in origin.__slots__]
    while values and values[-1] == b"":
        values.pop()
    return [_NAMES[type(origin)], *(list(v) if isinstance(v, tuple) else v for v in values)]


def is_plain(origin: Origin) -> bool:
    """Whether the origin comes again and again, so that what is made of it is worth keeping."""
    return not _table(origin)


def _table(origin: Origin) -> bytes:
    if isinstance(origin, JobOrigin | UndoOrigin | ChangeOrigin):
        return origin.copies
    return origin.attribution if isinstance(origin, RestoreOrigin) else b""


def author_of(origin: Origin) -> str:
    """The id of the person or job that is behind an origin; empty where there is none."""
    if isinstance(origin, JobOrigin):
        return origin.job
    if isinstance(origin, PersonOrigin | UndoOrigin | ImportOrigin | ChangeOrigin):
        return origin.person
    return ""


def from_record(record: object) -> Origin:
    """The reverse of to_record. Raises StoreCorrupt for anything else."""
    try:
        if not isinstance(record, list):
            raise TypeError("not a list")
        name, *values = record
        make: Callable[..., Origin] = _KINDS[name]
        origin = make(*(tuple(v) if isinstance(v, list) else v for v in values))
        if not isinstance(_table(origin), bytes):
            raise TypeError("its table of ids is no bytes")
        return origin
    except (KeyError, TypeError, ValueError) as error:
        raise StoreCorrupt(f"A stored origin cannot be read: {error!r}.") from error
