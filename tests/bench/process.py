"""A server as it ships, in a process of its own, and what that process uses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server."""

    pid: int
    port: int

    def resident_mib(self) -> float:
        """Resident memory of the process and its children."""
        pids = [self.pid, *_children(self.pid)]
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def running_server(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """Starts ``pairloom serve`` on a free port with its data in ``data``; stops it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PAIRLOOM_DATA_DIR": str(data), **(settings or {})}
    command = [sys.executable, "-m", "server", "serve", "--port", str(port), "--no-open"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield ServerProcess(process.pid, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server did not listen within {START_SECONDS} s")
