"""Random histories of jobs, people, undo, redo and restarts, held against a model of every single character.

The model knows of each character which job, or which change of a person, wrote it and deleted it. It stands in the
text exactly if what wrote it is not undone, and all that deleted it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from collab.document import Applied, Document
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.merge.edits import splice
from collab.merge.session import MergeSession
from collab.merge.structs import ItemId
from collab.person_undo import PersonChanges
from collab.undo import undo
from collab.wire import IdRange

FILE = FileId("f1")
PEOPLE = 3
BASE = "base"


@dataclass(slots=True, eq=False)
class Char:
    """One character that somebody wrote. Text that was put back is the same character under another id as well;
    ``items`` are all its ids, in the order in which it got them.
    """

    text: str
    author: str
    items: list[ItemId]
    deleted_by: set[str] = field(default_factory=set)


def units(ids: IdRange) -> list[ItemId]:
    return [(ids.client, ids.clock + at) for at in range(ids.length)]


@dataclass(slots=True, eq=False)
class Job:
    """A job that runs, has ended, or is undone. Without a session it writes by itself, all at once."""

    name: str
    session: MergeSession | None
    plan: list[tuple[int, int, list[str]]] = field(default_factory=list)
    open: dict[int, list[str]] = field(default_factory=dict)
    stored: bytes = b""

    @property
    def ledger(self) -> Ledger:
        """Its present ledger, as it comes out of the store."""
        data = self.session.ledger.to_bytes() if self.session is not None else self.stored
        return Ledger.from_bytes(data)


class History:
    """One history; ``step`` goes on with it and raises AssertionError when the text is not what it must be."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clients = {0, 1}
        self.serial = 0
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FILE, "a.txt"))
        self.chars: dict[ItemId, Char] = {}
        self.undone: set[str] = set()
        self.jobs: list[Job] = []
        self.now_ms = 0
        self.done: list[list[str]] = [[] for _ in range(PEOPLE)]
        self.redoable: list[list[str]] = [[] for _ in range(PEOPLE)]
        self.steps: list[str] = []
        text = self.text(self.random.randint(0, 30), lines=0.2)
        for piece in self.random.sample(text, len(text)) if self.random.random() < 0.3 else [text]:
            at = self.random.randint(0, len(self.live.text(FILE)))
            self.live.edit(lambda editor, at=at, piece=piece: editor.splice(FILE, at, at, piece))  # type: ignore[misc]
        self.seen: list[Char] = []
        self.orders: list[list[Char]] = []
        self.observe(BASE)
        self.changes = PersonChanges(self.live.encode)
        self.people = [Document(self.client()) for _ in range(PEOPLE)]
        for person in self.people:
            person.apply([self.live.encode()])

    # What happens

    def step(self) -> None:
        """One thing that somebody does."""
        steps = {
            self.person_types: 16,
            self.person_meets: 20,
            self.job_begins: 6,
            self.job_writes: 20,
            self.job_at_once: 4,
            self.turn: 12,
            self.person_turns: 16,
            self.restart: 1,
        }
        self.random.choices(list(steps), list(steps.values()))[0]()

    def finish(self) -> None:
        """Everybody meets, all jobs are undone, and nothing is left but what people wrote and kept."""
        for job in self.jobs:
            job.stored, job.session = job.ledger.to_bytes(), None
        for number in range(PEOPLE):
            self.meet(number)
        for job in self.random.sample(self.jobs, len(self.jobs)):
            if job.name not in self.undone:
                self.take_back(job)
        for person in self.people:
            person.apply([self.live.encode(person.state_vector())])
            assert person.text(FILE) == self.live.text(FILE)

    def person_types(self) -> None:
        person = self.random.choice(self.people)
        start, end = self.place(person.text(FILE))
        text = self.text(self.random.choice([0, 1, 2, 5]), lines=0.15)
        person.edit(lambda editor: editor.splice(FILE, start, end, text))

    def person_meets(self) -> None:
        self.meet(self.random.randrange(PEOPLE))

    def meet(self, number: int) -> None:
        person = self.people[number]
        update = person.encode(self.live.state_vector())
        self.now_ms += 2000
        if self.live.apply([update]).update is not None:
            self.changes.record(f"p{number}", self.now_ms, update)
            self.redoable[number].clear()
        author = f"p{number} at {self.now_ms}"
        if self.observe(author):
            self.done[number].append(author)
        person.apply([self.live.encode(person.state_vector())])

    def job_begins(self) -> None:
        if sum(job.session is not None for job in self.jobs) >= 3:
            return
        session = MergeSession(self.live, self.client())
        base = session.base_text(FILE)
        edges = sorted({0, len(base), *(i + 1 for i, char in enumerate(base) if char == "\n")})
        chosen = sorted(self.random.sample(edges, min(len(edges), self.random.randint(1, 4))))
        job = Job(f"j{len(self.jobs)}", session)
        for start, end in list(pairwise(chosen)) or [(0, len(base))]:
            job.plan.append((start, end, self.pieces(self.rewritten(base[start:end]))))
        self.random.shuffle(job.plan)
        self.jobs.append(job)

    def job_writes(self) -> None:
        running = [job for job in self.jobs if job.session is not None]
        if not running:
            return
        job = self.random.choice(running)
        session = job.session
        assert session is not None
        if job.plan and (not job.open or self.random.random() < 0.2):
            start, end, pieces = job.plan.pop()
            job.open[session.open_hunk(FILE, start, end)] = pieces
        elif job.open:
            hunk = self.random.choice(list(job.open))
            if job.open[hunk]:
                session.write(hunk, job.open[hunk].pop(0))  # type: ignore[arg-type]
            else:
                del job.open[hunk]
                (session.withdraw if self.random.random() < 0.1 else session.close)(hunk)  # type: ignore[arg-type]
        pulled = session.pull(self.live, lambda: self.others(job))
        if pulled.update is not None:
            session.merged(self.apply(pulled.update), self.live)
        self.observe(job.name, session.ledger)
        if not job.plan and not job.open:
            job.stored, job.session = session.ledger.to_bytes(), None

    def job_at_once(self) -> None:
        job = Job(f"j{len(self.jobs)}", None)
        self.jobs.append(job)
        ledger = Ledger()
        fork = self.live.fork(self.client())
        for _ in range(self.random.randint(1, 3)):
            start, end = self.place(fork.text(FILE))
            update, _ = splice(fork, FILE, [(start, end, self.text(self.random.randint(0, 6), lines=0.2))], ledger)
            if update is not None:
                self.apply(update)
        job.stored = ledger.to_bytes()
        self.observe(job.name)

    def turn(self) -> None:
        """An undo, a redo, or an undo of an undone undo."""
        ended = [job for job in self.jobs if job.session is None]
        if ended:
            self.take_back(self.random.choice(ended))

    def take_back(self, job: Job) -> None:
        job.stored = self.turn_over(job.name, job.ledger, self.others(job)).to_bytes()

    def others(self, job: Job) -> list[Ledger]:
        return [other.ledger for other in self.jobs if other is not job] + self.changes.beside()

    def person_turns(self) -> None:
        """A person undoes or redoes their own last change."""
        number = self.random.randrange(PEOPLE)
        again = self.random.random() < 0.4
        person = f"p{number}"
        changes = self.changes
        ledger = changes.next(person) if again else changes.last(person)
        source, target = (self.redoable, self.done) if again else (self.done, self.redoable)
        assert (ledger is not None) is bool(source[number]), f"{person} {again} {source}: {self.told([])}"
        if ledger is None:
            return
        name = source[number].pop()
        target[number].append(name)
        others = [job.ledger for job in self.jobs] + changes.beside(ledger)
        reverse = self.turn_over(name, ledger, others)
        (changes.redone if again else changes.undone)(person, reverse)

    def turn_over(self, author: str, ledger: Ledger, others: list[Ledger]) -> Ledger:
        """Undoes or redoes what the author did, and checks what has come of it."""
        again = author in self.undone
        order = [(run.client, run.clock + at) for run in self.live.runs(FILE) for at in range(run.length)]
        where = {item: number for number, item in enumerate(order)}
        (self.undone.discard if again else self.undone.add)(author)
        update, reverse = undo(ledger, self.live, others, again=again)
        if update is not None:
            self.apply(update)
        self.steps.append(f"{'redo' if again else 'undo'} {author}")
        chars = sorted({*self.chars.values()}, key=lambda char: where[char.items[-1]])
        self.check([char for char in chars if self.in_force(char)], author, again=again)
        return reverse

    def apply(self, update: bytes) -> Applied:
        """Applies what is no person's own change."""
        applied = self.live.apply([update], track=True)
        self.changes.record("", self.now_ms, update)
        return applied

    def restart(self) -> None:
        self.steps.append("restart")
        for job in self.jobs:
            job.stored, job.session = job.ledger.to_bytes(), None
        state = self.live.encode()
        self.live = Document(self.client())
        self.live.apply([state])
        # Nobody can redo or undo any more what people did, but what was undone stays so.
        self.changes = PersonChanges(self.live.encode, Ledger.from_bytes(self.changes.for_store().to_bytes()))
        self.done = [[] for _ in range(PEOPLE)]
        self.redoable = [[] for _ in range(PEOPLE)]

    # What it must come to

    def in_force(self, char: Char) -> bool:
        """Whether the character must stand in the text now."""
        return char.author not in self.undone and not char.deleted_by - self.undone

    def visible(self) -> list[tuple[ItemId, str]]:
        """The ids and characters of the live text."""
        found: list[tuple[ItemId, str]] = []
        for run in self.live.runs(FILE):
            clock = run.clock
            for text in run.text:
                found.append(((run.client, clock), text))
                clock += 1 if ord(text) < 0x10000 else 2
        assert "".join(text for _, text in found) == self.live.text(FILE)
        return found

    def observe(self, author: str, ledger: Ledger | None = None) -> bool:
        """Takes note of what somebody changed, if anything. A job that takes back a hunk puts text back itself."""
        if ledger is not None:
            for copy in ledger.copies:
                originals = [item for of in copy.of for item in units(of)]
                for item, original in zip(units(copy.ids), originals, strict=True):
                    if original in self.chars:
                        self.chars.setdefault(item, self.chars[original])
        now: list[Char] = []
        for item, text in self.visible():
            char = self.chars.get(item)
            if char is None:
                char = self.chars[item] = Char(text, author, [item])
            if item not in char.items:
                char.items.append(item)
            assert char.text == text
            now.append(char)
        before, after = set(self.seen), set(now)
        assert len(after) == len(now), "a character stands there twice"
        for char in before - after:
            char.deleted_by.add(author)
        for char in after - before:
            char.deleted_by.discard(author)
        if ledger is not None:
            self.withdraw(author, ledger)
        if now == self.seen:
            return False
        self.steps.append(f"{author}: {''.join(c.text for c in self.seen)!r} -> {''.join(c.text for c in now)!r}")
        self.settle(now)
        return True

    def withdraw(self, job: str, ledger: Ledger) -> None:
        """Takes note of what the job has taken back itself: it is for good, whatever becomes of the job."""
        inserted = {item for entry in ledger.inserted for item in units(entry.ids)}
        deleted = {item for entry in ledger.deleted for ids in entry.kept for item in units(ids)}
        for char in self.chars.values():
            if char.author == job and not inserted.intersection(char.items):
                char.deleted_by.add("a withdrawal")
            if job in char.deleted_by and not deleted.intersection(char.items):
                char.deleted_by.discard(job)

    def check(self, expected: list[Char], author: str, *, again: bool) -> None:
        """Whether an undo or redo of what the author did has come to this."""
        found = self.visible()
        now: list[Char] = []
        rest = list(reversed(expected))
        for item, text in found:
            char = self.chars.get(item)
            if rest and rest[-1].text == text and char in {None, rest[-1]}:
                char = self.chars[item] = rest.pop()
            else:
                # The end of a line of the job's, in which somebody has typed, stays when it is undone.
                assert text in "\r\n", f"{text!r} must not be there: {self.told(expected)}"
                assert char is not None, f"a line end too many: {self.told(expected)}"
                assert char.author in self.undone, f"a line end that must not be there: {self.told(expected)}"
                assert not again or char.author != author, f"a line end that must go: {self.told(expected)}"
            if item not in char.items:
                char.items.append(item)
            now.append(char)
        assert not rest, f"{rest[-1].text!r} is not there: {self.told(expected)}"
        self.settle(now)

    def settle(self, now: list[Char]) -> None:
        """The order of characters never changes, whatever comes between them."""
        number = {char: at for at, char in enumerate(now)}
        for order in self.orders:
            places = [number[char] for char in order if char in number]
            assert places == sorted(places), f"the order has changed: {self.steps}"
        self.orders.append(now)
        self.seen = now

    def told(self, expected: list[Char]) -> str:
        wanted = "".join(char.text for char in expected)
        return f"\nwanted {wanted!r}\nfound  {self.live.text(FILE)!r}\nsteps " + "\n      ".join(self.steps)

    # Chance

    def client(self) -> ClientId:
        # Low and high ids: which of two concurrent inserts comes first depends on them.
        while (client := self.random.choice([2, 2**31]) + self.random.randrange(2**20)) in self.clients:
            pass
        self.clients.add(client)
        return ClientId(client)

    def text(self, length: int, lines: float) -> str:
        """Characters that were never used before, of one and of two UTF-16 units, and line ends."""
        text = ""
        for _ in range(length):
            self.serial += 1
            text += chr(self.random.choice([0x4E00, 0x4E00, 0x20000]) + self.serial)
            if self.random.random() < lines:
                text += self.random.choice(["\n", "\n", "\r\n"])
        return text

    def place(self, text: str) -> tuple[int, int]:
        start = self.random.randint(0, len(text))
        return start, min(len(text), start + self.random.choice([0, 0, 0, 1, 3, 8]))

    def rewritten(self, text: str) -> str:
        for _ in range(self.random.randint(0, 4)):
            start, end = self.place(text)
            text = text[:start] + self.text(self.random.randint(0, 3), lines=0.2) + text[end:]
        return text

    def pieces(self, text: str) -> list[str]:
        cuts = sorted(self.random.choices(range(len(text) + 1), k=self.random.randint(0, 3)))
        return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
