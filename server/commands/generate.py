"""``pairloom generate``: asks the AI in a room, shows how it goes on, and tells by its exit code how it ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from collab.ids import RoomId
from server.commands.api import (
    Api,
    ErrorAnswer,
    JobAnswer,
    ProgressAnswer,
    StreamAnswer,
    StreamLost,
    reach,
)
from server.commands.job_bar import JobBar
from server.commands.printing import CommandFailed, counted, printable, say
from server.settings import Settings

EXIT_CODES: Final = {"complete": 0, "failed": 3, "needs_review": 4, "cancelled": 5, "interrupted": 6}
"""The exit code for each end of a job."""
ASK_AGAIN: Final = 1.0
"""Seconds between two looks at a job whose stream was lost."""
LOOKS: Final = 30
"""So many looks in a row may fail; then the server is given up."""
CANCEL_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, as ``POST /api/generate`` takes it; what is None is left to the server."""

    prompt: str
    files: tuple[str, ...] = ()
    strategy: str | None = None
    model: str | None = None
    mode: str | None = None
    priority: str = "normal"
    fresh: bool = False
    name: str = "pairloom generate"


async def generate(
    settings: Settings, room: RoomId, request: Request, server: str | None, *, as_json: bool, wait: bool
) -> int:
    """Asks, and returns the exit code. When it is cancelled, the job is too.

    Raises CommandFailed, and StoreError when the store cannot be opened.
    """
    async with reach(settings, server) as api:
        if api.in_process and not wait:
            raise CommandFailed(
                "No server runs that would go on with the job; start one, or leave --no-wait out.", code=2
            )
        asking = _Asking(api, room, request)
        job = await asking.go(wait=wait)
    if as_json:
        say(job.model_dump_json(indent=2))
    else:
        _report(job, room, asking.trouble)
    return EXIT_CODES.get(job.state, 0) if wait else 0


class _Asking:
    """One request, followed to its end."""

    def __init__(self, api: Api, room: RoomId, request: Request) -> None:
        self._api = api
        self._room = room
        self._request = request
        self._job: JobAnswer | None = None
        self.trouble = ""
        """What the stream said last, if that was no good end."""

    async def go(self, *, wait: bool) -> JobAnswer:
        """The job as it ended, or with ``wait`` False as it began. Raises CommandFailed."""
        with JobBar(shown=wait) as bar:
            try:
                ended = await self._stream(bar, wait=wait)
            except StreamLost as error:
                if self._job is None:
                    raise CommandFailed(f"{error} Whether the job was queued is not known.") from error
                ended = None
            if ended is not None:
                return ended
            try:
                return await self._look(bar)
            except asyncio.CancelledError:
                await self._cancel()
                raise

    async def _stream(self, bar: JobBar, *, wait: bool) -> JobAnswer | None:
        """Asks and listens: the job as it ended, or None if the stream ended before it did."""
        request = self._request
        body: dict[str, object] = {
            "room": self._room,
            "prompt": request.prompt,
            "files": list(request.files),
            "priority": request.priority,
            "fresh": request.fresh,
            "name": request.name,
            "detach": not wait,
        }
        optional = {"strategy": request.strategy, "model": request.model, "mode": request.mode}
        body |= {name: value for name, value in optional.items() if value is not None}
        async with self._api.generate(body) as stream:
            try:
                return await self._follow(stream, bar, wait=wait)
            except asyncio.CancelledError:
                # Before the stream is closed: the server would cancel the job then, but nobody would know.
                await self._cancel()
                raise

    async def _follow(self, stream: AsyncIterator[StreamAnswer], bar: JobBar, *, wait: bool) -> JobAnswer | None:
        async for event in stream:
            if isinstance(event, ProgressAnswer):
                self._job = event.job
                bar.show(event.job, event.detail)
                if event.type == "complete" or not wait:
                    return event.job
            elif isinstance(event, ErrorAnswer):
                self.trouble = event.message
                if self._job is None:
                    raise CommandFailed(event.message)
                return None
        return None

    async def _look(self, bar: JobBar) -> JobAnswer:
        """Asks for the job until it has ended: another server may go on with it."""
        assert self._job is not None
        job, failures = self._job.job, 0
        while True:
            try:
                found = await self._api.job(self._room, job)
            except CommandFailed as error:
                failures += 1
                if failures >= LOOKS or self._api.in_process:
                    raise CommandFailed(f"{error} The job {job} may go on in the room {self._room}.") from error
            else:
                failures = 0
                bar.show(found, "")
                if found.state in EXIT_CODES:
                    return found
            await asyncio.sleep(ASK_AGAIN)

    async def _cancel(self) -> None:
        """The person has had enough: so has the job."""
        if self._job is None:
            return
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await self._api.cancel(self._room, self._job.job, self._request.name)
        except (CommandFailed, TimeoutError) as error:
            # It may have ended already. The server cancels it too when the stream is gone.
            said = f": {error}" if isinstance(error, CommandFailed) else " in time"
            print(f"pairloom: the job {self._job.job} was not cancelled{said}", file=sys.stderr)  # noqa: T201
        else:
            print(f"pairloom: the job {self._job.job} is cancelled", file=sys.stderr)  # noqa: T201


def _report(job: JobAnswer, room: RoomId, trouble: str) -> None:
    by = f" by {printable(job.model)}" if job.model else ""
    why = printable(job.error or trouble)
    match job.state:
        case "complete" | "needs_review":
            done = counted(job.hunks_applied, "change") + " in " + counted(len(job.files), "file")
            cost = f", ${job.cost:.4f}" if job.cost is not None else ""
            cost = ", from the cache" if job.cached else cost
            say(f"Job {job.job} is complete: {done}{by}, {counted(job.tokens, 'token')}{cost}.")
            for path in job.files:
                say(f"  {printable(path)}")
            if job.hunks_pending:
                wait = "waits" if job.hunks_pending == 1 else "wait"
                say(f"{counted(job.hunks_pending, 'suggestion')} of it {wait} for an answer in the room {room}.")
            for finding in job.findings:
                say(f"Found: {printable(finding)}")
            if job.error:
                say(f"Left out: {why}")
        case "failed":
            say(f"Job {job.job} failed{by}: {why}")
        case "cancelled" | "interrupted":
            say(f"Job {job.job} was {job.state}: {why}")
        case _:
            say(f"Job {job.job} is {job.state} in the room {room}.")
