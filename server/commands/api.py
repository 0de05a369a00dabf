"""The commands' way to the rooms: the HTTP API, of a running server or of one inside this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collab.ids import RoomId, room_id
from collab.importing import LeftOut
from server.commands.in_process import InProcess
from server.commands.printing import CommandFailed
from server.settings import Settings, is_loopback

# Storing a batch may have to wait for a slow disk; a connection to this machine is there at once or never.
_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)
# The server writes a line every 15 seconds, whatever the job does.
_STREAM: Final = httpx.Timeout(60.0, connect=5.0)
_WRONG_USE: Final = frozenset({400, 404, 413, 415})
_ROOM_SAFE: Final = "-._~!$&'()*+,;=:@%/"


class _Answer(BaseModel):
    """Base of what is read from answers; a newer server may say more than we know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


T = TypeVar("T", bound=_Answer)


class _LeftOutAnswer(_Answer):
    path: str
    reason: str


class ConflictAnswer(_Answer):
    """A question that the server asked the room."""

    suggestion: str
    path: str
    reason: str = ""


class ImportAnswer(_Answer):
    """What the server did with one batch."""

    created: list[str] = []
    updated: list[str] = []
    merged: list[str] = []
    unchanged: int = 0
    conflicts: list[ConflictAnswer] = []
    change: str | None = None
    left_out: list[_LeftOutAnswer] = []

    def refused(self) -> list[LeftOut]:
        """The files that the server left out."""
        return [LeftOut(one.path, one.reason) for one in self.left_out]


class RoomAnswer(_Answer):
    """One room of the list."""

    room: str
    connections: int = 0
    stored_bytes: int = 0
    last_change_ms: int | None = None
    log_entries: int = 0
    checkpoint_ms: int = 0
    nodes: list[str] = []


class _RoomsAnswer(_Answer):
    rooms: list[RoomAnswer]


class VersionAnswer(_Answer):
    """A version of a room."""

    version: str
    at_ms: int
    cause: str
    name: str = ""
    by: str = ""
    job: str | None = None
    files: int = 0
    changed: int = 0
    stored_bytes: int = 0


class _VersionsAnswer(_Answer):
    versions: list[VersionAnswer]


class AttemptAnswer(_Answer):
    """One request to a model."""

    model: str = ""
    outcome: str = ""
    error: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    at_ms: int = 0


class FailureAnswer(_Answer):
    """One way in which a job failed."""

    at_ms: int = 0
    code: str = ""
    severity: str = ""
    message: str = ""
    request: str = ""
    person: str = ""
    model: str = ""
    attempts: int = 0
    context_tokens: int = 0


class JobAnswer(_Answer):
    """A job as it was at one moment. What this command does not know is kept too."""

    model_config = ConfigDict(extra="allow", frozen=True)

    job: str
    state: str
    kind: str = "job"
    prompt: str = ""
    asked_by: str = ""
    created_ms: int = 0
    model: str = ""
    model_why: str = ""
    strategy: str | None = None
    strategy_why: str = ""
    files: list[str] = []
    priority: str = "normal"
    position: int | None = None
    waits_for: str | None = None
    progress: float = 0.0
    eta_seconds: float | None = None
    eta_confidence: float | None = None
    tokens: int = 0
    expected_tokens: int | None = None
    prompt_tokens: int = 0
    current_file: str | None = None
    hunks_applied: int = 0
    hunks_pending: int = 0
    cost: float | None = None
    cached: bool = False
    steers: list[str] = []
    findings: list[str] = []
    attempts: list[AttemptAnswer] = []
    failures: list[FailureAnswer] = []
    request_id: str = ""
    error: str | None = None
    error_code: str = ""
    severity: str = ""

    @property
    def running(self) -> bool:
        """Whether it is being worked on."""
        ended = {"complete", "needs_review", "failed", "cancelled", "interrupted"}
        return self.state not in ended | {"queued", "paused"}


class _JobsAnswer(_Answer):
    jobs: list[JobAnswer]


class _OneJobAnswer(_Answer):
    job: JobAnswer


class ProgressAnswer(_Answer):
    """A job has moved on, or ended."""

    type: Literal["progress", "complete"]
    job: JobAnswer
    detail: str = ""


class ErrorAnswer(_Answer):
    """The stream ends with an error."""

    type: Literal["error"]
    message: str
    code: str = ""


class OtherAnswer(_Answer):
    """Something else that the stream tells."""

    type: str


StreamAnswer = ProgressAnswer | ErrorAnswer | OtherAnswer
_STREAM_ANSWER: Final[TypeAdapter[StreamAnswer]] = TypeAdapter(
    Annotated[StreamAnswer, Field(union_mode="left_to_right")]
)


class StreamLost(Exception):
    """Raised when the stream of a job ends before the job does. The job may go on."""


def named_room(raw: str) -> RoomId:
    """The room that a person means: what may not stand in a URL is percent-encoded.

    Raises InvalidRoomName.
    """
    return room_id(quote(raw, safe=_ROOM_SAFE))


class Api:
    """The part of the HTTP API that commands use. Methods raise CommandFailed."""

    def __init__(self, client: httpx.AsyncClient, *, in_process: bool = False) -> None:
        """``in_process`` says that the server ends with this command."""
        self._client = client
        self.in_process = in_process

    @property
    def address(self) -> str:
        """The server's address."""
        return str(self._client.base_url).rstrip("/")

    async def rooms(self) -> list[RoomAnswer]:
        """All rooms that are stored or open."""
        return _read(_RoomsAnswer, await self._ask("GET", "/api/rooms")).rooms

    async def versions(self, room: RoomId) -> list[VersionAnswer]:
        """The versions of a room, newest first."""
        response = await self._ask("GET", f"/api/rooms/{quote(room, safe='')}/versions")
        return _read(_VersionsAnswer, response).versions

    async def jobs(self, room: RoomId) -> list[JobAnswer]:
        """The AI jobs of a room, newest first, without changes of other kinds."""
        response = await self._ask("GET", f"/api/rooms/{quote(room, safe='')}/jobs")
        return [job for job in _read(_JobsAnswer, response).jobs if job.kind == "job"]

    async def act(
        self, room: RoomId, job: str, action: str, name: str, body: dict[str, object] | None = None
    ) -> JobAnswer:
        """Does something with a job in somebody's name; the job as it is then."""
        address = f"/api/rooms/{quote(room, safe='')}/jobs/{quote(job, safe='')}/{action}"
        response = await self._ask(
            "POST",
            f"{address}?{urlencode({'name': name})}",
            content=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"} if body is not None else None,
        )
        return _read(_OneJobAnswer, response).job

    async def import_zip(
        self,
        room: RoomId,
        archive: bytes,
        source: str,
        title: str,
        change: str | None,
        *,
        overwrite: bool,
        last: bool,
    ) -> ImportAnswer:
        """Brings the files of an archive into the room; .gitignore files were honoured before.

        ``source`` names the folder; ``change`` is what an earlier part of the same import answered, if there was
        one, and ``last`` says that no other part follows.
        """
        query: dict[str, str | int] = {
            "gitignore": 0,
            "source": source,
            "title": title,
            "overwrite": int(overwrite),
            "last": int(last),
        }
        if change is not None:
            query["change"] = change
        response = await self._ask(
            "POST",
            f"/api/rooms/{quote(room, safe='')}/import?{urlencode(query)}",
            content=archive,
            headers={"Content-Type": "application/zip"},
        )
        return _read(ImportAnswer, response)

    async def export_zip(self, room: RoomId, source: str | None) -> bytes:
        """The room's files as an archive. ``source`` names the folder that has them then, if there is one."""
        query = f"?{urlencode({'source': source})}" if source is not None else ""
        response = await self._ask("GET", f"/api/rooms/{quote(room, safe='')}/export{query}")
        return response.content

    @asynccontextmanager
    async def generate(self, request: dict[str, object]) -> AsyncIterator[AsyncIterator[StreamAnswer]]:
        """Asks the AI; what the job tells, until it has ended. Raises StreamLost when the connection breaks.

        Leaving earlier cancels the job, unless the request says ``detach``.
        """
        try:
            async with self._client.stream("POST", "/api/generate", json=request, timeout=_STREAM) as response:
                if not response.is_success:
                    await response.aread()
                    code = 2 if response.status_code in _WRONG_USE else 1
                    raise CommandFailed(_refusal(response), code=code)
                async with aclosing(_events(response)) as events:
                    yield events
        except httpx.TransportError as error:
            told = f"{type(error).__name__} {error}".strip()
            raise StreamLost(f"The connection to {self.address} broke: {told}.") from error

    async def job(self, room: RoomId, job: str) -> JobAnswer:
        """One job of a room."""
        response = await self._ask("GET", f"/api/rooms/{quote(room, safe='')}/jobs")
        for one in _read(_JobsAnswer, response).jobs:
            if one.job == job:
                return one
        raise CommandFailed(f"The room {room} knows no job {job} any more.")

    async def cancel(self, room: RoomId, job: str, name: str) -> JobAnswer:
        """Stops a job."""
        return await self.act(room, job, "cancel", name)

    async def _ask(
        self, method: str, url: str, *, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        try:
            response = await self._client.request(method, url, content=content, headers=headers)
        except httpx.TimeoutException as error:
            raise CommandFailed(f"{self._client.base_url} did not answer in time; is it overloaded?") from error
        except httpx.TransportError as error:
            raise CommandFailed(f"The connection to {self._client.base_url} broke: {error}.") from error
        if response.is_success:
            return response
        raise CommandFailed(_refusal(response))


@asynccontextmanager
async def reach(settings: Settings, server: str | None) -> AsyncIterator[Api]:
    """The API of ``server``, or else of the server of these settings, or else of one in this process.

    Raises CommandFailed when ``server`` is given and does not answer, and StoreError when the store cannot be
    opened here.
    """
    address = _address(server) if server is not None else settings.address
    local = is_loopback(urlsplit(address).hostname or "")
    async with httpx.AsyncClient(base_url=address, timeout=_TIMEOUT, trust_env=not local) as client:
        if await _answers(client):
            yield Api(client)
            return
    if server is not None:
        raise CommandFailed(f"No Pairloom server answers at {address}; start it there or correct --server.")
    async with _in_process(settings) as api:
        yield api


@asynccontextmanager
async def _in_process(settings: Settings) -> AsyncIterator[Api]:
    # Imported here: the server's libraries take a second to load, and most commands do without.
    from server.app import create_app

    app = create_app(settings)
    async with app.router.lifespan_context(app), asyncio.TaskGroup() as group:
        transport = InProcess(app, group)
        async with httpx.AsyncClient(transport=transport, base_url=settings.address, timeout=_TIMEOUT) as client:
            yield Api(client, in_process=True)


async def _answers(client: httpx.AsyncClient) -> bool:
    """Whether a Pairloom server answers; another program on the port does not count."""
    try:
        response = await client.get("/health/live")
        return response.is_success and "status" in response.json()
    except (httpx.TransportError, ValueError, TypeError):
        return False


async def _events(response: httpx.Response) -> AsyncGenerator[StreamAnswer, None]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            try:
                yield _STREAM_ANSWER.validate_json(line.removeprefix("data: "))
            except ValidationError as error:
                raise CommandFailed("The server's answer cannot be read; is it another version?") from error


def _address(server: str) -> str:
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandFailed(f"--server {server}: write it like http://127.0.0.1:8000.", code=2)
    return server.rstrip("/")


def _read(shape: type[T], response: httpx.Response) -> T:
    try:
        return shape.model_validate_json(response.content)
    except ValidationError as error:
        raise CommandFailed(
            f"The server's answer to {response.request.url.path} cannot be read; is it another version?"
        ) from error


def _refusal(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered {response.request.url.path} with status {response.status_code}."
