"""Makes a ledger whole that was stored a moment before a crash.

A merge and the ledger that tells of it are stored one after the other, so after a crash the log may hold a
little more. A client id is used by one try of one job alone, so all text under it is the job's.
"""

from __future__ import annotations

from collections.abc import Sequence

from collab.document import Document
from collab.ids import ClientId
from collab.ledger import Ledger
from collab.merge.items import State
from collab.merge.ranges import IdRanges
from collab.wire import decode_state_vector


def recovered(ledger: Ledger, clients: Sequence[ClientId], document: Document) -> Ledger:
    """The ledger, with all text of these clients that stands in the document and that it lacks."""
    more = unaccounted(ledger, clients, document)
    if more.empty:
        return ledger
    whole = Ledger()
    whole.extend(ledger)
    whole.extend(more)
    return whole


def unaccounted(ledger: Ledger, clients: Sequence[ClientId], document: Document) -> Ledger:
    """Text of these clients that stands in the document and that the ledger lacks, as a ledger of its own."""
    found = Ledger()
    known = IdRanges(item.ids for item in ledger.inserted)
    ends = {item.ids.client: 0 for item in ledger.inserted}
    for item in ledger.inserted:
        ends[item.ids.client] = max(ends[item.ids.client], item.ids.clock + item.ids.length)
    written = decode_state_vector(document.state_vector())
    if all(written.get(client, 0) <= ends.get(client, 0) for client in clients):
        return found
    state = State(document)
    for file in document.listing().files:
        for run in state.runs(file):
            if run.alive and run.ids.client in clients:
                for part, noted in known.split(run.ids):
                    if not noted:
                        found.insert(file, part)
    return found
