"""What can be set about generation. The server's settings fill it; the defaults are sane."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.catalog import Catalog, ModelSpec, Provider
from generation.prewarm import Wish
from generation.resilience import Policy
from generation.usage import Quotas


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """Bounds and endpoints of the engine. Times in seconds unless the name says otherwise."""

    catalog: Catalog | None = None
    """The models of several providers; None: the one model that the next settings name, if they do."""
    model: str | None = None
    """Name of the model at ``base_url``; None leaves only the offline model."""
    base_url: str | None = None
    """OpenAI-compatible endpoint, such as ``http://127.0.0.1:11434/v1``; None is OpenAI's own."""
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int = 128_000
    """What the model takes in, prompt and answer together."""
    answer_tokens: int = 16_000
    """Room for the answer that the prompt leaves free."""
    context_wanted: int = 32_000
    """Tokens of the project that are enough for a prompt, unless it names files that take more."""
    index_patience: float = 10.0
    """How long a job waits for the first index of a large project."""
    timeout_connect: float = 10.0
    timeout_first_token: float = 60.0
    timeout_silence: float = 30.0
    """No token for so long in mid-answer counts as a broken stream."""
    timeout_total: float = 600.0
    tries: int = 3
    """How often one model is asked that fails."""
    backoff_first: float = 1.0
    backoff_most: float = 30.0
    patience: float = 10.0
    """A wait that is longer, or a failure that took longer, goes to another model if there is one."""
    longest_wait: float = 60.0
    """A model that must be left alone for longer is not waited for."""
    attempts: int = 12
    """Requests of one job, to all models together."""
    merge_interval_ms: float = 40.0
    """How often what the model wrote goes into the live document."""
    jobs_running: int = 4
    """Jobs that run at the same time, in all rooms."""
    jobs_per_room: int = 20
    """Jobs of one room that are queued or running."""
    running_per_room: int = 3
    """Jobs of one room that run at the same time."""
    quotas: Quotas = field(default_factory=Quotas)
    """What people, rooms and the server may ask of the models."""
    jobs_kept: int = 200
    """Ended jobs per room that are remembered; older ones are forgotten."""
    prompt_chars: int = 32_000
    answer_chars: int = 4_000_000
    """One answer of a model; more ends the job."""
    prewarm: tuple[Wish, ...] = ()
    """Prompts whose answers are asked for ahead."""
    prewarm_every: float = 300.0
    """Seconds between two looks whether what they are about has changed."""
    watch_events: int = 2_000
    """Events that wait for one reader of ``watch`` before its token events are dropped."""

    def models(self) -> Catalog:
        """All models that are configured."""
        if self.catalog is not None:
            return self.catalog
        if self.model is None:
            return Catalog()
        provider = Provider("default", self.base_url, self.api_key)
        one = ModelSpec(
            self.model,
            provider,
            self.model,
            self.context_tokens,
            self.answer_tokens,
            capabilities=frozenset({"code"}),
            limits_answer=False,
        )
        return Catalog([one], open_ended=True)

    def policy(self) -> Policy:
        """How much is tried when a model fails."""
        return Policy(
            self.tries,
            self.backoff_first,
            self.backoff_most,
            self.patience,
            self.longest_wait,
            self.attempts,
        )
