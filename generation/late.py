"""Asks the room about text that somebody typed before they saw what a job had written there."""

from __future__ import annotations

from collections.abc import Sequence

from collab.document import Document
from collab.ids import FileId, SuggestionId
from collab.ledger import Ledger
from collab.merge.late import Late
from collab.merge.places import anchor_behind, range_anchors
from collab.merge.suggestions import Suggestion, place
from collab.offsets import utf16_length
from collab.undo import undo, undo_client

_REASON = "Somebody typed in these lines before they saw what was written there. Both are in the text."


def question(
    document: Document,
    late: Late,
    ledger: Ledger,
    others: Sequence[Ledger],
    suggestion: SuggestionId,
    at_ms: int,
) -> Suggestion | None:
    """A suggestion of the lines as whoever typed there meant them, without what the job did; None if they are so.

    ``ledger`` is the job's, ``others`` those of the room's other jobs. Costs an undo of the job in a copy.
    """
    found = _where(document, late, ledger)
    if found is None:
        return None
    file, end = found
    without = document.fork(undo_client(ledger))
    update, _ = undo(ledger, document, others)
    if update is not None:
        without.apply([update])
    there = without.resolve(file, anchor_behind(late.ids.client, late.ids.clock + late.ids.length - 1))
    if there is None:
        return None
    meant, now = without.text(file), document.text(file)
    typed = _typed(meant, there, late.ids.length)
    first, last = _lines(meant, there - typed, there)
    start, stop = _lines(now, max(0, end - typed), end)
    after, ours = meant[first:last], now[start:stop]
    if after == ours:
        return None
    before = meant[first : there - typed] + meant[there:last]
    anchor, behind = range_anchors(document, file, start, stop)
    return Suggestion(
        suggestion=suggestion,
        job=late.job,
        file=file,
        path=document.listing().files[file].path,
        reason=_REASON,
        kind="hunk",
        before=before,
        after=after,
        anchor=anchor,
        end=behind,
        conflict="overlapping_edits",
        ours=ours,
        at_ms=at_ms,
    )


def overlaps(document: Document, one: Suggestion, other: Suggestion) -> bool:
    """Whether two suggestions of a job are about the same lines."""
    if one.file is None or one.file != other.file:
        return False
    places = [place(document, one.file, some) for some in (one, other)]
    first, second = places
    return first is not None and second is not None and first[0] < second[1] and second[0] < first[1]


def _where(document: Document, late: Late, ledger: Ledger) -> tuple[FileId, int] | None:
    """The file of the late text, and the place behind it."""
    files = document.listing().files
    touched = {item.file for item in ledger.deleted} | {item.file for item in ledger.inserted}
    for file in sorted(touched & files.keys()):
        place = document.resolve(file, anchor_behind(late.ids.client, late.ids.clock + late.ids.length - 1))
        if place is not None:
            return file, place
    return None


def _typed(text: str, end: int, units: int) -> int:
    """How many code points before ``end`` make up so many UTF-16 units."""
    start = end
    while start > 0 and units > 0:
        start -= 1
        units -= utf16_length(text[start])
    return end - start


def _lines(text: str, start: int, end: int) -> tuple[int, int]:
    first = text.rfind("\n", 0, start) + 1
    newline = text.find("\n", end)
    if end > start and text[end - 1] == "\n":
        return first, end
    return first, len(text) if newline < 0 else newline + 1
