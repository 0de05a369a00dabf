"""Whose edits a Yjs client id stands for, as a record: a checkpoint no longer tells."""

from __future__ import annotations

import msgpack

from collab.errors import StoreCorrupt
from collab.ids import ClientId, PersonId

KIND = "owners"
KEY = "all"


def write_owners(owners: dict[ClientId, PersonId]) -> bytes:
    """The table as bytes."""
    return bytes(msgpack.packb(owners))


def read_owners(records: dict[str, bytes]) -> dict[ClientId, PersonId]:
    """The table of a room's records. Raises StoreCorrupt."""
    raw = records.get(KEY)
    if raw is None:
        return {}
    try:
        table = msgpack.unpackb(raw, strict_map_key=False)
        return {ClientId(int(client)): PersonId(str(person)) for client, person in table.items()}
    except (ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
        raise StoreCorrupt(f"The record of who owns which client id cannot be read: {error!r}.") from error
