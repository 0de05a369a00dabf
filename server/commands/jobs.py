"""``pairloom jobs``: the AI jobs of a room, what became of them, and what can be done with them."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from collab.ids import RoomId
from server.commands.api import Api, JobAnswer, reach
from server.commands.printing import CommandFailed, printable, say
from server.commands.show import moment
from server.settings import Settings

_PROMPT_SHOWN = 60
_NEEDS_SERVER = frozenset({"resume", "retry"})
"""What has a job run, which would end with this process."""


async def listed(settings: Settings, room: RoomId, server: str | None, *, as_json: bool) -> None:
    """Prints the room's jobs: those that run first, then those that wait in their order, then the others."""
    async with reach(settings, server) as api:
        found = sorted(await api.jobs(room), key=_order)
    if as_json:
        say(json.dumps([job.model_dump() for job in found], indent=2))
        return
    if not found:
        say(f"No AI job was asked for in {room} yet.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("job", "state", "place", "priority", "asked by", "asked", "tokens", "cost", "request"):
        table.add_column(heading, justify="right" if heading in {"place", "tokens", "cost"} else "left")
    for job in found:
        table.add_row(
            job.job,
            _state(job),
            str(job.position or ""),
            job.priority,
            printable(job.asked_by),
            moment(job.created_ms),
            f"{job.prompt_tokens + job.tokens:,}",
            _cost(job.cost),
            printable(_short(job.prompt)),
        )
    Console().print(table)


async def shown(
    settings: Settings, ref: str, room: RoomId, server: str | None, *, anywhere: bool, as_json: bool
) -> None:
    """Prints one job: what was asked, how it stands, its requests to models, and how it failed.

    With ``anywhere`` it is looked for in all rooms if this one does not have it. Raises CommandFailed.
    """
    async with reach(settings, server) as api:
        found = await _find(api, ref, room, anywhere=anywhere)
    if found is None:
        where = "any room" if anywhere else f"the room {room}"
        raise CommandFailed(f"There is no job {ref} in {where}; `pairloom jobs list` shows those of a room.")
    home, job = found
    if as_json:
        say(json.dumps({"room": home, **job.model_dump()}, indent=2))
        return
    for line in _told(home, job):
        say(line)


async def act(
    settings: Settings,
    action: str,
    ref: str,
    room: RoomId,
    server: str | None,
    name: str,
    body: dict[str, object] | None = None,
) -> None:
    """Does something with a job, and says how it stands then. Raises CommandFailed."""
    async with reach(settings, server) as api:
        if api.in_process and settings.redis_url is None and action in _NEEDS_SERVER:
            raise CommandFailed("No server runs that would go on with the job; start one first.", code=2)
        job = await api.act(room, ref, action, name, body)
    place = f", number {job.position} in the queue" if job.position is not None else ""
    say(f"{job.job} is {job.state}{place}.")


async def _find(api: Api, ref: str, room: RoomId, *, anywhere: bool) -> tuple[str, JobAnswer] | None:
    rooms = [str(room)]
    if anywhere:
        rooms += [one.room for one in await api.rooms() if one.room != room]
    for name in rooms:
        for job in await api.jobs(RoomId(name)):
            if job.job == ref:
                return name, job
    return None


def _order(job: JobAnswer) -> tuple[int, int]:
    if job.position is not None:
        return 1, job.position
    return (0 if job.running else 2), -job.created_ms


def _state(job: JobAnswer) -> str:
    return f"{job.state} {job.progress:.0%}" if job.running else job.state


def _cost(cost: float | None) -> str:
    return "" if cost is None else f"${cost:,.4f}"


def _short(prompt: str) -> str:
    text = " ".join(prompt.split())
    return text if len(text) <= _PROMPT_SHOWN else text[: _PROMPT_SHOWN - 1] + "…"


def _told(room: str, job: JobAnswer) -> list[str]:
    facts: list[tuple[str, str]] = [
        ("room", room),
        ("state", _state(job)),
        ("priority", job.priority + (f", number {job.position} in the queue" if job.position is not None else "")),
        ("waits for", job.waits_for or ""),
        ("asked by", f"{job.asked_by}, {moment(job.created_ms)}"),
        ("request", _short(job.prompt)),
        *(("told later", _short(steer)) for steer in job.steers),
        ("model", _with(job.model, job.model_why)),
        ("strategy", _with(job.strategy or "", job.strategy_why)),
        ("files", ", ".join(job.files)),
        ("tokens", f"{job.prompt_tokens:,} sent, {job.tokens:,} answered"),
        ("cost", _cost(job.cost)),
        *(("found", finding) for finding in job.findings),
        ("request id", job.request_id),
        ("error", job.error or ""),
        ("error code", _with(job.error_code, job.severity)),
    ]
    lines = [f"{job.job}"]
    lines += [f"  {name:<11} {printable(value)}" for name, value in facts if value]
    if job.attempts:
        lines.append("  requests to models:")
    for number, attempt in enumerate(job.attempts, 1):
        took = f"{attempt.prompt_tokens:,} + {attempt.answer_tokens:,} tokens, {attempt.seconds:.1f} s"
        cost = f", {_cost(attempt.cost)}" if attempt.cost is not None else ""
        lines.append(f"    {number}. {moment(attempt.at_ms)}  {attempt.model}  {attempt.outcome}  {took}{cost}")
        if attempt.error:
            lines.append(f"       {printable(attempt.error)}")
    if job.failures:
        lines.append("  failures:")
    for failure in job.failures:
        lines.append(f"    {moment(failure.at_ms)}  {failure.severity}  {failure.code}  request {failure.request}")
        lines.append(f"       {printable(failure.message)}")
        lines.append(
            f"       asked by {printable(failure.person)}, model {failure.model or 'none'}, "
            f"{failure.attempts} requests to models, context of about {failure.context_tokens:,} tokens"
        )
    return lines


def _with(value: str, more: str) -> str:
    return f"{value} ({more})" if value and more else value
