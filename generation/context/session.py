"""What was asked in a room before, in a few lines; and what the last checks found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from generation.jobs import Job

MOST_JOBS: Final = 8
"""Requests that are told one by one; of older ones only how many there were."""
MOST_FINDINGS: Final = 12
_PROMPT: Final = 240
_FILES: Final = 6
_ENDED: Final = {
    "complete": "done",
    "needs_review": "done, some of it waits for review",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "broken off",
}


def summarised(jobs: Iterable[Job], asked: Job) -> str:
    """The requests before the job ``asked``, the oldest first; empty if there were none.

    That the same was asked before tells nothing, and would make two requests differ that are the same.
    """
    told = [job for job in jobs if job.kind == "job" and job.ended and job.prompt != asked.prompt]
    lines = [_line(job) for job in told[-MOST_JOBS:]]
    earlier = len(told) - len(lines)
    if earlier > 0:
        lines.insert(0, f"({earlier} earlier {'request' if earlier == 1 else 'requests'})")
    return "\n".join(lines)


def found_before(jobs: Iterable[Job], asked: Job) -> str:
    """What checks found in the answer to the request before the job ``asked``, and why it failed if it did.

    Empty if it went well, or was taken back.
    """
    told = [job for job in jobs if job.kind == "job" and job.ended and job.id != asked.id]
    if not told or told[-1].undone or told[-1].state == "cancelled":
        return ""
    last = told[-1]
    found = [_cut(finding, 300) for finding in last.findings[:MOST_FINDINGS]]
    if last.error:
        found.append(_cut(last.error, 600))
    return "\n".join([f"After the last request, {_cut(last.prompt, 80)!r}:", *found]) if found else ""


def _line(job: Job) -> str:
    state = _ENDED.get(job.state.value, job.state.value)
    if job.undone:
        state += ", then undone"
    files = ", ".join(job.written[:_FILES])
    if len(job.written) > _FILES:
        files += f" and {len(job.written) - _FILES} more"
    wrote = f"; wrote {files}" if files else ""
    return f"{_cut(job.asked_by, 40)} asked: {_cut(job.prompt, _PROMPT)!r} ({state}{wrote})"


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
