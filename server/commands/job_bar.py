"""How a job goes on, on a terminal: stage, bar, tokens, the time remaining and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TaskProgressColumn
from rich.text import Text

from server.commands.api import JobAnswer
from server.commands.printing import printable

STAGES: Final = {
    "queued": "waiting for its turn",
    "paused": "paused",
    "preparing": "preparing",
    "context_analysis": "reading the project",
    "generating": "writing",
    "post_processing": "landing",
    "validating": "checking",
}
"""What the stages of a job are called."""
MOST_DETAIL: Final = 60


class JobBar:
    """Shows one job on the error stream while it is entered; nothing where that is no terminal."""

    def __init__(
        self, *, shown: bool = True, console: Console | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._console = console if console is not None else Console(stderr=True)
        self._clock = clock
        self._bar = Progress(
            SpinnerColumn(),
            _Field("stage"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            _Field("tokens"),
            _Remaining(clock),
            _Field("detail"),
            console=self._console,
            transient=True,
            disable=not (shown and self._console.is_terminal),
        )
        self._task: TaskID = self._bar.add_task("", total=1.0, stage="asking", tokens="", detail="", eta=None)

    def __enter__(self) -> JobBar:
        """Begins to show it."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes it away."""
        self._bar.stop()

    def show(self, job: JobAnswer, detail: str) -> None:
        """The job as it is now."""
        eta = None if job.eta_seconds is None else (self._clock() + job.eta_seconds, job.eta_confidence)
        self._bar.update(
            self._task,
            completed=job.progress,
            stage=stage_of(job),
            tokens=tokens_of(job),
            detail=_short(job.current_file or detail),
            eta=eta,
        )


class _Field(ProgressColumn):
    """A text of the job, as it is: nothing in it is markup."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def render(self, task: Task) -> Text:
        """The text now."""
        return Text(str(task.fields[self._name]), no_wrap=True, overflow="ellipsis")


class _Remaining(ProgressColumn):
    """The time remaining, counted down between two messages of the server."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._now = clock

    def render(self, task: Task) -> Text:
        """The time now."""
        if task.fields["eta"] is None:
            return Text("")
        until, confidence = task.fields["eta"]
        return Text(remaining(max(0.0, until - self._now()), confidence), style="cyan")


def stage_of(job: JobAnswer) -> str:
    """The job's stage in words."""
    return STAGES.get(job.state, job.state)


def tokens_of(job: JobAnswer) -> str:
    """The tokens that have come, and how many are expected."""
    if not job.tokens and not job.expected_tokens:
        return ""
    if job.expected_tokens and job.expected_tokens > job.tokens:
        return f"{job.tokens:,} of about {job.expected_tokens:,} tokens"
    return f"{job.tokens:,} tokens"


def remaining(seconds: float, confidence: float | None) -> str:
    """``about 12 s left (80 % sure)``."""
    whole = round(seconds)
    said = f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"
    sure = f" ({confidence:.0%} sure)" if confidence is not None else ""
    return f"about {said} left{sure}"


def _short(text: str) -> str:
    text = printable(" ".join(text.split()))
    return text if len(text) <= MOST_DETAIL else text[: MOST_DETAIL - 1] + "…"
