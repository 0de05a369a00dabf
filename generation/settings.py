"""What can be set about generation. The server's settings fill it; the defaults are sane."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """Bounds and endpoints of the engine. Times in seconds unless the name says otherwise."""

    model: str | None = None
    """Name of the model at ``base_url``; None leaves only the offline model."""
    base_url: str | None = None
    """OpenAI-compatible endpoint, such as ``http://127.0.0.1:11434/v1``; None is OpenAI's own."""
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int = 128_000
    """What the model takes in, prompt and answer together."""
    answer_tokens: int = 16_000
    """Room for the answer that the prompt leaves free."""
    timeout_connect: float = 10.0
    timeout_first_token: float = 60.0
    timeout_silence: float = 30.0
    """No token for so long in mid-answer counts as a broken stream."""
    timeout_total: float = 600.0
    tries: int = 3
    """How often a request is made that fails before its first token."""
    backoff_first: float = 0.5
    backoff_most: float = 20.0
    merge_interval_ms: float = 40.0
    """How often what the model wrote goes into the live document."""
    jobs_running: int = 4
    """Jobs that run at the same time, in all rooms."""
    jobs_per_room: int = 20
    """Jobs of one room that are queued or running."""
    running_per_room: int = 3
    """Jobs of one room that run at the same time."""
    jobs_kept: int = 200
    """Ended jobs per room that are remembered; older ones are forgotten."""
    prompt_chars: int = 32_000
    answer_chars: int = 4_000_000
    """One answer of a model; more ends the job."""
    watch_events: int = 2_000
    """Events that wait for one reader of ``watch`` before its token events are dropped."""
