"""Where a job may be, and the bounds and words of its life."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """Where a job is. The last five are ends."""

    QUEUED = "queued"
    PREPARING = "preparing"
    CONTEXT_ANALYSIS = "context_analysis"
    GENERATING = "generating"
    POST_PROCESSING = "post_processing"
    VALIDATING = "validating"
    PAUSED = "paused"
    COMPLETE = "complete"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


STAGES: Final = (
    JobState.QUEUED,
    JobState.PREPARING,
    JobState.CONTEXT_ANALYSIS,
    JobState.GENERATING,
    JobState.POST_PROCESSING,
    JobState.VALIDATING,
)
"""What a job passes through, in this order."""
ACTIVE: Final = frozenset({*STAGES, JobState.PAUSED})
"""The states of a job that has not ended."""
MOST_TAKEOVERS: Final = 3
"""So often a job may lose the node that runs it; then it is taken for the cause."""
MOST_ATTEMPTS: Final = 50
"""So many requests to models are remembered, the last ones."""
MOST_STEERS: Final = 20
"""So often a job may be told something further."""
MOST_FAILURES: Final = 10
"""Of a job that failed more often, the first ones are forgotten."""
RETRYABLE: Final = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED})

INTERRUPTED: Final = (
    "The server stopped while this job ran. What it had written until then is kept; retry it to go on, or undo it."
)
WORN_OUT: Final = (
    f"The server that ran this job stopped {MOST_TAKEOVERS} times in its middle, so it is not begun once more by "
    "itself. What was complete is kept; look at the logs, then retry it."
)
COLORS: Final = ("#7c3aed", "#0e7490", "#b45309", "#be185d", "#15803d", "#1d4ed8", "#a21caf", "#4d7c0f")
