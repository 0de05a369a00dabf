"""A process of our own code that is spoken to over a socket, which is its stdin and its stdout.

It ends when its stdin does, and so with the process that has started it, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Final

import collab


class Child:
    """A running process. ``start`` makes one; end it with ``close`` or ``kill``, and then ``wait`` for it."""

    def __init__(self, process: subprocess.Popen[bytes], reader: StreamReader, writer: StreamWriter) -> None:
        self._process: Final = process
        self.reader: Final = reader
        self.writer: Final = writer

    @classmethod
    async def start(cls, module: str, *, nice: int = 0) -> Child:
        """Runs a module as a program. With ``nice`` it comes after others, already while it imports what it needs.

        Raises OSError.
        """
        root = str(Path(collab.__file__).parent.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        program = f"import os, runpy; os.nice({nice}); runpy.run_module({module!r}, run_name='__main__')"
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                # Not by asyncio: uvloop forks, which stops a large process for 15 ms. This takes half of one.
                process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own module
                    [sys.executable, "-c", program],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    env={**os.environ, "PYTHONPATH": path},
                    start_new_session=True,  # Ctrl-C in the server's terminal is not for it.
                )
            try:
                return cls(process, *await asyncio.open_unix_connection(sock=ours))
            except BaseException:
                process.kill()
                process.wait()
                raise
        except BaseException:
            ours.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Lets it end by itself: its input is over."""
        self.writer.close()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self.writer.close()

    async def wait(self) -> int:
        """Returns its exit code once it has ended."""
        return await asyncio.to_thread(self._process.wait)
