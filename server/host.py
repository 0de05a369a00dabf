"""One loaded room in this process: carries out what the room's state machine decides.

What one turn of the event loop brought is applied, framed once, and written to every connection. Nothing here
awaits, so nothing can come in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from collab.attribution import Attribution
from collab.document import Applied, Document
from collab.editor import Editor
from collab.effects import (
    Broadcast,
    BroadcastPresence,
    Changed,
    Durable,
    Effect,
    Persist,
    SendState,
)
from collab.errors import KeepLost, StoreError, TryLater
from collab.history.version import is_history
from collab.ids import ClientId, ConnectionId, FileId, PersonId, RoomId
from collab.ledger import Ledger
from collab.limits import Limits
from collab.logsize import LogSize
from collab.origin import ChangeOrigin, ImportOrigin, JobOrigin, Origin, PersonOrigin, UndoOrigin
from collab.ports import Clock, LogEntry
from collab.presence import PresenceView, RemoteHolder, Rival
from collab.room import Member, Room
from collab.shared import Keep
from collab.versions import FileVersions
from collab.wire import claims
from generation.book import KEPT_KINDS
from generation.context.people import Participant
from generation.event_codec import encode_event
from generation.events import GenerationEvent
from server.announce import Announcer, cursor_moved
from server.audience import Audience
from server.blaming import shown_name
from server.bus_messages import Said
from server.following import LOAD_AT_ONCE, Following
from server.messages.encoding import encode_json
from server.messages.events import AnyEvent, NotSaved
from server.spreading import Spreading
from server.undoing import Undoing

if TYPE_CHECKING:
    from server.connection import Connection, NativeConnection, YConnection
    from server.history.watch import RoomWatch
    from server.records import Records
    from server.room_link import RoomLink

T = TypeVar("T")
logger = logging.getLogger(__name__)


class RoomHost:
    """Implements generation's RoomHandle on a live room."""

    def __init__(
        self, room: Room, limits: Limits, clock: Clock, records: Records, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._room = room
        self._limits = limits
        self._clock = clock
        self._records = records
        self._announcer = Announcer()
        self.audience = Audience(room, self._announcer)
        self._following = Following(room, limits, self._announcer)
        self._natives = self._following.members
        self._spreading = Spreading(loop, self.flush)
        self._unstored: deque[tuple[int, bytes, bytes]] = deque()
        """What jobs wrote and nobody was shown yet: the entry's number, the state before it, the update."""
        self.log = LogSize()
        self._log_watch: Callable[[LogEntry], None] | None = None
        self._arrived: list[LogEntry] = []
        """Entries of other nodes that are applied with the next flush."""
        self.undoing = Undoing(self)
        self.failing: StoreError | None = None
        self.held = 0
        self.link: RoomLink | None = None
        """The tie to other nodes; None where there are none."""
        self.watch: RoomWatch | None = None
        """Notes what changes, for the room's history."""
        self.keep: Callable[[], Keep | None] | None = None
        """This node's keep of the room's jobs at this instant; None where nobody else could have it."""
        self.urgent = False
        """Other nodes hold the room, and wait for what is stored here."""
        self.retired = False
        """Nothing more is stored: the room was unloaded or deleted."""
        self.idle_since = clock.monotonic()

    # What routes, jobs and dispatch use

    @property
    def room(self) -> RoomId:
        """The room's name."""
        return self._room.id

    @property
    def document(self) -> Document:
        """The live document: read it freely, change it through ``change`` and ``apply``."""
        return self._room.document

    @property
    def state(self) -> Room:
        """The room's state machine."""
        return self._room

    @property
    def saving(self) -> bool:
        """False while the store refuses what it is given."""
        return self.failing is None

    @property
    def not_saved_reason(self) -> str:
        """Why nothing is being saved; empty while it is."""
        return self.failing.message if self.failing is not None else ""

    @property
    def versions(self) -> FileVersions:
        """Versions of the texts, followed from the first time that somebody asks."""
        if not self._following.begun:
            self.flush()
        return self._following.versions()

    def attribution(self) -> Attribution:
        """Who wrote what, up to now. Raises StoreCorrupt when what was stored of it cannot be read."""
        self.flush()
        return self._room.authorship.table()

    async def load_versions(self) -> None:
        """Begins versions for all files, in pieces, so that other rooms go on meanwhile."""
        while not self.versions.load(LOAD_AT_ONCE):  # noqa: ASYNC110 - work in pieces, not a wait
            await asyncio.sleep(0)

    def people(self) -> list[PresenceView]:
        """Everybody who is here, jobs included."""
        return self._room.presence.views()

    def participants(self) -> list[Participant]:
        """The people who are here, jobs not included, and where their cursors are."""
        found: list[Participant] = []
        for view in self.people():
            if view.kind != "job":
                cursor = cursor_moved(view, self.document)
                file = FileId(view.file) if view.file is not None else None
                found.append(
                    Participant(view.name, file, cursor.position.line + 1 if cursor is not None else None)
                )
        return found

    def connections(self) -> int:
        """How many connections the room has."""
        return len(self.audience.members)

    def change(self, change: Callable[[Editor], T], origin: Origin) -> tuple[T, Applied]:
        """Edits the document in one transaction, spreads and stores it. Raises what ``change`` raises,
        LimitExceeded, and KeepLost.
        """
        self._fence(origin)
        self.flush()
        self._room.check_size()
        try:
            result, applied = self.document.edit(change)
        except Exception:
            # No rollback: what was done before the error stays, and must reach everybody all the same.
            self._spread(self.document.last_applied, origin)
            raise
        self._following.author = (
            self.audience.member_of(origin.connection) if isinstance(origin, PersonOrigin) else None
        )
        try:
            self._spread(applied, origin)
        finally:
            self._following.author = None
        return result, applied

    def receive(self, connection: ConnectionId, update: bytes) -> bool:
        """Takes an update of a native connection; False if it is kept but waits for a missing one.

        Raises MalformedUpdate, LimitExceeded.
        """
        self.document.lacks(update)
        self._room.check_size()
        member = self.audience.member_of(connection)
        if member is not None:
            self._room.push(member, update)
            self.flush()
        return self.document.lacks(update)[:1] == b"\0"

    def rename(self, connection: ConnectionId, name: str) -> None:
        """Edits of this connection are shown under another name from now on."""
        member = self.audience.member_of(connection)
        if member is not None:
            member.name = name

    def apply(self, update: bytes, origin: Origin) -> Applied:
        """Applies an update, spreads and stores it. Raises LimitExceeded, KeepLost."""
        fence = self._fence(origin)
        self.settle()
        self._room.check_size()
        # Whose edits it brings is mostly known without the states before and after.
        track = bool(fence or self.audience.slow) or claims(update) is None
        applied = self.document.apply([update], track=track)
        self._spread(applied, origin)
        return applied

    def announce(self, event: GenerationEvent) -> None:
        """Tells everybody who follows events, on all nodes."""
        self.hear(event)
        if self.link is not None and self.link.shared:
            self.link.announce(encode_event(event))

    def hear(self, event: GenerationEvent) -> None:
        """Tells everybody here who follows events."""
        if self.audience.controlled or self._natives:
            for message in self._announcer.messages(event):
                self._tell(message)
        if self.watch is not None:
            self.watch.heard(event)

    def tell(self, message: AnyEvent) -> None:
        """Tells everybody who follows events a message that is no job's, on all nodes."""
        self.said(message)
        if self.link is not None and self.link.shared:
            self.link.tell(Said(encode_json(message).encode()))

    def said(self, message: AnyEvent) -> None:
        """Tells everybody here who follows events."""
        self._tell(message)

    def settle(self) -> None:
        """Applies and spreads what people have sent so far."""
        if self._room.has_edits:
            self.flush()

    def may_generate(self) -> bool:
        """Whether jobs of this room may change anything from here at this instant."""
        return self.keep is None or self.keep() is not None

    def set_presence(self, client: ClientId, state: Mapping[str, object] | None) -> None:
        """Sets or removes an awareness state that the server speaks for."""
        self._room.presence.put(client, state, self._clock.monotonic())
        self._spreading.soon()

    def put_record(self, kind: str, key: str, value: bytes | None) -> None:
        """Stores or forgets a record of the room, soon and in order; none of jobs that another node keeps."""
        if self.retired:
            return
        kept = kind in KEPT_KINDS or is_history(kind)
        keep = self.keep() if self.keep is not None and kept else None
        if keep is not None or self.keep is None or not kept:
            self._records.put(self.room, kind, key, value, keep.token if keep is not None else 0)

    async def records(self, kind: str) -> dict[str, bytes]:
        """All records of one kind."""
        keep = self.keep() if self.keep is not None else None
        return await self._records.read(self.room, kind, keep.token if keep is not None else 0)

    def watch_log(self, watch: Callable[[LogEntry], None]) -> None:
        """Has each further entry of the log told; the next call takes the place of the last one."""
        self._log_watch = watch

    async def undo_own(self, person: PersonId, jobs: Callable[[], list[Ledger]], *, redo: bool) -> None:
        """Undoes or redoes a person's own last change. Raises Conflict when there is none, StoreError."""
        await self.undoing.turn(person, jobs, redo=redo)

    async def beside(self) -> list[Ledger]:
        """What people's own undos have done. Raises StoreError."""
        return await self.undoing.ledgers()

    async def caught_up(self) -> None:
        """Returns when the document has all that the log had at the call. Raises StoreError."""
        if self.link is not None:
            await self.link.caught_up()
            self.flush()

    async def durable(self) -> None:
        """Returns when all that was applied so far is stored. Raises StoreUnavailable when that takes long."""
        self.flush()
        await self._records.flush(self.room)

    # What connections use

    def join(self, connection: Connection) -> None:
        """A connection has come. Raises TryLater when the room was unloaded meanwhile."""
        if self.retired:
            raise TryLater("The room is being loaded anew; try again in a moment.")
        if connection.member.acknowledged or connection.native:
            self.undoing.begin()
        self.audience.add(connection)
        logger.debug(
            "a connection has come", extra={"room": self.room, "connection": connection.member.holder.connection}
        )
        if connection.native:
            self._following.add(cast("NativeConnection", connection))

    def leave(self, connection: Connection) -> None:
        """A connection has gone."""
        member = connection.member
        self.audience.remove(member)
        self._natives.pop(member, None)
        logger.debug("a connection has gone", extra={"room": self.room, "connection": member.holder.connection})
        self._room.leave(member)
        if connection.native:
            self._room.presence.put(connection.caller.client, None, self._clock.monotonic())
        self.idle_since = self._clock.monotonic()
        if self.watch is not None:
            self.watch.gone(connection.caller)
        self.schedule()

    def slow(self, connection: YConnection) -> None:
        """A connection's reader has fallen behind."""
        self.audience.fall_behind(connection)

    def reads_again(self, connection: YConnection) -> None:
        """A connection's reader has drained what waited for it; what it missed goes out at once."""
        self.flush()
        self.audience.read_again(connection)

    def probe(self, rival: Rival) -> None:
        """Asks a connection whether it is still there, since another one has announced its client id."""
        if isinstance(rival, RemoteHolder):
            if self.link is not None:
                self.link.probe(rival)
            return
        member = self.audience.member_of(rival)
        if member is not None:
            self.audience.members[member].probe(lambda: self._unheard(member))

    def _unheard(self, member: Member) -> None:
        self._room.presence.leave(member.holder, self._clock.monotonic())
        self.schedule()

    def schedule(self) -> None:
        """Has ``flush`` run once the present turn of the event loop has brought all that it brings."""
        self._spreading.this_turn()

    def flush(self) -> None:
        """Applies and spreads what has come in."""
        self._spreading.flushed()
        if self._room.has_incoming and not self.retired:
            before = self._shown(self.document.state_vector()) if self.audience.slow else b""
            self._perform(self._room.turn(), before)
            arrived, self._arrived = self._arrived, []
            for entry in arrived:
                self.undoing.entered(entry)
        self.audience.write_out()

    def follow(self, entries: Iterable[LogEntry]) -> None:
        """Takes entries that another node has stored."""
        if self.retired:
            return
        for entry in entries:
            self._entered(entry)
            self._arrived.append(entry)
            self._room.push_remote((entry,))
        if self._room.has_incoming:
            self.schedule()

    def perform(self, effects: Iterable[Effect]) -> None:
        """Carries out what a session wants."""
        self._perform(effects)
        self.audience.write_out()

    def tick(self) -> None:
        """Once a second or so: presence that nobody renewed goes."""
        self._room.presence.tick(self._clock.monotonic())
        self._room.authorship.tick()
        if self._room.has_incoming:
            self.schedule()

    def stored(self, seq: int) -> None:
        """The store has all entries up to ``seq``."""
        while self._unstored and self._unstored[0][0] <= seq:
            _, before, update = self._unstored.popleft()
            self.audience.broadcast(update, None, before)
            self._spreading.soon()
        self._perform(self._room.durable(seq))

    def _shown(self, state: bytes) -> bytes:
        """What connections have been shown of the document in this state: less, while a job's update waits."""
        return self._unstored[0][1] if self._unstored else state

    def renumber(self, last: int) -> None:
        """Entries that waited were put together; the last one has this number now."""
        self._unstored = deque((min(seq, last), before, update) for seq, before, update in self._unstored)
        self._room.renumber(last)

    def store_failed(self, error: StoreError) -> None:
        """The store refuses; edits are kept in memory."""
        self.failing = error
        self._tell(NotSaved(reason=error.message))

    def store_recovered(self) -> None:
        """The store works again."""
        self.failing = None
        self._perform([Durable(member, member.durable) for member in [*self.audience.controlled, *self._natives]])

    def close_all(self, code: int, reason: str) -> None:
        """Ends every connection of the room."""
        self.audience.write_out()
        for connection in list(self.audience.members.values()):
            connection.end(code, reason)

    def retire(self) -> None:
        """The room is being unloaded: lets its document go."""
        self.retired = True
        self.document.close()

    # Inside

    def _entered(self, entry: LogEntry) -> None:
        self.log.added(entry)
        if self._log_watch is not None:
            self._log_watch(entry)

    def _spread(self, applied: Applied, origin: Origin) -> None:
        fence = self._fence(origin)
        effects = self._room.local(applied, origin, self._name_of(origin), fence)
        if fence:
            # The store may refuse it, as another node has taken over. What browsers have been shown they would
            # bring back, so it is shown once it is stored.
            self._unstored.extend(
                (self._room.seq, applied.before, effect.update)
                for effect in effects
                if isinstance(effect, Broadcast)
            )
            effects = [effect for effect in effects if not isinstance(effect, Broadcast)]
        self._perform(effects, self._shown(applied.before) if self.audience.slow else b"")
        if isinstance(origin, JobOrigin):
            self._spreading.soon()
        else:
            self.audience.write_out()
        if isinstance(origin, PersonOrigin):
            member = self.audience.member_of(origin.connection)
            if member is not None and member in self._natives:
                self._room.acknowledge(member)
                self.schedule()

    def _fence(self, origin: Origin) -> int:
        """The token under which a job may write. Raises KeepLost when it may not."""
        if self.keep is None or not isinstance(origin, JobOrigin | UndoOrigin):
            return 0
        keep = self.keep()
        if keep is None:
            raise KeepLost("Another server has taken over this room's AI jobs; try again in a moment.")
        return keep.token

    def _name_of(self, origin: Origin) -> str:
        if isinstance(origin, PersonOrigin):
            member = self.audience.member_of(origin.connection)
            return member.name if member is not None else origin.person
        if isinstance(origin, JobOrigin | UndoOrigin):
            return origin.job
        if isinstance(origin, ImportOrigin | ChangeOrigin):
            return shown_name(origin.person)
        return ""

    def _perform(self, effects: Iterable[Effect], before: bytes = b"") -> None:
        for effect in effects:
            if isinstance(effect, Broadcast):
                self.audience.broadcast(effect.update, effect.author, before)
            elif isinstance(effect, Persist):
                # An entry behind a deleted log would keep the store from taking anything else.
                if not self.retired:
                    self._entered(effect.entry)
                    self.undoing.entered(effect.entry)
                    self._records.write(self.room, effect.entry, urgent=self.urgent)
            elif isinstance(effect, Changed):
                self._following.changed(effect)
                if self.watch is not None:
                    self.watch.changed(effect.applied, effect.by)
            elif isinstance(effect, BroadcastPresence):
                self.audience.broadcast_presence(effect.payload)
                self._following.people(effect.clients)
                if self.link is not None and self.urgent:
                    self.link.show(full=False)
            else:
                if isinstance(effect, SendState):
                    self.flush()
                self.audience.carry_out(effect)

    def _tell(self, message: AnyEvent) -> None:
        self.audience.tell(message)
        self._spreading.soon()
        self._following.tell(message)
