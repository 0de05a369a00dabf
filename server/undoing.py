"""Undo of a person's own last changes, for those whose editor cannot: in a terminal, or after a reload."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from collab.attribution_codec import pack_copies
from collab.errors import CollabError, Conflict
from collab.ids import PersonId
from collab.ledger import Ledger
from collab.origin import ChangeOrigin, PersonOrigin
from collab.person_undo import PersonChanges
from collab.ports import LogEntry
from collab.undo import undo

if TYPE_CHECKING:
    from server.host import RoomHost

KIND: Final = "person_undo"
_KEY: Final = "all"
UNDO: Final = "undo"
"""What the origin of such an undo says that it is."""

logger = logging.getLogger(__name__)


class Undoing:
    """The changes of the people in one loaded room, from when the first one came who may ask for their undo."""

    def __init__(self, host: RoomHost) -> None:
        self._host = host
        self._changes: PersonChanges | None = None
        self._aside: Ledger | None = None

    def begin(self) -> None:
        """Somebody has come who may want to undo what they do."""
        if self._changes is None:
            self._host.flush()
            self._changes = PersonChanges(self._host.document.encode)

    def entered(self, entry: LogEntry) -> None:
        """One more entry of the log is in the document."""
        if self._changes is None:
            return
        origin = entry.origin
        if isinstance(origin, PersonOrigin):
            self._changes.record(origin.person, entry.at_ms, entry.update, origin.relayed)
        else:
            self._changes.record("", entry.at_ms, entry.update)

    async def ledgers(self) -> list[Ledger]:
        """What these undos have done, for the undo of a job. Raises StoreError."""
        if self._aside is None:
            stored = (await self._host.records(KIND)).get(_KEY)
            try:
                self._aside = Ledger.from_bytes(stored) if stored is not None else Ledger()
            except CollabError as error:
                logger.warning("what people undid cannot be read: %s", error.message)
                self._aside = Ledger()
        return [self._aside, *(self._changes.beside() if self._changes is not None else ())]

    async def turn(self, person: PersonId, others: Callable[[], list[Ledger]], *, redo: bool) -> None:
        """Undoes the person's last change, or puts back what their last undo took.

        ``others`` are the ledgers of the room's jobs. Raises Conflict when there is nothing to undo, StoreError.
        """
        before = (await self.ledgers())[0]
        changes, host = self._changes, self._host
        host.flush()
        ledger = None
        if changes is not None:
            ledger = changes.next(person) if redo else changes.last(person)
        if changes is None or ledger is None:
            what = "undone that you could redo" if redo else "changed here lately that could be undone"
            raise Conflict(f"There is nothing that you have {what}; an editor undoes older changes itself.")
        beside = [before, *changes.beside(ledger), *others()]
        update, reverse = undo(ledger, host.document, beside, again=redo)
        if update is not None:
            copies = pack_copies(reverse.copies[len(ledger.copies) :])
            host.apply(update, ChangeOrigin("", person, "redo" if redo else UNDO, copies))
        if redo:
            changes.redone(person, reverse)
        else:
            changes.undone(person, reverse)
        kept = Ledger()
        kept.extend(before)
        kept.extend(changes.for_store())
        host.put_record(KIND, _KEY, kept.to_bytes())
