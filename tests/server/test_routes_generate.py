from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Message, Scope

from generation import events
from generation.views import GenerationRequest
from server.messages.parts import Part
from server.messages.stream import STREAM_EVENTS
from server.routes.sse import EventStream
from server.settings import Settings
from tests.server.routes_fakes import JOB, ROOT, SUGGESTION, FakeState, error_of

ASKED = {"room": "main", "prompt": "Add a test", "name": "Kim"}


def told(body: str) -> list[dict[str, Any]]:
    """The messages of a stream; each must be one of the protocol's."""
    found = []
    for block in body.split("\n\n"):
        if block.startswith("data: "):
            found.append(json.loads(block.removeprefix("data: ")))
            STREAM_EVENTS.validate_python(found[-1])
    return found


class Listener:
    """An ASGI client of one request that reads the stream as it comes and can go away."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = json.dumps(body).encode()
        self._sent = False
        self.away = asyncio.Event()
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.complete = False

    def scope(self) -> Scope:
        return {
            "type": "http",
            "method": "POST",
            "path": "/api/generate",
            "raw_path": b"/api/generate",
            "query_string": b"",
            "headers": [(b"host", ROOT[7:].encode()), (b"content-type", b"application/json")],
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }

    async def receive(self) -> Message:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.away.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
            await self.received.put(message["body"])


async def test_the_stream_tells_the_job_from_its_start_to_its_end() -> None:
    state = FakeState()
    for event in (
        events.ContextReady("j1", ("a.py",), 120),
        events.StrategyDetermined("j1", "targeted", "one file"),
        events.JobProgressed(replace(JOB, state="generating", files=("a.py",)), "writing"),
        events.FileStarted("j1", "a.py"),
        events.JobTokens("j1", "a.py", "x = 1\n\ny = 2"),
        events.FileEnded("j1", "a.py", 1, 1),
        events.SuggestionAdded(SUGGESTION),
        events.SuggestionAnswered(SUGGESTION),
        events.JobFinished(replace(JOB, state="complete", progress=1.0)),
    ):
        state.generation.happening.put_nowait(event)
    async with state.client() as client:
        response = await client.post("/api/generate", json=ASKED)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    messages = told(response.text)
    assert [message["type"] for message in messages] == [
        "progress",
        "context_ready",
        "strategy_determined",
        "progress",
        "file_start",
        "token",
        "file_end",
        "conflict",
        "complete",
    ]
    assert messages[5]["text"] == "x = 1\n\ny = 2"
    assert messages[-1]["job"]["state"] == "complete"
    assert state.generation.calls == [("submit", "main", "Kim")]
    assert state.generation.requests == [GenerationRequest("Add a test")]


@pytest.mark.parametrize("job_state", ["failed", "interrupted"])
async def test_a_failed_job_ends_the_stream_with_its_error(job_state: str) -> None:
    state = FakeState()
    state.generation.happening.put_nowait(
        events.JobFinished(replace(JOB, state=job_state, error="The key was refused; correct api_key."))
    )
    async with state.client() as client:
        last = told((await client.post("/api/generate", json=ASKED)).text)[-1]
    assert last["type"] == "error"
    assert last["job"] == "j1"
    assert last["message"] == "The key was refused; correct api_key."


async def test_a_job_that_ended_before_it_was_watched_is_told_as_ended() -> None:
    state = FakeState()
    state.generation.ends = True
    state.generation.job = replace(JOB, state="complete")
    async with state.client() as client:
        assert told((await client.post("/api/generate", json=ASKED)).text)[-1]["type"] == "complete"


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({"room": "main"}, "prompt", 400),
        ({**ASKED, "promt": "x"}, "promt", 400),
        ({**ASKED, "prompt": ""}, "prompt", 400),
        ({**ASKED, "strategy": "magic"}, "strategy", 400),
        ({**ASKED, "room": "a//b"}, "room", 400),
        ({**ASKED, "room": "../x"}, "room", 400),
        ({**ASKED, "prompt": "x" * 101}, "prompt", 413),
    ],
)
async def test_a_wrong_request_is_refused_before_the_stream(body: dict[str, Any], field: str, status: int) -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post("/api/generate", json=body)
    answered, _, message, named = error_of(response)
    assert (answered, named) == (status, field)
    assert message.endswith(".")
    assert state.generation.calls == []


async def test_a_body_that_is_no_json_is_refused() -> None:
    async with FakeState().client() as client:
        json_type = {"Content-Type": "application/json"}
        bad = await client.post("/api/generate", content=b"{", headers=json_type)
        surrogate = await client.post("/api/generate", content=b'{"room":"\\ud800"}', headers=json_type)
        untyped = await client.post("/api/generate", content=b"{}")
    assert error_of(bad)[:2] == (400, "invalid_input")
    assert error_of(surrogate)[0] == 400
    assert error_of(untyped)[:2] == (415, "unsupported_type")


async def test_a_client_that_goes_away_cancels_its_job() -> None:
    state = FakeState()
    listener = Listener(ASKED)
    task = asyncio.create_task(state.app()(listener.scope(), listener.receive, listener.send))
    assert b"progress" in await listener.received.get()
    listener.away.set()
    await task
    assert ("cancel", "main", "j1", "Kim") in state.generation.calls


async def test_a_client_that_detached_leaves_its_job_running() -> None:
    state = FakeState()
    listener = Listener({**ASKED, "detach": True})
    task = asyncio.create_task(state.app()(listener.scope(), listener.receive, listener.send))
    await listener.received.get()
    listener.away.set()
    await task
    assert [call[0] for call in state.generation.calls] == ["submit"]


async def test_a_job_that_ends_by_itself_is_not_cancelled() -> None:
    state = FakeState()
    state.generation.happening.put_nowait(events.JobFinished(replace(JOB, state="complete")))
    async with state.client() as client:
        await client.post("/api/generate", json=ASKED)
    assert [call[0] for call in state.generation.calls] == ["submit"]


async def test_a_server_that_stops_ends_its_streams_with_a_word() -> None:
    state = FakeState()
    listener = Listener(ASKED)
    task = asyncio.create_task(state.app()(listener.scope(), listener.receive, listener.send))
    await listener.received.get()
    state.stopping.set()
    await task
    last = told((await listener.received.get()).decode())[-1]
    assert last["code"] == "interrupted"
    assert listener.complete
    assert [call[0] for call in state.generation.calls] == ["submit"]


async def test_an_idle_stream_is_kept_alive_by_comment_lines() -> None:
    class Nothing(Part):
        pass

    async def silence() -> Any:
        await asyncio.Event().wait()
        yield Nothing()

    async def gone() -> None:
        pass

    listener = Listener(ASKED)
    await listener.receive()
    stream = EventStream(silence, stopping=asyncio.Event(), farewell=Nothing, gone=gone, ping_seconds=0.001)
    task = asyncio.create_task(stream(listener.scope(), listener.receive, listener.send))
    assert await listener.received.get() == b": ping\n\n"
    listener.away.set()
    await task


async def test_a_request_larger_than_any_prompt_is_refused() -> None:
    state = FakeState(Settings(limit_prompt_chars=10))
    async with state.client() as client:
        response = await client.post("/api/generate", json={**ASKED, "prompt": "x" * 1_100_000})
    assert error_of(response)[0] == 413
