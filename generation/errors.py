"""The errors of generation.

What a client asked for and may not have is told with the errors of ``collab.errors`` (InvalidInput,
NotFound, Conflict, LimitExceeded). These are the ones of the work itself; ``message`` is what the room
reads as the job's error, so it says what happened and what to do.

    GenerationError
    |-- StaleEpoch            work of a job that was cancelled, retried or superseded meanwhile
    |-- FilesTaken            another job writes the files that the job is about
    |-- ParserLimit           the answer is larger than a setting allows
    `-- ModelError            the model gave no usable answer
        |-- ModelUnavailable  no connection, a timeout before the first token, a server error
        |-- ModelRateLimited  the provider asks to wait
        |-- ModelRefused      the key, the model's name or the request was refused: trying again is no use
        |   |-- ContextOverflow   the request is longer than the model takes
        |   `-- ContentRefused    a content filter does not let it pass: it is never asked again
        `-- StreamBroken      the answer ended in its middle
            `-- AnswerCut     the answer reached the longest that the model gives
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class GenerationError(Exception):
    """Base of all errors of this package. ``code`` names the kind for programs."""

    code: ClassVar[str] = "failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StaleEpoch(GenerationError):
    """Raised when work arrives for a job that was cancelled, retried or ended meanwhile."""


class FilesTaken(GenerationError):
    """Raised when another job writes the files that a job turns out to be about: it waits for them in line."""

    def __init__(self, message: str, paths: Iterable[str]) -> None:
        super().__init__(message)
        self.paths = tuple(paths)


class ParserLimit(GenerationError):
    """Raised when the model's answer is larger than a setting allows."""

    code = "answer_too_large"


class ModelError(GenerationError):
    """Base of what can go wrong with a model. ``retry_after`` is the wait in seconds that it asked for."""

    code = "model_failed"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnavailable(ModelError):
    """Raised when the model cannot be reached, or does not begin to answer. May succeed later."""

    code = "model_unavailable"


class ModelRateLimited(ModelError):
    """Raised when the provider answers that there were too many requests. May succeed later."""

    code = "rate_limited"


class ModelRefused(ModelError):
    """Raised when the provider refuses the request: a wrong key, an unknown model, a setting it does not know.

    ``lasting`` says that it refuses any request, such as for a wrong key, not only this one.
    """

    code = "model_refused"

    def __init__(self, message: str, *, retry_after: float | None = None, lasting: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.lasting = lasting


class ContextOverflow(ModelRefused):
    """Raised when the request is longer than the model takes in."""

    code = "context_overflow"


class ContentRefused(ModelRefused):
    """Raised when the provider's content filter stops the request or the answer."""

    code = "content_filter"


class StreamBroken(ModelError):
    """Raised when an answer ends in its middle: cut, stalled, malformed, or without a finish reason."""

    code = "stream_broken"


class AnswerCut(StreamBroken):
    """Raised when an answer reached the longest that the model gives: no failure of the model."""

    code = "answer_too_long"
