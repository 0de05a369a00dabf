"""One try of a job: drives the steps of the pipeline against a model and a live room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from collab.attribution_codec import pack_copies
from collab.document import Document
from collab.errors import CollabError, KeepLost, NotFound
from collab.ids import FileId, SuggestionId, short_id
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.origin import JobOrigin
from collab.ports import Clock
from collab.wire import anchor_json
from generation import prompt as prompts
from generation.book import JOB, SUGGESTION, Book, Change, view
from generation.context.selection import Candidate, Context, select
from generation.context.tokens import estimate
from generation.errors import GenerationError, ModelError, StaleEpoch, StreamBroken
from generation.events import (
    ContextReady,
    GenerationEvent,
    JobProgressed,
    StrategyDetermined,
    SuggestionAdded,
    SuggestionAnswered,
)
from generation.io.pump import Pump, Signal
from generation.jobs import Job, JobState
from generation.openhunks import OpenHunks
from generation.pipeline import AnswerWriter
from generation.ports import (
    Delta,
    FinishDelta,
    Message,
    Model,
    Random,
    ReasoningDelta,
    RoomHandle,
    StreamLimits,
    TextDelta,
    UsageDelta,
)
from generation.progress import Estimate
from generation.resilience import Retries
from generation.settings import GenerationSettings
from generation.strategy import choose
from generation.validation import problem

logger = logging.getLogger(__name__)

PROGRESS_EVERY = 0.5
"""Seconds between two progress events, unless the stage changes."""
KEPT = " What was complete is kept; retry to go on."
LEDGER_OFTEN = 32_000
"""Bytes. A ledger up to this size is stored with each merge, a larger one every LEDGER_EVERY seconds."""
LEDGER_EVERY = 1.0
_EXPECTED = {"targeted": 600, "selective": 1_500, "full": 3_000}
"""Tokens of an answer, a first guess."""
_FINISHED = {
    "stop": None,
    "length": "The answer reached the longest that the model gives.",
    "content_filter": "The provider's content filter ended the answer; other words may pass it.",
}


class Run:
    """One try. ``go`` ends with the job complete or failed; ``stop`` ends it from outside, at once.

    With ``shared``, another node may go on with the job should this one die: what that one must know is stored as
    it comes about.
    """

    def __init__(
        self,
        handle: RoomHandle,
        book: Book,
        job: Job,
        epoch: int,
        model: Model,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        tell: Callable[[GenerationEvent], None],
        shared: bool = False,
        resolver: Resolver | None = None,
    ) -> None:
        self._handle = handle
        self._book = book
        self._job = job
        self._epoch = epoch
        self._model = model
        self._settings = settings
        self._clock = clock
        self._random = random
        self._tell = tell
        self._resolver = resolver
        self._writer: AnswerWriter | None = None
        self._earlier = book.ledgers.get(job.id)
        self._stopped = False
        self._estimate = Estimate(_EXPECTED["selective"])
        self._told = -PROGRESS_EVERY
        self._merged = 0.0
        self._bytes = 0
        self._told_copies = 0
        self._finish: str | None = None
        self._presence: dict[str, object] | None = None
        self._applied = 0
        self._open = OpenHunks(job.id, epoch) if shared else None
        self._unnoted = False
        self._noted_at = 0.0
        self._noted_size = 0

    async def go(self) -> None:
        """Runs the job to its end. Raises StaleEpoch if it was ended from outside, or is another node's now."""
        try:
            await self._work()
        except StaleEpoch:
            raise
        except KeepLost as error:
            raise StaleEpoch(error.message) from error
        except (GenerationError, CollabError) as error:
            self.stop()
            kept = KEPT if isinstance(error, StreamBroken) else ""
            self._job.fail(self._epoch, error.message + kept)

    def accepted(self, ledger: Ledger) -> None:
        """A suggestion of this job was accepted while it runs; an undo takes that back too."""
        earlier = Ledger.from_bytes(self._earlier) if self._earlier is not None else Ledger()
        earlier.extend(ledger)
        self._earlier = earlier.to_bytes()

    def vanish(self) -> None:
        """Ends it without a trace, as another node keeps the room's jobs now; only its cursor is taken away."""
        self._stopped = True
        self._handle.set_presence(self._job.client, None)

    def stop(self) -> None:
        """Takes back what is not complete, lands the rest, and takes the job's cursor away."""
        if self._stopped:
            return
        self._stopped = True
        if self._writer is not None:
            self._writer.abandon()
            try:
                self._merge(self._writer)
            except CollabError as error:
                # Nothing more can be done for it; the job ends with the error that brought it here.
                logger.warning("job %s: its last changes did not land: %s", self._job.id, error.message)
        self._handle.set_presence(self._job.client, None)
        self._save()

    async def _work(self) -> None:
        job = self._job
        self._stage(JobState.PREPARING, "Preparing.")
        # No await between these: the context is read from the very state that the session was forked at.
        writer = self._writer = self._open_writer(self._handle.document)
        self._stage(JobState.CONTEXT_ANALYSIS, "Choosing what the model sees.")
        context = self._context(writer)
        strategy = choose(job.prompt, context, job.requested_strategy)
        job.strategy = strategy.name
        messages = prompts.build(job.prompt, context, strategy, job.written)
        size = sum(estimate(message.content) for message in messages)
        self._tell(ContextReady(job.id, tuple(file.path for file in context.shown), size))
        self._tell(StrategyDetermined(job.id, strategy.name, strategy.why))
        self._estimate = Estimate(_EXPECTED[strategy.name])
        self._stage(JobState.GENERATING, context.report())
        self._save()
        await self._generate(writer, messages)
        self._stage(JobState.POST_PROCESSING, "Landing the last changes.")
        writer.finish()
        self._merge(writer)
        self._judge(writer)
        self._stage(JobState.VALIDATING, "Checking what was written.")
        found = self._validate(writer)
        if found or writer.problems:
            self._progress(" ".join([*found, *writer.problems])[:1000])
        self._stopped = True
        self._handle.set_presence(job.client, None)
        job.settle(self._book.pending(job.id))
        job.complete(self._epoch, " ".join(writer.problems)[:1000])
        self._save()

    def _open_writer(self, live: Document) -> AnswerWriter:
        def file_id() -> FileId:
            return FileId(short_id(self._random, "f", 10))

        def suggestion_id() -> SuggestionId:
            return SuggestionId(short_id(self._random, "s"))

        job = self._job
        return AnswerWriter(
            job.id,
            live,
            job.client,
            mode=job.mode,
            offline=job.offline,
            file_id=file_id,
            suggestion_id=suggestion_id,
            answer_chars=self._settings.answer_chars,
            resolver=self._resolver,
        )

    def _context(self, writer: AnswerWriter) -> Context:
        listing = writer.session.base_listing()
        named = []
        for ref in self._job.requested_files:
            found = listing.files.get(FileId(ref)) or listing.by_path(ref)
            if found is None:
                raise NotFound(f"The file {ref[:200]!r} of the request is not there any more.", field="files")
            named.append(found.id)
        instructions = self._handle.document.settings().get("instructions", "")
        instructions = instructions if isinstance(instructions, str) else ""
        # The instructions, the formats and the list of other files take their part too.
        fixed = estimate(self._job.prompt) + estimate(instructions) + 2_000
        settings = self._settings
        answer = min(settings.answer_tokens, settings.context_tokens // 2)
        context = select(
            [Candidate(file.id, file.shown) for file in listing.files.values()],
            writer.session.base_text,
            self._job.prompt,
            named,
            max(0, settings.context_tokens - answer - fixed),
            instructions,
        )
        writer.show([file.id for file in context.shown])
        return context

    async def _generate(self, writer: AnswerWriter, messages: list[Message]) -> None:
        settings = self._settings
        limits = StreamLimits(
            connect=settings.timeout_connect,
            first_token=settings.timeout_first_token,
            silence=settings.timeout_silence,
            total=settings.timeout_total,
        )
        retries = Retries(settings, self._random)
        while True:
            try:
                await self._stream(writer, messages, limits)
                return
            except ModelError as error:
                wait = None if self._bytes else retries.wait(error)
                if wait is None:
                    raise
                self._progress(f"{error.message} Trying again in {wait:.1f} s.")
            await asyncio.sleep(wait)

    async def _stream(self, writer: AnswerWriter, messages: list[Message], limits: StreamLimits) -> None:
        interval = self._settings.merge_interval_ms / 1000
        self._merged = self._clock.monotonic()
        async with aclosing(Pump(self._model.stream(messages, limits))) as pump:
            while True:
                got = await pump.next(interval if writer.dirty else None)
                if got is Signal.END:
                    return
                # A late token of a job that was ended meanwhile must not land.
                self._check()
                if not isinstance(got, Signal):
                    self._take(writer, got)
                if writer.cut is not None:
                    return
                now = self._clock.monotonic()
                if writer.dirty and (got is Signal.NOTHING_YET or now - self._merged >= interval):
                    self._merged = now
                    self._merge(writer)
                if now - self._told >= PROGRESS_EVERY:
                    path = writer.paths[-1] if writer.paths else None
                    self._progress(f"Writing {path}." if path else "The model is thinking.")

    def _take(self, writer: AnswerWriter, delta: Delta) -> None:
        now = self._clock.monotonic()
        match delta:
            case TextDelta(text):
                self._bytes += len(text.encode("utf-8", "surrogatepass"))
                # A stream may carry unpaired surrogates as JSON escapes; no file can hold them.
                writer.feed(text.encode("utf-8", "replace").decode())
            case ReasoningDelta(text):
                self._bytes += len(text.encode("utf-8", "surrogatepass"))
            case UsageDelta(_, answer_tokens):
                self._count(max(answer_tokens, self._estimate.tokens), now)
                return
            case FinishDelta(reason):
                self._finish = reason
        self._count(round(self._bytes / 4.3), now)

    def _count(self, tokens: int, now: float) -> None:
        progress = self._estimate.token(tokens, now)
        self._job.move(self._epoch, progress=progress, eta_seconds=self._estimate.eta(now), tokens=tokens)

    def _judge(self, writer: AnswerWriter) -> None:
        """Raises StreamBroken if the answer is not complete, GenerationError if it changes nothing."""
        if writer.cut is not None:
            raise StreamBroken(writer.cut)
        if self._finish is None:
            raise StreamBroken(f"The answer of {self._model.name} ended before it was complete.")
        if words := _FINISHED.get(self._finish):
            raise StreamBroken(words)
        if not writer.changes:
            said = " ".join([*writer.problems, *writer.prose.split()])
            raise GenerationError(
                f"The answer changes no file. It says: {said}" if said else "The answer is empty."
            )

    def _merge(self, writer: AnswerWriter) -> None:
        job, handle = self._job, self._handle
        self._check()
        outcome = writer.pull(handle.document, lambda: self._book.ledgers_beside(job.id))
        if outcome.update is not None:
            if self._open is not None:
                self._put_open(self._open.ahead(writer.session.pulled))
            copies = writer.session.copies[self._told_copies :]
            self._told_copies += len(copies)
            applied = handle.apply(outcome.update, JobOrigin(job.id, job.person, pack_copies(copies)))
            writer.merged(applied, handle.document)
            job.wrote = True
            self._unnoted = True
        job.touch(writer.paths, writer.landed)
        job.hunks_applied += writer.applied - self._applied
        self._applied = writer.applied
        if self._unnoted and self._may_note(writer):
            self._note(writer)
        for found in outcome.suggestions:
            now = self._clock.wall_ms()
            suggestion = replace(found, at_ms=now, answered_ms=now if found.state == "merged" else 0)
            self._book.suggestions.add(suggestion)
            self._put(Change(SUGGESTION, suggestion.suggestion, suggestion.to_bytes()))
            job.hunks_pending = self._book.pending(job.id)
            told = SuggestionAdded if suggestion.state == "open" else SuggestionAnswered
            self._tell(told(view(suggestion, handle.document)))
        for event in outcome.events:
            self._tell(event)
        if not self._stopped:
            self._show(writer)

    def _may_note(self, writer: AnswerWriter) -> bool:
        """Whether the ledger is to be stored with this merge."""
        if self._stopped or writer.finished:
            return True
        if self._open is not None and not self._open.settled(writer.session.unfinished):
            return False  # All that is new is told of by the records of open hunks.
        return self._noted_size < LEDGER_OFTEN or self._clock.monotonic() - self._noted_at >= LEDGER_EVERY

    def _note(self, writer: AnswerWriter) -> None:
        """Stores what an undo takes back."""
        ledger = Ledger.from_bytes(self._earlier) if self._earlier is not None else Ledger()
        ledger.extend(writer.session.ledger)
        change = self._book.put_ledger(self._job.id, ledger)
        self._noted_size = len(change.value or b"")
        self._noted_at = self._clock.monotonic()
        self._unnoted = False
        self._put(change)
        if self._open is not None:
            self._save()
            self._put_open(self._open.forget(writer.session.unfinished))

    def _show(self, writer: AnswerWriter) -> None:
        """Lets the room see where the job writes."""
        place = writer.session.cursor()
        if place is None:
            return
        file, anchor = place
        position = anchor_json(anchor)
        state: dict[str, object] = {
            "user": {
                "name": f"{self._job.model} · {first_words(self._job.prompt)}",
                "color": self._job.color,
                "kind": "job",
                "job": self._job.id,
            },
            "file": file,
            "cursor": {"anchor": position, "head": position},
        }
        if state != self._presence:
            self._presence = state
            self._handle.set_presence(self._job.client, state)

    def _validate(self, writer: AnswerWriter) -> list[str]:
        listing = self._handle.document.listing()
        found = []
        for path in writer.paths:
            file = listing.by_path(path)
            said = problem(path, self._handle.document.text(file.id)) if file else None
            if said:
                found.append(said)
        return found

    def _check(self) -> None:
        """Raises StaleEpoch unless this try may still change something."""
        self._job.check(self._epoch)
        if not self._handle.may_generate():
            raise StaleEpoch(f"Another node keeps the jobs of the room of {self._job.id} now.")

    def _stage(self, state: JobState, detail: str) -> None:
        self._check()
        self._job.advance(self._epoch, state)
        progress = self._estimate.stage(state)
        self._job.move(self._epoch, progress=progress, eta_seconds=None, tokens=self._job.tokens)
        self._progress(detail)

    def _progress(self, detail: str) -> None:
        self._told = self._clock.monotonic()
        self._tell(JobProgressed(self._job.view(), detail))

    def _put_open(self, changes: list[Change]) -> None:
        for change in changes:
            self._book.mark_open(change)
            self._put(change)

    def _save(self) -> None:
        self._put(Change(JOB, self._job.id, self._job.to_bytes()))

    def _put(self, change: Change) -> None:
        self._handle.put_record(change.kind, change.key, change.value)


def first_words(prompt: str, most: int = 28) -> str:
    """The beginning of a prompt, to name a job by."""
    text = " ".join(prompt.split())
    if len(text) <= most:
        return text
    return text[:most].rsplit(" ", 1)[0] + "…"
