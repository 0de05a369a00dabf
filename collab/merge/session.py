"""One job's way into the live document.

The session forks the document at the state that the model is shown. Text that streams in is written to the
fork as minimal changes, and each pull hands out what is new, for the live document. Before it writes, a pull
brings the fork up to the live document, so that it sees exactly what people changed, character by character,
and writes at exactly the right place. A hunk whose place people touched is blocked: what it had written is
taken back, and its text is offered as a suggestion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from collab.document import Applied, Document
from collab.errors import InvalidOperation, NotFound
from collab.ids import ClientId, FileId, file_path
from collab.ledger import Copy, Created, Inserted, Ledger
from collab.listing import Listing
from collab.merge.aligner import Aligner, growth
from collab.merge.edits import in_code_points, splice
from collab.merge.hunks import Hunk, HunkId, HunkState, Order, Spans, overlap
from collab.merge.places import range_anchors
from collab.merge.ranges import IdRanges
from collab.merge.suggestions import Kind
from collab.undo import create, deleted_ids, joined, revert, undo_client
from collab.wire import decode_state_vector

_TOUCHED = "Somebody changed these lines meanwhile."
_GONE = "The file was deleted meanwhile."
_SAME_LINES = "Another part of this answer changes the same lines."


@dataclass(frozen=True, slots=True)
class Blocked:
    """A hunk that did not land, complete. ``reason`` says why, in words.

    ``anchor`` and ``end`` hold its place, as in Suggestion; ``file`` is None where a new file would be made.
    """

    hunk: HunkId
    file: FileId | None
    path: str
    kind: Kind
    reason: str
    before: str
    after: str
    anchor: bytes | None
    end: bytes | None


@dataclass(frozen=True, slots=True)
class Pull:
    """What one pull brought: an update for the live document, and the hunks that became suggestions."""

    update: bytes | None
    blocked: list[Blocked]


class MergeSession:
    """See the module. Offsets are code points of the base, the live document as it was at the start.

    ``client_id`` must be one under which nobody else writes.
    """

    def __init__(self, live: Document, client_id: ClientId) -> None:
        self._fork = live.fork(client_id)
        self._fork.watch_files()
        self._base_listing = self._fork.listing()
        self._base: dict[FileId, str] | None = None
        self._texts: dict[FileId, str] = {}
        self._history: dict[FileId, list[tuple[Spans, Order | None]]] = {}
        self._hunks: list[Hunk] = []
        self._seen = live.version
        self._pulled: bytes | None = None
        self._pulled_at = live.version
        self._written: tuple[FileId, bytes] | None = None
        self._copies: list[Copy] = []
        self._kept: list[Inserted] = []

    # What the model is shown

    def base_listing(self) -> Listing:
        """The files of the base."""
        return self._base_listing

    def base_text(self, file: FileId) -> str:
        """The text of a file in the base. Raises NotFound."""
        if file not in self._base_listing.files:
            raise NotFound(f"There was no file {file[:200]!r} when the job began.", field="file")
        return self._base[file] if self._base is not None else self._fork.text(file)

    # What the model answers

    def open_file(self, file: FileId, path: str) -> HunkId:
        """Begins a new file. It is created by the first pull that has something of it. Raises InvalidPath."""
        return self._open("new_file", file, file_path(path), 0, 0).id

    def open_hunk(self, file: FileId, start: int, end: int) -> HunkId:
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
        return self._open("hunk", file, self._base_listing.files[file].path, start, end).id

    def open_whole(self, file: FileId) -> HunkId:
        """Begins the replacement of a whole file. Raises NotFound."""
        end = len(self.base_text(file))
        return self._open("whole_file", file, self._base_listing.files[file].path, 0, end).id

    def rename(self, file: FileId, path: str) -> HunkId:
        """Proposes another path for a file; always comes back as blocked. Raises NotFound, InvalidPath."""
        return self._ask("rename_file", file, file_path(path), "Renaming a file waits for somebody's yes.")

    def delete(self, file: FileId) -> HunkId:
        """Proposes to delete a file; always comes back as blocked. Raises NotFound."""
        return self._ask("delete_file", file, "", "Deleting a file waits for somebody's yes.")

    def write(self, hunk: HunkId, text: str) -> None:
        """Takes the next piece of the replacement; the next pull merges it. Raises InvalidOperation."""
        found = self._get(hunk)
        if found.closed or found.state is HunkState.WITHDRAWN or found.withdrawing:
            raise InvalidOperation(f"Hunk {hunk} is closed; open another one to write more.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidOperation("The text holds an unpaired surrogate; send valid Unicode.") from None
        found.pieces.append(text)

    def close(self, hunk: HunkId) -> None:
        """Says that the replacement is complete."""
        self._get(hunk).closed = True

    def withdraw(self, hunk: HunkId) -> None:
        """Has the next pull take back what this hunk wrote; it is not reported any more."""
        found = self._get(hunk)
        found.closed = found.withdrawing = True

    # Merging

    def pull(self, live: Document) -> Pull:
        """What is new for the live document; apply the update at once, then call ``merged``.

        Costs next to nothing if nothing was written since the last pull.
        """
        work = [hunk for hunk in self._hunks if _waits(hunk)]
        if not work:
            return Pull(None, [])
        self._sync(live)
        updates: list[bytes | None] = []
        blocked = []
        for hunk in work:
            self._check(hunk)
            if hunk.withdrawing:
                updates += self._take_back(hunk)
                hunk.state = HunkState.WITHDRAWN
            elif hunk.state is HunkState.OPEN:
                updates += self._advance(hunk)
        for hunk in self._hunks:
            if hunk.state is HunkState.BLOCKED and not (hunk.pending.empty and hunk.done.empty):
                updates += self._take_back(hunk)
        for hunk in work:
            if hunk.state is HunkState.BLOCKED and hunk.closed:
                hunk.state = HunkState.REPORTED
                blocked.append(self._report(hunk))
        update = joined(updates)
        if update is not None:
            self._pulled, self._pulled_at = update, live.version
        return Pull(update, blocked)

    def merged(self, applied: Applied, live: Document) -> None:
        """Takes note of what the last pull's update did to the live document.

        ``applied`` is what applying it returned. Text that was deleted there already is not in its
        delete set, so it is not this job's to bring back.
        """
        if self._pulled is None:
            return
        removed = IdRanges(deleted_ids(live, applied.update) if applied.update is not None else ())
        for hunk in self._hunks:
            if hunk.pending.empty:
                continue
            kept = []
            for item in hunk.pending.deleted:
                ids = IdRanges(item.ids) & removed
                if ids:
                    kept.append(replace(item, kept=tuple(ids.ranges())))
            hunk.pending.deleted = kept
            hunk.done.extend(hunk.pending)
            hunk.pending = Ledger()
        # One more version means one transaction; it was ours alone if the fork has all that it brought.
        if (
            self._seen == self._pulled_at
            and live.version == self._pulled_at + 1
            and not removed - IdRanges(deleted_ids(self._fork, self._pulled))
            and decode_state_vector(live.state_vector()) == decode_state_vector(self._fork.state_vector())
        ):
            self._seen = live.version
        self._pulled = None

    @property
    def ledger(self) -> Ledger:
        """What of this session is in the live document now; a copy."""
        ledger = Ledger(copies=list(self._copies))
        for item in self._kept:
            ledger.insert(item.file, item.ids)
        for hunk in self._hunks:
            ledger.extend(hunk.done)
        return ledger

    @property
    def pulled(self) -> dict[HunkId, Ledger]:
        """What the update of the last pull does, hunk by hunk, until ``merged``. Read it only."""
        return {hunk.id: hunk.pending for hunk in self._hunks if not hunk.pending.empty}

    @property
    def unfinished(self) -> set[HunkId]:
        """Hunks of which something is in the document that may still be taken back."""
        return {
            hunk.id
            for hunk in self._hunks
            if hunk.state is not HunkState.LANDED and not (hunk.done.empty and hunk.pending.empty)
        }

    def cursor(self) -> tuple[FileId, bytes] | None:
        """Where the job writes now: a file and an anchor in it that the live document knows once merged."""
        return self._written

    # Inside

    def _get(self, hunk: HunkId) -> Hunk:
        if not 0 <= hunk < len(self._hunks):
            raise NotFound(f"There is no hunk {hunk}; open it first.")
        return self._hunks[hunk]

    def _ask(self, kind: Kind, file: FileId, path: str, reason: str) -> HunkId:
        self.base_text(file)
        hunk = self._open(kind, file, self._base_listing.files[file].path, 0, 0)
        hunk.pieces = [path]
        hunk.closed = True
        _block(hunk, reason)
        return hunk.id

    def _open(self, kind: Kind, file: FileId, path: str, start: int, end: int) -> Hunk:
        new = kind == "new_file"
        if new and (file in self._fork.listing().files or any(hunk.file == file for hunk in self._hunks)):
            raise InvalidOperation(f"The id {file!r} is taken; give the new file another one.", field="file")
        before = "" if new else self.base_text(file)[start:end]
        to_end = kind in {"new_file", "whole_file"}
        hunk = Hunk(
            id=HunkId(len(self._hunks)),
            kind=kind,
            file=file,
            path=path,
            before=before,
            base_start=start,
            base_end=end,
            to_end=to_end,
            start=start,
            end=end,
            loose_end=to_end or not before.endswith("\n"),
            aligner=Aligner(before),
        )
        for changes, order in self._history.get(file, []):
            hunk.follow(changes, order)
        for other in self._hunks:
            if other.kind in {"hunk", "whole_file"} and kind in {"hunk", "whole_file"} and overlap(hunk, other):
                if other.state is HunkState.WITHDRAWN:
                    hunk.succeed(other)
                elif other.state is not HunkState.REPORTED or not other.touched:
                    _block(hunk, _SAME_LINES)
        if hunk.touched:
            _block(hunk, _TOUCHED)
        self._hunks.append(hunk)
        return hunk

    def _capture(self) -> None:
        """Keeps the base's texts before the fork changes for the first time."""
        if self._base is None:
            self._base = {file: self._fork.text(file) for file in self._base_listing.files}
            self._texts = dict(self._base)

    def _sync(self, live: Document) -> None:
        """Brings the fork up to the live document and follows what people changed."""
        self._capture()
        if live.version == self._seen:
            return
        applied = self._fork.apply([live.encode(self._fork.state_vector())])
        self._seen = live.version
        files = self._fork.listing().files
        for file, delta in applied.deltas.items():
            if file in self._texts and file in files:
                self._follow(file, in_code_points(delta, self._texts[file]), None)
        if applied.files_changed:
            for hunk in self._hunks:
                # A client may have put another text object under the file's id.
                if hunk.file in files and self._texts.get(hunk.file) != self._fork.text(hunk.file):
                    self._texts.pop(hunk.file, None)
                    _block(hunk, "The file was replaced meanwhile.")

    def _follow(self, file: FileId, changes: Spans, writer: Hunk | None) -> None:
        """Moves all hunks of a file through a change of its text, which ``writer`` made, or people."""
        self._texts[file] = self._fork.text(file)
        order = writer.order if writer is not None else None
        self._history.setdefault(file, []).append((changes, order))
        for hunk in self._hunks:
            if hunk.file == file and hunk is not writer:
                hunk.follow(changes, order)
                if hunk.touched:
                    _block(hunk, _TOUCHED)

    def _check(self, hunk: Hunk) -> None:
        """Blocks a hunk whose file is not any more what it was."""
        listing = self._fork.listing()
        file = listing.files.get(hunk.file)
        if hunk.kind == "new_file" and not hunk.created:
            if listing.by_path(hunk.path) is not None:
                _block(hunk, f"There is a file with the path {hunk.path} already.")
        elif file is None:
            _block(hunk, _GONE)
        elif hunk.kind != "new_file" and file.path != hunk.path:
            _block(hunk, f"The file was renamed to {file.path} meanwhile.")

    def _advance(self, hunk: Hunk) -> list[bytes | None]:
        """Writes to the fork what came since the last time."""
        updates = []
        if hunk.kind == "new_file" and not hunk.created:
            update, _ = create(self._fork, hunk.file, hunk.path, "")
            updates.append(update)
            hunk.pending.created.append(Created(hunk.file, hunk.path))
            hunk.created = True
            self._texts[hunk.file] = ""
        text = "".join(hunk.pieces[hunk.taken :])
        hunk.taken = len(hunk.pieces)
        changes = hunk.aligner.feed(text, last=hunk.closed)
        changes = [(hunk.start + start, hunk.start + end, text) for start, end, text in changes]
        if changes:
            update, behind = splice(self._fork, hunk.file, changes, hunk.pending)
            updates.append(update)
            hunk.end += growth(changes)
            self._follow(hunk.file, [(start, end, len(text)) for start, end, text in changes], hunk)
            hunk.settle(self._texts[hunk.file])
            if behind is not None:
                self._written = hunk.file, behind
        if hunk.closed:
            hunk.state = HunkState.LANDED
        return updates

    def _take_back(self, hunk: Hunk) -> list[bytes | None]:
        """Takes back in the fork all that the hunk wrote."""
        ledger = hunk.done
        ledger.extend(hunk.pending)
        hunk.done, hunk.pending = Ledger(), Ledger()
        redo = Ledger()
        if hunk.file not in self._fork.listing().files:
            return []
        updates = []
        # Not under the job's id: whatever stands under that is the job's own, even to who lost the ledger.
        done, kept = revert(self._fork, ledger, redo, undo_client(ledger))
        self._kept += kept
        for applied in done:
            updates.append(applied.update)
            if hunk.file in applied.deltas and hunk.file in self._texts:
                changes = in_code_points(applied.deltas[hunk.file], self._texts[hunk.file])
                hunk.end += sum(inserted - (until - at) for at, until, inserted in changes)
                self._follow(hunk.file, changes, hunk)
                hunk.settle(self._texts[hunk.file])
        # What was put back is no change of this job, but it stands under new ids now.
        self._copies += redo.copies
        if ledger.created and not self._fork.text(hunk.file):
            updates.append(self._fork.edit(lambda editor: editor.delete(hunk.file))[1].update)
        return updates

    def _report(self, hunk: Hunk) -> Blocked:
        after = "".join(hunk.pieces)
        file = self._fork.listing().files.get(hunk.file)
        path = file.path if file is not None and hunk.kind != "new_file" else hunk.path
        if hunk.kind == "new_file" or (hunk.kind == "whole_file" and file is None):
            return Blocked(hunk.id, None, path, "new_file", hunk.reason, "", after, None, None)
        before = hunk.before
        if hunk.kind == "rename_file":
            before = hunk.path
        elif hunk.kind == "delete_file":
            before = self.base_text(hunk.file)
        anchor = end = None
        if hunk.kind == "hunk" and file is not None:
            anchor, end = range_anchors(self._fork, hunk.file, hunk.start, hunk.end)
        return Blocked(hunk.id, hunk.file, path, hunk.kind, hunk.reason, before, after, anchor, end)


def _waits(hunk: Hunk) -> bool:
    """Whether a pull has something to do for the hunk."""
    if hunk.withdrawing:
        return hunk.state is not HunkState.WITHDRAWN
    if hunk.state is HunkState.OPEN:
        return hunk.closed or hunk.taken < len(hunk.pieces)
    return hunk.state is HunkState.BLOCKED and hunk.closed


def _block(hunk: Hunk, reason: str) -> None:
    if hunk.state is HunkState.OPEN:
        hunk.state = HunkState.BLOCKED
        hunk.reason = reason
