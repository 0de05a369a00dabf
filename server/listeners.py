"""The listening sockets of several processes that serve on one address.

On Linux each worker has a socket of its own on the same port (SO_REUSEPORT): the kernel then deals connections
out evenly. From one socket that all accept from, whoever wakes first takes most: 400 connections to four workers
came out as 17, 86, 118 and 179, against 88, 102, 103 and 107. Elsewhere SO_REUSEPORT does not deal out, and all
workers share one socket.

The process that starts the workers keeps the sockets: a worker that is replaced in order accepts until the new one
does, from the same socket. A worker's own socket listens when the worker serves, not before, so nothing comes to
one that is still starting.
"""

from __future__ import annotations

import socket
import sys
from typing import Final

BACKLOG: Final = 2048


class Listeners:
    """The sockets of workers 1 to ``count``. Raises OSError when the address cannot be had."""

    def __init__(self, host: str, port: int, *, one_each: bool = sys.platform == "linux") -> None:
        self._host: Final = host.strip("[]")
        self._one_each: Final = one_each
        self._family: Final = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._sockets: Final[dict[int, socket.socket]] = {}
        # Without SO_REUSEPORT first: with it, a second server of the same user on this port would be no error.
        first = socket.create_server((self._host, port), family=self._family, backlog=BACKLOG)
        self.port: Final = int(first.getsockname()[1])
        if one_each:
            first.close()
        else:
            self._sockets[0] = first

    def of(self, worker: int) -> socket.socket:
        """The socket from which this worker accepts; it may have to be told to listen."""
        key = worker if self._one_each else 0
        if key not in self._sockets:
            self._sockets[key] = self._bind()
        return self._sockets[key]

    def give_up(self, worker: int) -> None:
        """Nobody accepts for this worker for a while: what would come to it goes to the others."""
        if self._one_each and (closed := self._sockets.pop(worker, None)):
            closed.close()

    def close(self) -> None:
        """Ends listening here; workers have their own descriptors until they end."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()

    def _bind(self) -> socket.socket:
        one = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if self._family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((self._host, self.port))
        except BaseException:
            one.close()
            raise
        return one
