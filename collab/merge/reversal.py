"""What it takes to take back a ledger's changes of one text.

Inserted text is deleted by its ids wherever it stands. Deleted text is put back next to its own tombstones,
which keep their place in the list for as long as the file lives.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from collab.ids import ClientId, FileId
from collab.ledger import Copy, Deleted, Inserted, Ledger
from collab.merge.items import ItemId, Placed, Run
from collab.merge.lines import line_ends_to_keep
from collab.merge.ranges import IdRanges
from collab.offsets import utf16_length
from collab.wire import MAX_UINT, IdRange


@dataclass(frozen=True, slots=True)
class Place:
    """Text that goes back, and the ids of the deleted text of which it is a copy, in order."""

    text: Placed
    of: tuple[IdRange, ...]


@dataclass(frozen=True, slots=True)
class Reversal:
    """Of one file: the ids that go, and their text; what comes back.

    ``kept`` are line ends that stay for the sake of what somebody typed in their lines, ``buried`` the ledger's
    text that does not stand there any more, ``withheld`` what does not come back because another job keeps it
    away, ``again`` what had been withheld and is kept away by this ledger too from now on.
    """

    file: FileId
    gone: tuple[IdRange, ...]
    text: str
    places: tuple[Place, ...]
    kept: IdRanges
    buried: IdRanges
    withheld: tuple[Deleted, ...]
    again: tuple[Deleted, ...]

    def note(self, redo: Ledger, client: ClientId, clock: int) -> int:
        """Notes it in ``redo`` as done under ``client`` from ``clock``; returns the next clock."""
        redo.buried += [Inserted(self.file, ids) for ids in self.buried.ranges()]
        redo.withheld += self.withheld
        redo.deleted += self.again
        if self.gone:
            redo.deleted.append(Deleted(self.file, self.text, self.gone, self.gone))
        for place in self.places:
            ids = IdRange(client, clock, utf16_length(place.text.text))
            redo.insert(self.file, ids)
            redo.copies.append(Copy(self.file, ids, place.of))
            clock += ids.length
        return clock


def reversal(
    file: FileId, runs: list[Run], ledger: Ledger, others: Sequence[Ledger], *, keep_line_ends: bool
) -> Reversal:
    """What takes back the ledger's changes of this file, whose items are ``runs``; see ``collab.undo.undo``.

    A character stands in the text if nobody has deleted it and no ledger keeps it away: that of a job which
    deleted it, or of the undone job which wrote it. What is taken back here keeps away what it had put there, and
    lets go of what it had kept away; that comes back if no other ledger keeps it away.
    """
    own = IdRanges(item.ids for item in ledger.inserted if item.file == file)
    own = own | _kept(ledger.withheld, file)
    copies = [copy for some in (ledger, *others) for copy in some.copies if copy.file == file]
    inserted = own | _copied(own, copies)
    # What was copied since is the copy's affair.
    copied = IdRanges(of for copy in copies for of in copy.of)
    held = [ledger.dropped]
    for other in others:
        held += [other.buried, other.dropped]
    away = IdRanges(item.ids for items in held for item in items if item.file == file)
    for other in others:
        away = away | _kept(other.deleted, file)
    away = away | _copied(away, copies)
    deleted = [item for item in ledger.deleted if item.file == file]
    waiting = [item for other in others for item in (*other.withheld, *other.released) if item.file == file]
    # Text that the job had written itself and later replaced does not come back.
    places = _places(runs, [*deleted, *waiting], inserted | away | copied)
    stays = IdRanges()
    if keep_line_ends and inserted:
        back = IdRanges(of for place in places for of in place.of)
        stays = line_ends_to_keep(runs, inserted, inserted | _originals(inserted, copies), back)
    gone, text = _alive(runs, inserted - stays)
    again = _narrowed([item for item in ledger.withheld if item.file == file], copied, inside=False)
    return Reversal(
        file,
        tuple(gone),
        text,
        tuple(places),
        stays,
        inserted - IdRanges(gone) - stays - _kept(again, file),
        _narrowed(_narrowed(deleted, inserted | copied, inside=False), away, inside=True),
        again,
    )


def _kept(entries: Iterable[Deleted], file: FileId) -> IdRanges:
    return IdRanges(ids for item in entries if item.file == file for ids in item.kept)


def _narrowed(entries: Iterable[Deleted], ids: IdRanges, *, inside: bool) -> tuple[Deleted, ...]:
    """The entries with only what is ``inside`` of these ids kept, or only what is not; without empty ones."""
    found = []
    for item in entries:
        if any(ids.touches(part) for part in item.kept):
            kept = IdRanges(item.kept)
            kept = kept & ids if inside else kept - ids
            if kept:
                found.append(replace(item, kept=tuple(kept.ranges())))
        elif not inside:
            found.append(item)
    return tuple(found)


def _copied(ids: IdRanges, copies: Iterable[Copy]) -> IdRanges:
    """The ids under which text of these ids was put back, and copies of copies."""
    found: list[IdRange] = []
    rest = list(copies)
    reached = ids
    while reached:
        new: list[IdRange] = []
        for copy in rest:
            clock = copy.ids.clock
            for of in copy.of:
                if not reached.has(of.client):
                    clock += of.length
                    continue
                for _, length, inside in reached.parts(of.client, of.clock, of.length):
                    if inside:
                        new.append(IdRange(copy.ids.client, clock, length))
                    clock += length
        # A copy is newer than its original, so that this ends.
        reached = IdRanges(new) - IdRanges(found)
        found += new
    return IdRanges(found)


def _originals(ids: IdRanges, copies: Iterable[Copy]) -> IdRanges:
    """The ids of the text of which these are copies, and of that of which it is one."""
    found = IdRanges()
    rest = list(copies)
    reached = ids
    while reached:
        # A copy is newer than its original, so that this ends.
        reached = IdRanges(of for copy in rest if reached.touches(copy.ids) for of in copy.of) - found
        found = found | reached
    return found


def _alive(runs: list[Run], wanted: IdRanges) -> tuple[list[IdRange], str]:
    """The ids of these that are not deleted, and their text in its order."""
    ids: list[IdRange] = []
    text: list[str] = []
    for run in runs:
        if run.alive and wanted.has(run.client):
            for clock, length, inside in wanted.parts(run.client, run.clock, run.length):
                if inside:
                    ids.append(IdRange(run.client, clock, length))
                    text.append(run.part(clock, length))
    return IdRanges(ids).ranges(), "".join(text)


def _places(runs: list[Run], deleted: list[Deleted], not_back: IdRanges) -> list[Place]:
    """Where the deleted texts go: one insertion for each series of tombstones without anything between."""
    if not deleted:
        return []
    contents: dict[ItemId, bytes] = {}
    parts = _by_tombstone(runs, deleted)
    for entry, tombstones in zip(deleted, parts, strict=True):
        units = entry.text.encode("utf-16-le", "surrogatepass")
        if sum(part.length for part in tombstones) * 2 != len(units):
            continue  # The file's text was replaced by another; its tombstones went with it.
        kept = IdRanges(entry.kept)
        if any(not_back.touches(ids) for ids in entry.kept):
            kept = kept - not_back
        at = 0
        for tombstone in tombstones:
            for clock, length, inside in kept.parts(tombstone.client, tombstone.clock, tombstone.length):
                if inside:
                    contents[tombstone.client, clock] = _cut(units, at, length)
                at += length
    wanted = IdRanges(IdRange(c, k, len(units) // 2) for (c, k), units in contents.items())
    places: list[Place] = []
    open_units: list[bytes] = []
    of: list[IdRange] = []

    def finish(right: ItemId | None) -> None:
        left = of[-1].client, of[-1].clock + of[-1].length - 1
        places.append(Place(Placed(left, right, _text(b"".join(open_units))), tuple(of)))
        open_units.clear()
        of.clear()

    for run in runs:
        if run.alive or not wanted.has(run.client):
            if of:
                finish(run.first)
            continue
        for clock, length, inside in wanted.parts(run.client, run.clock, run.length):
            if not inside:
                if of:
                    finish((run.client, clock))
                continue
            of.append(IdRange(run.client, clock, length))
            end = clock + length
            while clock < end:
                units = contents[run.client, clock]
                open_units.append(units)
                clock += len(units) // 2
    if of:
        finish(None)
    return places


def _by_tombstone(runs: list[Run], deleted: list[Deleted]) -> list[list[IdRange]]:
    """For each entry its ids as they stand in the list, which is the order of its text."""
    parts: list[list[IdRange]] = [[] for _ in deleted]
    spans: dict[ClientId, list[tuple[int, int, int]]] = {}
    for index, entry in enumerate(deleted):
        for ids in entry.ids:
            spans.setdefault(ids.client, []).append((ids.clock, ids.clock + ids.length, index))
    for row in spans.values():
        row.sort()
    for run in runs:
        client = run.client
        if client not in spans:
            continue
        clock, end = run.clock, run.clock + run.length
        row = spans[client]
        at = max(bisect_right(row, (clock, MAX_UINT, 0)) - 1, 0)
        while at < len(row) and row[at][0] < end:
            start, stop, index = row[at]
            if stop > clock:
                start = max(start, clock)
                parts[index].append(IdRange(client, start, min(stop, end) - start))
            at += 1
    return parts


def _cut(units: bytes, start: int, length: int) -> bytes:
    return units[start * 2 : (start + length) * 2]


def _text(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")
