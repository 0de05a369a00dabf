"""One simulated person: a Yjs document, an awareness table, and what y-websocket does with both."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from collab.ids import ClientId
from collab.wire import (
    AwarenessEntry,
    MessageType,
    SyncType,
    awareness_message,
    read_awareness,
    read_bytes,
    sync_step1,
    sync_step2,
    sync_update,
)
from tests.collab.replicas import FILE, Replica

RENEW = 15.0
OUTDATED = 30.0
_NULL = b"null"


@dataclass(eq=False)
class Link:
    """One connection. Frames in flight are lost with it; the server may notice later than the client."""

    client: Client
    up: deque[bytes] = field(default_factory=deque)
    down: deque[bytes | int] = field(default_factory=deque)
    """Frames, and counts of what is saved."""
    sent: list[bytes] = field(default_factory=list)
    """The updates of all sync messages that the client has sent on it, in order."""
    saved: int = 0
    """How many of those it was told are saved."""
    alive: bool = True


@dataclass
class _Known:
    clock: int
    state: bytes
    heard: float


class Client:
    """Types, goes offline, comes back with what it has, echoes presence as y-websocket does."""

    def __init__(self, number: int, random: Random) -> None:
        self.id = ClientId(100 + number)
        self.replica = Replica(self.id)
        self.random = random
        self.link: Link | None = None
        self.typed: set[str] = set()
        self.gone = False
        self.synced = False
        self.known: dict[int, _Known] = {}
        self.saved: list[bytes] = []
        self._clock = 0
        self._renewed = 0.0
        self._count = 0

    def connect(self, now: float) -> Link:
        """Opens a connection, as y-websocket does: step 1, then its own awareness."""
        self.link = Link(self)
        self.synced = False
        self.link.up.append(sync_step1(self.replica.state()))
        self._announce(now)
        return self.link

    def disconnect(self) -> None:
        """Its connection is gone; it forgets who else is here, as y-websocket does."""
        if self.link is not None:
            self.link.alive = False
            self.link = None
        self.synced = False
        self.known = {self.id: self.known[self.id]} if self.id in self.known else {}

    def create(self) -> None:
        """Makes the file that all write in."""
        self._send(self.replica.create(text="|"))

    def type(self) -> str | None:
        """Inserts a token of its own between others; the token."""
        if not self.replica.has():
            return None
        self._count += 1
        token = f"[{self.id}.{self._count}{self.random.choice(['', 'é', '👋'])}]"
        text = self.replica.read()
        places = [index + 1 for index, char in enumerate(text) if char in "]|"] or [0]
        self._send(self.replica.insert(self.random.choice(places), token))
        self.typed.add(token)
        return token

    def erase(self) -> str | None:
        """Deletes a whole token, somebody's; the token."""
        text = self.replica.read() if self.replica.has() else ""
        tokens = [token + "]" for token in text.split("]") if token.startswith("[")]
        if not tokens:
            return None
        token = self.random.choice(tokens)
        at = text.index(token)
        self._send(self.replica.delete(at, at + len(token)))
        return token

    def move(self, now: float) -> None:
        """Moves its cursor."""
        self._announce(now)

    def tick(self, now: float) -> None:
        """Renews its own presence, and drops what nobody has renewed."""
        if self.link is not None and now - self._renewed >= RENEW:
            self._announce(now)
        for client, known in list(self.known.items()):
            if client != self.id and known.state != _NULL and now - known.heard >= OUTDATED:
                known.state = _NULL
                self._echo([client])

    def receive(self, item: bytes | int, now: float) -> None:
        """One frame or acknowledgement from the server."""
        assert self.link is not None
        if isinstance(item, int):
            assert item >= self.link.saved, "acknowledgements go back"
            self.saved += self.link.sent[self.link.saved : item]
            self.link.saved = item
            return
        if item[0] == MessageType.SYNC:
            body, _ = read_bytes(item, 2)
            if item[1] == SyncType.STEP1:
                update = self.replica.missing(body)
                self.link.sent.append(update)
                self.link.up.append(sync_step2(update))
            else:
                self.replica.apply(body)
                self.synced = self.synced or item[1] == SyncType.STEP2
        elif item[0] == MessageType.AWARENESS:
            body, _ = read_bytes(item, 1)
            self._echo([entry.client for entry in read_awareness(body, 10_000) if self._learn(entry, now)])

    def others(self) -> set[int]:
        """Whom it sees."""
        return {client for client, known in self.known.items() if known.state != _NULL}

    def _learn(self, entry: AwarenessEntry, now: float) -> bool:
        known = self.known.get(entry.client)
        clock = known.clock if known else 0
        if not (
            entry.clock > clock
            or (entry.clock == clock and entry.state == _NULL and known is not None and known.state != _NULL)
        ):
            return False
        if entry.client == self.id:
            if entry.state == _NULL:
                # A client's own state is never removed by others; its clock goes past the removal.
                self._clock = entry.clock + 1
            else:
                self._clock = entry.clock
            return False
        changed = known is None or known.state != entry.state
        self.known[entry.client] = _Known(entry.clock, entry.state, now)
        return changed

    def _announce(self, now: float) -> None:
        self._clock += 1
        self._renewed = now
        state = b'{"user":{"name":"p%d"},"n":%d}' % (self.id, self._clock)
        self.known[self.id] = _Known(self._clock, state, now)
        self._echo([self.id])

    def _echo(self, clients: list[int]) -> None:
        if self.link is None or not clients:
            return
        entries = [
            AwarenessEntry(ClientId(client), self.known[client].clock, self.known[client].state).encode()
            for client in clients
            if client in self.known
        ]
        self.link.up.append(awareness_message(entries))

    def _send(self, update: bytes) -> None:
        if self.link is not None:
            self.link.sent.append(update)
            self.link.up.append(sync_update(update))


def text_of(client: Client) -> str:
    """The text as the client sees it."""
    return client.replica.read(FILE) if client.replica.has(FILE) else ""
