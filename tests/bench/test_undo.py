"""How long the undo of one large job takes in a large file that many people have edited since."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.merge.session import MergeSession
from collab.person_undo import PersonChanges
from collab.undo import undo

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

FILE = FileId("f1")
LINES = 10_000
TOKENS = 5_000
EDITS = 600
HUNKS = 80
ROUNDS = 9
MOST_MS = 20.0
WORDS = ["value", "result", "index", "total", "name", "path", "items", "count", "node", "parse", "return", "None"]


class Scene:
    """A file of 10,000 lines into which a job streamed 5,000 tokens while people edited it, who went on after."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FILE, "large.py", self.source(LINES)))
        self.live.watch_files()
        self.people = [self.live.fork(ClientId(self.random.getrandbits(32))) for _ in range(8)]
        self.ledger = self.job()
        for number in range(EDITS):
            self.person_edits(near=number % 2 == 0)
        self.ledger = Ledger.from_bytes(self.ledger.to_bytes())

    def line(self) -> str:
        words = self.random.choices(WORDS, k=self.random.randint(3, 8))
        return "    " * self.random.randint(0, 3) + " ".join(words) + "\n"

    def source(self, lines: int) -> str:
        return "".join(self.line() for _ in range(lines))

    def job(self) -> Ledger:
        """Replaces 80 places, some wholly, some line by line with a word changed; a pull every five tokens."""
        session = MergeSession(self.live, ClientId(self.random.getrandbits(32)))
        base = session.base_text(FILE).splitlines(keepends=True)
        starts = [0]
        for line in base:
            starts.append(starts[-1] + len(line))
        self.ids: list[int] = []
        for number in range(HUNKS):
            at = number * (LINES // HUNKS) + self.random.randint(0, 60)
            length = self.random.randint(2, 12)
            old = base[at : at + length]
            tokens: list[str] = []
            while len(tokens) < TOKENS // HUNKS:
                line = old.pop(0) if old and self.random.random() < 0.6 else self.line()
                words = line.split(" ")
                if self.random.random() < 0.5:
                    words[self.random.randrange(len(words))] = self.random.choice(WORDS)
                text = " ".join(words)
                tokens += [text[i : i + 4] for i in range(0, len(text), 4)]
            tokens[-1] = tokens[-1].rstrip("\n") + "\n"
            hunk = session.open_hunk(FILE, starts[at], starts[at + length])
            for first in range(0, len(tokens), 5):
                session.write(hunk, "".join(tokens[first : first + 5]))
                self.pull(session)
            session.close(hunk)
            self.pull(session)
            if number % 4 == 0:
                self.person_edits(near=False)
        return session.ledger

    def pull(self, session: MergeSession) -> None:
        pulled = session.pull(self.live)
        if pulled.update is not None:
            session.merged(self.live.apply([pulled.update], track=True), self.live)

    def person_edits(self, *, near: bool) -> None:
        """One edit of one of eight people: words typed, or a little deleted; in the job's lines if ``near``."""
        person = self.random.choice(self.people)
        person.apply([self.live.encode(person.state_vector())])
        text = person.text(FILE)
        place = self.random.randint(0, len(text))
        if near:
            lines = LINES // HUNKS
            number = self.random.randrange(HUNKS) * lines + self.random.randint(0, 70)
            above = sum(map(len, text.splitlines(keepends=True)[:number]))
            place = min(len(text), above + self.random.randint(0, 20))
        end = min(len(text), place + self.random.choice([0, 0, 0, 3, 30]))
        insert = " ".join(self.random.choices(WORDS, k=self.random.choice([0, 1, 2, 5])))
        if self.random.random() < 0.2:
            insert += "\n"
        for at, char in enumerate(insert[:8]):
            person.edit(lambda editor, at=at, char=char: editor.splice(FILE, place + at, place + at, char))  # type: ignore[misc]
        at = place + len(insert[:8])
        person.edit(lambda editor: editor.splice(FILE, at, end - place + at, insert[8:]))
        self.live.apply([person.encode(self.live.state_vector())])


def loaded(state: bytes) -> Document:
    document = Document(ClientId(2))
    document.apply([state])
    document.watch_files()
    return document


class Times:
    """How long one step took in each round: of the processor, and by the clock."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def turn(self, document: Document, ledger: Ledger, *, again: bool = False) -> Ledger:
        """Undoes the ledger in the document; returns that of the redo."""
        with self.measured():
            update, redo = undo(ledger, document, again=again)
            assert update is not None
            document.apply([update])
        return redo

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measures what is done within."""
        cpu, wall = time.thread_time(), time.perf_counter()
        yield
        self.cpu.append((time.thread_time() - cpu) * 1000)
        self.wall.append((time.perf_counter() - wall) * 1000)

    def __str__(self) -> str:
        return (
            f"least {min(self.cpu):.1f} ms of CPU, median {statistics.median(self.cpu):.1f} ms; "
            f"by the clock median {statistics.median(self.wall):.1f} ms, slowest {max(self.wall):.1f} ms"
        )


def test_undo_and_redo_of_5000_tokens_in_a_file_of_10000_lines() -> None:
    scene = Scene(1)
    state = scene.live.encode()
    before = scene.live.text(FILE)
    lines, items = before.count("\n"), len(scene.live.runs(FILE))
    cold, redone, warm = Times(), Times(), Times()
    for _ in range(ROUNDS):
        document = loaded(state)
        redo = cold.turn(document, scene.ledger)
        assert document.text(FILE) != before
        again = redone.turn(document, redo, again=True)
        assert document.text(FILE) == before
        warm.turn(document, again)
    print(f"\nfile: {len(before)} characters, {lines} lines, {items} items; state: {len(state)} bytes")
    print(f"undo right after a restart: {cold}\nredo: {redone}\nundo: {warm}")
    for times in (cold, redone, warm):
        # Other work shares the machine: what is more than the least of the processor's times is due to that.
        assert min(times.cpu) < MOST_MS


def test_undo_of_a_persons_last_change_in_a_file_of_10000_lines() -> None:
    scene = Scene(2)
    changes = PersonChanges(scene.live.encode)
    person = scene.live.fork(ClientId(5))
    for at in range(EDITS):
        by_others = at % 10 != 0
        writer = scene.random.choice(scene.people) if by_others else person
        writer.apply([scene.live.encode(writer.state_vector())])
        place = scene.random.randint(0, len(writer.text(FILE)) - 10) if by_others else 1000 + at
        update = writer.edit(lambda editor, place=place: editor.splice(FILE, place, place + 3, "typed"))[1].update  # type: ignore[misc]
        assert update is not None
        scene.live.apply([update])
        changes.record("" if by_others else "ada", at * 15, update)
    found, undone = Times(), Times()
    for _ in range(ROUNDS):
        with found.measured():
            ledger = changes.last("ada")
        assert ledger is not None
        assert len(ledger.deleted) > 30
        document = loaded(scene.live.encode())
        document.runs(FILE)
        undone.turn(document, ledger)
    print(f"\nfinding the change: {found}\nundo: {undone}")
    many, update = PersonChanges(scene.live.encode), scene.live.encode()[:40]
    start = time.thread_time()
    for number in range(100_000):
        many.record("ada", number, update)
    print(f"noting an edit: {(time.thread_time() - start) * 10:.2f} us")
