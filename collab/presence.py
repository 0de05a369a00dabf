"""Who is here: the awareness states of a room, and whose they are. Sans-I/O.

Standard clients send back every state that they see, also other people's, and removals of people whom they
have not heard of for 30 s. So a connection speaks for its own client id only, and all else it says about
presence is ignored without a word (wire.md). Which id is its own:

- what it announces before it has answered the server's sync step 1: nothing that it had from the server
  can be in there.
- later, if it has none yet: an id that nobody holds, with a clock that is newer than any we know.

A client that reconnects may find its id held by its old connection, which looks just like somebody who wears
another's id. So it becomes the heir: the old connection is probed, and when it does not answer, or ends, the
heir takes over without a gap; as long as it answers, its state stands.

A state belongs to its connection and goes with it. Clocks of states that went are remembered for a while, so
that an echo that was under way brings no ghost back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from collab.ids import ClientId, ConnectionId
from collab.limits import Limits
from collab.wire import AwarenessEntry, awareness_message

NULL = b"null"
REMEMBERED = 4096
"""Clocks of clients that went, kept per room."""


@dataclass(slots=True)
class Holder:
    """The part of a connection that presence reads and writes: which client id is its own."""

    connection: ConnectionId
    client: ClientId | None = None
    answered: bool = False
    """It has sent its sync step 2, so from now on it may echo what it was sent."""


@dataclass(slots=True)
class _State:
    clock: int
    json: bytes
    holder: Holder | None
    seen: float


@dataclass(frozen=True, slots=True)
class PresenceView:
    """One participant as others see it. ``cursor`` is y-codemirror's JSON, unchecked beyond being JSON."""

    client: ClientId
    name: str
    color: str
    kind: str
    file: str | None
    cursor: Any


class Presence:
    """The awareness states of one room."""

    __slots__ = ("_changed", "_gone", "_heirs", "_limits", "_states")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._states: dict[ClientId, _State] = {}
        self._gone: OrderedDict[ClientId, int] = OrderedDict()
        self._changed: dict[ClientId, bytes] = {}
        self._heirs: dict[ClientId, tuple[Holder, AwarenessEntry]] = {}

    def receive(self, holder: Holder, entries: list[AwarenessEntry], now: float) -> list[ConnectionId]:
        """Takes what a connection says about presence; keeps what it may say.

        Returns the connections to probe: each holds an id that this one has announced as its own.
        """
        probe = []
        for entry in entries:
            if holder.client == entry.client:
                held = self._heirs.get(entry.client)
                if held is not None and held[0] is holder:
                    if len(entry.state) <= self._limits.presence_bytes:
                        self._heirs[entry.client] = (holder, entry)
                else:
                    self._take(holder, entry, now)
            elif holder.client is None and entry.state != NULL:
                rival = self._claim(holder, entry, now)
                if rival is not None:
                    probe.append(rival)
        return probe

    def put(self, client: ClientId, state: Mapping[str, object] | None, now: float) -> None:
        """Sets (or with None removes) a state that the server itself speaks for: a job, a native client."""
        known = self._states.get(client)
        clock = (known.clock if known else self._gone.get(client, 0)) + 1
        if state is None:
            if known is not None:
                self._remove(client)
            return
        self._store(client, clock, to_json(state), None, now)

    def leave(self, holder: Holder, now: float) -> None:
        """The connection has gone, or does not answer: its state goes with it, or to its heir."""
        client = holder.client
        if client is None:
            return
        holder.client = None
        heir = self._heirs.get(client)
        if heir is not None and heir[0] is holder:
            del self._heirs[client]
            return
        state = self._states.get(client)
        if state is None or state.holder is not holder:
            return
        if heir is None:
            self._remove(client)
            return
        del self._heirs[client]
        entry = heir[1]
        if entry.state == NULL or not self._allowed(entry):
            self._remove(client)
        else:
            self._store(client, max(entry.clock, state.clock + 1), entry.state, heir[0], now)

    def tick(self, now: float) -> None:
        """Drops states that their client has not renewed, and renews those that the server speaks for."""
        limit = self._limits.presence_timeout
        for client, state in list(self._states.items()):
            if state.holder is None:
                if now - state.seen >= limit / 2:
                    self._store(client, state.clock + 1, state.json, None, now)
            elif now - state.seen >= limit:
                if client in self._heirs:
                    self.leave(state.holder, now)
                else:
                    # Its id stays its own: it is shown again as soon as it renews its state.
                    self._remove(client)

    def snapshot(self) -> bytes | None:
        """An awareness message with all states; None if nobody is here."""
        if not self._states:
            return None
        return awareness_message([AwarenessEntry(c, s.clock, s.json).encode() for c, s in self._states.items()])

    @property
    def pending(self) -> bool:
        """Whether there are changes that ``take`` would return."""
        return bool(self._changed)

    def take(self) -> tuple[bytes, tuple[ClientId, ...]] | None:
        """An awareness message with the newest state of each client that changed since the last call."""
        if not self._changed:
            return None
        changed = self._changed
        self._changed = {}
        return awareness_message(list(changed.values())), tuple(changed)

    def views(self) -> list[PresenceView]:
        """Everybody who is here."""
        return [self._view(client, state) for client, state in self._states.items()]

    def view(self, client: ClientId) -> PresenceView | None:
        """One participant; None if it is not here."""
        state = self._states.get(client)
        return self._view(client, state) if state else None

    def clock(self, client: ClientId) -> int:
        """The clock of a client's state; 0 if it was never here."""
        state = self._states.get(client)
        return state.clock if state else self._gone.get(client, 0)

    def _claim(self, holder: Holder, entry: AwarenessEntry, now: float) -> ConnectionId | None:
        state = self._states.get(entry.client)
        if state is None:
            if holder.answered and entry.clock <= self._gone.get(entry.client, -1):
                return None
            holder.client = entry.client
            self._take(holder, entry, now)
            return None
        if holder.answered or state.holder is None or not self._allowed(entry):
            return None
        former = self._heirs.get(entry.client)
        if former is not None:
            former[0].client = None
        holder.client = entry.client
        self._heirs[entry.client] = (holder, entry)
        return state.holder.connection

    def _take(self, holder: Holder, entry: AwarenessEntry, now: float) -> None:
        state = self._states.get(entry.client)
        if state is not None:
            if entry.clock < state.clock or (entry.clock == state.clock and entry.state != NULL):
                state.seen = now
                return
            if entry.state == NULL:
                self._remove(entry.client, entry.clock)
                return
        if entry.state == NULL or not self._allowed(entry):
            return
        if state is None and len(self._states) >= self._limits.presence_clients:
            return
        # A client that comes back with an old clock would not be seen by those who know a newer one.
        clock = max(entry.clock, self._gone.get(entry.client, -1) + 1)
        self._store(entry.client, clock, entry.state, holder, now)

    def _allowed(self, entry: AwarenessEntry) -> bool:
        return len(entry.state) <= self._limits.presence_bytes and _is_state(entry.state)

    def _store(self, client: ClientId, clock: int, state: bytes, holder: Holder | None, now: float) -> None:
        self._states[client] = _State(clock, state, holder, now)
        self._gone.pop(client, None)
        self._changed[client] = AwarenessEntry(client, clock, state).encode()

    def _remove(self, client: ClientId, clock: int | None = None) -> None:
        state = self._states.pop(client)
        clock = state.clock + 1 if clock is None else clock
        self._gone[client] = clock
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        self._changed[client] = AwarenessEntry(client, clock, NULL).encode()

    def _view(self, client: ClientId, state: _State) -> PresenceView:
        data = from_json(state.json)
        user = data.get("user")
        user = user if isinstance(user, dict) else {}
        file = data.get("file")
        return PresenceView(
            client=client,
            name=_text(user.get("name"), "Guest"),
            color=_text(user.get("color"), "#808080"),
            kind="job" if state.holder is None and user.get("kind") == "job" else "person",
            file=file if isinstance(file, str) else None,
            cursor=data.get("cursor"),
        )


def _is_state(raw: bytes) -> bool:
    """Whether this is a JSON object as browsers read it (no NaN, bounded depth, valid UTF-8)."""
    try:
        return isinstance(from_json(raw, allow_inf_nan=False), dict)
    except ValueError:
        return False


def _text(value: object, default: str) -> str:
    return value[:80] if isinstance(value, str) and value else default
