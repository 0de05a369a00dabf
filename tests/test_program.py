"""The processes that tests start are as those that people start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import program
from tests.program import Program


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PAIRLOOM_DATA_DIR": str(tmp_path / "data")}


def serving(folder: Path, environment: dict[str, str]) -> Program:
    return program.start(["serve", "--port", "0", "--no-open"], folder=folder, environment=environment, piped=True)


@pytest.mark.parametrize(
    "arguments", [["version"], ["settings"], ["--help"], ["export"], ["serve", "--port", "x"]]
)
def test_a_command_says_and_ends_with_what_it_does_when_it_is_started_anew(
    arguments: list[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    anew = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(program.ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = program.run(arguments, folder=tmp_path, environment=environment)
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_it_has_the_folder_and_the_environment_that_it_is_given(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "pairloom.toml").write_text('room = "here"\n')
    told = program.run(["settings"], folder=tmp_path, environment={**environment, "PAIRLOOM_PORT": "4321"}).stdout
    assert "here" in told
    assert "4321" in told


async def test_a_server_that_is_asked_to_ends_in_order(tmp_path: Path, environment: dict[str, str]) -> None:
    server = serving(tmp_path, environment)
    assert "running at" in await server.line()
    assert server.returncode is None
    server.terminate()
    assert await server.wait() == 0
    assert "Open the address" in await server.rest()


async def test_a_server_that_was_killed_is_gone_and_says_by_what(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    server = serving(tmp_path, environment)
    assert "running at" in await server.line()
    server.kill()
    assert await server.wait() == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_what_does_not_end_in_time_is_killed(tmp_path: Path, environment: dict[str, str]) -> None:
    server = serving(tmp_path, environment)
    assert "running at" in server.next_line()
    with pytest.raises(TimeoutError):
        server.waited(0.01)
    assert server.waited(20) == -signal.SIGKILL
