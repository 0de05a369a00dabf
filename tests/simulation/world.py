"""A seeded world: clients, a network that loses connections, a server that crashes, and a store that does not."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from collab.compaction import build_checkpoint
from collab.document import Document, merge_updates
from collab.effects import (
    Broadcast,
    BroadcastPresence,
    Changed,
    Durable,
    Effect,
    Persist,
    Send,
    SendPresence,
    SendState,
)
from collab.errors import StoreUnavailable
from collab.ids import ConnectionId, PersonId, RoomId, client_id
from collab.journal import Durable as Stored
from collab.journal import Effect as JournalEffect
from collab.journal import Journal, StartCommit, Wake
from collab.limits import Limits
from collab.memory import MemoryStore
from collab.presence import Holder
from collab.room import Member, Room
from collab.session import YSession
from collab.wire import sync_step2, sync_update
from tests.collab.replicas import HandClock
from tests.simulation.client import Client, Link, text_of

ROOM = RoomId("simulated")
T = TypeVar("T")


def now_of(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, as those of the store in memory."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the store waited")


@dataclass(eq=False)
class Peer:
    """The server's side of a connection."""

    link: Link
    member: Member
    session: YSession
    probed: float | None = None


class World:
    """Everything in it follows from its seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = HandClock()
        self.limits = Limits()
        self.store = MemoryStore()
        self.clients = [Client(number, self.random) for number in range(self.random.randint(2, 6))]
        self.erased: dict[str, Client] = {}
        """Each token that was deleted, and who did it last."""
        self.crashes = 0
        self._connections = 0
        self._in_flight: StartCommit | None = None
        self._start()
        self.clients[0].create()

    # What may happen

    def step(self) -> None:
        """One thing happens, and a little time passes."""
        self.clock.now += self.random.random() * 0.5
        choice = self.random.random()
        client = self.random.choice(self.clients)
        if choice < 0.30:
            self._edit(client)
        elif choice < 0.75:
            self._deliver(self.random.randint(1, 4))
        elif choice < 0.80:
            client.move(self.clock.now)
        elif choice < 0.88:
            self._commit()
        elif choice < 0.93:
            self._toggle(client)
        elif choice < 0.95:
            self._notice()
        elif choice < 0.96:
            self.crash()
        elif choice < 0.97:
            self._compact()
        elif choice < 0.98:
            self.clock.now += self.random.random() * 20
        elif choice < 0.985 and client is not self.clients[0]:
            self._quit(client)
        elif choice < 0.99:
            self.store.break_down(StoreUnavailable("The disk is full."))
        else:
            self.store.repair()
        self._tick()

    def settle(self) -> None:
        """Everybody comes back and all that is under way arrives."""
        since = self.clock.now
        self.store.repair()
        for client in self.clients:
            if not client.gone and client.link is None:
                self._open(client)
        for _ in range(200):
            self.clock.now += 1.0
            self._notice(everyone=True)
            self._commit()
            self._deliver(1000)
            self._tick()
            if self._quiet() and self.clock.now - since > 5.0:
                return
        raise AssertionError("the room did not come to rest")

    def crash(self) -> None:
        """The server is killed and started again: it has what the store has, and nothing else."""
        if self._in_flight is not None and self.random.random() < 0.5:
            # The store took the batch, and nobody was told.
            try:
                now_of(self.store.append(self._in_flight.batch))
            except StoreUnavailable:
                self._in_flight = None
        self.crashes += 1
        for client in self.clients:
            client.disconnect()
        self._start()

    # What must always hold

    def check_saved(self) -> None:
        """All that was called saved is in the store."""
        room = self._loaded()
        waiting = [item.update for item in room.waiting]
        for client in self.clients:
            for update in client.saved:
                held = room.document.lacks(update)[0] == 0 or _within(update, waiting)
                assert held, f"an edit of client {client.id} was called saved, and the store lacks it"

    def check_end(self) -> None:
        """Replicas converge, nothing typed is lost, nobody is shown who is not here."""
        here = [client for client in self.clients if not client.gone]
        texts = {text_of(client) for client in here}
        assert texts == {self.room.document.text(self.room.document.file("a.txt").id)}
        (text,) = texts
        # What waits for an edit that its author took along when it left for good waits for ever.
        assert self.room.waiting == [] or len(here) < len(self.clients)
        for client in here:
            lost = {token for token in client.typed - set(self.erased) if token not in text}
            assert not lost, f"client {client.id} typed {lost}, and it is gone"
        for token, client in self.erased.items():
            # Who leaves for good may take what was still under way along.
            assert client.gone or token not in text, f"{token} was deleted, and is back"
        ids = {client.id for client in here}
        assert {view.client for view in self.room.presence.views()} == ids
        for client in here:
            assert client.others() == ids, f"client {client.id} sees {client.others()}, here are {ids}"
        assert self.room.durable_seq == self.room.seq
        stored = self._loaded()
        assert stored.document.text(stored.document.file("a.txt").id) == text
        self.check_saved()

    # Inside

    def _start(self) -> None:
        self.peers: dict[Link, Peer] = {}
        self.journal = Journal(self.random, interval=0.02)
        self._in_flight = None
        self.room = self._loaded()

    def _loaded(self) -> Room:
        room = Room(ROOM, Document(client_id(self.random)), self.limits, self.clock)
        room.load(now_of(self.store.load(ROOM)))
        return room

    def _edit(self, client: Client) -> None:
        if client.gone:
            return
        if self.random.random() < 0.75:
            client.type()
        else:
            token = client.erase()
            if token is not None:
                self.erased[token] = client

    def _toggle(self, client: Client) -> None:
        if client.gone:
            return
        if client.link is None:
            self._open(client)
        else:
            client.disconnect()

    def _quit(self, client: Client) -> None:
        client.disconnect()
        client.gone = True

    def _open(self, client: Client) -> None:
        link = client.connect(self.clock.now)
        self._connections += 1
        holder = Holder(ConnectionId(f"c{self._connections}"))
        member = Member(holder, PersonId(f"p{client.id}"), f"p{client.id}", acknowledged=True)
        peer = Peer(link, member, YSession(self.room, member, self.limits, self.clock))
        self.peers[link] = peer
        self._perform(peer.session.opened())

    def _deliver(self, most: int) -> None:
        for _ in range(most):
            links = [link for link in self.peers if link.alive and (link.up or link.down)]
            if not links:
                break
            link = self.random.choice(links)
            if link.up and (not link.down or self.random.random() < 0.5):
                self._take(self.peers[link], link.up.popleft())
            else:
                link.client.receive(link.down.popleft(), self.clock.now)
        self._turn()

    def _take(self, peer: Peer, frame: bytes) -> None:
        self._perform(peer.session.receive(frame))
        for rival in peer.session.probe:
            for other in self.peers.values():
                if other.member.holder.connection == rival:
                    other.probed = self.clock.now
        peer.session.probe = []
        if self.random.random() < 0.5:
            self._turn()

    def _turn(self) -> None:
        if self.room.has_incoming:
            self._perform(self.room.turn())

    def _notice(self, *, everyone: bool = False) -> None:
        """The server finds out that connections have gone."""
        for link, peer in list(self.peers.items()):
            if not link.alive and (everyone or self.random.random() < 0.5):
                del self.peers[link]
                self.room.leave(peer.member)
        self._turn()

    def _tick(self) -> None:
        now = self.clock.now
        for client in self.clients:
            client.tick(now)
        for peer in self.peers.values():
            if peer.probed is not None and now - peer.probed >= 3.0:
                peer.probed = None
                if not peer.link.alive:
                    self.room.presence.leave(peer.member.holder, now)
        self.room.presence.tick(now)
        self._turn()

    def _commit(self) -> None:
        """A commit under way ends, or one that is due starts."""
        if self._in_flight is None:
            self._journal(self.journal.tick(self.clock.now))
            return
        batch, self._in_flight = self._in_flight.batch, None
        try:
            now_of(self.store.append(batch))
        except StoreUnavailable as error:
            self._journal(self.journal.failed(error, self.clock.now))
        else:
            self._journal(self.journal.committed())

    def _journal(self, effects: Iterable[JournalEffect]) -> None:
        for effect in effects:
            if isinstance(effect, StartCommit):
                self._in_flight = effect
            elif isinstance(effect, Stored):
                self._perform(self.room.durable(effect.rooms[ROOM]))
            elif isinstance(effect, Wake):
                continue  # Time passes in steps here.

    def _compact(self) -> None:
        stored = now_of(self.store.load(ROOM))
        if stored.entries:
            try:
                now_of(self.store.compact(ROOM, build_checkpoint(stored)))
            except StoreUnavailable:
                return

    def _quiet(self) -> bool:
        return (
            self._in_flight is None
            and self.journal.backlog_bytes == 0
            and not self.room.has_incoming
            and not any(link.up or link.down for link in self.peers)
            and all(client.gone or client.synced for client in self.clients)
        )

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(member=member, payload=payload):
                    self._send(member, payload)
                case SendState(member=member, state=state):
                    self._turn()
                    self._send(member, sync_step2(self.room.document.encode(state)))
                case SendPresence(member=member):
                    snapshot = self.room.presence.snapshot()
                    if snapshot is not None:
                        self._send(member, snapshot)
                case Broadcast(update=update, author=author):
                    for link, peer in self.peers.items():
                        if peer.member is not author:
                            link.down.append(sync_update(update))
                case BroadcastPresence(payload=payload):
                    for link in self.peers:
                        link.down.append(payload)
                case Persist(entry=entry):
                    self._journal(self.journal.add(ROOM, entry))
                case Durable(member=member, count=count):
                    for link, peer in self.peers.items():
                        if peer.member is member:
                            link.down.append(count)
                case Changed():
                    continue
                case _:
                    raise AssertionError(f"a good client met with {effect!r}")

    def _send(self, member: Member, payload: bytes) -> None:
        for link, peer in self.peers.items():
            if peer.member is member:
                link.down.append(payload)


def _within(update: bytes, waiting: list[bytes]) -> bool:
    """Whether an update waits, be it as a part of others with which it came in one turn."""
    return bool(waiting) and merge_updates([*waiting, update]) == merge_updates([*waiting, waiting[0]])
