"""AI jobs: answers that stream through the real writer into the live document, as a run of a job drives it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Set
from itertools import count
from random import Random

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.merge.ranges import IdRanges
from collab.merge.suggestions import Suggestion
from collab.offsets import utf16_length
from collab.wire import IdRange, decode_state_vector
from generation.pipeline import AnswerWriter
from generation.views import Mode
from tests.lost_keystrokes.answers import Answer, Region, write_answer
from tests.lost_keystrokes.order import Id, Order, deleted_by, orders
from tests.lost_keystrokes.record import Merge, grown
from tests.lost_keystrokes.texts import WORD, WORD_LENGTH, SourceFile, Words, lines_of

MERGE_INTERVAL = 40
"""Milliseconds between two merges, as the server's default."""


class Bounds:
    """A region's place by ids: the units around it, its first and its last one, and those of its outer lines."""

    def __init__(self, base: str, order: Order, region: Region) -> None:
        lines = lines_of(base)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + utf16_length(line))
        visible = order.visible_ids()

        def unit(offset: int) -> Id | None:
            for at, ids in visible:
                if at <= offset < at + ids.length:
                    return ids.client, ids.clock + offset - at
            return None

        first, last = starts[region.first], starts[region.last]
        self.before = unit(first - 1) if first else None
        self.after = unit(last)
        self.first = unit(first) if last > first else None
        self.last = unit(last - 1) if last > first else None
        outer = (
            max(0, min(region.outer[0], region.first - 1)),
            min(len(lines), max(region.outer[1], region.last + 1)),
        )
        self.outer_first = unit(starts[outer[0]]) if starts[outer[0]] < starts[-1] else None
        self.outer_last = unit(starts[outer[1]] - 1) if starts[outer[1]] else None
        self.ended = not lines or lines[min(region.last, len(lines)) - 1].endswith("\n")


class JobRun:
    """One job. ``due`` is when it acts next, in milliseconds; None once it has ended."""

    def __init__(
        self,
        number: int,
        live: Document,
        random: Random,
        words: Words,
        clients: Callable[[], ClientId],
        resolver: Resolver,
        *,
        now: int,
        typists: Set[ClientId],
        others: Callable[[JobRun], list[Ledger]],
        interlude: Callable[[], None],
        changed: Callable[[bytes | None], None],
        step: Callable[[], int],
    ) -> None:
        self.number = number
        self.client = clients()
        self.due: int | None = now + random.randint(20, 400)
        self.suggestions: list[Suggestion] = []
        self.merges: list[Merge] = []
        self.problems: list[str] = []
        self.began = step()
        self.ended = 0
        self.fed = 0
        self.landed: dict[Region, int] = {}
        """Regions that were seen in the document, with the step of the merge that completed them."""
        self.closed: dict[Region, int] = {}
        """The step of the merge behind a region's block."""
        self.mode: Mode = random.choices(("auto", "review", "ask"), (80, 8, 12))[0]
        self.helpers: set[ClientId] = set()
        """Under these ids the session put text back."""
        self.base_state = decode_state_vector(live.state_vector())
        self.accepted = Ledger()
        self.chosen: set[str] = set()
        """Words that came or went as somebody accepted a suggestion of this job."""
        self._random = random
        self._live = live
        self._typists = typists
        self._others = others
        self._interlude = interlude
        self._changed = changed
        self._step = step
        numbers = count()
        self.writer = AnswerWriter(
            JobId(f"j{number}"),
            live,
            self.client,
            mode=self.mode,
            offline=False,
            file_id=lambda: FileId(f"n{number}x{next(numbers)}"),
            suggestion_id=lambda: SuggestionId(f"s{number}x{next(numbers)}"),
            answer_chars=1_000_000,
            resolver=resolver,
        )
        listing = live.listing()
        self.base = {file: SourceFile(entry.shown, live.text(file)) for file, entry in listing.files.items()}
        self.writer.show(list(self.base))
        self.answer: Answer = write_answer(random, words, self.base, number)
        shapes = orders(live, {region.file for region in self.answer.regions if region.file is not None})
        self.bounds = {
            region: Bounds(self.base[region.file].text, shapes[region.file], region)
            for region in self.answer.regions
            if region.file is not None
        }
        self.ids = {
            word: ids
            for file, order in shapes.items()
            for word, ids in _ids_of_words(self.base[file].text, order, self._removed_in(file))
        }
        """The ids of the words that it takes away."""
        self.cut: str | None = random.choices((None, "broken", "cancelled"), (85, 8, 7))[0]
        size = len(self.answer.text)
        self.length = random.randint(1, size) if self.cut else size
        self._pace = random.choice((8, 12, 20, 40))
        self._merged_at = now

    def _removed_in(self, file: FileId) -> set[str]:
        return set().union(*(region.removed for region in self.answer.regions if region.file == file))

    def asks(self, region: Region) -> bool:
        """Whether the room is asked before a region lands."""
        return self.mode == "review" or (self.mode == "ask" and region.form == "whole")

    @property
    def files(self) -> set[FileId]:
        """The files that its regions are in."""
        return {region.file for region in self.answer.regions if region.file is not None}

    def act(self, now: int) -> None:
        """The next piece of the answer, and a merge if it is time for one."""
        if self.fed >= self.length:
            self._end()
            return
        size = self._random.randint(1, self._pace)
        self.writer.feed(self.answer.text[self.fed : min(self.length, self.fed + size)])
        self.fed = min(self.length, self.fed + size)
        if self.writer.dirty and now - self._merged_at >= MERGE_INTERVAL:
            self._merged_at = now
            self.merge()
        stall = self._random.random() < 0.01
        self.due = now + (self._random.randint(300, 1500) if stall else self._random.randint(10, 60))
        if stall and self.writer.dirty:
            self.merge()

    def _end(self) -> None:
        if self.cut != "cancelled":
            self.writer.finish()
            self.merge()
        if self.cut:
            self.writer.abandon()
            self.merge()
        self.due = None
        self.ended = self._step()

    def merge(self) -> None:
        """Pull, apply, merged: as generation.io.run does it."""
        before = decode_state_vector(self._live.state_vector())
        outcome = self.writer.pull(self._live, lambda: self._others(self))
        self.suggestions += outcome.suggestions
        if outcome.update is not None:
            if self._random.random() < 0.15:
                # What came in the same turn of the loop is applied first.
                self._interlude()
                before = decode_state_vector(self._live.state_vector())
            applied = self._live.apply([outcome.update], track=True)
            self.writer.merged(applied, self._live)
            self._note(outcome.update, before, applied.entries)
            self._changed(applied.update)
        self._look()

    def _note(self, update: bytes, before: dict[ClientId, int], entries: set[FileId]) -> None:
        inserted = grown(before, decode_state_vector(self._live.state_vector()))
        deleted = deleted_by(self._live, update)
        self.helpers |= {ids.client for ids in inserted} - {self.client}
        self.merges.append(Merge(self._step(), inserted, deleted, entries))
        for ids in deleted:
            if ids.client in self._typists and not self.saw(ids):
                self.problems.append(f"a merge of job {self.number} deletes {ids}, which came after its base")

    def _look(self) -> None:
        """Notes which regions are in the document now."""
        texts: dict[str, str] = {}
        for region in self.answer.regions:
            # The last line end of an answer may be missing.
            if region.closed - (self.cut != "cancelled") <= self.fed and region not in self.closed:
                self.closed[region] = self._step()
            if region.told > self.fed or region in self.landed:
                continue
            file = self.file_of(region)
            if file is None:
                continue
            if file not in texts:
                texts[file] = self._live.text(file)
            if is_in(region, texts[file], frozenset()):
                self.landed[region] = self._step()

    def saw(self, ids: IdRange) -> bool:
        """Whether the model was shown these characters, so that they are its to change."""
        return ids.clock + ids.length <= self.base_state.get(ids.client, 0)

    def file_of(self, region: Region) -> FileId | None:
        """The file that the region is in, if it is there."""
        files = self._live.listing().files
        if region.file is not None:
            return region.file if region.file in files else None
        made = [file for file in files if file.startswith(f"n{self.number}x")]
        there = [file for file in made if files[file].path == region.path]
        paths = {one.path for one in self.answer.regions}
        # Somebody may have given it another name.
        return next(iter(there or [file for file in made if files[file].path not in paths]), None)

    @property
    def ledger(self) -> Ledger:
        """What an undo of the job takes back."""
        ledger = Ledger.from_bytes(self.writer.session.ledger.to_bytes())
        ledger.extend(self.accepted)
        return ledger


def _ids_of_words(text: str, order: Order, wanted: set[str]) -> Iterator[tuple[str, IdRanges]]:
    visible = order.visible_ids()
    starts = [at for at, _ in visible]
    done = unit = 0
    for found in WORD.finditer(text):
        unit += utf16_length(text[done : found.start()])
        done = found.start()
        if found[0] not in wanted:
            continue
        ids, at = list[IdRange](), unit
        while at < unit + WORD_LENGTH:
            first, run = visible[bisect_right(starts, at) - 1]
            length = min(unit + WORD_LENGTH, first + run.length) - at
            ids.append(IdRange(run.client, run.clock + at - first, length))
            at += length
        yield found[0], IdRanges(ids)


def is_in(region: Region, text: str, spoiled: frozenset[str] | set[str]) -> bool:
    """Whether a text has all that a region adds and nothing that it takes away, but for spoiled words."""
    return all(word in text for word in region.added - spoiled) and not any(
        word in text for word in region.removed - spoiled
    )
