"""What people do once the jobs have ended: answer what is left, undo and redo, also after a restart."""

from __future__ import annotations

from collab.ledger import Ledger
from collab.merge.ranges import IdRanges
from collab.undo import undo
from collab.wire import decode_state_vector
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.jobs import JobRun
from tests.lost_keystrokes.order import deleted_by, orders
from tests.lost_keystrokes.record import Merge, grown
from tests.lost_keystrokes.world import SERVER, World


class Afterwards:
    """Plays on in a world whose jobs have ended, and checks each undo."""

    def __init__(self, world: World, figures: Figures) -> None:
        self._world = world
        self._figures = figures
        self._ledgers = {job.number: job.ledger for job in world.jobs}
        self._undone: set[int] = set()

    def play(self) -> None:
        """A few choices, undos and redos, while people go on to type."""
        world, random = self._world, self._world.random
        if random.random() < 0.3:
            world.restart()
        for _ in range(random.randint(1, 5)):
            for person in random.sample(world.people, random.randint(0, 2)):
                world.type_once(person)
            job = random.choice(world.jobs)
            if random.random() < 0.35:
                self._answer()
            else:
                self._turn(job)
        world.settle()

    def _answer(self) -> None:
        done = self._world.answer()
        if done is not None:
            job, ledger = done
            if job.number in self._undone:
                # Only what is new can be undone now.
                self._ledgers[job.number] = Ledger()
                self._undone.discard(job.number)
            self._ledgers[job.number].extend(ledger)

    def _turn(self, job: JobRun) -> None:
        """An undo of the job, or its redo, as the server does it over what it stores."""
        world = self._world
        again = job.number in self._undone
        others = [ledger for number, ledger in self._ledgers.items() if number != job.number]
        before = decode_state_vector(world.live.state_vector())
        update, reverse = undo(self._ledgers[job.number], world.live, others, again=again)
        self._ledgers[job.number] = Ledger.from_bytes(reverse.to_bytes())
        self._undone ^= {job.number}
        self._figures.undos += 1
        if update is not None:
            there = set(world.live.listing().files)
            applied = world.live.apply([update])
            # Whoever takes back a job that made a file takes the file away, if nobody's text is in it then.
            world.deleted_files |= there - set(world.live.listing().files)
            inserted = grown(before, decode_state_vector(world.live.state_vector()))
            merge = Merge(world.step(), inserted, deleted_by(world.live, update), applied.entries)
            world.changed(update)
            self._check_deleted(job, merge)
        if not again:
            self._check_undone(job)

    def _check_deleted(self, job: JobRun, merge: Merge) -> None:
        """An undo deletes nothing that people typed, nor what stood there before all."""
        theirs = {person.replica.client_id for person in self._world.people} | {SERVER}
        wrong = [ids for ids in merge.deleted if ids.client in theirs]
        if wrong:
            self._problem(f"an undo of job {job.number} deletes {wrong[:3]}, which are not its own")

    def _check_undone(self, job: JobRun) -> None:
        """Nothing of the job is left but line ends, and what only it had deleted is back."""
        world = self._world
        own = IdRanges(ids for merge in job.merges for ids in merge.inserted if ids.client == job.client)
        for order in orders(world.live, world.live.listing().files).values():
            for run in order.runs:
                if not run.alive or run.ids.client != job.client:
                    continue
                for part, inside in own.split(run.ids):
                    at = (part.clock - run.ids.clock) * 2
                    text = run.units[at : at + part.length * 2].decode("utf-16-le", "replace")
                    if inside and text.strip("\r\n"):
                        self._problem(f"an undo of job {job.number} leaves {text[:60]!r}")
        spoiled = world.spoiled(job, by_job=False)
        for other in world.jobs:
            if other is not job:
                # It may be undone itself.
                spoiled |= set().union(*(region.added for region in other.answer.regions))
        texts = {file: world.live.text(file) for file in world.live.listing().files}
        for region in job.answer.regions:
            if region.file not in texts:
                continue
            text = texts[region.file]
            for word in region.removed - spoiled:
                if text.count(word) != 1:
                    self._problem(f"after an undo of job {job.number} {word} is there {text.count(word)} times")

    def _problem(self, words: str) -> None:
        self._figures.problems.append((self._world.seed, words))
