"""One job's way into the live document.

The session forks the document at the state that the model is shown. Text that streams in is written to the
fork as minimal changes, and each pull hands out what is new, for the live document. Before it writes, a pull
brings the fork up to the live document, so that it sees exactly what people changed, character by character,
and writes at exactly the right place. Lines that people touched are left alone: what the job had written there is
taken back, and when its text is complete it is merged if that is certain, or offered as a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from collab.document import Applied, Document
from collab.errors import InvalidOperation, NotFound
from collab.ids import ClientId, FileId, file_path
from collab.ledger import Copy, Ledger
from collab.listing import Listing
from collab.merge.aligner import Aligner
from collab.merge.contest import TOUCHED, Blocked, Judge, Merged, Resolver
from collab.merge.hunks import Hunk, HunkId, HunkState, contested, overlap
from collab.merge.parts import PartState
from collab.merge.ranges import IdRanges
from collab.merge.suggestions import Kind
from collab.merge.workspace import Workspace
from collab.undo import deleted_ids, joined

_GONE = "The file was deleted meanwhile."
_SAME_LINES = "Another part of this answer changes the same lines."
UNDECIDED: Final = frozenset({HunkState.OPEN, HunkState.BLOCKED})
_REPLACED = "The file was replaced meanwhile."


@dataclass(frozen=True, slots=True)
class Pull:
    """What one pull brought: an update for the live document, the hunks that became suggestions, what was merged
    with a change of the same lines, and of each hunk that is through, how many of its parts have landed.
    """

    update: bytes | None = None
    blocked: list[Blocked] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    landed: dict[HunkId, int] = field(default_factory=dict)


class MergeSession:
    """See the module. Offsets are code points of the base, the live document as it was at the start.

    ``client_id`` must be one under which nobody else writes.
    """

    def __init__(self, live: Document, client_id: ClientId, resolver: Resolver | None = None) -> None:
        self._work = Workspace(live, client_id)
        self._judge = Judge(resolver)
        self._hunks: list[Hunk] = []
        self._pulled: bytes | None = None
        self._pulled_at = live.version
        self.appended = False
        """Whether the last pull did no more than add text behind text of this session."""

    # What the model is shown

    def base_listing(self) -> Listing:
        """The files of the base."""
        return self._work.listing

    def base_text(self, file: FileId) -> str:
        """The text of a file in the base. Raises NotFound."""
        return self._work.base_text(file)

    # What the model answers

    def open_file(self, file: FileId, path: str, *, asks: str = "") -> HunkId:
        """Begins a new file. It is created by the first pull that has something of it. Raises InvalidPath.

        With ``asks``, the reason in words, nothing of it lands before somebody accepts it.
        """
        return self._open("new_file", file, file_path(path), 0, 0, asks).id

    def open_hunk(self, file: FileId, start: int, end: int, *, asks: str = "") -> HunkId:
        """Begins the replacement of the base's whole lines from ``start`` to ``end``.

        Raises NotFound, or InvalidOperation if these are no whole lines. A hunk that overlaps another one
        of this session is blocked from the start.
        """
        text = self.base_text(file)
        if not 0 <= start <= end <= len(text):
            raise InvalidOperation(f"The range {start} to {end} is outside of the file's {len(text)} characters.")
        for edge in (start, end):
            if 0 < edge < len(text) and text[edge - 1] != "\n":
                raise InvalidOperation(f"Offset {edge} is within a line; a hunk replaces whole lines.")
        return self._open("hunk", file, self._work.listing.files[file].path, start, end, asks).id

    def open_whole(self, file: FileId, *, asks: str = "") -> HunkId:
        """Begins the replacement of a whole file. Raises NotFound."""
        end = len(self.base_text(file))
        return self._open("whole_file", file, self._work.listing.files[file].path, 0, end, asks).id

    def rename(self, file: FileId, path: str, *, asks: str = "") -> HunkId:
        """Gives a file another path. Raises NotFound, InvalidPath."""
        self.base_text(file)
        hunk = self._open("rename_file", file, self._work.listing.files[file].path, 0, 0, asks)
        hunk.gathered, hunk.closed = [file_path(path)], True
        return hunk.id

    def delete(self, file: FileId, *, asks: str = "Deleting a file waits for somebody's yes.") -> HunkId:
        """Proposes to delete a file; always asked, as what somebody is typing in it would be lost.

        Raises NotFound.
        """
        self.base_text(file)
        hunk = self._open("delete_file", file, self._work.listing.files[file].path, 0, 0, asks)
        hunk.closed = True
        return hunk.id

    def write(self, hunk: HunkId, text: str) -> None:
        """Takes the next piece of the replacement; the next pull merges it. Raises InvalidOperation."""
        found = self._get(hunk)
        if found.closed or found.state is HunkState.WITHDRAWN or found.withdrawing:
            raise InvalidOperation(f"Hunk {hunk} is closed; open another one to write more.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidOperation("The text holds an unpaired surrogate; send valid Unicode.") from None
        found.gathered.append(text)

    def close(self, hunk: HunkId) -> None:
        """Says that the replacement is complete."""
        self._get(hunk).closed = True

    def withdraw(self, hunk: HunkId) -> None:
        """Has the next pull take back what this hunk wrote; it is not reported any more."""
        found = self._get(hunk)
        found.closed = found.withdrawing = True

    def hold(self, hunk: HunkId, reason: str) -> None:
        """Has the next pull take back what this hunk wrote; once it is closed, it is asked, for this reason."""
        found = self._get(hunk)
        found.asks = True
        found.block(reason, "none")

    def recall(self, hunk: HunkId, reason: str) -> bool:
        """Has the next pull take back what a closed hunk has landed, and ask about that, for this reason.

        False if nothing of it has landed, or it is no change of a text.
        """
        found = self._get(hunk)
        if found.state is not HunkState.LANDED or found.kind in {"rename_file", "delete_file"}:
            return False
        found.recalling = found.asks = True
        found.reason, found.conflict = reason, "none"
        return True

    # Merging

    def pull(self, live: Document, others: Callable[[], Sequence[Ledger]] = tuple) -> Pull:
        """What is new for the live document; apply the update at once, then call ``merged``.

        ``others`` returns the present ledgers of the room's other jobs; it is asked when something is taken back.
        Costs next to nothing if nothing was written since the last pull.
        """
        work = [hunk for hunk in self._hunks if hunk.waits]
        if not work:
            return Pull()
        self._work.others = others
        taken_back = any(hunk.withdrawing or hunk.recalling for hunk in work)
        open_files = {hunk.file for hunk in self._hunks if hunk.waits or hunk.state in UNDECIDED}
        paths = any(hunk.needs_paths for hunk in work)
        replaced = self._work.sync(live, None if taken_back else open_files, paths=paths)
        for hunk in self._hunks:
            if hunk.file in replaced:
                hunk.block(_REPLACED, "structural_conflict")
        pull = Pull()
        updates: list[bytes | None] = []
        appended = self._work.appended
        for hunk in work:
            self._check(hunk)
            if hunk.withdrawing:
                updates += self._withdraw(hunk)
            elif hunk.recalling:
                updates += self._recall(hunk, pull)
            elif hunk.state is HunkState.OPEN:
                updates += self._advance(hunk)
        for hunk in self._hunks:
            updates += self._retreat(hunk)
        for hunk in work:
            if hunk.closed and not hunk.withdrawing:
                updates += self._finish(hunk, pull)
        update = joined(updates)
        self.appended = self._work.appended - appended == sum(one is not None for one in updates)
        if update is not None:
            self._pulled, self._pulled_at = update, live.version
        return replace(pull, update=update)

    def merged(self, applied: Applied, live: Document) -> None:
        """Takes note of what the last pull's update did to the live document.

        ``applied`` is what applying it returned. Text that was deleted there already is not in its
        delete set, so it is not this job's to bring back.
        """
        pulled, self._pulled = self._pulled, None
        if pulled is None:
            return
        removed: IdRanges | None = None
        for hunk in self._hunks:
            if not hunk.own_pending.empty:
                hunk.own.extend(hunk.own_pending)
                hunk.own_pending = Ledger()
            for part in hunk.parts:
                if part.pending.empty:
                    continue
                if part.pending.deleted:
                    if removed is None:
                        removed = IdRanges(deleted_ids(live, applied.update) if applied.update is not None else ())
                    part.pending.deleted = [
                        replace(item, kept=tuple(ids.ranges()))
                        for item in part.pending.deleted
                        if (ids := IdRanges(item.ids) & removed)
                    ]
                part.done.extend(part.pending)
                part.pending = Ledger()
        # One more version means one transaction. It was ours alone if it did what ours does and no more: what had
        # waited for it may have come in with it.
        if live.version == self._pulled_at + 1 and applied.update == pulled:
            self._work.merged(live, applied)

    @property
    def ledger(self) -> Ledger:
        """What of this session is in the live document now; a copy."""
        ledger = self._work.aside.lasting()
        for item in self._work.kept:
            ledger.insert(item.file, item.ids)
        for hunk in self._hunks:
            ledger.extend(hunk.own)
            for part in hunk.parts:
                ledger.extend(part.done)
        return ledger

    @property
    def copies(self) -> Sequence[Copy]:
        """Text that was put back so far, which stands under new ids. It only grows; do not change it."""
        return self._work.aside.copies

    @property
    def pulled(self) -> dict[HunkId, Ledger]:
        """What the update of the last pull does, hunk by hunk, until ``merged``. Read it only."""
        pulled = {}
        for hunk in self._hunks:
            ledger = Ledger()
            ledger.extend(hunk.own_pending)
            for part in hunk.parts:
                ledger.extend(part.pending)
            if not ledger.empty:
                pulled[hunk.id] = ledger
        return pulled

    @property
    def unfinished(self) -> set[HunkId]:
        """Hunks of which something is in the document that may still be taken back."""
        return {
            hunk.id
            for hunk in self._hunks
            if hunk.state not in {HunkState.LANDED, HunkState.REPORTED} and not hunk.empty
        }

    def cursor(self) -> tuple[FileId, bytes] | None:
        """Where the job writes now: a file and an anchor in it that the live document knows once merged."""
        return self._work.written

    # Inside

    def _get(self, hunk: HunkId) -> Hunk:
        if not 0 <= hunk < len(self._hunks):
            raise NotFound(f"There is no hunk {hunk}; open it first.")
        return self._hunks[hunk]

    def _open(self, kind: Kind, file: FileId, path: str, start: int, end: int, asks: str) -> Hunk:
        new = kind == "new_file"
        if new and (file in self._work.files.files or any(hunk.file == file for hunk in self._hunks)):
            raise InvalidOperation(f"The id {file!r} is taken; give the new file another one.", field="file")
        before = "" if new else self.base_text(file)[start:end]
        hunk = Hunk(HunkId(len(self._hunks)), kind, file, path, start, end, before, Aligner(before))
        if asks:
            hunk.asks = True
            hunk.block(asks, "none")
        for other in self._hunks:
            gone = (
                other.withdrawing or other.asks or (other.state is HunkState.REPORTED and other.reason == TOUCHED)
            )
            if overlap(hunk, other) and not gone:
                hunk.block(_SAME_LINES, "overlapping_edits")
        self._hunks.append(hunk)
        return hunk

    def _check(self, hunk: Hunk) -> None:
        """Blocks a hunk whose file is not any more what it was."""
        listing = self._work.files
        file = listing.files.get(hunk.file)
        if hunk.kind == "new_file" and not hunk.created:
            if listing.by_path(hunk.path) is not None:
                hunk.block(f"There is a file with the path {hunk.path} already.", "same_file_different_content")
        elif file is None:
            hunk.block(_GONE, "structural_conflict")
        elif hunk.kind != "new_file" and file.path != hunk.path and not self._renamed(hunk.file, file.path):
            hunk.block(f"The file was renamed to {file.path} meanwhile.", "structural_conflict")

    def _renamed(self, file: FileId, path: str) -> bool:
        """Whether this session itself has given the file its path."""
        return any(
            item.after == path and item.file == file
            for hunk in self._hunks
            for item in (*hunk.own.renamed, *hunk.own_pending.renamed)
        )

    # Writing

    def _advance(self, hunk: Hunk) -> list[bytes | None]:
        """Writes to the fork what came since the last time."""
        if hunk.kind == "rename_file":
            return self._work.rename(hunk)
        updates = self._work.create(hunk) if hunk.kind == "new_file" else []
        return updates + self._work.take(hunk)

    def _retreat(self, hunk: Hunk) -> list[bytes | None]:
        """Takes back what collides with what others did."""
        updates: list[bytes | None] = []
        if hunk.state is HunkState.OPEN:
            if not hunk.whole and any(part.touched for part in hunk.parts):
                hunk.block(TOUCHED, "overlapping_edits")
            for part in hunk.parts:
                if part.touched and part.state is PartState.OPEN:
                    part.state, part.reason = PartState.CONTESTED, TOUCHED
                    updates += self._work.take_back(hunk, part)
        if hunk.state is HunkState.BLOCKED and not hunk.empty:
            updates += self._work.take_all_back(hunk)
        return updates

    def _withdraw(self, hunk: Hunk) -> list[bytes | None]:
        hunk.state = HunkState.WITHDRAWN
        return self._work.take_all_back(hunk)

    def _recall(self, hunk: Hunk, pull: Pull) -> list[bytes | None]:
        """Takes back what has landed; what collided with others before, and was decided, stays as it is."""
        hunk.recalling = False
        updates = self._work.take_all_back(hunk)
        hunk.state = HunkState.REPORTED
        track = self._work.track(hunk.file)
        if hunk.whole and hunk.file in self._work.files.files:
            asked = [self._judge.part(self._work.fork, hunk, part, track) for part in contested(hunk)]
        else:
            asked = list(self._judge.whole(self._work.fork, hunk, track))
        pull.blocked.extend(one for one in asked if isinstance(one, Blocked))
        for part in hunk.parts:
            part.state = PartState.SETTLED
        pull.landed[hunk.id] = 0
        return updates

    # The end of a hunk

    def _finish(self, hunk: Hunk, pull: Pull) -> list[bytes | None]:
        """Decides what becomes of a hunk that is complete."""
        if hunk.state not in {HunkState.OPEN, HunkState.BLOCKED}:
            return []
        updates: list[bytes | None] = []
        outcomes: Iterable[Blocked | Merged] = ()
        track = self._work.track(hunk.file)
        if hunk.state is HunkState.OPEN and track.changed and hunk.kind in {"hunk", "whole_file"}:
            said = self._judge.objection(hunk, track)
            text = hunk.text if said else self._judge.once(hunk, track)
            if said:
                hunk.block(said, "structural_conflict")
                updates += self._retreat(hunk)
            elif text != hunk.text:
                updates += self._work.take_all_back(hunk)
                outcomes = [self._judge.reduced(hunk, track, text)]
        landed = 0
        if outcomes:
            pass
        elif hunk.state is HunkState.BLOCKED:
            if hunk.kind in {"hunk", "whole_file"}:
                self._work.take(hunk)
            outcomes = self._judge.whole(self._work.fork, hunk, track)
        else:
            outcomes = (self._judge.part(self._work.fork, hunk, part, track) for part in contested(hunk))
            landed = sum(part.state is PartState.OPEN and bool(part.changes) for part in hunk.parts)
        decided = False
        # One at a time: each is decided in the text that the one before has left.
        for outcome in outcomes:
            decided = True
            if isinstance(outcome, Merged):
                pull.merged.append(outcome)
                landed += 1
                updates.append(self._work.land(hunk, outcome.start, outcome.end, outcome.changes))
            else:
                pull.blocked.append(outcome)
        for part in hunk.parts:
            part.state = PartState.LANDED if part.state is PartState.OPEN else PartState.SETTLED
        hunk.state = HunkState.LANDED if landed or not decided else HunkState.REPORTED
        if hunk.kind == "hunk":
            landed = min(landed, 1)
        pull.landed[hunk.id] = landed if hunk.kind in {"hunk", "whole_file"} else int(not decided)
        return updates
