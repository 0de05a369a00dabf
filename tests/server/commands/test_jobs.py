"""``pairloom jobs`` against the HTTP API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from collab.ids import RoomId
from generation.views import Attempt, Failure, JobView
from server.commands import jobs
from server.commands.api import Api
from server.commands.printing import CommandFailed
from server.settings import Settings
from tests.server.routes_fakes import JOB, FakeState

MAIN = RoomId("main")
SETTINGS = Settings()
FAILED = replace(
    JOB,
    state="failed",
    error="The key is wrong.",
    error_code="model_refused",
    severity="error",
    request_id="r1",
    steers=("shorter",),
    attempts=(Attempt("large", "refused", "The key is wrong.", 120, 0, None, 0.25, 1_700_000_000_000),),
    failures=(
        Failure(1_700_000_000_000, "model_refused", "error", "The key is wrong.", "r1", "Kim", "large", 1, 999),
    ),
)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> FakeState:
    made = FakeState()
    made.hub.host("main")

    @asynccontextmanager
    async def reach(settings: Settings, server: str | None) -> AsyncIterator[Api]:
        async with made.client() as client:
            yield Api(client)

    monkeypatch.setattr(jobs, "reach", reach)
    monkeypatch.setenv("COLUMNS", "200")
    return made


Printed = Callable[[], str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return lambda: capsys.readouterr().out


async def test_the_jobs_are_listed_those_that_run_first_and_then_those_that_wait(
    state: FakeState, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        replace(JOB, job="done", state="complete"),
        replace(JOB, job="second", state="queued", position=2, prompt="a\nb \x1b[31m" + "x" * 90),
        replace(JOB, job="first", state="queued", position=1, priority="high"),
        replace(JOB, job="runs", state="generating", progress=0.42, cost=0.0125),
        replace(JOB, job="change", kind="put"),
    ]

    async def all_jobs(room: RoomId) -> list[JobView]:
        return found

    monkeypatch.setattr(state.generation, "jobs", all_jobs)
    await jobs.listed(SETTINGS, MAIN, None, as_json=False)
    lines = printed().splitlines()
    assert [line.split()[0] for line in lines] == ["job", "runs", "first", "second", "done"]
    assert "generating 42%" in lines[1]
    assert "$0.0125" in lines[1]
    assert "\x1b" not in lines[3]
    assert "…" in lines[3]
    await jobs.listed(SETTINGS, MAIN, None, as_json=True)
    assert [one["job"] for one in json.loads(printed())] == ["runs", "first", "second", "done"]


async def test_a_room_without_jobs_says_so(
    state: FakeState, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(room: RoomId) -> list[JobView]:
        return []

    monkeypatch.setattr(state.generation, "jobs", none)
    await jobs.listed(SETTINGS, MAIN, None, as_json=False)
    assert printed() == "No AI job was asked for in main yet.\n"


async def test_a_job_is_shown_with_its_requests_and_failures(state: FakeState, printed: Printed) -> None:
    state.generation.job = FAILED
    await jobs.shown(SETTINGS, "j1", MAIN, None, anywhere=False, as_json=False)
    told = printed()
    for words in (
        "error code  model_refused (error)",
        "told later  shorter",
        "request id  r1",
        "large  refused  120 + 0 tokens, 0.2 s",
        "error  model_refused  request r1",
        "asked by Kim, model large, 1 requests to models, context of about 999 tokens",
    ):
        assert words in told, told
    await jobs.shown(SETTINGS, "j1", MAIN, None, anywhere=False, as_json=True)
    shown = json.loads(printed())
    assert (shown["room"], shown["failures"][0]["code"]) == ("main", "model_refused")


async def test_a_job_is_looked_for_in_all_rooms_if_no_room_is_named(state: FakeState, printed: Printed) -> None:
    await jobs.shown(SETTINGS, "j1", RoomId("elsewhere"), None, anywhere=True, as_json=True)
    assert json.loads(printed())["job"] == "j1"
    with pytest.raises(CommandFailed, match="no job j9 in any room"):
        await jobs.shown(SETTINGS, "j9", MAIN, None, anywhere=True, as_json=False)
    with pytest.raises(CommandFailed, match="no job j9 in the room main"):
        await jobs.shown(SETTINGS, "j9", MAIN, None, anywhere=False, as_json=False)


@pytest.mark.parametrize(
    ("action", "body", "call"),
    [
        ("pause", None, "pause"),
        ("cancel", None, "cancel"),
        ("steer", {"prompt": "shorter"}, "steer shorter"),
        ("reorder", {"position": 2}, "move to 2"),
        ("reorder", {"priority": "high"}, "prioritise high"),
    ],
)
async def test_a_job_is_acted_on_in_somebodys_name(
    state: FakeState, printed: Printed, action: str, body: dict[str, object] | None, call: str
) -> None:
    state.generation.job = replace(JOB, state="queued", position=3)
    await jobs.act(SETTINGS, action, "j1", MAIN, None, "kim", body)
    assert state.generation.calls == [(call, "main", "j1", "kim")]
    assert printed() == "j1 is queued, number 3 in the queue.\n"


async def test_without_a_server_no_job_is_begun_that_would_end_with_the_command(
    state: FakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def inside(settings: Settings, server: str | None) -> AsyncIterator[Api]:
        async with state.client() as client:
            yield Api(client, in_process=True)

    monkeypatch.setattr(jobs, "reach", inside)
    for action in ("retry", "resume"):
        with pytest.raises(CommandFailed, match="No server runs"):
            await jobs.act(SETTINGS, action, "j1", MAIN, None, "kim")
    assert state.generation.calls == []
    await jobs.act(SETTINGS, "cancel", "j1", MAIN, None, "kim")


async def test_a_refusal_is_told_in_its_words(state: FakeState) -> None:
    with pytest.raises(CommandFailed, match="There is no job 'j9'"):
        await jobs.act(SETTINGS, "retry", "j9", MAIN, None, "kim")
