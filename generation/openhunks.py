"""What of a job's unfinished hunks may be in the document, told before it gets there.

A node that goes on with the job of a dead one must take back the hunk that was being written, and put back the
lines that it had deleted so far. The ledger alone does not tell: it is stored after a merge, and does not say
which of its parts were complete. So what a merge is about to do is stored ahead of it, hunk by hunk, and forgotten
once the hunk has landed and the ledger that says so is on its way. What was told ahead and never came about
harms nothing: taking back text that is not there does nothing, nor does putting back text that stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

from collab.ids import JobId
from collab.ledger import Ledger
from collab.merge.hunks import HunkId
from generation.book import OPEN, Change

PAGE_BYTES: Final = 8_000
"""A record of this size is not added to any more: the next merge begins another one, so that each stays cheap."""


class OpenHunks:
    """The records of one try's unfinished hunks; whoever calls stores the changes, in order."""

    def __init__(self, job: JobId, epoch: int) -> None:
        self._name = f"{job}.{epoch}"
        self._pages: dict[HunkId, int] = {}
        self._last: dict[HunkId, Ledger] = {}

    def ahead(self, pulled: Mapping[HunkId, Ledger]) -> list[Change]:
        """What the update of a pull is about to do; to be stored before the update is applied."""
        changes = []
        for hunk, ledger in pulled.items():
            page = self._last.setdefault(hunk, Ledger())
            page.extend(ledger)
            data = page.to_bytes()
            number = self._pages.setdefault(hunk, 0)
            changes.append(Change(OPEN, f"{self._name}.{hunk}.{number}", data))
            if len(data) >= PAGE_BYTES:
                self._pages[hunk] += 1
                self._last[hunk] = Ledger()
        return changes

    def settled(self, unfinished: Set[HunkId]) -> bool:
        """Whether there are records of hunks that are not among the unfinished ones any more."""
        return not self._pages.keys() <= unfinished

    def forget(self, unfinished: Set[HunkId]) -> list[Change]:
        """Forgets the records of all other hunks; to be stored after the ledger that has them."""
        changes = []
        for hunk in self._pages.keys() - unfinished:
            pages = range(self._pages.pop(hunk) + 1)
            changes += [Change(OPEN, f"{self._name}.{hunk}.{number}", None) for number in pages]
            del self._last[hunk]
        return changes


def open_ledgers(records: Mapping[str, bytes], job: JobId, epoch: int) -> list[Ledger]:
    """What each unfinished hunk of a try had done, or was about to do, in order. Raises StoreCorrupt."""
    pages = []
    for key in records:
        name, *numbers = key.split(".")
        if name == job and len(numbers) == 3 and all(number.isascii() and number.isdigit() for number in numbers):
            of, hunk, page = map(int, numbers)
            if of == epoch:
                pages.append((hunk, page, key))
    hunks: dict[int, Ledger] = {}
    for hunk, _, key in sorted(pages):
        hunks.setdefault(hunk, Ledger()).extend(Ledger.from_bytes(records[key]))
    return list(hunks.values())
