"""A disk that takes nothing more while people type: they are told, nothing is lost, and it ends by itself."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests import program
from tests.program import Program

TEXT = "0123456789" * 400

pytestmark = pytest.mark.integration


@contextmanager
def server(data: Path) -> Iterator[tuple[Program, str]]:
    """A running server and its address."""
    process = program.start(
        ["serve", "--port", "0", "--no-open"],
        folder=program.ROOT,
        environment={**os.environ, "PAIRLOOM_DATA_DIR": str(data)},
        piped=True,
    )
    while "http://" not in (line := process.next_line()):
        assert line
    try:
        yield process, line.partition("http://")[2].split("/")[0].strip()
    finally:
        process.kill()
        process.waited(20)


def until(client: ClientConnection, kind: str) -> dict[str, object]:
    """The next event of a kind."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        event: dict[str, object] = json.loads(client.recv(timeout=30))
        if event["type"] == kind:
            return event
    raise AssertionError(f"no {kind} came")


def limit_files(process: Program, size: int) -> None:
    """From now on no file of the process may grow beyond ``size`` bytes, as on a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux: limits of another process")
def test_clients_are_told_that_nothing_is_saved_and_lose_nothing_when_it_is_again(tmp_path: Path) -> None:
    with server(tmp_path) as (process, address), connect(f"ws://{address}/collaborate/main") as client:
        client.send("new a.txt")
        until(client, "saved")
        limit_files(process, 4096)

        operation = {"type": "text_operation", "file": "a.txt", "version": 1, "ops": [{"insert": TEXT}]}
        client.send(json.dumps(operation))
        assert "reason" in until(client, "not_saved")

        with connect(f"ws://{address}/collaborate/main") as late:
            welcome = until(late, "welcome")
            assert welcome["saving"] is False
            late.send("read a.txt")
            assert until(late, "file_content")["text"] == TEXT

        limit_files(process, resource.RLIM_INFINITY)
        while until(client, "saved")["count"] != 2:
            pass
        process.kill()
        process.waited(20)

    with server(tmp_path) as (_, address), connect(f"ws://{address}/collaborate/main") as client:
        client.send("read a.txt")
        assert until(client, "file_content")["text"] == TEXT
