"""What may be asked for, and the job that is made of it."""

from __future__ import annotations

from collections.abc import Mapping

from collab.errors import InvalidInput, LimitExceeded
from collab.ids import JobId, client_id
from collab.ports import Clock
from generation.book import Book
from generation.jobs import Job
from generation.ports import Model, Models, Random
from generation.settings import GenerationSettings
from generation.states import COLORS
from generation.usage import Account, Excess, refusal
from generation.views import Asker, GenerationRequest, room_mode


class Admission:
    """The bounds that the settings set to requests."""

    def __init__(self, models: Models, settings: GenerationSettings, clock: Clock, random: Random) -> None:
        self._models = models
        self._settings = settings
        self._clock = clock
        self._random = random

    def request(self, request: GenerationRequest) -> Model:
        """The model of a request. Raises InvalidInput, LimitExceeded."""
        self.prompt(request.prompt)
        return self._models.open(request.model)

    def prompt(self, prompt: str) -> None:
        """Raises InvalidInput, LimitExceeded for what cannot be asked."""
        if not prompt.strip():
            raise InvalidInput("The prompt is empty; say what to do.", field="prompt")
        if len(prompt) > self._settings.prompt_chars:
            raise LimitExceeded(
                f"The prompt has {len(prompt)} characters; at most {self._settings.prompt_chars} are allowed.",
                field="prompt",
            )
        try:
            prompt.encode()
        except UnicodeEncodeError:
            raise InvalidInput(
                "The prompt holds an unpaired surrogate; send valid Unicode.", field="prompt"
            ) from None

    def room(self, book: Book) -> None:
        """Raises TooManyJobs for a room that has as many jobs as it may."""
        most = self._settings.jobs_per_room
        if book.active() >= most:
            raise refusal(Excess(Account("room"), "at_once", most, book.active()))

    def job(
        self, ref: JobId, request: GenerationRequest, asker: Asker, model: Model, room: Mapping[str, object]
    ) -> Job:
        """The job that a request asks for. ``room`` are the room's settings."""
        return Job(
            id=ref,
            prompt=request.prompt,
            asked_by=asker.name,
            person=asker.person,
            model=model.name,
            offline=model.offline,
            clients=[client_id(self._random)],
            color=COLORS[self._random.getrandbits(16) % len(COLORS)],
            created_ms=self._clock.wall_ms(),
            requested_files=tuple(request.files),
            requested_strategy=request.strategy,
            requested_model=request.model,
            mode="review" if model.offline else request.mode or room_mode(room),
            priority=request.priority,
            fresh=request.fresh,
        )
