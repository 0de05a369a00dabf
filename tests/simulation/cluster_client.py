"""A person in a simulated cluster: types lines, falls off, comes back over any node with what there is."""

from __future__ import annotations

import re
from random import Random
from typing import Final

from tests.simulation.client import Client, Link
from tests.simulation.wire import Wire

TOKEN: Final = re.compile(r"\[[^\[\]{}]*\]|\{[^\[\]{}]*\}")
"""What a person or a job writes at a time. Which line's end belongs to which of them may change."""


class ClusterClient(Client):
    """As the client of the room's simulation, but what it types are lines, so that jobs find places."""

    def __init__(self, number: int, random: Random) -> None:
        super().__init__(number, random)
        self.wire: Wire | None = None
        self.come_back_at = 0.0

    def create(self) -> None:
        """Makes the file that all write in."""
        self._send(self.replica.create(text="# start\n"))

    def type(self) -> str | None:
        """Inserts a line of its own between others; its token."""
        if not self.replica.has():
            return None
        self._count += 1
        token = f"[{self.id}.{self._count}{self.random.choice(['', 'é', '👋'])}]"
        text = self.replica.read()
        places = [0] + [index + 1 for index, char in enumerate(text) if char == "\n"]
        self._send(self.replica.insert(self.random.choice(places), token + "\n"))
        self.typed.add(token)
        return token

    def erase(self) -> str | None:
        """Deletes a whole token that a person wrote, with the end of its line; the token."""
        text = self.replica.read() if self.replica.has() else ""
        found: list[str] = TOKEN.findall(text)
        tokens = [token for token in found if token.startswith("[")]
        if not tokens:
            return None
        token = self.random.choice(tokens)
        at = text.index(token)
        end = at + len(token)
        self._send(self.replica.delete(at, end + (text[end : end + 1] == "\n")))
        return token

    def flush(self) -> None:
        """Sends what has been put into the link."""
        if self.wire is not None:
            self.wire.flush()

    def lose(self, link: Link) -> None:
        """Its connection has ended."""
        if self.link is link:
            self.disconnect()
            self.wire = None
