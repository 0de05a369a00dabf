"""One try of a job: takes it through its stages, against a model and a live room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from collab.document import Document
from collab.errors import CollabError, KeepLost
from collab.ids import FileId, SuggestionId, short_id
from collab.ledger import Ledger
from collab.merge.contest import Resolver
from collab.ports import Clock
from generation.book import Book
from generation.errors import GenerationError, StaleEpoch, StreamBroken
from generation.events import ContextReady, GenerationEvent, JobProgressed, StrategyDetermined
from generation.experience import Experience
from generation.io.landing import Landing
from generation.io.talking import Talk
from generation.jobs import Job, JobState
from generation.pipeline import AnswerWriter
from generation.ports import Model, Random, RoomHandle
from generation.reckoning import Reckoning, named_tokens
from generation.settings import GenerationSettings
from generation.stages.determine import determine
from generation.stages.generate import generate
from generation.stages.integrate import integrate
from generation.stages.post_process import post_process
from generation.stages.prepare import Task, prepare

logger = logging.getLogger(__name__)

PROGRESS_EVERY: Final = 0.5
"""Seconds between two progress events, unless the stage changes."""
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
        model: Model,
        settings: GenerationSettings,
        clock: Clock,
        random: Random,
        tell: Callable[[GenerationEvent], None],
        experience: Experience,
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
        self._landing = Landing(handle, book, job, epoch, clock, tell, self.check, shared=shared)
        self._stopped = False
        self._reckoning = Reckoning(handle.room, job, epoch, experience, clock)
        self._told = -PROGRESS_EVERY

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
        self._landing.accepted(ledger)

    def vanish(self) -> None:
        """Ends it without a trace, as another node keeps the room's jobs now; only its cursor is taken away."""
        self._stopped = True
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
        self._stage(JobState.PREPARING, "Preparing.")
        # No await between these: the context is read from the very state that the session was forked at.
        writer = self._writer = self._open_writer(self._handle.document)
        self._stage(JobState.CONTEXT_ANALYSIS, "Choosing what the model sees.")
        prepared = prepare(Task(job, writer, self._handle.document.settings(), self._settings))
        determined = determine(job, prepared)
        context, strategy = determined.context, determined.strategy
        job.strategy = strategy.name
        self._tell(ContextReady(job.id, tuple(file.path for file in context.shown), determined.tokens))
        self._tell(StrategyDetermined(job.id, strategy.name, strategy.why))
        files = [(file.id, file.path, file.text) for file in context.shown]
        self._reckoning.expect(self._model.name, strategy.name, named_tokens(job, files), determined.tokens)
        self._stage(JobState.GENERATING, context.report())
        landing.save()
        talk = Talk(self._model, self._settings, self._clock, self._random, self)
        generated = await generate(determined, writer, talk)
        self._stage(JobState.POST_PROCESSING, "Landing the last changes.")
        processed = post_process(generated, landing.merge)
        self._stage(JobState.VALIDATING, "Checking what was written.")
        integrated = integrate(processed, self._handle.document)
        if integrated.findings or integrated.problems:
            self.said(" ".join([*integrated.findings, *integrated.problems])[:1000])
        self._stopped = True
        landing.hide()
        job.settle(self._book.pending(job.id))
        job.complete(self._epoch, " ".join(integrated.problems)[:1000])
        self._reckoning.learn()
        landing.save()

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

    def said(self, detail: str) -> None:
        """Tells the room how far the job is."""
        self._told = self._clock.monotonic()
        self._tell(JobProgressed(self._job.view(), detail))

    def _stage(self, state: JobState, detail: str) -> None:
        self.check()
        self._reckoning.stage(state)
        self.said(detail)
