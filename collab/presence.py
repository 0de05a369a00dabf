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

Where several nodes serve a room, each speaks for its own connections (``outgoing``, ``own``) and believes the
others about theirs (``remote``), until it learns that they are gone (``drop_node``). Somebody who has moved may be
claimed by two nodes for a while; what is not shown of that is kept, and shown without a gap when it lets go.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import from_json, to_json

from collab.ids import ClientId, ConnectionId, NodeId
from collab.limits import Limits
from collab.wire import AwarenessEntry, awareness_message

NULL = b"null"
REMEMBERED = 4096
"""Clocks of clients that went, kept per room."""
TOLD = 256
"""Of those, how many somebody is told of who has missed changes."""


@dataclass(slots=True)
class Holder:
    """The part of a connection that presence reads and writes: which client id is its own."""

    connection: ConnectionId
    client: ClientId | None = None
    answered: bool = False
    """It has sent its sync step 2, so from now on it may echo what it was sent."""


@dataclass(frozen=True, slots=True)
class RemoteHolder:
    """A client id that is held by a connection of another node."""

    node: NodeId
    client: ClientId


Rival = ConnectionId | RemoteHolder
"""Who holds an id that somebody else has announced."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A state as nodes tell each other: ``state`` is JSON, ``null`` when it went. ``spoken`` says that the node
    itself speaks for it: a job, a native client.
    """

    client: ClientId
    clock: int
    state: bytes
    spoken: bool = False


@dataclass(slots=True)
class _State:
    clock: int
    json: bytes
    holder: Holder | None
    seen: float
    node: NodeId | None = None
    spoken: bool = False
    said: int = 0
    """The clock that its node has told; ``clock`` is ahead of it where somebody here has seen a newer one."""


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

    __slots__ = ("_changed", "_gone", "_heirs", "_limits", "_outgoing", "_rivals", "_states", "shared")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._states: dict[ClientId, _State] = {}
        self._gone: OrderedDict[ClientId, int] = OrderedDict()
        self._changed: dict[ClientId, bytes] = {}
        self._heirs: dict[ClientId, tuple[Holder, AwarenessEntry]] = {}
        self._rivals: dict[ClientId, dict[NodeId, NodeState]] = {}
        """What nodes say of clients that are shown over another one."""
        self._outgoing: dict[ClientId, NodeState] = {}
        self.shared = False
        """Other nodes are in the room and want to hear of changes."""

    def receive(self, holder: Holder, entries: list[AwarenessEntry], now: float) -> list[Rival]:
        """Takes what a connection says about presence; keeps what it may say.

        Returns those to probe: each holds an id that this one has announced as its own.
        """
        probe: list[Rival] = []
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
            if known is not None and known.node is None:
                self._remove(client)
            return
        self._store(client, _State(clock, to_json(state), None, now, spoken=True))

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
        if state is not None and state.holder is holder:
            self._vacate(client, now)

    def _vacate(self, client: ClientId, now: float) -> None:
        """The holder of a state has gone: it goes too, or to its heir, or to a node that claims it."""
        state = self._states[client]
        heir = self._heirs.pop(client, None)
        if heir is not None and heir[1].state != NULL and self._allowed(heir[1]):
            holder, entry = heir
            del self._states[client]
            self._store(client, _State(max(entry.clock, state.clock + 1), entry.state, holder, now))
            return
        rivals = self._rivals.get(client)
        if not rivals:
            self._remove(client)
            return
        node, said = max(rivals.items(), key=lambda rival: (rival[1].clock, rival[0]))
        del self._states[client]
        clock = max(said.clock, state.clock + 1)
        self._store(client, _State(clock, said.state, None, now, node, said.spoken, said.clock))
        if self.shared and state.node is None:
            self._outgoing[client] = NodeState(client, clock, NULL)

    # Other nodes

    def remote(self, node: NodeId, states: Sequence[NodeState], now: float, *, full: bool) -> list[ConnectionId]:
        """What another node says of its own connections; with ``full`` it has no others.

        Returns connections of this node to probe: somebody whom they hold may have moved to that node.
        """
        probe = []
        for said in states:
            if said.state == NULL:
                self._forsake(node, said.client, now)
            else:
                holder = self._believe(node, said, now)
                if holder is not None:
                    probe.append(holder.connection)
        if full:
            named = {said.client for said in states}
            for client in list(self._states):
                if client not in named:
                    self._forsake(node, client, now)
        return probe

    def _forsake(self, node: NodeId, client: ClientId, now: float) -> None:
        """A node does not have a client any more."""
        known = self._states.get(client)
        if known is not None and known.node == node:
            self._vacate(client, now)
        elif (rivals := self._rivals.get(client)) is not None:
            rivals.pop(node, None)

    def _believe(self, node: NodeId, said: NodeState, now: float) -> Holder | None:
        known = self._states.get(said.client)
        if known is None and len(self._states) >= self._limits.presence_clients:
            return None
        if known is not None and known.node == node:
            known.seen = now
            if said.clock < known.said or (said.clock == known.said and said.state == known.json):
                return None
        elif known is not None and (known.node is None or said.clock < known.said):
            return self._rival(node, said, known)
        if not self._allowed(AwarenessEntry(said.client, said.clock, said.state)):
            return None
        clock = max(said.clock, (self._gone.get(said.client, -1) if known is None else known.clock) + 1)
        self._store(said.client, _State(clock, said.state, None, now, node, said.spoken, said.clock))
        return None

    def _rival(self, node: NodeId, said: NodeState, known: _State) -> Holder | None:
        """Keeps what a node says of a client that is shown over another one; the holder here to probe for it."""
        if known.spoken or said.spoken:
            return None
        rivals = self._rivals.setdefault(said.client, {})
        fresh = node not in rivals
        if fresh or said != rivals[node]:
            if not self._allowed(AwarenessEntry(said.client, said.clock, said.state)):
                return None
            rivals[node] = said
        # That node may not know of ours, so that it is not probed from there.
        return known.holder if fresh else None

    def drop_node(self, node: NodeId, now: float) -> None:
        """A node has left the room, or is dead: nobody is here over it."""
        for client in list(self._states):
            self._forsake(node, client, now)

    def nodes(self) -> set[NodeId]:
        """The nodes over which somebody is here, without this one."""
        return {state.node for state in self._states.values() if state.node is not None}

    def own(self) -> list[NodeState]:
        """All states that this node speaks for, to tell another node."""
        return [
            NodeState(client, state.clock, state.json, state.spoken)
            for client, state in self._states.items()
            if state.node is None
        ]

    def outgoing(self) -> list[NodeState]:
        """What has changed of them since the last call."""
        changed = list(self._outgoing.values())
        self._outgoing.clear()
        return changed

    def holder_of(self, client: ClientId) -> ConnectionId | None:
        """The connection of this node that holds a client id."""
        state = self._states.get(client)
        return state.holder.connection if state is not None and state.holder is not None else None

    # Time

    def tick(self, now: float) -> None:
        """Drops states that their client has not renewed, and renews those that the server speaks for."""
        limit = self._limits.presence_timeout
        for client, state in list(self._states.items()):
            if state.node is not None:
                continue  # Its node renews it, or goes.
            if state.holder is None:
                if now - state.seen >= limit / 2:
                    self._store(client, _State(state.clock + 1, state.json, None, now, spoken=True))
            elif now - state.seen >= limit:
                if client in self._heirs:
                    self.leave(state.holder, now)
                else:
                    # Its id stays its own: it is shown again as soon as it renews its state.
                    self._vacate(client, now)

    def snapshot(self, *, missed: bool = False) -> bytes | None:
        """An awareness message with all states; None if there is nothing to tell.

        For somebody who has ``missed`` changes, it also says who went last.
        """
        entries = [AwarenessEntry(c, s.clock, s.json).encode() for c, s in self._states.items()]
        if missed:
            last = islice(reversed(self._gone.items()), TOLD)
            entries += [AwarenessEntry(client, clock, NULL).encode() for client, clock in last]
        return awareness_message(entries) if entries else None

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

    def _claim(self, holder: Holder, entry: AwarenessEntry, now: float) -> Rival | None:
        state = self._states.get(entry.client)
        if state is None:
            if holder.answered and entry.clock <= self._gone.get(entry.client, -1):
                return None
            holder.client = entry.client
            self._take(holder, entry, now)
            return None
        if holder.answered or state.spoken or not self._allowed(entry):
            return None
        former = self._heirs.get(entry.client)
        if former is not None:
            former[0].client = None
        holder.client = entry.client
        self._heirs[entry.client] = (holder, entry)
        if state.node is not None:
            return RemoteHolder(state.node, entry.client)
        return state.holder.connection if state.holder is not None else None

    def _take(self, holder: Holder, entry: AwarenessEntry, now: float) -> None:
        state = self._states.get(entry.client)
        if state is not None:
            if entry.clock < state.clock or (entry.clock == state.clock and entry.state != NULL):
                state.seen = now
                return
            if entry.state == NULL:
                if state.holder is holder:
                    self._remove(entry.client, entry.clock)
                return
        if entry.state == NULL or not self._allowed(entry):
            return
        if state is None and len(self._states) >= self._limits.presence_clients:
            return
        # A client that comes back with an old clock would not be seen by those who know a newer one.
        clock = max(entry.clock, self._gone.get(entry.client, -1) + 1)
        self._store(entry.client, _State(clock, entry.state, holder, now))

    def _allowed(self, entry: AwarenessEntry) -> bool:
        return len(entry.state) <= self._limits.presence_bytes and _is_state(entry.state)

    def _store(self, client: ClientId, state: _State) -> None:
        before = self._states.get(client)
        if before is not None and before.node not in {None, state.node} and not before.spoken:
            self._rivals.setdefault(client, {})[before.node] = NodeState(
                client, before.said, before.json, before.spoken
            )
        if state.node is not None and (rivals := self._rivals.get(client)) is not None:
            rivals.pop(state.node, None)
        self._states[client] = state
        self._gone.pop(client, None)
        self._changed[client] = AwarenessEntry(client, state.clock, state.json).encode()
        if self.shared and state.node is None:
            self._outgoing[client] = NodeState(client, state.clock, state.json, state.spoken)

    def _remove(self, client: ClientId, clock: int | None = None) -> None:
        state = self._states.pop(client)
        self._rivals.pop(client, None)
        clock = state.clock + 1 if clock is None else clock
        self._gone[client] = clock
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
        self._changed[client] = AwarenessEntry(client, clock, NULL).encode()
        if self.shared and state.node is None:
            self._outgoing[client] = NodeState(client, clock, NULL)

    def _view(self, client: ClientId, state: _State) -> PresenceView:
        data = from_json(state.json)
        user = data.get("user")
        user = user if isinstance(user, dict) else {}
        file = data.get("file")
        return PresenceView(
            client=client,
            name=_text(user.get("name"), "Guest"),
            color=_text(user.get("color"), "#808080"),
            kind="job" if state.spoken and user.get("kind") == "job" else "person",
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
