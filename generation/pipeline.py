"""From the model's words to changes: parses an answer and writes it into a merge session.

Everything here is a step without waiting. The driver feeds text, pulls an update every merge interval,
applies it to the live document, and tells the room what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from collab.document import Applied, Document
from collab.ids import ClientId, FileId, FilePath, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.contest import TOUCHED, Blocked, Merged, Resolver
from collab.merge.hunks import HunkId
from collab.merge.session import MergeSession
from collab.merge.suggestions import ConflictKind, Kind, Suggestion
from generation.answer import (
    FileClosed,
    FileDeleted,
    FileOpened,
    FileRenamed,
    FileText,
    HunkClosed,
    ParseEvent,
    ParseProblem,
    ProseSkipped,
    ReplaceText,
    SearchCompleted,
    WholeFileOpened,
)
from generation.events import FileEnded, FileStarted, GenerationEvent, JobTokens
from generation.kept import Kept
from generation.locate import NoPlace, Place, locate, newline_of
from generation.parse import Parser
from generation.views import Mode

PROSE_KEPT = 600
"""Characters of the model's words that are kept, for an answer that changes nothing."""
_REVIEW = "The job was asked to offer each change first."
_WHOLE = "The room is asked before a whole file is rewritten."
_AGAIN = "An earlier part of this answer has put something else there."
OFFLINE = "It comes from a template, not from an AI."


@dataclass(slots=True)
class Outcome:
    """What a step brought: an update for the live document, new suggestions, events for the room.

    Among the suggestions are collisions that could be merged, as a record of that: their state is ``merged``.
    """

    update: bytes | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    events: list[GenerationEvent] = field(default_factory=list)


@dataclass(slots=True)
class _Counts:
    """What became of a path's hunks."""

    applied: int = 0
    pending: int = 0


@dataclass(slots=True)
class _Target:
    """The block that is being written. ``hunk`` is None for one that is only gathered for a suggestion."""

    path: FilePath
    kind: Kind
    newline: str = "\n"
    ended: bool = True
    hunk: HunkId | None = None
    file: FileId | None = None
    reason: str = ""
    before: str = ""
    gathered: list[str] = field(default_factory=list)
    held: str = ""
    search: str | None = None
    said: list[str] = field(default_factory=list)
    """The replacement as the model writes it."""
    repeats: str | None = None
    """What an earlier block has put into this very place."""


class AnswerWriter:
    """Writes one answer; ids come from the two callables.

    In the mode ``review`` every change is a suggestion, in ``ask`` those that rewrite whole files are.
    """

    def __init__(
        self,
        job: JobId,
        live: Document,
        client: ClientId,
        *,
        mode: Mode,
        offline: bool,
        file_id: Callable[[], FileId],
        suggestion_id: Callable[[], SuggestionId],
        answer_chars: int,
        resolver: Resolver | None = None,
    ) -> None:
        self.session = MergeSession(live, client, resolver)
        self.problems: list[str] = []
        self.cut: str | None = None
        """Why the answer is incomplete, in words; None as long as nothing says so."""
        self.prose = ""
        self.kept = Kept()
        """The blocks that were complete."""
        self.changes = 0
        """Changes that were read, wherever they ended up."""
        self._job = job
        self._asks = "" if mode != "review" else OFFLINE if offline else _REVIEW
        self._asks_whole = _WHOLE if mode == "ask" else self._asks
        self._file_id = file_id
        self._suggestion_id = suggestion_id
        self._listing = self.session.base_listing()
        self._known = {file.shown for file in self._listing.files.values()}
        self._answer_chars = answer_chars
        self._parser = Parser(self._known, answer_chars)
        self._seen: frozenset[FileId] = frozenset()
        self._target: _Target | None = None
        self._path: FilePath | None = None
        self._new: dict[FilePath, FileId] = {}
        self._open: dict[HunkId, FilePath] = {}
        self._counts: dict[FilePath, _Counts] = {}
        self._ended: list[FilePath] = []
        self._ready: list[Suggestion] = []
        self._events: list[GenerationEvent] = []
        self._tokens: list[str] = []
        self.dirty = False
        """Whether a pull may bring something."""
        self.finished = False

    def show(self, files: Collection[FileId]) -> None:
        """Notes which files the model has seen: it may not rewrite others as a whole without being asked."""
        self._seen = frozenset(files)

    def offer(self, reason: str) -> None:
        """From now on nothing lands before somebody accepts it, for the reason in words."""
        self._asks = self._asks_whole = reason

    def feed(self, text: str) -> None:
        """Takes the next piece of the answer."""
        for event in self._parser.feed(text):
            self._take(event)

    def finish(self) -> None:
        """The answer is complete."""
        self.finished = True
        for event in self._parser.finish():
            self._take(event)
        self._leave()

    def resume(self) -> None:
        """The answer was broken off, and another one goes on with it: what is not complete is taken back."""
        self._void()
        self._leave()
        if self.cut is not None:
            self.problems.remove(self.cut)
        self.cut = None
        self.prose = ""
        self.finished = False
        self._parser = Parser(self._known, self._answer_chars, self.kept.last)

    def abandon(self) -> None:
        """The answer is broken off: what is not complete is taken back."""
        self._void()
        self._leave()

    def pull(self, live: Document, others: Callable[[], Sequence[Ledger]] = tuple) -> Outcome:
        """What the live document and the room get now. Apply its update, then call ``merged``."""
        self.dirty = False
        self._flush_tokens()
        pulled = self.session.pull(live, others)
        for hunk, landed in pulled.landed.items():
            path = self._open.pop(hunk, None)
            if path is not None:
                self._count(path).applied += landed
        for item in pulled.blocked:
            self._suggest_blocked(item)
        for merged in pulled.merged:
            self._note_merged(merged)
        for path in self._ended:
            counts = self._count(path)
            self._events.append(FileEnded(self._job, path, counts.applied, counts.pending))
        self._ended = []
        outcome = Outcome(pulled.update, self._ready, self._events)
        self._ready, self._events = [], []
        return outcome

    def merged(self, applied: Applied, live: Document) -> None:
        """The update of the last pull is in the live document."""
        self.session.merged(applied, live)

    @property
    def applied(self) -> int:
        """Hunks that have landed."""
        return sum(counts.applied for counts in self._counts.values())

    @property
    def paths(self) -> list[str]:
        """Paths that the answer writes to or proposes something for, in order."""
        return list(self._counts)

    @property
    def path(self) -> str | None:
        """The file that is being written; None between two."""
        return self._path

    @property
    def landed(self) -> list[str]:
        """Those of them in which something has landed."""
        return [path for path, counts in self._counts.items() if counts.applied]

    def _take(self, event: ParseEvent) -> None:
        match event:
            case ProseSkipped(text):
                self.prose += text[: PROSE_KEPT - len(self.prose)]
                return
            case FileOpened(path):
                self._enter(path)
            case SearchCompleted(path, text):
                self._begin_hunk(path, text)
            case WholeFileOpened(path):
                self._enter(path)
                self._begin_whole(path)
            case ReplaceText(text) | FileText(text):
                self._write(text)
            case HunkClosed() | FileClosed():
                self._close()
            case FileDeleted(path):
                self._structural(path, None)
            case FileRenamed(path, to):
                self._structural(path, to)
            case ParseProblem(reason, cut):
                self._void()
                self.problems.append(reason)
                if cut:
                    self.cut = reason
        self.dirty = True

    def _enter(self, path: FilePath) -> None:
        self._void()
        if path != self._path:
            self._leave()
            self._path = path
            self._count(path)
            self._events.append(FileStarted(self._job, path))

    def _leave(self) -> None:
        if self._path is not None:
            self._flush_tokens()
            self._ended.append(self._path)
            self._path = None
            self.dirty = True

    def _begin_hunk(self, path: FilePath, search: str) -> None:
        if not self._begin_again(path, search):
            self._begin_replacement(path, search)
        if self._target is not None:
            self._target.search = search

    def _begin_again(self, path: FilePath, search: str | None) -> bool:
        """Whether a block was there before: a model that goes on with an answer may say it twice."""
        before = self.kept.get(path, search)
        if before is None:
            return False
        file = self._listing.by_path(path)
        kind: Kind = "hunk" if search else "whole_file" if file is not None else "new_file"
        if search or file is None:
            target = self._gather(path, kind, _AGAIN, search or "", file.id if file is not None else None)
        else:
            base = self.session.base_text(file.id)
            whole = Place(0, len(base), newline_of(base))
            target = self._gather(path, kind, _AGAIN, base, file.id, whole)
        target.repeats = before
        return True

    def _begin_replacement(self, path: FilePath, search: str) -> None:
        file = self._listing.by_path(path)
        if file is None:
            if not search:
                self._begin_new(path)
            elif path in self._new:
                self._gather(path, "hunk", "The file was only just written by this job.", search)
            else:
                self.problems.append(f"{path} is not there, so no lines of it can be replaced.")
            return
        base = self.session.base_text(file.id)
        place = locate(base, search)
        if isinstance(place, NoPlace):
            self._gather(path, "hunk", place.reason, search, file.id)
            return
        hunk = self.session.open_hunk(file.id, place.start, place.end, asks=self._asks)
        self._aim(_Target(path, "hunk"), hunk, place)

    def _begin_whole(self, path: FilePath) -> None:
        if self._begin_again(path, None):
            return
        file = self._listing.by_path(path)
        if file is None:
            self._begin_new(path)
            return
        base = self.session.base_text(file.id)
        whole = Place(0, len(base), newline_of(base))
        if base and file.id not in self._seen and not self._asks:
            reason = "It replaces a file that the model was not shown."
            self._gather(path, "whole_file", reason, base, file.id, whole)
        else:
            hunk = self.session.open_whole(file.id, asks=self._asks_whole if base else self._asks)
            self._aim(_Target(path, "whole_file"), hunk, whole)

    def _begin_new(self, path: FilePath) -> None:
        if path in self._new:
            self._gather(path, "new_file", "The same answer has written this file already.", "")
        else:
            file = self._new[path] = self._file_id()
            hunk = self.session.open_file(file, path, asks=self._asks)
            self._aim(_Target(path, "new_file"), hunk, Place(0, 0))

    def _structural(self, path: FilePath, to: FilePath | None) -> None:
        file = self._listing.by_path(path)
        if file is None:
            self.problems.append(f"{path} is not there, so it cannot be {'renamed' if to else 'deleted'}.")
            return
        self._enter(path)
        self.changes += 1
        if not self.kept.move(path, to):
            return
        if to:
            hunk = self.session.rename(file.id, to, asks=self._asks)
        else:
            hunk = self.session.delete(file.id)
        self._open[hunk] = path

    def _aim(self, target: _Target, hunk: HunkId, place: Place) -> None:
        target.hunk = hunk
        target.newline, target.ended = place.newline, place.ended
        self._open[hunk] = target.path
        self._target = target

    def _gather(
        self,
        path: FilePath,
        kind: Kind,
        reason: str,
        before: str,
        file: FileId | None = None,
        place: Place | None = None,
    ) -> _Target:
        target = self._target = _Target(path, kind, file=file, reason=reason, before=before)
        if place is not None:
            target.newline, target.ended = place.newline, place.ended
        return target

    def _write(self, text: str) -> None:
        target = self._target
        if target is None:
            return
        self._tokens.append(text)
        target.said.append(text)
        if not target.ended:
            # The last line of the file has no newline, and the replacement's last shall have none either.
            text = target.held + text
            target.held = "\n" if text.endswith("\n") else ""
            text = text[: len(text) - len(target.held)]
        if target.newline != "\n":
            text = text.replace("\n", target.newline)
        if target.hunk is None:
            target.gathered.append(text)
        else:
            self.session.write(target.hunk, text)

    def _close(self) -> None:
        target, self._target = self._target, None
        if target is None:
            return
        self.changes += 1
        said = "".join(target.said)
        if target.repeats == said:
            return
        if target.repeats is None:
            self.kept.add(target.path, target.search, said)
        if target.hunk is None:
            text = "".join(target.gathered)
            self._suggest(target.path, target.kind, target.reason, target.before, text, file=target.file)
        else:
            self.session.close(target.hunk)

    def _void(self) -> None:
        """Takes back the block that is open."""
        target, self._target = self._target, None
        if target is not None and target.hunk is not None:
            self.session.withdraw(target.hunk)
            if target.kind == "new_file":
                self._new.pop(target.path, None)
            self._open.pop(target.hunk, None)
            self.dirty = True

    def _suggest_blocked(self, item: Blocked) -> None:
        self._suggest(
            FilePath(item.path),
            item.kind,
            item.reason,
            item.before,
            item.after,
            file=item.file,
            anchor=item.anchor,
            end=item.end,
            conflict=item.conflict,
        )

    def _note_merged(self, merged: Merged) -> None:
        self._ready.append(
            Suggestion(
                suggestion=self._suggestion_id(),
                job=self._job,
                file=merged.file,
                path=merged.path,
                reason=TOUCHED,
                kind="hunk",
                before=merged.base,
                after=merged.theirs,
                state="merged",
                conflict=merged.conflict,
                layer=merged.layer,
                ours=merged.ours,
            )
        )

    def _suggest(
        self,
        path: FilePath,
        kind: Kind,
        reason: str,
        before: str,
        after: str,
        *,
        file: FileId | None,
        anchor: bytes | None = None,
        end: bytes | None = None,
        conflict: ConflictKind = "none",
    ) -> None:
        self._count(path).pending += 1
        self._ready.append(
            Suggestion(
                suggestion=self._suggestion_id(),
                job=self._job,
                file=file,
                path=path,
                reason=reason,
                kind=kind,
                before=before,
                after=after,
                anchor=anchor,
                end=end,
                conflict=conflict,
            )
        )

    def _count(self, path: FilePath) -> _Counts:
        return self._counts.setdefault(path, _Counts())

    def _flush_tokens(self) -> None:
        if self._tokens and self._path is not None:
            self._events.append(JobTokens(self._job, self._path, "".join(self._tokens)))
        self._tokens = []
