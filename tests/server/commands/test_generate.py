"""``pairloom generate``: how a job is asked for, followed through what may happen, and reported."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from collab.ids import RoomId
from server.cli import _code, _told
from server.commands import generate as command
from server.commands.api import Api, ErrorAnswer, JobAnswer, ProgressAnswer, StreamAnswer, StreamLost
from server.commands.generate import EXIT_CODES, Request
from server.commands.printing import CommandFailed
from server.settings import Settings
from tests.fakes.openai_server import Answer, FakeOpenAI
from tests.server.running import Running, running

NEW = "new.py\n````python\nx = 1\n````\n"
ROOM = RoomId("demo")
WRITE = Request("Write new.py")


def settings(folder: Path, fake: FakeOpenAI) -> Settings:
    # Port 9 (discard) is one on which nothing of this machine's answers as Pairloom.
    return Settings(data_dir=folder, port=9, model="fake", base_url=fake.base_url, api_key=SecretStr("sk-x"))


async def asked_alone(folder: Path, fake: FakeOpenAI, request: Request = WRITE, *, as_json: bool = False) -> int:
    """Asks without a running server."""
    return await command.generate(settings(folder, fake), ROOM, request, None, as_json=as_json, wait=True)


async def test_a_job_is_asked_for_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer(NEW)) as fake:
        assert await asked_alone(tmp_path, fake) == 0
    told = capsys.readouterr()
    assert "is complete: 1 change in 1 file by fake" in told.out
    assert "  new.py" in told.out
    assert told.err == ""


async def test_a_job_that_waits_for_answers_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer(NEW)) as fake:
        assert await asked_alone(tmp_path, fake, replace(WRITE, mode="review")) == 4
    assert "1 suggestion of it waits for" in capsys.readouterr().out


async def test_what_checks_found_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = Answer(NEW.replace("x = 1", "x = ("))
    with FakeOpenAI(broken, broken) as fake:
        assert await asked_alone(tmp_path, fake) == 4
    assert "Found: new.py, line 1: it cannot be parsed: '(' was never closed." in capsys.readouterr().out


async def test_a_job_that_fails_has_its_own_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer("No.")) as fake:
        assert await asked_alone(tmp_path, fake) == 3
    assert "failed by fake: The answer changes no file. It says: No." in capsys.readouterr().out


async def test_the_job_is_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(Answer(NEW)) as fake:
        assert await asked_alone(tmp_path, fake, as_json=True) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["state"], printed["files"], printed["progress"]) == ("complete", ["new.py"], 1)


@pytest.mark.parametrize(
    ("request_", "said"),
    [(replace(WRITE, files=("nope.py",)), "There is no file 'nope.py'"), (Request("  "), "The prompt is empty")],
)
async def test_a_request_that_is_refused_is_wrong_use(tmp_path: Path, request_: Request, said: str) -> None:
    with FakeOpenAI() as fake, pytest.raises(ExceptionGroup) as raised:
        await asked_alone(tmp_path, fake, request_)
    assert said in _told(raised.value)
    assert _code(raised.value) == 2


async def test_not_to_wait_needs_a_server_that_goes_on(tmp_path: Path) -> None:
    with FakeOpenAI() as fake, pytest.raises(ExceptionGroup) as raised:
        await command.generate(settings(tmp_path, fake), ROOM, WRITE, None, as_json=False, wait=False)
    assert "No server runs" in _told(raised.value)
    assert _code(raised.value) == 2


def test_the_prompt_can_come_from_the_input_and_ctrl_c_cancels_the_job(tmp_path: Path) -> None:
    with FakeOpenAI(Answer(NEW, piece=4, hold=threading.Event())) as fake:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "generate", "-", "--data-dir", str(tmp_path)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PAIRLOOM_PORT": "9",
                "PAIRLOOM_MODEL": "fake",
                "PAIRLOOM_BASE_URL": fake.base_url,
                "PAIRLOOM_API_KEY": "sk-x",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write("Write new.py, from the pipe")
        process.stdin.close()
        process.stdin = None
        assert fake.script.requested.wait(60)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert fake.script.disconnected.wait(10)
        assert "from the pipe" in fake.script.requests[0]["messages"][-1]["content"]


@asynccontextmanager
async def asked(server: Running, request: Request = WRITE) -> AsyncIterator[command._Asking]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield command._Asking(Api(client), ROOM, request)


async def test_a_running_server_does_the_work_and_goes_on_without_the_command(tmp_path: Path) -> None:
    hold = threading.Event()
    with FakeOpenAI(Answer(NEW, piece=4, hold=hold)) as fake:
        config = {"model": "fake", "base_url": fake.base_url, "api_key": "sk-x"}
        async with running(tmp_path, **config) as server, asked(server) as asking:
            job = await asking.go(wait=False)
            assert job.state not in EXIT_CODES
            assert asking._api.in_process is False
            hold.set()
            [only] = await server.state.generation.jobs(ROOM)
            async with server.state.generation.watch(only.job) as events:
                async for _ in events:
                    pass
            [only] = await server.state.generation.jobs(ROOM)
            assert (only.job, only.state) == (job.job, "complete")


async def test_a_command_that_is_cancelled_cancels_the_job(tmp_path: Path) -> None:
    with FakeOpenAI(Answer(NEW, piece=4, hold=threading.Event())) as fake:
        config = {"model": "fake", "base_url": fake.base_url, "api_key": "sk-x"}
        async with running(tmp_path, **config) as server, asked(server) as asking:
            going = asyncio.create_task(asking.go(wait=True))
            await asyncio.to_thread(fake.script.requested.wait, 20)
            going.cancel()
            with pytest.raises(asyncio.CancelledError):
                await going
            [job] = await server.state.generation.jobs(ROOM)
            assert (job.state, job.error) == ("cancelled", "Cancelled by pairloom generate.")


@pytest.mark.parametrize(("cached", "requests"), [(True, 2), (False, 3)])
async def test_a_server_uses_an_answer_again_unless_that_is_off_or_not_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, cached: bool, requests: int
) -> None:
    with FakeOpenAI(Answer(NEW)) as fake:
        config = {"model": "fake", "base_url": fake.base_url, "api_key": "sk-x", "answer_cache": cached}
        async with running(tmp_path, **config) as server:
            address = f"http://127.0.0.1:{server.port}"
            for fresh in (False, False, True):
                request = replace(WRITE, mode="review", fresh=fresh)
                code = await command.generate(
                    Settings(data_dir=tmp_path), ROOM, request, address, as_json=False, wait=True
                )
                assert code == 4
        assert len(fake.script.requests) == requests
    assert ("from the cache" in capsys.readouterr().out) is cached


async def test_a_prompt_that_was_asked_ahead_is_answered_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "generation.io.prewarming")
    with FakeOpenAI(Answer(NEW)) as fake:
        config = {"model": "fake", "base_url": fake.base_url, "api_key": "sk-x"}
        async with running(tmp_path, **config, prewarm=[{"room": ROOM, "prompt": WRITE.prompt}]) as server:
            async with asyncio.timeout(20):
                while "an answer is ready" not in caplog.text:  # noqa: ASYNC110 - it tells nobody else
                    await asyncio.sleep(0.01)
            assert await server.state.generation.jobs(ROOM) == []
            address = f"http://127.0.0.1:{server.port}"
            settings = Settings(data_dir=tmp_path)
            assert await command.generate(settings, ROOM, WRITE, address, as_json=False, wait=True) == 0
        assert len(fake.script.requests) == 1
    assert "from the cache" in capsys.readouterr().out


def job(state: str, **fields: object) -> JobAnswer:
    return JobAnswer.model_validate({"job": "j1", "state": state, **fields})


class FakeApi(Api):
    """A server that tells what it was given to tell."""

    def __init__(
        self, stream: Sequence[StreamAnswer | Exception], jobs: Sequence[JobAnswer | CommandFailed] = ()
    ) -> None:
        self.in_process = False
        self.stream = stream
        self.looks = list(jobs)

    @asynccontextmanager
    async def generate(self, request: dict[str, object]) -> AsyncIterator[AsyncIterator[StreamAnswer]]:
        async def events() -> AsyncIterator[StreamAnswer]:
            for one in self.stream:
                if isinstance(one, Exception):
                    raise one
                yield one

        yield events()

    async def job(self, room: RoomId, job: str) -> JobAnswer:
        found = self.looks.pop(0)
        if isinstance(found, CommandFailed):
            raise found
        return found


BEGAN = ProgressAnswer(type="progress", job=job("queued"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ASK_AGAIN", 0.0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "lost",
    [
        StreamLost("The connection broke."),
        ErrorAnswer(type="error", message="The server is shutting down.", code="interrupted"),
    ],
)
async def test_a_job_whose_stream_is_lost_is_followed_to_its_end(lost: StreamAnswer | Exception) -> None:
    api = FakeApi([BEGAN, lost], [CommandFailed("away"), job("generating"), job("complete", tokens=7)])
    ended = await command._Asking(api, ROOM, Request("x")).go(wait=True)
    assert (ended.state, ended.tokens) == ("complete", 7)


@pytest.mark.usefixtures("at_once")
async def test_a_server_that_does_not_come_back_is_given_up() -> None:
    api = FakeApi([BEGAN, StreamLost("broke")], [CommandFailed("It is away.")] * command.LOOKS)
    with pytest.raises(CommandFailed, match="The job j1 may go on in the room demo"):
        await command._Asking(api, ROOM, Request("x")).go(wait=True)


async def test_a_request_that_was_lost_before_an_answer_is_said_to_be_uncertain() -> None:
    with pytest.raises(CommandFailed, match="not known"):
        await command._Asking(FakeApi([StreamLost("It broke.")]), ROOM, Request("x")).go(wait=True)


async def test_who_cancels_the_command_is_told_that_the_job_is_cancelled_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    began, cancelled = asyncio.Event(), []

    class Slow(FakeApi):
        @asynccontextmanager
        async def generate(self, request: dict[str, object]) -> AsyncIterator[AsyncIterator[StreamAnswer]]:
            async def events() -> AsyncIterator[StreamAnswer]:
                yield BEGAN
                began.set()
                await asyncio.Event().wait()

            yield events()

        async def cancel(self, room: RoomId, job: str, name: str) -> JobAnswer:
            cancelled.append((room, job, name))
            return BEGAN.job

    going = asyncio.create_task(command._Asking(Slow([]), ROOM, WRITE).go(wait=True))
    await began.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert cancelled == [(ROOM, "j1", "pairloom generate")]
    assert capsys.readouterr().err == "pairloom: the job j1 is cancelled\n"


async def test_only_what_was_asked_for_is_sent() -> None:
    sent: list[dict[str, object]] = []

    class Noting(FakeApi):
        @asynccontextmanager
        async def generate(self, request: dict[str, object]) -> AsyncIterator[AsyncIterator[StreamAnswer]]:
            sent.append(request)
            async with super().generate(request) as events:
                yield events

    api = Noting([ProgressAnswer(type="complete", job=job("complete"))])
    request = Request("x", ("a.py",), strategy="full", priority="high")
    await command._Asking(api, ROOM, request).go(wait=True)
    assert sent == [
        {
            "room": "demo",
            "prompt": "x",
            "files": ["a.py"],
            "priority": "high",
            "fresh": False,
            "name": "pairloom generate",
            "detach": False,
            "strategy": "full",
        }
    ]


async def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="No Pairloom server answers"):
        await command.generate(
            Settings(data_dir=tmp_path), ROOM, Request("x"), "http://127.0.0.1:9", as_json=False, wait=True
        )
