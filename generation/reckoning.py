"""What one try of a job tells of its progress, and what it teaches for the next."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from collab.ids import FileId, FilePath, RoomId
from collab.ports import Clock
from generation.context.tokens import estimate
from generation.experience import Experience, Traits, sample_of, timings, words_of
from generation.jobs import Job
from generation.progress import Estimate
from generation.states import JobState
from generation.views import StrategyName

PROGRESS_EVERY: Final = 0.5
"""Seconds between two estimates while tokens come, and between two times that the room is told."""
_NAME: Final = re.compile(r"[\w./-]+")
_SCAN_CHARS: Final = 32_000


class Reckoning:
    """Keeps the progress of a job up to date. All but ``learn`` raise StaleEpoch when the job has ended."""

    def __init__(self, room: RoomId, job: Job, epoch: int, experience: Experience, clock: Clock) -> None:
        self._room = room
        self._job = job
        self._epoch = epoch
        self._experience = experience
        self._clock = clock
        self._estimate = Estimate(clock.monotonic())
        self._tokens = job.tokens
        self._told = -math.inf
        # What is gone on with is no whole answer: it would teach that such answers are short.
        self._whole = not job.written

    def stage(self, state: JobState) -> None:
        """The job has come to a stage."""
        now = self._clock.monotonic()
        self._job.advance(self._epoch, state)
        self._estimate.stage(state, now)
        self._tell(now)

    def expect(self, model: str, strategy: StrategyName, named_tokens: int, prompt_tokens: int) -> None:
        """What the model is asked is known; see ``named_tokens``."""
        traits = Traits(self._room, model, strategy, words_of(self._job.prompt), named_tokens, prompt_tokens)
        self._estimate.expect(traits, self._experience.lessons(traits))

    def counted(self, tokens: int, *, reported: bool = False) -> None:
        """So many tokens have come.

        Those that the provider ``reported`` are told, but not reckoned with: a stream can be measured by its bytes
        only, so what is learned of it must be too.
        """
        now = self._clock.monotonic()
        self._tokens = tokens
        if not reported:
            self._estimate.token(tokens, now)
        if reported or now - self._told >= PROGRESS_EVERY:
            self._tell(now)

    def writing(self, path: str | None) -> None:
        """The file that is being written, or None between two."""
        now = self._clock.monotonic()
        if path != self._job.current_file or now - self._told >= PROGRESS_EVERY:
            self._tell(now)
        self._job.current_file = path

    def learn(self) -> None:
        """The job has come to its end and has a whole answer: it teaches the next, also after a restart."""
        job = self._job
        sample = self._estimate.sample(self._clock.monotonic()) if self._whole and not job.offline else None
        if sample is not None:
            job.timings = timings(sample)
            self._experience.learn(job.id, sample)

    def _tell(self, now: float) -> None:
        self._told = now
        seen = self._estimate.outlook(now)
        self._job.move(
            self._epoch,
            progress=seen.progress,
            eta_seconds=seen.eta_seconds,
            tokens=self._tokens,
            eta_confidence=seen.confidence,
            expected_tokens=seen.expected_tokens,
        )


def study(experience: Experience, room: RoomId, jobs: Iterable[Job]) -> None:
    """Takes in what the finished jobs of a room taught, oldest first, as their records have been read."""
    for job in jobs:
        sample = sample_of(job.timings, room, job.model, job.strategy, job.prompt)
        if sample is not None:
            experience.learn(job.id, sample)


def named_tokens(job: Job, files: Iterable[tuple[FileId, FilePath, str]]) -> int:
    """The size of the files (id, path, text) that the request is about: it names them, or its prompt does."""
    words = set(_NAME.findall(job.prompt[:_SCAN_CHARS]))
    words |= {word.rstrip(".") for word in words}
    asked = set(job.requested_files)
    return sum(
        estimate(text)
        for file, path, text in files
        if file in asked or path in asked or path in words or path.rpartition("/")[2] in words
    )
