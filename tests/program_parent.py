"""``python -m tests.program_parent N``: has imported the program, and forks it as tests ask over socket N."""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.program import SIZE, STATUS

PACKAGES: Final = ("collab", "generation", "server")
LATER: Final = (
    "openai",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
"""What the program imports when it needs it."""


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in (*_modules(), *LATER):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/task").iterdir())) == 1, "a process with threads must not be forked"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        header, descriptors, _, _ = socket.recv_fds(control, SIZE.size, 3)
        if not header:
            return
        asked = json.loads(control.recv(SIZE.unpack(header)[0], socket.MSG_WAITALL))
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(*descriptors)
            _become(**asked)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _watch(status: int, output: int, errors: int) -> None:
    """Goes on in a process that is to become the program; this one tells its id, and how it has ended."""
    pid = os.fork()
    if pid == 0:
        os.close(status)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        for descriptor in {output, errors} - {1, 2}:
            os.close(descriptor)
        return
    # Else whoever reads what the program writes would wait for this process too.
    os.dup2(0, 1)
    os.dup2(0, 2)
    os.close(output)
    os.close(errors)
    os.write(status, STATUS.pack(pid))
    _, ended = os.waitpid(pid, 0)
    os.write(status, STATUS.pack(os.waitstatus_to_exitcode(ended)))
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if sys.platform != "linux":
        # Elsewhere libraries of the system may not bear a fork.
        os.execv(sys.executable, [sys.executable, "-m", "server", *arguments])
    sys.path[0] = folder
    sys.argv[1:] = arguments
    runpy.run_module("server", run_name="__main__", alter_sys=True)


def _modules() -> Iterator[str]:
    for name in PACKAGES:
        package: Any = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(".__main__"):
                yield module.name


if __name__ == "__main__":
    main()
