"""One try of a job: takes it through its stages, against a model and a live room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from collab.document import Document
from collab.errors import CollabError, KeepLost
from collab.ids import FileId, SuggestionId, short_id
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.ports import Clock
from generation.book import Book
from generation.catalog import ModelSpec
from generation.checks.checks import Checks
from generation.checks.finding import Finding
from generation.choice import Plan
from generation.context.material import Material
from generation.errors import FilesTaken, GenerationError, ModelError, StaleEpoch, StreamBroken
from generation.events import ContextReady, GenerationEvent, JobProgressed, StrategyDetermined
from generation.experience import Experience
from generation.failures import code_of, severity_of
from generation.io.exchange import Exchange
from generation.io.gathering import Gathering
from generation.io.landing import Landing
from generation.io.mending import Mending, mend
from generation.io.places import Writing
from generation.io.remembering import Remembered
from generation.io.sending import Sending
from generation.io.talking import Talk
from generation.jobs import Job
from generation.offline import SPEC
from generation.pipeline import AnswerWriter
from generation.ports import Message, Random, RoomHandle
from generation.reckoning import PROGRESS_EVERY, Reckoning, named_tokens
from generation.repair import Repair
from generation.resilience import Ask
from generation.rewriting import asks_to_drop
from generation.sent import Purpose
from generation.settings import GenerationSettings
from generation.sizing import wants
from generation.stages.determine import Determined, determine
from generation.stages.generate import generate
from generation.stages.integrate import integrate
from generation.stages.post_process import post_process
from generation.stages.prepare import Task, prepare
from generation.states import JobState
from generation.views import Attempt

logger = logging.getLogger(__name__)

MOST_WHY: Final = 1_000
"""Characters that are kept of why a model was chosen."""
KEPT: Final = " What was complete is kept; retry to go on."


class Run:
    """One try. ``go`` ends with the job complete or failed; ``stop`` ends it from outside, at once.

    With ``shared``, another node may go on with the job should this one die: what that one must know is stored as
    it comes about. Implements generation.io.talking.Listener.
    """

    def __init__(
        self,
        handle: RoomHandle,
        book: Book,
        job: Job,
        epoch: int,
        exchange: Exchange,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        tell: Callable[[GenerationEvent], None],
        experience: Experience,
        checks: Checks,
        writing: Writing,
        shared: bool = False,
        resolver: Resolver | None = None,
        gathering: Gathering | None = None,
    ) -> None:
        self._handle = handle
        self._book = book
        self._job = job
        self._epoch = epoch
        self._exchange = exchange
        self._settings = settings
        self._clock = clock
        self._random = random
        self._tell = tell
        self._writing = writing
        self._resolver = resolver
        self._checks = checks
        self._gathering = gathering
        self._material = Material()
        self._sending = Sending(handle, book, job.id, clock)
        self._writer: AnswerWriter | None = None
        self._landing = Landing(handle, book, job, epoch, clock, tell, self.check, shared=shared)
        self._tries = 0
        self._room: Mapping[str, object] = {}
        self._stopped = self._vanished = False
        self._reckoning = Reckoning(handle.room, job, epoch, experience, clock)
        self._told = -PROGRESS_EVERY

    async def go(self) -> None:
        """Runs the job to its end.

        Raises StaleEpoch if it was ended from outside, or is another node's now; FilesTaken before it has written
        anything.
        """
        try:
            await self._work()
        except StaleEpoch:
            raise
        except FilesTaken:
            self.vanish()
            raise
        except KeepLost as error:
            raise StaleEpoch(error.message) from error
        except (GenerationError, CollabError) as error:
            self.stop()
            broken = isinstance(error, StreamBroken) or (isinstance(error, ModelError) and self._has_kept)
            self._job.fail(
                self._epoch,
                error.message + (KEPT if broken else ""),
                code=code_of(error),
                severity=severity_of(error),
                at_ms=self._clock.wall_ms(),
            )

    def accepted(self, ledger: Ledger) -> None:
        """A suggestion of this job was accepted while it runs; an undo takes that back too."""
        self._landing.accepted(ledger)

    def vanish(self) -> None:
        """Ends it without a trace, as another node keeps the room's jobs now; only its cursor is taken away."""
        self._stopped = self._vanished = True
        self._landing.hide()

    def stop(self) -> None:
        """Takes back what is not complete, lands the rest, and takes the job's cursor away."""
        if self._stopped:
            return
        self._stopped = True
        if self._writer is not None:
            self._writer.abandon()
            try:
                self._landing.merge(self._writer, last=True)
            except CollabError as error:
                # Nothing more can be done for it; the job ends with the error that brought it here.
                logger.warning("job %s: its last changes did not land: %s", self._job.id, error.message)
        self._landing.hide()
        self._landing.save()

    async def _work(self) -> None:
        job, landing = self._job, self._landing
        await self._exchange.turns.apart()
        self.check()
        self._stage(JobState.PREPARING, "Preparing.")
        # What the model is shown is read from the very state that the session is forked at here.
        writer = self._writer = self._open_writer(self._handle.document)
        self._room = self._handle.document.settings()
        self._stage(JobState.CONTEXT_ANALYSIS, "Choosing what the model sees.")
        self._material = await self._gathered(writer)
        self.check()
        plan = self._exchange.plan(self._asked(), lambda: wants(job, writer))
        self._chosen(plan.models[0], plan.why)
        determined = self._determine(plan.models[0])
        self._writing.aim(determined.aims)
        strategy = determined.strategy
        self._tell(StrategyDetermined(job.id, strategy.name, strategy.why))
        files = [(file.id, file.path, file.text) for file in determined.context.shown]
        model = plan.models[0].name
        self._reckoning.expect(model, strategy.name, named_tokens(job, files), determined.tokens)
        self._stage(JobState.GENERATING, determined.context.report())
        landing.save()
        talk = self._open_talk(plan)
        generated = await generate(determined, writer, talk, self._ask)
        job.cached = isinstance(talk, Remembered) and talk.found
        if job.cached:
            self.sending(plan.models[0].name, determined.messages, "cached")
        self._stage(JobState.POST_PROCESSING, "Landing the last changes.")
        processed = post_process(generated, landing.merge)
        self._stage(JobState.VALIDATING, "Checking what was written.")
        await self._exchange.turns.apart()
        self.check()
        integrated = await integrate(processed, writer, self._checks, self._patient, self._mend, landing.offered)
        self.check()
        landing.merge(writer)
        landing.replaced(integrated.replaced)
        for suggestion, findings in integrated.noted.items():
            landing.found(suggestion, findings)
        job.findings = [str(finding) for finding in integrated.findings]
        if integrated.findings or integrated.problems:
            self.said(" ".join([*job.findings, *integrated.problems])[:1000])
        elif isinstance(talk, Remembered) and not integrated.repaired and not writer.refused:
            await talk.keep()
            self.check()
        self._stopped = True
        landing.hide()
        job.settle(self._book.pending(job.id))
        job.complete(self._epoch, " ".join(integrated.problems)[:1000])
        if self._tries == 1 and not job.cached:
            self._reckoning.learn()  # An answer that was put together of several is like no other.
        landing.save()

    def _open_talk(self, plan: Plan) -> Talk | Remembered:
        job, answers = self._job, self._exchange.answers
        if answers is None or plan.models[0] is SPEC:
            return Talk(self._exchange, plan, self)
        # Who tries again, or says more, wants another answer than the last one.
        fresh = job.fresh or self._epoch > 0 or bool(job.steers)
        return Remembered(answers, self._handle.room, self._exchange, plan, self, fresh=fresh)

    def _asked(self) -> str | None:
        """The model that must answer; the template where the job was made for it, as no model was there."""
        return self._job.requested_model

    def _determine(self, model: ModelSpec, share: float = 1.0) -> Determined:
        """Chooses what a model sees, in a part of its window, and words the request for it."""
        job, writer = self._job, self._opened()
        scale = self._exchange.standings.of(model.name).measured.scale
        answer = model.context_tokens - model.prompt_tokens
        prompt = int(model.prompt_tokens * share / max(1.0, scale))
        settings = replace(self._settings, context_tokens=answer + prompt, answer_tokens=answer)
        prepared = prepare(Task(job, writer, self._room, settings, self._material))
        determined = determine(job, prepared, model)
        job.strategy = determined.strategy.name
        job.strategy_why = determined.strategy.why
        job.context_tokens = determined.tokens
        shown = tuple(file.path for file in determined.context.shown)
        self._tell(ContextReady(job.id, shown, determined.tokens))
        self._sending.determined(determined)
        return determined

    def _ask(self, ask: Ask) -> Sequence[Message]:
        """The request anew: for another model, or shorter."""
        return self._determine(ask.spec, ask.share).messages

    def _chosen(self, model: ModelSpec, why: str) -> None:
        self._job.model = model.name
        self._job.offline = model is SPEC
        self._job.model_why = why[:MOST_WHY]

    @property
    def _has_kept(self) -> bool:
        return self._writer is not None and bool(self._writer.kept)

    def _opened(self) -> AnswerWriter:
        if self._writer is None:
            raise RuntimeError("The writer is opened first.")
        return self._writer

    async def _patient(self, steps: Generator[None, None, list[Finding]]) -> list[Finding]:
        """Lets others go on between the steps of a check."""
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return list(end.value)
            await asyncio.sleep(0)
            self.check()

    async def _mend(self, findings: list[Finding]) -> Repair | None:
        """Asks the model that answered once to repair what was found."""
        job, writer = self._job, self._opened()
        if job.offline:
            return None
        plan = self._exchange.plan(job.model, lambda: wants(job, writer))
        repair = Repair(job.id, job.prompt, writer.draft, findings, writer.refused, self._settings.answer_chars)
        if repair.tokens > plan.models[0].prompt_tokens:
            return None
        before = job.tokens
        self.said(f"Asking for a repair: {' '.join(map(str, findings))}"[:1000])
        listener = Mending(repair, self, lambda tokens: self.counted(before + tokens, reported=True))
        return await mend(repair, job, Talk(self._exchange, plan, listener, templates=False))

    async def _gathered(self, writer: AnswerWriter) -> Material:
        if self._gathering is None:
            return Material()
        patience = self._settings.index_patience
        return await self._gathering.material(
            self._handle, self._book, self._job, writer, patience, self.said, self._summed
        )

    def _summed(self, messages: Sequence[Message], attempt: Attempt) -> None:
        """A model was asked to sum a file up; that is the job's to answer for as well."""
        self._sending.note(attempt.model, messages, "summary")
        self._job.tried(attempt)

    async def until_free(self) -> None:
        """Lands what waits for files that other jobs write, as they get free."""
        writer = self._opened()
        while True:
            self._landing.merge(writer)
            if writer.waits_for is None:
                return
            self.said(f"Waiting for another job to be done with {writer.waits_for}.")
            await self._writing.freed()
            self.check()

    def _open_writer(self, live: Document) -> AnswerWriter:
        def file_id() -> FileId:
            return FileId(short_id(self._random, "f", 10))

        def suggestion_id() -> SuggestionId:
            return SuggestionId(short_id(self._random, "s"))

        job = self._job

        def half_written(file: FileId) -> bool:
            if file not in live.listing().files:
                return False
            last = next((run for run in reversed(live.runs(file)) if run.alive), None)
            return last is not None and last.client in job.clients

        return AnswerWriter(
            job.id,
            live,
            job.client,
            mode=job.mode,
            offline=job.offline,
            file_id=file_id,
            suggestion_id=suggestion_id,
            answer_chars=self._settings.answer_chars,
            gate=self._writing,
            resolver=self._resolver,
            may_drop=asks_to_drop(job.prompt) or job.requested_strategy == "full",
            defers=not job.offline,
            half_written=half_written,
        )

    # What the talk with the model tells

    def check(self) -> None:
        """Raises StaleEpoch unless this try may still change something."""
        self._job.check(self._epoch)
        if not self._handle.may_generate():
            raise StaleEpoch(f"Another node keeps the jobs of the room of {self._job.id} now.")

    def merge(self) -> None:
        """Lands what was written."""
        if self._writer is not None:
            self._landing.merge(self._writer)

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        """So many tokens have come."""
        self._reckoning.counted(tokens, reported=reported)

    def writing(self) -> None:
        """Tells the room where the model is, every now and then."""
        if self._clock.monotonic() - self._told >= PROGRESS_EVERY:
            path = self._writer.path if self._writer is not None else None
            self._reckoning.writing(path)
            self.said(f"Writing {path}." if path else "The model is thinking.")

    def asking(self, model: ModelSpec, why: str) -> None:
        """Another model is asked, or the same one again."""
        if model.name != self._job.model:
            self._chosen(model, why)
            self.said(why[:MOST_WHY])

    def sending(self, model: str, messages: Sequence[Message], purpose: Purpose = "answer") -> None:
        """These messages go to a model now."""
        if not self._vanished:
            self._sending.note(model, messages, purpose)

    def tried(self, attempt: Attempt) -> None:
        """A request to a model has ended."""
        self._tries += 1
        self._job.tried(attempt)
        if not self._vanished:
            self._landing.save()

    def said(self, detail: str) -> None:
        """Tells the room how far the job is."""
        self._told = self._clock.monotonic()
        self._tell(JobProgressed(self._job.view(), detail))

    def _stage(self, state: JobState, detail: str) -> None:
        self.check()
        self._reckoning.stage(state)
        self.said(detail)
