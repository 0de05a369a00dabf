"""What kind of failure an error is: a word for programs, and how bad it is.

``notice``: somebody asked for what may not be, ``warning``: it may go better the next time, ``error``: whoever
looks after the server has something to do.
"""

from __future__ import annotations

from typing import Final

from collab.errors import CollabError, InvalidInput, LimitExceeded, NotFound, StoreUnavailable, TryLater
from generation.errors import (
    ContentRefused,
    ContextOverflow,
    GenerationError,
    ModelRateLimited,
    ModelUnavailable,
    ParserLimit,
    StreamBroken,
)
from generation.views import Severity

SERVER_MISTAKE: Final = "The server made a mistake; its log says more. Retry the job."

_NOTICES: Final = (InvalidInput, LimitExceeded, NotFound, ContentRefused, ContextOverflow)
_WARNINGS: Final = (
    ParserLimit,
    ModelRateLimited,
    ModelUnavailable,
    StreamBroken,
    StoreUnavailable,
    TryLater,
)


def code_of(error: Exception) -> str:
    """The kind of an error, as ``Job.error_code`` has it."""
    return error.code if isinstance(error, CollabError | GenerationError) else "internal_error"


def severity_of(error: Exception) -> Severity:
    """How bad it is."""
    if isinstance(error, _NOTICES):
        return "notice"
    if isinstance(error, _WARNINGS) or type(error) is GenerationError:
        return "warning"
    return "error"
