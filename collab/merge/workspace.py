"""A job's copy of the room: what it writes there and takes back, and where everything stands in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from collab.document import Applied, Document
from collab.errors import NotFound
from collab.ids import ClientId, FileId
from collab.ledger import Created, Inserted, Ledger, Renamed
from collab.listing import Listing
from collab.merge.aligner import Change
from collab.merge.edits import changed, in_code_points, splice
from collab.merge.hunks import Hunk, HunkState
from collab.merge.known import Known
from collab.merge.parts import Part, PartState
from collab.merge.pen import Pen
from collab.merge.places import anchor_behind
from collab.merge.ranges import IdRanges
from collab.merge.track import Track
from collab.undo import create, deleted_ids, rename, revert, undo_client
from collab.wire import IdRange, decode_state_vector


class Workspace:
    """The fork of one session. Whatever changes it returns the updates for the live document, in order."""

    def __init__(self, live: Document, client_id: ClientId) -> None:
        self._fork = live.fork(client_id)
        self._fork.watch_files()
        self._pen: Pen | None = None
        self.listing = self._fork.listing()
        """The files of the base."""
        self._base_state = decode_state_vector(live.state_vector())
        self.seen = live.version
        """The version of the live document that the fork has."""
        self.written: tuple[FileId, bytes] | None = None
        """Where the last text was written: a file, and an anchor behind it."""
        self.aside = Ledger()
        """What taking back has done besides, which the undo of other jobs must know of."""
        self.others: Callable[[], Sequence[Ledger]] = tuple
        """The present ledgers of the room's other jobs."""
        self.kept: list[Inserted] = []
        self.appended = 0
        """How many updates only added text behind what was written last."""
        self._known = Known(live)
        self._base: dict[FileId, str] | None = None
        self._tracks: dict[FileId, Track] = {}

    @property
    def fork(self) -> Document:
        """The copy, with all that was written."""
        pen = self._pen
        if pen is not None and (update := pen.written()) is not None:
            self._fork.take(update)
            pen.version = self._fork.version
        return self._fork

    @property
    def files(self) -> Listing:
        """The files of the copy."""
        return self._fork.listing()

    def base_text(self, file: FileId) -> str:
        """The text of a file in the base. Raises NotFound."""
        if file not in self.listing.files:
            raise NotFound(f"There was no file {file[:200]!r} when the job began.", field="file")
        return self._base[file] if self._base is not None else self.fork.text(file)

    def track(self, file: FileId) -> Track:
        """What is known of a file; a new one is empty."""
        found = self._tracks.get(file)
        if found is None:
            found = self._tracks[file] = Track("")
        return found

    def sync(self, live: Document, files: Collection[FileId] | None = None, *, paths: bool = True) -> list[FileId]:
        """Brings the fork up to the live document and follows what people changed.

        Where only some ``files`` matter, nothing is done unless one of them has changed, or with ``paths`` which
        files there are. Returns the files whose text is another object now, so that nothing is known of what
        stands there.
        """
        if self._base is None:
            # Before the fork changes for the first time.
            self._base = {file: self.fork.text(file) for file in self.listing.files}
            self._tracks = {file: Track(text) for file, text in self._base.items()}
        if live.version == self.seen or (files is not None and self._known.all(live, files, paths=paths)):
            return []
        applied = self.fork.copy(live)
        self.seen = live.version
        self._known = Known(live)
        files_now = self.files.files
        for file, delta in applied.deltas.items():
            if file in self._tracks and file in files_now:
                track = self._tracks[file]
                track.follow(in_code_points(delta, track.text), self.fork.text(file), None)
        replaced = []
        if applied.files_changed:
            for file, track in self._tracks.items():
                # A client may have put another text object under the file's id.
                if file in files_now and track.text != self.fork.text(file):
                    replaced.append(file)
            for file in replaced:
                self._tracks[file] = Track("")
        return replaced

    def merged(self, live: Document, applied: Applied) -> None:
        """What the fork has written since it was synced is in the live document, and nothing else came with it."""
        if self.seen == live.version - 1:
            self.seen = live.version
        self._known.wrote(live, applied)

    # Writing

    def create(self, hunk: Hunk) -> list[bytes | None]:
        """Creates the file of a hunk, unless that is done."""
        if hunk.created:
            return []
        update, _ = create(self.fork, hunk.file, hunk.path, "")
        hunk.own_pending.created.append(Created(hunk.file, hunk.path))
        hunk.created = True
        self._tracks[hunk.file] = Track("")
        return [update]

    def take(self, hunk: Hunk) -> list[bytes | None]:
        """Sorts new changes into parts and writes those of each part."""
        track = self.track(hunk.file)
        known = len(hunk.parts)
        covered = {part: part.base_end for part in hunk.parts}
        news: dict[Part, list[Change]] = {}
        for change in hunk.changes():
            news.setdefault(hunk.part_of(change, track.base), []).append(change)
        track.parts += hunk.parts[known:]
        updates = []
        for part, changes in sorted(news.items(), key=lambda item: item[0].order, reverse=True):
            part.changes += changes
            if part.state is PartState.OPEN and hunk.state is HunkState.OPEN:
                updates.append(self._write(hunk, part, changes, covered.get(part, part.base_start)))
        for part in hunk.parts:
            if part.state is PartState.OPEN and part.written:
                track.settle(part, complete=hunk.complete(part))
        return updates

    def _write(self, hunk: Hunk, part: Part, changes: list[Change], covered: int) -> bytes | None:
        track = self.track(hunk.file)
        if part.touched or (
            (not part.written or part.base_end > covered) and self._collides(track, part, covered)
        ):
            part.touched = True
            return None
        if not part.written:
            track.begin(part)
        frontier = part.end
        track.extend(part, covered, part.base_end)
        places: list[Change] = []
        for start, stop, text in changes:
            if start == covered:
                at = frontier
            else:
                at = part.end if start == part.base_end else track.place(start)
            places.append((at, at + stop - start, text))
        update = self._go_on(hunk.file, places, part)
        if update is None:
            update, behind = splice(self.fork, hunk.file, places, part.pending, track.text)
            if behind is not None:
                self.written = hunk.file, behind
            self._put_pen(hunk.file, places, update)
        part.end += sum(len(text) - (stop - start) for start, stop, text in places)
        track.follow(places, changed(track.text, places), part)
        return update

    def _put_pen(self, file: FileId, places: list[Change], update: bytes | None) -> None:
        self._pen = None
        if update is not None and len(places) == 1 and places[0][0] == places[0][1]:
            at = places[0][0] + len(places[0][2])
            self._pen = Pen.behind(update, file, at, self._fork.version)

    def _go_on(self, file: FileId, places: list[Change], part: Part) -> bytes | None:
        """Writes behind what was written last, if that is all that is to be done, and nothing came in between."""
        pen = self._pen
        if (
            pen is None
            or pen.file != file
            or pen.version != self._fork.version
            or len(places) != 1
            or not (places[0][0] == places[0][1] == pen.at)
            or not places[0][2]
        ):
            return None
        update, ids = pen.write(places[0][2])
        self.appended += 1
        part.pending.insert(file, ids)
        self.written = file, anchor_behind(ids.client, ids.clock + ids.length - 1)
        return update

    @staticmethod
    def _collides(track: Track, part: Part, covered: int) -> bool:
        if not part.written:
            return track.collides(part.base_start, part.base_end)
        # Between what it has written and the lines that it goes on with, nothing may have come either.
        return track.collides(covered, part.base_end) or track.place(covered) != part.end

    def rename(self, hunk: Hunk) -> list[bytes | None]:
        """Gives the file of a hunk its new path; blocks the hunk where that is taken."""
        path = hunk.text
        if path == hunk.path:
            return []
        if self.files.by_path(path) is not None:
            hunk.block(f"There is a file with the path {path} already.", "same_file_different_content")
            return []
        if not any(item.after == path for item in (*hunk.own.renamed, *hunk.own_pending.renamed)):
            hunk.own_pending.renamed.append(Renamed(hunk.file, hunk.path, path))
            return [rename(self.fork, hunk.file, path)]
        return []

    def land(self, hunk: Hunk, start: int, end: int, changes: list[Change]) -> bytes | None:
        """Writes what stands for the base's ``start`` to ``end`` after a merge (changes of the fork's text)."""
        track = self.track(hunk.file)
        part = Part(hunk.order, start, end)
        hunk.parts.append(part)
        update, _ = splice(self.fork, hunk.file, changes, part.pending)
        track.follow(changes, self.fork.text(hunk.file), part)
        return update

    # Taking back

    def take_all_back(self, hunk: Hunk) -> list[bytes | None]:
        """Takes back all that the hunk did."""
        updates: list[bytes | None] = []
        for part in reversed(hunk.parts):
            updates += self.take_back(hunk, part)
            if part.state is not PartState.SETTLED:
                part.state = PartState.CONTESTED
        hunk.own.extend(hunk.own_pending)
        own, hunk.own, hunk.own_pending = hunk.own, Ledger(), Ledger()
        file = self.files.files.get(hunk.file)
        for item in own.renamed:
            if file is not None and file.path == item.after:
                updates.append(rename(self.fork, hunk.file, item.before))
        if own.created and file is not None:
            if (hunk.withdrawing or hunk.asks) and not self.fork.text(hunk.file):
                updates.append(self.fork.edit(lambda editor: editor.delete(hunk.file))[1].update)
                hunk.created = False
                self._took_away(Created(hunk.file, file.path), updates)
            elif not hunk.withdrawing:
                # Who stopped it is typing in the file, and may not have heard of that yet.
                hunk.own.created = own.created
        return updates

    def _took_away(self, made: Created, updates: Sequence[bytes | None]) -> None:
        """Notes what went with a file, as somebody may be typing beside it who has not heard of that."""
        self.aside.away.append(made)
        for update in updates:
            ids = deleted_ids(self.fork, update) if update is not None else ()
            self.aside.dropped += [Inserted(made.file, one) for one in ids if one.client == self.fork.client_id]

    def take_back(self, hunk: Hunk, part: Part) -> list[bytes | None]:
        """Takes back in the fork all that the part wrote."""
        ledger = part.done
        ledger.extend(part.pending)
        part.done, part.pending = Ledger(), Ledger()
        if ledger.empty or hunk.file not in self.files.files:
            part.written = False
            return []
        redo = Ledger()
        track = self.track(hunk.file)
        # Not under the job's id: whatever stands under that is the job's own, even to who lost the ledger.
        done, kept = revert(self.fork, ledger, redo, undo_client(ledger), self.others())
        self.kept += kept
        changes: list[Change] = []
        for applied in done:
            if hunk.file in applied.deltas:
                changes = in_code_points(applied.deltas[hunk.file], track.text)
        # What was put back is no change of this job, but it stands under new ids now.
        self.aside.copies += redo.copies
        self.aside.dropped += redo.buried
        self.aside.released += redo.withheld
        track.taken_back(part, changes, self.fork.text(hunk.file), lambda: self._segments(hunk.file))
        return [applied.update for applied in done]

    def _segments(self, file: FileId) -> list[tuple[str, bool]]:
        """The file's text piece by piece, and whether each is of the base or was put back for it."""
        put_back = IdRanges(copy.ids for copy in self.aside.copies)
        segments = []
        for run in self.fork.runs(file):
            if not run.alive:
                continue
            known = max(0, min(run.length, self._base_state.get(run.client, 0) - run.clock))
            if known:
                segments.append((run.part(run.clock, known), True))
            if known < run.length:
                for ids, back in put_back.split(IdRange(run.client, run.clock + known, run.length - known)):
                    segments.append((run.part(ids.clock, ids.length), back))
        return segments
