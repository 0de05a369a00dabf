"""When a request to a model is made again. The one owner of that decision; the client's own tries are off."""

from __future__ import annotations

from typing import Final

from generation.errors import ModelError, ModelRateLimited, ModelUnavailable
from generation.ports import Random
from generation.settings import GenerationSettings

LONGEST_WAIT: Final = 60.0
"""Seconds. A provider that asks for a longer wait makes the job fail with these words instead."""


class Retries:
    """The tries of one request: exponential backoff with full jitter, at least what the provider asks for.

    Only for what failed before the first token: a broken stream has already written something.
    """

    def __init__(self, settings: GenerationSettings, random: Random) -> None:
        self._settings = settings
        self._random = random
        self._failed = 0

    def wait(self, error: ModelError) -> float | None:
        """Seconds to wait before the next try; None if the error is final."""
        self._failed += 1
        if not isinstance(error, ModelUnavailable | ModelRateLimited) or self._failed >= self._settings.tries:
            return None
        asked: float = error.retry_after or 0.0
        if asked > LONGEST_WAIT:
            return None
        most: float = min(self._settings.backoff_most, self._settings.backoff_first * 2.0 ** (self._failed - 1))
        return max(asked, self._random.random() * most)
