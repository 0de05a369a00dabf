"""A room: a document, the people in it, and the way of an edit. A state machine: events in, effects out.

What one turn of the event loop brings is collected (``push``) and applied in one transaction (``turn``), whose
own update goes out to everybody as one message. Idle rooms pay no delay for it; busy rooms batch by themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from collab.authorship import Authorship
from collab.document import EMPTY_STATE, EMPTY_UPDATE, Applied, Document, merge_updates
from collab.effects import (
    Broadcast,
    BroadcastPresence,
    Changed,
    Close,
    Durable,
    Effect,
    Persist,
    Send,
)
from collab.errors import LimitExceeded, MalformedUpdate
from collab.ids import ClientId, PersonId, RoomId
from collab.limits import Limits
from collab.merge.structs import read_structs
from collab.origin import Origin, PersonOrigin, author_of
from collab.ports import Clock, LogEntry, StoredRoom
from collab.presence import Holder, Presence
from collab.waiting import Waiting, integrated
from collab.wire import (
    claims,
    decode_state_vector,
    permission_denied,
    sync_step1,
    write_uint,
)

LOAD_TOGETHER: Final = 200
"""Updates of one transaction while a log is replayed (pycrdt, measured): with one each, every keystroke copies the
long text that it is appended to; with many thousands, the time grows with their square.
"""


@dataclass(eq=False, slots=True)
class Member:
    """One connection in a room. ``received`` counts its sync messages (step 2 and update)."""

    holder: Holder
    person: PersonId
    name: str
    can_edit: bool = True
    acknowledged: bool = False
    """It is told what is durable; plain Yjs clients are not."""
    received: int = 0
    durable: int = 0
    """How many of those it was told are stored."""
    denied: bool = False
    asked: bytes = b""
    """The state vector with which it was last asked for what is missing."""
    head: bytes = b"\xff"
    """How its updates begin: one struct of its one client id. Its edits then have the origin ``origin``."""
    origin: PersonOrigin | None = None


@dataclass(slots=True)
class _Unsaved:
    """Counts of sync messages that become durable with an entry."""

    seq: int
    counts: list[tuple[Member, int]] = field(default_factory=list)


class Room:
    """The state of one room. Everything that it wants done it returns as effects."""

    def __init__(self, room: RoomId, document: Document, limits: Limits, clock: Clock) -> None:
        self.id = room
        self.document = document
        self.presence = Presence(limits)
        self.owners: dict[ClientId, PersonId] = {}
        """Who introduced a Yjs client id: the person whose edits under it are."""
        self.authorship = Authorship()
        """Who wrote what."""
        self.seq = 0
        """Number of the last entry handed out for the log. Other nodes' entries do not count here."""
        self.durable_seq = 0
        self.waiting: list[Waiting] = []
        self._limits = limits
        self._clock = clock
        self._incoming: list[tuple[Member, bytes]] = []
        self._remote: list[LogEntry] = []
        self._acknowledge: dict[Member, int] = {}
        self._unsaved: deque[_Unsaved] = deque()
        self._size = 0

    # Loading

    def load(self, stored: StoredRoom) -> None:
        """Replays what the store has. Raises MalformedUpdate if it cannot be decoded."""
        updates: list[bytes] = []
        if stored.checkpoint is not None:
            self.document.take(stored.checkpoint.state)
            updates += stored.checkpoint.pending
        for entry in stored.entries:
            updates.append(entry.update)
            self._introduce(entry)
        for start in range(0, len(updates), LOAD_TOGETHER):
            if self.document.apply(updates[start : start + LOAD_TOGETHER]).rejected:
                raise MalformedUpdate(f"An update in the log of room {self.id!r} cannot be decoded.")
        candidates = [*stored.checkpoint.pending] if stored.checkpoint is not None else []
        candidates += [entry.update for entry in stored.entries]
        self.waiting = [Waiting(u, None) for u in candidates if not integrated(self.document, u)]
        self.authorship.load(stored)
        self.seq = self.durable_seq = stored.last_seq
        self._size = len(self.document.encode())

    def _introduce(self, entry: LogEntry) -> None:
        origin = entry.origin
        claim = claims(entry.update)
        if claim is None or (isinstance(origin, PersonOrigin) and claim[0] in origin.relayed):
            return
        if owner := author_of(origin):
            self.owners.setdefault(claim[0], PersonId(owner))

    # Edits from connections

    def push(self, member: Member, update: bytes) -> bool:
        """Takes an update or a step 2; True if a ``turn`` is due. The hot path."""
        if not member.can_edit:
            return self._deny(member)
        member.received += 1
        if member.acknowledged:
            self._acknowledge[member] = member.received
        elif update == EMPTY_UPDATE:
            return False
        if update != EMPTY_UPDATE:
            self._incoming.append((member, update))
        return True

    def _deny(self, member: Member) -> bool:
        due = not member.denied
        member.denied = True
        return due

    @property
    def has_edits(self) -> bool:
        """Whether ``turn`` would change the document."""
        return bool(self._incoming or self._remote)

    @property
    def has_incoming(self) -> bool:
        """Whether ``turn`` would change anything."""
        return bool(self._incoming or self._remote or self._acknowledge or self.presence.pending)

    def turn(self) -> list[Effect]:
        """Applies what has come in since the last turn."""
        effects: list[Effect] = []
        if self._remote:
            remote = self._remote
            self._remote = []
            self._follow(remote, effects)
        if self._incoming:
            incoming = self._incoming
            self._incoming = []
            self._apply(incoming, effects)
        if self._acknowledge:
            self._expect(effects)
        taken = self.presence.take()
        if taken is not None:
            effects.append(BroadcastPresence(*taken))
        return effects

    def denial(self, member: Member) -> Send:
        """Says once to a read-only connection that its edits are refused; the client only warns."""
        return Send(member, permission_denied("You may read this room but not change it."))

    def _apply(self, incoming: list[tuple[Member, bytes]], effects: list[Effect]) -> None:
        try:
            self.check_size()
        except LimitExceeded as error:
            self._refuse(incoming, error, effects)
            return
        heads: list[tuple[ClientId, int, int] | None]
        many = False
        if len(incoming) == 1 and not self.waiting:
            member, update = incoming[0]
            origin = member.origin if update.startswith(member.head) else None
            head = None if origin is not None else claims(update)
            many = origin is None and head is None and update[:1] != b"\0"
            applied = self.document.apply([update], track=many)
            if applied.update == update and (origin is not None or head is not None):
                if origin is None and head is not None:
                    origin = self._origin(member, update, head)
                self._applied_one(member, update, cast(PersonOrigin, origin), applied, effects)
                return
            heads = [claims(update)]
        else:
            heads = [claims(update) for _, update in incoming]
            # An update of several clients names them only to a full decoder; the state vectors before and
            # after tell it natively.
            many = any(
                head is None and update[:1] != b"\0" for head, (_, update) in zip(heads, incoming, strict=True)
            )
            applied = self.document.apply([update for _, update in incoming], track=many)
        bad = {index for index, _ in applied.rejected}
        by_member: dict[Member, list[bytes]] = {}
        touched: dict[Member, set[ClientId]] = {}
        for index, (member, update) in enumerate(incoming):
            if index in bad:
                continue
            by_member.setdefault(member, []).append(update)
            head = heads[index]
            if head is not None:
                touched.setdefault(member, set()).add(head[0])
            elif many:
                touched.setdefault(member, set()).update(_grown(applied, heads))
        for index, reason in applied.rejected:
            self._acknowledge.pop(incoming[index][0], None)
            effects.append(Close(incoming[index][0], MalformedUpdate.close, f"Malformed update: {reason}."))
        if applied.update is None and not by_member:
            return
        waited = bool(self.waiting)
        for member, updates in by_member.items():
            update = merge_updates(updates)
            if applied.update is None and (integrated(self.document, update) or self._waits(update)):
                continue  # Nothing that we did not have: a client that came back and brought what we know.
            self._size += len(update)
            relayed = self._relayed(member, touched.get(member, set()))
            effects.append(self._persist(PersonOrigin(member.person, member.holder.connection, relayed), update))
            if not (len(incoming) == 1 and applied.update == update) and not integrated(self.document, update):
                self._wait(member, update, effects)
        if applied.update is not None:
            alone = next(iter(by_member)) if len(by_member) == 1 and not waited else None
            effects.append(Broadcast(applied.update, alone))
            by = next(iter(by_member)).name if len(by_member) == 1 else ""
            effects.append(Changed(applied, by))
            self._settle()

    def _applied_one(
        self, member: Member, update: bytes, origin: PersonOrigin, applied: Applied, effects: list[Effect]
    ) -> None:
        """The usual turn of a room in which people type: one update, of one client, that was all news."""
        self._size += len(update)
        effects.append(Broadcast(update, member))
        effects.append(self._persist(origin, update))
        effects.append(Changed(applied, member.name))

    def _origin(self, member: Member, update: bytes, head: tuple[ClientId, int, int]) -> PersonOrigin:
        """Whose update this is; remembered, since the next ones of a person who types begin like it."""
        client, _, structs = head
        relayed = self._relayed(member, {client})
        origin = PersonOrigin(member.person, member.holder.connection, relayed)
        if structs == 1 and not relayed:
            member.head = b"\x01\x01" + write_uint(client)
            member.origin = origin
        return origin

    @property
    def size(self) -> int:
        """Bytes of the document, or what its updates come to since it was last encoded."""
        return self._size

    def check_size(self) -> None:
        """Raises LimitExceeded when the document is as large as it may be."""
        if self._size > self._limits.document_bytes:
            # The sum of the updates is more than what they come to.
            self._size = len(self.document.encode())
            if self._size > self._limits.document_bytes:
                raise LimitExceeded(
                    f"The room's document has {self._size} bytes; at most {self._limits.document_bytes} are "
                    "allowed (setting limit_document_bytes)."
                )

    def _refuse(self, incoming: list[tuple[Member, bytes]], error: LimitExceeded, effects: list[Effect]) -> None:
        for member in {member: None for member, _ in incoming}:
            self._acknowledge.pop(member, None)
            effects.append(Close(member, LimitExceeded.close, error.message))

    def _relayed(self, member: Member, clients: set[ClientId]) -> tuple[ClientId, ...]:
        owners, person = self.owners, member.person
        return tuple(sorted([client for client in clients if owners.setdefault(client, person) != person]))

    def _wait(self, member: Member, update: bytes, effects: list[Effect]) -> None:
        self.waiting.append(Waiting(update, member))
        if sum(len(item.update) for item in self.waiting) > self._limits.pending_bytes:
            effects.append(
                Close(member, LimitExceeded.close, "Too many updates wait for one that is missing; reconnect.")
            )
        # A client that itself lacks the missing edit answers with the same again; once is enough.
        state = self.document.state_vector()
        if member.asked != state:
            member.asked = state
            effects.append(Send(member, sync_step1(state)))

    def _waits(self, update: bytes) -> bool:
        return any(item.update == update for item in self.waiting)

    def _settle(self) -> None:
        """Takes what no longer waits off the list: the document takes in by itself what follows."""
        if self.waiting:
            self.waiting = [item for item in self.waiting if not integrated(self.document, item.update)]

    # Edits that other nodes have stored

    def push_remote(self, entries: Iterable[LogEntry]) -> None:
        """Takes entries of the log that another node wrote; a ``turn`` is due."""
        self._remote += entries

    def _follow(self, entries: list[LogEntry], effects: list[Effect]) -> None:
        updates = [entry.update for entry in entries]
        applied = self.document.apply(updates)
        bad = {index for index, _ in applied.rejected}
        for index, entry in enumerate(entries):
            if index in bad:
                continue
            self._introduce(entry)
            self.authorship.add(entry)
            self._size += len(entry.update)
            whole = len(entries) == 1 and applied.update == entry.update
            if not whole and not integrated(self.document, entry.update) and not self._waits(entry.update):
                self.waiting.append(Waiting(entry.update, None))
        if applied.update is not None:
            effects.append(Broadcast(applied.update, None))
            effects.append(Changed(applied, author_of(entries[0].origin) if len(entries) == 1 else ""))
            self._settle()

    def lacking(self, state: bytes) -> list[bytes]:
        """The updates that bring a document with this state vector to all that is known here."""
        return [self.document.encode(state), *(item.update for item in self.waiting)]

    def renumber(self, last: int) -> None:
        """What waited for an entry after ``last`` waits for ``last``: the entries were put together."""
        self.seq = last
        for unsaved in self._unsaved:
            unsaved.seq = min(unsaved.seq, last)

    # Edits of the server itself: jobs, native clients, imports

    def local(self, applied: Applied, origin: Origin, by: str, fence: int = 0) -> list[Effect]:
        """Spreads and stores what was just done to the document; see LogEntry for ``fence``."""
        if applied.update is None:
            return []
        self._size += len(applied.update)
        owner = PersonId(author_of(origin))
        for client in _brought(applied):
            self.owners.setdefault(client, owner)
        return [
            self._persist(origin, applied.update, fence),
            Broadcast(applied.update, None),
            Changed(applied, by),
        ]

    # Saving

    def _persist(self, origin: Origin, update: bytes, fence: int = 0) -> Persist:
        self.seq += 1
        entry = LogEntry(self.seq, self._clock.wall_ms(), origin, update, fence)
        self.authorship.add(entry)
        return Persist(entry)

    def _expect(self, effects: list[Effect]) -> None:
        counts = list(self._acknowledge.items())
        self._acknowledge.clear()
        if self.seq <= self.durable_seq:
            effects.extend(_durable(counts))
        else:
            self._unsaved.append(_Unsaved(self.seq, counts))

    def acknowledge(self, member: Member) -> None:
        """Counts a change that this connection made through ``local``; it is told when that is durable."""
        member.received += 1
        self._acknowledge[member] = member.received

    def durable(self, seq: int) -> list[Effect]:
        """All entries up to ``seq`` are stored."""
        self.durable_seq = max(self.durable_seq, seq)
        newest: dict[Member, int] = {}
        while self._unsaved and self._unsaved[0].seq <= self.durable_seq:
            newest.update(self._unsaved.popleft().counts)
        return [*_durable(newest.items())]

    def leave(self, member: Member) -> None:
        """The connection has gone. What it sent stays; its presence goes."""
        self._acknowledge.pop(member, None)
        self.presence.leave(member.holder, self._clock.monotonic())


def _durable(counts: Iterable[tuple[Member, int]]) -> Iterator[Durable]:
    for member, count in counts:
        member.durable = count
        yield Durable(member, count)


def _brought(applied: Applied) -> Iterable[ClientId]:
    """The clients of which a transaction brought edits."""
    head = claims(applied.update) if applied.update is not None else None
    if head is not None:
        return (head[0],)
    if applied.after != EMPTY_STATE:
        return _grown(applied, [])
    return read_structs(applied.update)[0] if applied.update is not None else ()


def _grown(applied: Applied, heads: list[tuple[ClientId, int, int] | None]) -> set[ClientId]:
    """The clients of which a transaction brought edits, without those that name themselves in ``heads``."""
    before = decode_state_vector(applied.before)
    named = {head[0] for head in heads if head is not None}
    after = decode_state_vector(applied.after)
    return {client for client, clock in after.items() if clock > before.get(client, 0) and client not in named}
