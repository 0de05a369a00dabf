"""Blame against a plain model: over random histories of people, jobs and undos on two nodes, everybody's
characters stay theirs, whatever is compacted, restarted, and heard twice or out of order.
"""

from __future__ import annotations

from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from collab.attribution_codec import decode, encode, pack_copies
from collab.authorship import Authorship, credited
from collab.blame import blame
from collab.compaction import build_checkpoint
from collab.document import Document
from collab.ids import ClientId, ConnectionId, FileId, JobId, PersonId
from collab.ledger import Ledger
from collab.merge.edits import splice
from collab.origin import JobOrigin, Origin, PersonOrigin, UndoOrigin
from collab.ports import Checkpoint, LogEntry, StoredRoom
from collab.undo import undo

FILE = FileId("f1")
START = 1_700_000_000_000
SEEDS = st.integers(0, 2**32 - 1)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


class Node:
    """One process: its document, and what it knows of authors."""

    def __init__(self, client: int) -> None:
        self.document = Document(ClientId(client))
        self.authorship = Authorship()
        self.read = 0

    def load(self, stored: StoredRoom) -> None:
        if stored.checkpoint is not None:
            self.document.apply([stored.checkpoint.state, *stored.checkpoint.pending])
        self.document.apply([entry.update for entry in stored.entries])
        self.authorship.load(stored)
        self.read = stored.last_seq


class World:
    """Two nodes and the log that they share. Each character is written once, and tells whose it is."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.clients = 100
        self.now = START
        self.serial = 0
        self.author: dict[str, str] = {}
        self.log: list[LogEntry] = []
        self.checkpoint: Checkpoint | None = None
        self.ledgers: dict[str, list[Ledger]] = {}
        self.nodes = [Node(1), Node(2)]
        _, applied = self.nodes[0].document.edit(lambda editor: editor.create(FILE, "a.txt"))
        self.store(self.nodes[0], applied.update, PersonOrigin(PersonId("Zoe"), ConnectionId("c")))
        self.catch_up(self.nodes[1])
        self.typists = {name: self.new_client() for name in ("Ann", "Bob", "Cem")}

    def new_client(self) -> ClientId:
        self.clients += 1
        return ClientId(self.random.choice([0, 2**31]) + self.clients)

    def new_text(self, author: str) -> str:
        text = ""
        for _ in range(self.random.choice([1, 1, 2, 5])):
            self.serial += 1
            char = chr(self.random.choice([0x4E00, 0x10F000]) + self.serial)
            self.author[char] = author
            text += char
        return text

    def store(self, node: Node, update: bytes | None, origin: Origin) -> None:
        if update is None:
            return
        self.now += self.random.choice([1, 500, 3_000, 20_000])
        entry = LogEntry(self.last + 1, self.now, origin, update)
        self.log.append(entry)
        node.authorship.add(entry)

    @property
    def last(self) -> int:
        return self.log[-1].seq if self.log else self.checkpoint.seq if self.checkpoint else 0

    def catch_up(self, node: Node) -> None:
        """Out of order, and some of it twice."""
        entries = [entry for entry in self.log if entry.seq > node.read]
        entries += self.random.sample(self.log, min(2, len(self.log)))
        node.document.apply([entry.update for entry in entries])
        self.random.shuffle(entries)
        for entry in entries:
            node.authorship.add(entry)
        node.read = self.last

    def write(self, author: str, client: ClientId, origin: Origin) -> Ledger:
        node = self.random.choice(self.nodes)
        self.catch_up(node)
        length = len(node.document.text(FILE))
        start = self.random.randint(0, length)
        end = min(length, start + self.random.choice([0, 0, 1, 3, 8]))
        ledger = Ledger()
        update, _ = splice(node.document.fork(client), FILE, [(start, end, self.new_text(author))], ledger)
        assert update is not None
        node.document.apply([update])
        self.store(node, update, origin)
        return ledger

    def person(self) -> None:
        name = self.random.choice(list(self.typists))
        self.write(name, self.typists[name], PersonOrigin(PersonId(name), ConnectionId("c")))

    def job(self) -> None:
        job = f"j{len(self.ledgers)}"
        ledger = self.write(job, self.new_client(), JobOrigin(JobId(job), PersonId("Ann")))
        self.ledgers[job] = [ledger]

    def undo(self) -> None:
        """Undoes a job, or its undo, or that again."""
        if not self.ledgers:
            return
        job = self.random.choice(list(self.ledgers))
        node = self.random.choice(self.nodes)
        self.catch_up(node)
        done = self.ledgers[job]
        others = [other[-1] for name, other in self.ledgers.items() if name != job]
        update, reverse = undo(done[-1], node.document, others, again=len(done) % 2 == 0)
        copies = pack_copies(reverse.copies[len(done[-1].copies) :])
        done.append(reverse)
        if update is not None:
            node.document.apply([update])
            self.store(node, update, UndoOrigin(JobId(job), PersonId("Bob"), copies=copies))

    def compact(self) -> None:
        if not self.log:
            return
        upto = self.random.randint(1, len(self.log))
        for node in self.nodes:
            self.catch_up(node)
        self.checkpoint = build_checkpoint(StoredRoom(self.checkpoint, tuple(self.log[:upto])))
        self.log = self.log[upto:]

    def restart(self) -> None:
        index = self.random.randrange(2)
        self.nodes[index] = Node(int(self.new_client()))
        self.nodes[index].load(StoredRoom(self.checkpoint, tuple(self.log)))

    def check(self) -> None:
        for node in self.nodes:
            self.catch_up(node)
            text = node.document.text(FILE)
            ranges = blame(node.document, FILE, node.authorship.table())
            assert "".join(text[one.start : one.end] for one in ranges) == text
            for one in ranges:
                whose = {self.author[char] for char in text[one.start : one.end]}
                assert whose == {one.author.id}
                assert one.author.kind == ("job" if one.author.id.startswith("j") else "person")
                assert START <= one.at_ms + 1000 <= self.now + 1000


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(SEEDS)
def test_every_character_stays_its_authors(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    for _ in range(random.randint(5, 40)):
        step = random.choices(
            [world.person, world.job, world.undo, world.compact, world.restart], weights=[8, 2, 4, 1, 1]
        )[0]
        step()
    world.check()


@settings(max_examples=30, deadline=None, phases=PHASES)
@given(SEEDS)
def test_all_that_a_log_tells_is_in_its_checkpoint(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    for _ in range(random.randint(5, 25)):
        random.choice([world.person, world.person, world.job, world.undo])()
    whole = credited(b"", world.log)
    upto = random.randint(1, len(world.log))
    first = build_checkpoint(StoredRoom(None, tuple(world.log[:upto])))
    second = build_checkpoint(StoredRoom(first, tuple(world.log[upto:])))
    table = decode(second.attribution)
    for client, clock, length, *_ in whole.rows():
        ours = [(one.length, one.author) for one in whole.written(client, clock, length)]
        assert [(one.length, one.author) for one in table.written(client, clock, length)] == ours
    assert decode(encode(table)) == table
