"""From the model's words to changes: parses an answer and writes it into a merge session.

Everything here is a step without waiting. The driver feeds text, pulls an update every merge interval,
applies it to the live document, and tells the room what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collab.document import Applied, Document
from collab.ids import ClientId, FileId, FilePath, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.merge.hunks import HunkId
from collab.merge.session import MergeSession
from collab.merge.suggestions import Suggestion
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
    Retracted,
    SearchCompleted,
    WholeFileOpened,
)
from generation.blocks import Blocks
from generation.draft import Draft
from generation.events import FileEnded, FileStarted, GenerationEvent, JobTokens
from generation.hold import Gate, Hold, OpenGate
from generation.kept import Kept
from generation.parse import Parser
from generation.proposals import Proposals
from generation.views import Mode

PROSE_KEPT = 600
"""Characters of the model's words that are kept, for an answer that changes nothing."""
_REVIEW = "The job was asked to offer each change first."
_WHOLE = "The room is asked before a whole file is rewritten."
OFFLINE = "It comes from a template, not from an AI."
_UNENDED = "Its fence has no end, so it may not be complete."


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


class AnswerWriter:
    """Writes one answer; ids come from the two callables.

    In the mode ``review`` every change is a suggestion, in ``ask`` those that rewrite whole files are. With
    ``may_drop``, the request may mean that a file loses most of its text. With ``defers``, what is refused because
    lines are left out is asked only when ``release`` is called, as the model may be asked for it once more.
    ``half_written`` says whether a file ends with what an earlier try of the job wrote.
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
        gate: Gate | None = None,
        resolver: Resolver | None = None,
        may_drop: bool = False,
        defers: bool = False,
        half_written: Callable[[FileId], bool] = lambda _: False,
    ) -> None:
        """``gate`` lets one job at a time write a file; without one, this one is alone."""
        self.session = MergeSession(live, client, resolver)
        self.cut: str | None = None
        """Why the answer is incomplete, in words; None as long as nothing says so."""
        self.prose = ""
        self._job = job
        self.draft = Draft(self.session.base_listing(), self.session.base_text)
        self.proposals = Proposals(job, suggestion_id)
        self._asks = "" if mode != "review" else OFFLINE if offline else _REVIEW
        self._asks_whole = _WHOLE if mode == "ask" else self._asks
        self._blocks = Blocks(
            self.session,
            self.draft,
            self.proposals,
            asks=self._asks,
            asks_whole=self._asks_whole,
            may_drop=may_drop,
            defers=defers,
            half_written=half_written,
            file_id=file_id,
        )
        # What is only proposed needs not wait for anybody.
        self._hold = Hold(gate if gate is not None and not self._asks else OpenGate(), self._blocks.meant)
        self._answer_chars = answer_chars
        self._parser = Parser(self._blocks.known, answer_chars)
        self._path: FilePath | None = None
        self._landed: dict[HunkId, tuple[FilePath, int]] = {}
        self._counts: dict[FilePath, _Counts] = {}
        self._ended: list[FilePath] = []
        self._events: list[GenerationEvent] = []
        self._tokens: list[str] = []
        self.dirty = False
        """Whether a pull may bring something."""
        self.finished = False

    def show(self, files: Collection[FileId]) -> None:
        """Notes which files the model has seen: it may not rewrite others as a whole without being asked."""
        self._blocks.show(files)

    def offer(self, reason: str) -> None:
        """From now on nothing lands before somebody accepts it, for the reason in words."""
        self._asks = self._asks_whole = reason

    def feed(self, text: str) -> None:
        """Takes the next piece of the answer."""
        for event in self._parser.feed(text):
            self._take(event)

    def finish(self, *, ended: bool = False) -> None:
        """No more comes. ``ended``: the model itself ended the answer; then what lacks only the end of its fence
        is offered. What waits for a file even now is only proposed.
        """
        self.finished = True
        for event in self._parser.finish():
            if ended and isinstance(event, ParseProblem) and event.whole and self._blocks.reading:
                self._blocks.doubt(_UNENDED)
                self._blocks.close()
            else:
                self._take(event)
        for event in self._hold.give_up():
            self._do(event)
        self._leave()

    def resume(self) -> None:
        """The answer was broken off, and another one goes on with it: what is not complete is taken back."""
        self._hold.drop()
        self._void()
        self._leave()
        if self.cut is not None:
            self.problems.remove(self.cut)
        self.cut = None
        self.prose = ""
        self.finished = False
        self._parser = Parser(self._blocks.known, self._answer_chars, self.kept.last)

    @property
    def waits_for(self) -> str | None:
        """The file that another job must be done with before more of this answer can be written."""
        return self._hold.path

    def abandon(self) -> None:
        """The answer is broken off: what is not complete is taken back."""
        self._hold.drop()
        self._void()
        self._leave()
        self.proposals.release()
        self.dirty = True

    def pull(self, live: Document, others: Callable[[], Sequence[Ledger]] = tuple) -> Outcome:
        """What the live document and the room get now. Apply its update, then call ``merged``."""
        for event in self._hold.release():
            self._do(event)
        self.dirty = False
        self._flush_tokens()
        pulled = self.session.pull(live, others)
        for hunk, landed in pulled.landed.items():
            path, before = self._landed.get(hunk, (self._blocks.open.pop(hunk, None), 0))
            if path is not None:
                self._landed[hunk] = path, landed
                self._count(path).applied += landed - before
        for path in self._blocks.pending:
            self._count(path).pending += 1
        self._blocks.pending.clear()
        for item in pulled.blocked:
            self._count(FilePath(item.path)).pending += 1
            self.proposals.blocked(item)
        for merged in pulled.merged:
            self.proposals.merged(merged)
        for path in self._ended:
            counts = self._count(path)
            self._events.append(FileEnded(self._job, path, counts.applied, counts.pending))
        self._ended = []
        outcome = Outcome(pulled.update, self.proposals.take(), self._events)
        self._events = []
        return outcome

    def merged(self, applied: Applied, live: Document) -> None:
        """The update of the last pull is in the live document."""
        self.session.merged(applied, live)

    # Once the answer is complete

    def recall(self, hunk: HunkId, reason: str, findings: Iterable[str]) -> bool:
        """Has the next pull take a hunk back that has landed, and offer it with what was found.

        False if nothing of it has landed.
        """
        if not self.session.recall(hunk, reason):
            return False
        self.proposals.find(hunk, findings)
        self.draft.drop(hunk)
        self.dirty = True
        return True

    def amend(
        self, path: str, withdrawn: Collection[HunkId], edits: Iterable[tuple[int, int, str]], *, asks: str = ""
    ) -> list[SuggestionId]:
        """Has the next pull take back hunks of a file and make other changes of its base in their place.

        Of a new file, the one edit is its whole text. With ``asks``, the reason in words, the changes are offered,
        as the hunks were. Returns the suggestions that hunks had become, which others take the place of.
        """
        replaced: list[SuggestionId] = []
        for hunk in withdrawn:
            self.session.withdraw(hunk)
            replaced += self.proposals.replaced(hunk)
            if (landed := self._landed.pop(hunk, None)) is not None:
                self._count(landed[0]).applied -= landed[1]
            self.draft.drop(hunk)
        self._count(FilePath(path)).pending -= len(replaced)
        before = self._blocks.asks
        self._blocks.asks = asks or before
        for start, end, text in edits:
            self._blocks.add(FilePath(path), start, end, text)
        self._blocks.asks = before
        self.dirty = True
        return replaced

    def release(self, settled: Collection[str] = ()) -> None:
        """What was put off is asked now, but for the paths that are settled."""
        for dropped in self.proposals.release(settled):
            self._count(FilePath(dropped.path)).pending -= 1
        self.dirty = True

    @property
    def problems(self) -> list[str]:
        """What could not be used of the answer, in words."""
        return self._blocks.problems

    @property
    def kept(self) -> Kept:
        """The blocks that were complete."""
        return self._blocks.kept

    @property
    def changes(self) -> int:
        """How many changes were read, wherever they ended up."""
        return self._blocks.changes

    @property
    def done(self) -> int:
        """How many of them were in the files already."""
        return self._blocks.done

    @property
    def refused(self) -> Mapping[str, Sequence[str]]:
        """What is said about blocks that leave lines out, by path."""
        return self._blocks.refused

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

    # Reading

    def _take(self, event: ParseEvent) -> None:
        for held in self._hold.release():
            self._do(held)
        if isinstance(event, Retracted):
            self._hold.drop()
        if not self._hold.keeps(event):
            self._do(event)

    def _do(self, event: ParseEvent) -> None:
        self._blocks.asks = self._asks or self._hold.told
        self._blocks.asks_whole = self._asks_whole or self._hold.told
        match event:
            case ProseSkipped(text):
                self.prose += text[: PROSE_KEPT - len(self.prose)]
                return
            case FileOpened():
                self._blocks.void()
            case SearchCompleted(path, text):
                self._enter(self._blocks.meant(path) if text else path)
                self._blocks.begin_hunk(self._path or path, text)
            case WholeFileOpened(path):
                self._enter(path)
                self._blocks.begin_whole(path)
            case ReplaceText(text) | FileText(text):
                if self._blocks.reading:
                    self._tokens.append(text)
                    self._blocks.write(text)
            case HunkClosed() | FileClosed():
                self._blocks.close()
            case FileDeleted(path):
                self._structural(path, None)
            case FileRenamed(path, to):
                self._structural(path, to)
            case ParseProblem(reason, cut):
                self._blocks.void()
                self.problems.append(reason)
                if cut:
                    self.cut = reason
            case Retracted():
                self._retract()
        self.dirty = True

    def _void(self) -> None:
        self.dirty = self._blocks.void() or self.dirty

    def _structural(self, path: FilePath, to: FilePath | None) -> None:
        path = self._blocks.meant(path)
        if path in self._blocks.known:
            self._enter(path)
        self._blocks.structural(path, to)

    def _enter(self, path: FilePath) -> None:
        self._blocks.void()
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

    def _retract(self) -> None:
        """All so far was only reasoned about."""
        hunks = {*self._blocks.open, *self._landed}
        self._blocks.forget()
        for hunk in hunks:
            self.session.withdraw(hunk)
        self._landed.clear()
        self._counts.clear()
        self._path = None
        self.proposals.drop()
        self.draft.clear()

    def _count(self, path: FilePath) -> _Counts:
        return self._counts.setdefault(path, _Counts())

    def _flush_tokens(self) -> None:
        if self._tokens and self._path is not None:
            self._events.append(JobTokens(self._job, self._path, "".join(self._tokens)))
        self._tokens = []
