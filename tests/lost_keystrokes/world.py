"""One seeded world: a live document, people with latencies, AI jobs; all in one process, on a clock of its own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random

from collab.document import Document
from collab.errors import Conflict
from collab.ids import ClientId, FileId, JobId
from collab.ledger import Copy, Ledger
from collab.merge.contest import Resolver
from collab.merge.ranges import IdRanges
from collab.merge.strays import Shelters, Strays, in_no_file
from collab.merge.suggestions import Choice, Suggestions, answer, choices
from collab.wire import decode_state_vector
from generation.book import with_place
from tests.lost_keystrokes.jobs import JobRun
from tests.lost_keystrokes.order import deleted_by
from tests.lost_keystrokes.people import Person, client_ids
from tests.lost_keystrokes.record import Edit, Merge, grown, words_meant
from tests.lost_keystrokes.texts import PEOPLE, WORD, Words, source_file

SERVER = ClientId(1)


class Link:
    """The way between a person and the server: messages arrive late, in order; in both directions."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._low, self._high = random.choices(((2, 15), (15, 60), (60, 250), (200, 900)), (4, 4, 2, 0.3))[0]
        self.up: deque[tuple[int, Edit, bytes]] = deque()
        self.down: deque[tuple[int, list[bytes]]] = deque()
        self.sent = 0
        self.flushing = False
        self._last = [0, 0]

    def late(self, now: int, way: int) -> int:
        """When a message that is sent now arrives; ``way`` is 0 for up and 1 for down."""
        self._last[way] = max(self._last[way], now + self._random.randint(self._low, self._high))
        return self._last[way]


class World:
    """``play`` lets people type while jobs run; ``review`` then answers, undoes and redoes."""

    def __init__(self, seed: int, resolver: Resolver) -> None:
        self._resolver = resolver
        self.random = random = Random(seed)
        self.seed = seed
        self.words = Words(alike=random.random() < 0.3)
        self.clients = client_ids(random)
        self.live = Document(SERVER)
        self.live.watch_files()
        self.edits: list[Edit] = []
        self.after: list[Edit] = []
        """Those of the edits that came when no job was at work any more."""
        self.jobs: list[JobRun] = []
        self.steps = 0
        self.choices: list[Merge] = []
        """What people did by accepting a suggestion."""
        self.deleted_files: set[FileId] = set()
        """Files that people deleted, themselves or by accepting a suggestion."""
        self.problems: list[str] = []
        self.strays = Strays()
        self.put_back: list[Copy] = []
        """Typed text that came for a file which a job had taken away meanwhile, and its copy in a new one."""
        self._shelters = Shelters()
        self.book = Suggestions()
        self._known: dict[str, JobRun] = {}
        self._log: list[bytes] = []
        self._now = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        for number in range(random.choice((1, 1, 2, 3))):
            source = source_file(random, self.words, number, random.choice((12, 40, 80, 160, 250)))
            file = FileId(f"f{number}")
            self.live.edit(lambda editor, f=file, s=source: editor.create(f, s.path, s.text))  # type: ignore[misc]
        self.people = [
            Person(number, self.live.fork(self.clients()), random, self.words, self._attraction)
            for number in range(random.randint(2, 4))
        ]
        self.typists = {person.replica.client_id for person in self.people}
        self._links = [Link(random) for _ in self.people]

    # While jobs run

    def play(self) -> None:
        """Until all jobs have ended and everything that was under way has arrived everywhere."""
        self._begin_job()
        if self.random.random() < 0.25:
            self._at(self.random.randint(50, 4_000), self._begin_job)
        for person, link in zip(self.people, self._links, strict=True):
            self._at(self.random.randint(0, 500), lambda p=person, k=link: self._type(p, k))  # type: ignore[misc]
            if self.random.random() < 0.06:
                when = self.random.randint(100, 6_000)
                self._at(when, lambda p=person, k=link: self._restructure(p, k))  # type: ignore[misc]
        self._at(1_500, self._answer_sometimes)
        while self._queue:
            self._now, _, do = heappop(self._queue)
            do()
        self.settle()

    def restart(self) -> None:
        """The server loads the room again."""
        loaded = Document(SERVER)
        loaded.watch_files()
        loaded.apply([self.live.encode()])
        self.live = loaded

    def type_once(self, person: Person) -> None:
        """One edit, after the jobs have ended; it is under way until the world settles, or not for long."""
        link = self._links[person.number]
        if self.random.random() < 0.5:
            self._hear_all(person, link)
        person.act()
        typed = len(self.edits)
        self._send(person, link)
        self.after += self.edits[typed:]
        if self.random.random() < 0.5:
            self._arrive(link, None)

    def spoiled(self, job: JobRun, *, by_job: bool) -> set[str]:
        """Words that were changed by people, by other jobs, or as somebody accepted a suggestion; with ``by_job``
        also one of this job.
        """
        found = set().union(*(person.spoiled for person in self.people))
        for other in self.jobs:
            if other is not job:
                found |= other.chosen.union(*(region.removed for region in other.answer.regions))
                # It may have written what stood there once more, and been asked about where that was.
                found |= {word for region in other.answer.regions for word in WORD.findall("".join(region.new))}
        if by_job:
            found |= job.chosen
        gone = IdRanges(ids for edit in self.edits for ids in edit.deleted)
        found |= {word for word, ids in job.ids.items() if ids & gone}
        lines = [line for region in job.answer.regions for line in region.new]
        found |= words_meant(set().union(*(person.begun for person in self.people)), lines)
        if self.words.alike:
            # Who changes a part of a word may have changed a part of the one that the job made of it.
            for region in job.answer.regions:
                if (region.added | region.removed) & found:
                    found |= region.added | region.removed
        return found

    def words_there(self) -> Counter[str]:
        """How often each word is in the room."""
        return Counter(word for file in self.live.listing().files for word in WORD.findall(self.live.text(file)))

    def running(self) -> bool:
        """Whether a job is at work."""
        return any(job.due is not None for job in self.jobs)

    def settle(self) -> None:
        """Everything that is under way arrives."""
        for person, link in zip(self.people, self._links, strict=True):
            self._arrive(link, None)
            assert not person.outbox
        for person, link in zip(self.people, self._links, strict=True):
            self._hear_all(person, link)

    def _hear_all(self, person: Person, link: Link) -> None:
        person.receive([update for _, updates in link.down for update in updates] + self._log[link.sent :])
        link.down.clear()
        link.sent = len(self._log)

    def _at(self, when: int, do: Callable[[], None]) -> None:
        heappush(self._queue, (when, next(self._order), do))

    def step(self) -> int:
        self.steps += 1
        return self.steps

    def _begin_job(self) -> None:
        if self.jobs and not self.running():
            return
        number = len(self.jobs)
        job = JobRun(
            number,
            self.live,
            self.random,
            self.words,
            self.clients,
            self._resolver,
            now=self._now,
            typists=self.typists,
            others=lambda job: [other.ledger for other in self.jobs if other is not job],
            interlude=self._arrive_soon,
            changed=lambda update: self._job_changed(JobId(f"j{number}"), update),
            step=self.step,
        )
        self.jobs.append(job)
        self._at(job.due or 0, lambda: self._work(job))

    def _work(self, job: JobRun) -> None:
        told = len(job.suggestions)
        job.act(self._now)
        for suggestion in job.suggestions[told:]:
            self.book.add(suggestion)
            self._known[suggestion.suggestion] = job
        if job.due is not None:
            self._at(job.due, lambda: self._work(job))

    def _type(self, person: Person, link: Link) -> None:
        if not self.running():
            return
        person.act()
        self._send(person, link)
        pause = self.random.randint(40, 200) if person.burst else self.random.randint(200, 2_000)
        self._at(self._now + pause, lambda: self._type(person, link))

    def _restructure(self, person: Person, link: Link) -> None:
        if self.running():
            person.restructure(len(self.edits))
            self._send(person, link)

    def _send(self, person: Person, link: Link) -> None:
        for edit, update in person.outbox:
            self.edits.append(edit)
            due = link.late(self._now, 0)
            link.up.append((due, edit, update))
            self._at(due, lambda: self._arrive(link, self._now))
        person.outbox.clear()

    def _arrive_soon(self) -> None:
        for link in self._links:
            self._arrive(link, self._now + 8)

    def _arrive(self, link: Link, until: int | None) -> None:
        updates = []
        step = 0
        while link.up and (until is None or link.up[0][0] <= until):
            _, edit, update = link.up.popleft()
            step = step or self.step()
            edit.arrived = step
            updates.append(update)
        if updates:
            before = set(self.live.listing().files)
            applied = self.live.apply(updates)
            assert not applied.rejected
            self.deleted_files |= before - set(self.live.listing().files)
            beside = [stray for update in updates for stray in self.strays.find(update)]
            self.changed(applied.update)
            for stray in in_no_file(self.live, beside):
                number = int(stray.job.removeprefix("j"))
                shelter = self._shelters.of(stray, self.jobs[number].ledger)
                taken = shelter.take_in(self.live, stray)
                if taken is not None:
                    self.put_back += taken[1]
                    self.changed(self.live.apply([taken[0]]).update)

    def _job_changed(self, job: JobId, update: bytes | None) -> None:
        if update is not None:
            self.strays.learn(job, update)
        self.changed(update)

    def changed(self, update: bytes | None) -> None:
        """Lets everybody know of what changed at the server, some milliseconds' changes at a time."""
        if update is None:
            return
        self._log.append(update)
        for person, link in zip(self.people, self._links, strict=True):
            if not link.flushing:
                link.flushing = True
                soon = self._now + self.random.randint(0, 30)
                self._at(soon, lambda p=person, k=link: self._flush(p, k))  # type: ignore[misc]

    def _flush(self, person: Person, link: Link) -> None:
        link.flushing = False
        if link.sent < len(self._log):
            due = link.late(self._now, 1)
            link.down.append((due, self._log[link.sent :]))
            link.sent = len(self._log)
            self._at(due, lambda: self._hear(person, link))

    def _hear(self, person: Person, link: Link) -> None:
        updates: list[bytes] = []
        while link.down and link.down[0][0] <= self._now:
            updates += link.down.popleft()[1]
        if updates:
            person.receive(updates)

    def _attraction(self, random: Random) -> str | None:
        """People like to type where they work, but also where the AI does."""
        if random.random() < 0.65 or not self.jobs:
            return None
        job = random.choice(self.jobs)
        if not job.answer.regions:
            return None
        told = [region for region in job.answer.regions if region.told <= job.fed + 300]
        region = random.choice(told or job.answer.regions)
        chosen = sorted(region.added if random.random() < 0.4 else region.removed)
        return random.choice(chosen) if chosen else None

    # Choices

    def _answer_sometimes(self) -> None:
        if self.running():
            if self.random.random() < 0.25:
                self.answer()
            self._at(self._now + self.random.randint(800, 3_000), self._answer_sometimes)

    def answer(self) -> tuple[JobRun, Ledger] | None:
        """Somebody answers a suggestion; returns its job and what that did, if it did something."""
        waiting = self.book.open()
        if not waiting:
            return None
        found = self.random.choice(waiting)
        choice: Choice = self.random.choice(("reject", "accept", "accept", *choices(found)))
        if choice == "reject":
            self.book.answered(found.suggestion, "rejected", "Ada")
            return None
        text = f"# {self.words.next(PEOPLE)}\n" if choice == "edit" else ""
        try:
            update, ledger = answer(self.live, with_place(found, self.live), self.clients(), choice, text)
        except Conflict:
            self.book.answered(found.suggestion, "gone", "Ada")
            return None
        job = self._known[found.suggestion]
        if update is not None:
            self._choose(job, update)
        if found.kind == "delete_file" and found.file is not None:
            self.deleted_files.add(found.file)
        job.accepted.extend(ledger)
        self.book.answered(found.suggestion, "accepted", "Ada")
        return job, ledger

    def _choose(self, job: JobRun, update: bytes) -> None:
        before, there = decode_state_vector(self.live.state_vector()), self.words_there()
        applied = self.live.apply([update])
        inserted = grown(before, decode_state_vector(self.live.state_vector()))
        self.choices.append(Merge(self.step(), inserted, deleted_by(self.live, update), applied.entries))
        now = self.words_there()
        job.chosen |= {word for word in there | now if there[word] != now[word]}
        self.changed(update)
