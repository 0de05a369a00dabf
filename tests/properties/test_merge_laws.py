"""What a job's merges and their undo must never do, over random histories of people and job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.ledger import Ledger
from collab.merge.contest import Blocked
from collab.merge.hunks import HunkId
from collab.merge.session import MergeSession
from collab.undo import undo

FILE = FileId("f1")
PEOPLE = 3
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

SEEDS = st.integers(0, 2**32 - 1)
"""Each seed is one history; shrinking a whole random source takes minutes and tells little more."""


class World:
    """A live document and people's replicas. Every character but line ends is written only once.

    Characters of the base are CJK ideographs, people's are private-use ones of one and of two UTF-16 units,
    the job's are Hangul.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.serial = 0
        self.clients = {1}
        self.ledgers: list[Ledger] = []
        lines = []
        for number in range(random.randint(0, 9)):
            line = "".join(chr(0x4E00 + number * 16 + i) for i in range(random.randint(0, 5)))
            lines.append(line + random.choice(["\n", "\n", "\r\n"]))
        self.base = "".join(lines)
        if self.base and random.random() < 0.3:
            self.base = self.base.rstrip("\r\n")
        self.live = Document(ClientId(1))
        self.live.edit(lambda editor: editor.create(FILE, "a.txt"))
        # Typed in random order, so that clocks say nothing about places.
        for char in random.sample(self.base, len(self.base)) if random.random() < 0.5 else [self.base]:
            self.type_base(char)
        self.base = self.live.text(FILE)
        self.people = [Document(self.new_client()) for _ in range(PEOPLE)]
        for person in self.people:
            person.apply([self.live.encode()])
        self.deleted_by_people: set[str] = set()
        self.typed: set[str] = set()
        self.seen_by_jobs: set[str] = set()
        self.ambiguous: set[str] = set()
        self.typed_together: set[str] = set()

    def type_base(self, text: str) -> None:
        at = self.random.randint(0, len(self.live.text(FILE)))
        self.live.edit(lambda editor: editor.splice(FILE, at, at, text))

    def new_client(self) -> ClientId:
        # Low and high ids: which of two concurrent inserts comes first depends on them.
        client = self.random.choice([1, 2**31]) + len(self.clients)
        self.clients.add(client)
        return ClientId(client)

    def new_char(self) -> str:
        self.serial += 1
        return chr(self.random.choice([0xE000, 0x10F000]) + self.serial)

    def person_edits(self) -> None:
        person = self.random.choice(self.people)
        length = len(person.text(FILE))
        start = self.random.randint(0, length)
        end = min(length, start + self.random.choice([0, 0, 0, 1, 2, 6]))
        text = "".join(self.new_char() for _ in range(self.random.choice([0, 1, 2])))
        self.typed_together |= {one + two for one, two in pairwise(text)}
        text += self.random.choice(["", "", "\n"])
        person.edit(lambda editor: editor.splice(FILE, start, end, text))

    def sync(self) -> None:
        person = self.random.choice(self.people)
        self.arrive(person)
        person.apply([self.live.encode(person.state_vector())])

    def arrive(self, person: Document) -> None:
        before = Counter(self.live.text(FILE))
        self.live.apply([person.encode(self.live.state_vector())])
        after = Counter(self.live.text(FILE))
        gone = before - after
        self.deleted_by_people |= set(gone)
        self.ambiguous |= {char for char in gone if before[char] > 1}
        self.typed |= set(of_people("".join(after - before)))

    def settle(self) -> None:
        for person in self.people:
            self.arrive(person)
        for person in self.people:
            person.apply([self.live.encode(person.state_vector())])
            assert person.text(FILE) == self.live.text(FILE)

    def check_restored(self) -> None:
        """Every character that people did not delete is there once, and the base's are in their order."""
        text = self.live.text(FILE)
        unclear = self.ambiguous & self.deleted_by_people
        base = [char for char in of_base(text) if char not in unclear]
        assert base == [char for char in of_base(self.base) if char not in self.deleted_by_people]
        people = of_people(text)
        assert set(people) - unclear == self.typed - self.deleted_by_people
        assert len(people) == len(set(people))

    def people_act(self) -> None:
        for _ in range(self.random.randint(0, 3)):
            self.random.choice([self.person_edits, self.person_edits, self.sync])()

    def restart(self) -> None:
        state = self.live.encode()
        self.live = Document(self.new_client())
        self.live.apply([state])


def of_people(text: str) -> str:
    return "".join(char for char in text if ord(char) >= 0xE000)


def of_base(text: str) -> str:
    return "".join(char for char in text if 0x4E00 <= ord(char) < 0xAC00)


def of_job(text: str) -> str:
    return "".join(char for char in text if 0xAC00 <= ord(char) < 0xE000)


class Job:
    """A session that rewrites random lines with random texts, in pieces of any size."""

    def __init__(self, world: World, first: int = 0) -> None:
        self.world = world
        self.random = world.random
        self.session = MergeSession(world.live, world.new_client())
        self.base = self.session.base_text(FILE)
        world.seen_by_jobs |= set(self.base)
        self.serial = first
        self.plan: list[tuple[int, int, list[str]]] = []
        self.blocked: list[Blocked] = []
        edges = [0] + [i + 1 for i, char in enumerate(self.base) if char == "\n"]
        if edges[-1] != len(self.base):
            edges.append(len(self.base))
        chosen = sorted(self.random.sample(edges, min(len(edges), self.random.randint(1, 5))))
        pairs = list(pairwise(chosen)) or [(0, len(self.base))]
        for start, end in pairs:
            if self.random.random() < 0.8:
                self.plan.append((start, end, self.pieces(self.new_text(self.base[start:end]))))
        self.random.shuffle(self.plan)
        self.open: dict[HunkId, list[str]] = {}

    def new_text(self, old: str) -> str:
        lines = old.split("\n")
        for _ in range(self.random.randint(0, 4)):
            at = self.random.randint(0, len(lines))
            what = self.random.random()
            if what < 0.5:
                lines.insert(at, self.word())
            elif what < 0.7:
                del lines[at : at + 1]
            elif at < len(lines):
                column = self.random.randint(0, len(lines[at]))
                lines[at] = lines[at][:column] + self.word() + lines[at][column + self.random.randint(0, 2) :]
        return "\n".join(lines)

    def word(self) -> str:
        word = "".join(chr(0xAC00 + self.serial + i) for i in range(self.random.randint(0, 3)))
        self.serial += len(word)
        return word

    def pieces(self, text: str) -> list[str]:
        cuts = sorted(self.random.choices(range(len(text) + 1), k=self.random.randint(0, 4)))
        return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    def step(self) -> bool:
        """One action of the job; False when it has nothing more to do."""
        if self.plan and (not self.open or self.random.random() < 0.2):
            start, end, pieces = self.plan.pop()
            self.open[self.session.open_hunk(FILE, start, end)] = pieces
        elif self.open:
            hunk = self.random.choice(list(self.open))
            if self.open[hunk]:
                self.session.write(hunk, self.open[hunk].pop(0))
            else:
                del self.open[hunk]
                (self.session.withdraw if self.random.random() < 0.1 else self.session.close)(hunk)
        self.pull()
        return bool(self.plan or self.open)

    def pull(self) -> None:
        live = self.world.live
        before = live.text(FILE)
        pull = self.session.pull(live)
        self.blocked += pull.blocked
        if pull.update is None:
            return
        applied = live.apply([pull.update], track=True)
        self.session.merged(applied, live)
        # What people had typed before the job began is the job's to change.
        since = [char for char in of_people(before) if char not in self.base]
        assert [char for char in of_people(live.text(FILE)) if char not in self.base] == since

        after = live.text(FILE)
        for pair in self.world.typed_together:
            if pair in before and pair[0] in since:
                assert pair in after

    def run(self) -> Ledger:
        while self.step():
            self.world.people_act()
        self.pull()
        # A character that the job deleted and wrote again elsewhere: people may have deleted the new one.
        for item in self.session.ledger.deleted:
            self.world.ambiguous |= set(item.text)
        return Ledger.from_bytes(self.session.ledger.to_bytes())


def take_back(world: World, ledger: Ledger, others: Sequence[Ledger] = (), *, again: bool = False) -> Ledger:
    before = world.live.text(FILE)
    update, redo = undo(ledger, world.live, others, again=again)
    if update is not None:
        world.live.apply([update])
    mine = [char for char in of_people(before) if char not in world.seen_by_jobs]
    assert [char for char in of_people(world.live.text(FILE)) if char not in world.seen_by_jobs] == mine
    return Ledger.from_bytes(redo.to_bytes())


@settings(max_examples=150, deadline=None, phases=PHASES)
@given(SEEDS)
def test_undo_removes_the_jobs_text_alone_and_brings_back_what_only_it_deleted(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    ledger = Job(world).run()
    if random.random() < 0.5:
        world.settle()
    world.restart()
    take_back(world, ledger)
    text = world.live.text(FILE)
    assert of_job(text) == ""
    world.check_restored()
    world.settle()


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(SEEDS)
def test_undo_redo_undo_over_restarts(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    ledger = Job(world).run()
    first = world.live.text(FILE)
    redo = take_back(world, ledger)
    assert take_back(world, ledger).empty  # Once more changes nothing.
    undone = world.live.text(FILE)
    world.restart()
    again = take_back(world, redo, again=True)
    assert world.live.text(FILE) == first
    world.restart()
    redo = take_back(world, again)
    assert world.live.text(FILE) == undone
    world.people_act()
    world.settle()
    take_back(world, redo)
    kept = [char for char in of_job(first) if char not in world.deleted_by_people]
    assert of_job(world.live.text(FILE)) == "".join(kept)
    world.settle()


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(SEEDS)
@example(504523624)  # A job that took all back itself had put text of the other one under new ids.
def test_two_jobs_are_undone_in_any_order(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    one = Job(world).run()
    two = Job(world, first=1000).run()
    world.settle()
    first, second = random.sample([one, two], 2)
    world.restart()
    redo = take_back(world, first, [second])
    world.people_act()
    world.settle()
    world.restart()
    take_back(world, second, [redo])
    world.settle()
    text = world.live.text(FILE)
    assert of_job(text) == ""
    world.check_restored()


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(SEEDS)
@example(252417874)  # Text of one job that the other had deleted came back between the first one's redo and undo.
def test_two_jobs_are_undone_and_redone_in_any_order(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    ledgers = [Job(world).run(), Job(world, first=1000).run()]
    world.settle()
    turns = random.choices([0, 1], k=random.randint(2, 6))
    turns += [number for number in (0, 1) if turns.count(number) % 2 == 0]
    undone = [False, False]
    for number in turns:
        others = [ledgers[1 - number]]
        ledgers[number] = take_back(world, ledgers[number], others, again=undone[number])
        undone[number] = not undone[number]
    assert of_job(world.live.text(FILE)) == ""
    world.check_restored()
    world.settle()


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(SEEDS)
def test_without_people_the_answer_lands_exactly(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    job = Job(world)
    new = world.base
    for start, end, pieces in sorted(job.plan, reverse=True):
        new = new[:start] + "".join(pieces) + new[end:]
    withdrawn = False
    while job.plan or job.open:
        before = set(job.open)
        job.step()
        withdrawn = withdrawn or any(job.session._hunks[hunk].withdrawing for hunk in before)
    job.pull()
    assert job.blocked == []
    if not withdrawn:
        assert world.live.text(FILE) == new
