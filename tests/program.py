"""``pairloom`` in processes of its own, which begin where the program has imported what it is made of.

To import all of it takes a process longer than most tests last. So it is not started anew: it is forked from a
process that has done nothing but import it (``tests.program_parent``), and goes on as ``python -m server`` would,
with its own arguments, environment, folder and files. Two such parents take turns, so that of two processes that
follow each other, as of any others, each hashes strings in its own way.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, ClassVar, Final

ROOT: Final = Path(__file__).parents[1]
PARENTS: Final = 2
STATUS: Final = struct.Struct("!i")
"""What is told of a process: first its id, then how it ended."""
SIZE: Final = struct.Struct("!I")
"""What stands before what is asked of a parent."""


class Program:
    """A running ``pairloom``. Its own parent collects it, so that its id is never that of a dead process."""

    def __init__(self, pid: int, status: int, output: int | None) -> None:
        self.pid: Final = pid
        self._status = status
        self._output = output
        self._code: int | None = None
        self._written = b""
        for descriptor in filter(None, (status, output)):
            weakref.finalize(self, os.close, descriptor)

    @property
    def returncode(self) -> int | None:
        """None while it runs; then its exit code, or the negative number of the signal that ended it."""
        if self._code is None and select.select([self._status], [], [], 0)[0]:
            self._code = told(self._status)
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        """Sends it a signal, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Waits until it has ended."""
        while (code := self.returncode) is None:
            await _readable(self._status)
        return code

    async def line(self) -> str:
        """The next line that it writes, of a program that was started with ``piped``; empty at the end."""
        assert self._output is not None
        while b"\n" not in self._written:
            await _readable(self._output)
            if not self._read():
                break
        return self._line()

    async def rest(self) -> str:
        """All that it still writes, until it and all who write for it have ended."""
        assert self._output is not None
        more = True
        while more:
            await _readable(self._output)
            more = self._read()
        written, self._written = self._written, b""
        return written.decode()

    def waited(self, seconds: float) -> int:
        """Waits until it has ended, without an event loop. Raises TimeoutError, and kills it."""
        if not select.select([self._status], [], [], seconds)[0]:
            self.kill()
            raise TimeoutError(f"pairloom was to end within {seconds} s")
        code = self.returncode
        assert code is not None
        return code

    def next_line(self) -> str:
        """As ``line``, without an event loop."""
        while b"\n" not in self._written and self._read():
            pass
        return self._line()

    def _read(self) -> bool:
        assert self._output is not None
        part = os.read(self._output, 65536)
        self._written += part
        return bool(part)

    def _line(self) -> str:
        line, end, self._written = self._written.partition(b"\n")
        return (line + end).decode()


class _Parent:
    """A process that has imported the program."""

    all: ClassVar[list[_Parent]] = []
    one_at_a_time: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._asking, asked = socket.socketpair()
        with asked:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.program_parent", str(asked.fileno())],
                cwd=ROOT,
                # A process with threads must not be forked, and numpy's library starts some.
                env={"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[asked.fileno()],
            )

    def fork(self, asked: Mapping[str, object], output: int, errors: int) -> tuple[int, int]:
        """Has a process forked; its id, and where its end is told."""
        ours, theirs = socket.socketpair()
        body = json.dumps(asked).encode()
        with ours:
            with theirs:
                socket.send_fds(self._asking, [SIZE.pack(len(body))], [theirs.fileno(), output, errors])
                self._asking.sendall(body)
            return told(ours.fileno()), os.dup(ours.fileno())

    def end(self) -> None:
        """Lets it end; those that it has forked go on."""
        self._asking.close()
        self._process.wait()


def told(status: int) -> int:
    """A number that a process's parent tells."""
    data = os.read(status, STATUS.size)
    assert data, "the parent of the tests' processes has ended"
    number: int
    (number,) = STATUS.unpack(data)
    return number


def start(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: IO[str] | IO[bytes] | None = None,
    errors: IO[str] | IO[bytes] | None = None,
    piped: bool = False,
) -> Program:
    """Starts ``pairloom`` with these arguments in a folder, with this environment and no other.

    What it writes goes to ``output`` and ``errors``, or where that of the tests goes. With ``piped`` what it
    writes to its output can be read from the Program.
    """
    asked = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
    reading, writing = os.pipe() if piped else (None, None)
    try:
        to = writing if writing is not None else output.fileno() if output is not None else 1
        with _Parent.one_at_a_time:
            parent = _Parent.all.pop(0) if len(_Parent.all) == PARENTS else _Parent()
            _Parent.all.append(parent)
            pid, status = parent.fork(asked, to, errors.fileno() if errors is not None else 2)
    finally:
        if writing is not None:
            os.close(writing)
    return Program(pid, status, reading)


def run(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs ``pairloom`` to its end, as ``subprocess.run`` does. Raises TimeoutError."""
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        program = start(arguments, folder=folder, environment=environment, output=output, errors=errors)
        code = program.waited(seconds)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(["pairloom", *arguments], code, output.read(), errors.read())


def end_parents() -> None:
    """For the end of the tests."""
    while _Parent.all:
        _Parent.all.pop().end()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
