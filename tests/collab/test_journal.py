"""Group commit, without a store: when commits start and what becomes of entries when they fail."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from collab.errors import StoreUnavailable
from collab.ids import RoomId
from collab.journal import Durable, Effect, Journal, NotSaved, SavedAgain, StartCommit, State, Wake
from collab.origin import RestoreOrigin
from collab.ports import LogEntry

A, B = RoomId("a"), RoomId("b")
FULL = StoreUnavailable("The disk is full.")
T = TypeVar("T", bound=Effect)


class Fixed:
    """Chance that always gives the same number."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def entry(seq: int, size: int = 10) -> LogEntry:
    return LogEntry(seq, 0, RestoreOrigin(), b"%d" % seq + b"." * size)


def only(kind: type[T], effects: Iterable[Effect]) -> T:
    (one,) = [effect for effect in effects if isinstance(effect, kind)]
    return one


def numbers(effects: Iterable[Effect]) -> list[tuple[RoomId, int]]:
    return [(room, one.seq) for room, one in only(StartCommit, effects).batch]


def journal(interval: float = 1.0, batch_bytes: int = 1000, chance: float = 0.0) -> Journal:
    return Journal(Fixed(chance), interval=interval, batch_bytes=batch_bytes)


def test_the_first_entry_asks_to_be_woken_at_once_and_the_next_ones_do_not() -> None:
    subject = journal()
    assert only(Wake, subject.add(A, entry(1))).at < 0
    assert subject.add(A, entry(2)) == ()
    assert subject.add(B, entry(1)) == ()
    assert numbers(subject.tick(0)) == [(A, 1), (A, 2), (B, 1)]


def test_nothing_is_done_without_entries() -> None:
    subject = journal()
    assert subject.tick(5) == ()
    assert subject.state is State.IDLE


def test_what_comes_during_a_commit_goes_in_the_next_one() -> None:
    subject = journal()
    subject.add(A, entry(1))
    subject.tick(0)
    assert subject.add(A, entry(2)) == ()
    assert subject.add(B, entry(1)) == ()
    assert subject.tick(10) == ()
    effects = subject.committed()
    assert only(Durable, effects).rooms == {A: 1}
    assert only(Wake, effects).at == 1
    assert numbers(subject.tick(10)) == [(A, 2), (B, 1)]
    assert subject.committed() == (Durable({A: 2, B: 1}),)
    assert subject.state is State.IDLE


def test_commits_start_no_more_often_than_the_interval() -> None:
    subject = journal(interval=0.02)
    subject.add(A, entry(1))
    subject.tick(100.0)
    subject.committed()
    assert subject.add(A, entry(2)) == (Wake(100.02),)
    assert subject.tick(100.01) == (Wake(100.02),)
    assert numbers(subject.tick(100.02)) == [(A, 2)]


def test_a_batch_is_bounded_in_bytes() -> None:
    subject = journal(interval=0, batch_bytes=100)
    for seq in range(1, 6):
        subject.add(A, entry(seq, 39))
    subject.add(A, entry(6, 500))
    subject.add(A, entry(7, 1))
    taken = []
    while subject.state is not State.IDLE:
        taken.append([seq for _, seq in numbers(subject.tick(0))])
        subject.committed()
    assert taken == [[1, 2], [3, 4], [5], [6], [7]]


def test_the_backlog_counts_what_is_not_durable() -> None:
    subject = journal()
    subject.add(A, entry(1, 9))
    subject.tick(0)
    subject.add(A, entry(2, 19))
    subject.add(B, entry(1, 29))
    assert (subject.backlog_bytes, subject.backlog_of(A), subject.backlog_of(B)) == (60, 30, 30)
    assert subject.unsaved() == {A: 2, B: 1}
    subject.committed()
    assert (subject.backlog_bytes, subject.backlog_of(A), subject.backlog_of(B)) == (50, 20, 30)
    subject.tick(5)
    subject.committed()
    assert (subject.backlog_bytes, subject.backlog_of(A), subject.unsaved()) == (0, 0, {})


def test_an_entry_that_does_not_follow_is_refused() -> None:
    subject = journal()
    subject.add(A, entry(7))
    for seq in (7, 9):
        with pytest.raises(ValueError, match=f"entry {seq} of room 'a' does not follow 7"):
            subject.add(A, entry(seq))
    assert subject.unsaved() == {A: 7}


def test_a_failed_batch_is_tried_again_unchanged_and_before_what_follows() -> None:
    subject = journal()
    subject.add(A, entry(1))
    first = subject.tick(0)
    subject.add(A, entry(2))
    subject.failed(FULL, 0)
    assert subject.tick(100) == first
    subject.committed()
    assert numbers(subject.tick(200)) == [(A, 2)]


def test_failing_and_saving_again_are_told_once() -> None:
    subject = journal()
    subject.add(A, entry(1))
    said: list[Effect] = []
    for now in (0, 100, 200):
        subject.tick(now)
        said += subject.failed(FULL, now)
    assert only(NotSaved, said).reason is FULL
    assert subject.failing
    subject.tick(300)
    assert subject.committed() == (SavedAgain(), Durable({A: 1}))
    assert not subject.failing


@pytest.mark.parametrize(
    ("chance", "delays"),
    [
        (0.0, [0.25] * 7),
        (1.0, [0.25, 0.5, 1, 1.5, 1.5, 1.5]),
        (0.5, [0.25, 0.375, 0.625, 0.875, 0.875]),
    ],
)
def test_retries_back_off_with_jitter(chance: float, delays: list[float]) -> None:
    subject = journal(chance=chance)
    subject.add(A, entry(1))
    now, seen = 0.0, []
    for _ in delays:
        subject.tick(now)
        wake = only(Wake, subject.failed(FULL, now))
        seen.append(wake.at - now)
        assert subject.tick(wake.at - 0.01) == (Wake(wake.at),)
        now = wake.at
    assert seen == pytest.approx(delays)


def test_somebody_in_a_hurry_waits_for_no_interval_and_no_retry() -> None:
    subject = journal()
    assert subject.hurry() == ()
    subject.add(A, entry(1))
    subject.tick(0)
    subject.failed(FULL, 0)
    assert only(Wake, subject.hurry()).at < 0
    assert numbers(subject.tick(0.001)) == [(A, 1)]


def test_a_backlog_is_replaced_by_one_entry_with_the_first_number() -> None:
    subject = journal()
    for seq in (5, 6, 7):
        subject.add(A, entry(seq))
        subject.add(B, entry(seq))
    assert subject.replace(A, [LogEntry(99, 3, RestoreOrigin(), b"all")]) == 5
    assert subject.backlog_of(A) == 3
    subject.add(A, entry(6))
    batch = only(StartCommit, subject.tick(0)).batch
    assert [one for room, one in batch if room == A] == [LogEntry(5, 3, RestoreOrigin(), b"all"), entry(6)]
    assert [one.seq for room, one in batch if room == B] == [5, 6, 7]
    assert only(Durable, subject.committed()).rooms == {A: 6, B: 7}
    assert subject.backlog_bytes == 0


def test_entries_that_were_tried_are_not_replaced() -> None:
    subject = journal()
    subject.add(A, entry(1))
    subject.add(A, entry(2))
    first = subject.tick(0)
    assert subject.replace(A, [entry(0)]) == 2
    subject.failed(FULL, 0)
    subject.add(A, entry(3))
    subject.add(A, entry(4))
    assert subject.replace(A, [LogEntry(0, 0, RestoreOrigin(), b"all")]) == 3
    assert subject.tick(100) == first
    subject.committed()
    assert only(StartCommit, subject.tick(200)).batch == ((A, LogEntry(3, 0, RestoreOrigin(), b"all")),)


def test_nothing_is_replaced_by_nothing() -> None:
    subject = journal()
    with pytest.raises(ValueError, match="nothing of room 'a' waits"):
        subject.replace(A, [entry(1)])
    subject.add(A, entry(1))
    with pytest.raises(ValueError, match="by none"):
        subject.replace(A, [])


def test_a_forgotten_room_is_not_stored() -> None:
    subject = journal()
    subject.add(A, entry(1))
    subject.add(B, entry(1))
    subject.tick(0)
    subject.add(A, entry(2))
    subject.forget(A)
    subject.forget(RoomId("unknown"))
    assert subject.unsaved() == {B: 1}
    subject.failed(FULL, 0)
    assert numbers(subject.tick(100)) == [(B, 1)]
    assert only(Durable, subject.committed()).rooms == {B: 1}
    assert (subject.backlog_bytes, subject.state) == (0, State.IDLE)


def test_a_room_forgotten_during_its_commit_is_not_reported() -> None:
    subject = journal()
    subject.add(A, entry(1))
    subject.tick(0)
    subject.forget(A)
    assert subject.committed() == ()
    subject.add(A, entry(1))
    assert numbers(subject.tick(100)) == [(A, 1)]


def test_an_emptied_batch_ends_the_wait() -> None:
    subject = journal()
    subject.add(A, entry(1))
    subject.forget(A)
    assert subject.tick(0) == ()
    assert subject.state is State.IDLE
    assert subject.add(A, entry(1)) != ()


def test_an_outcome_without_a_commit_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="no commit is running"):
        journal().committed()
    with pytest.raises(RuntimeError, match="no commit is running"):
        journal().failed(FULL, 0)


class AnyHistory(RuleBasedStateMachine):
    """A journal with a store that fails as it likes, sometimes after it has stored the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = Journal(Random(1), interval=0.5, batch_bytes=60)
        self.now = 0.0
        self.wake: float | None = None
        self.batch: tuple[tuple[RoomId, LogEntry], ...] | None = None
        self.next: dict[RoomId, int] = {}
        self.expected: dict[RoomId, list[LogEntry]] = {}
        self.stored: dict[RoomId, list[LogEntry]] = {}
        self.durable: dict[RoomId, int] = {}
        self.failing = False

    def take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Wake(at=at):
                    self.wake = at
                case StartCommit(batch=batch):
                    assert self.batch is None
                    assert batch
                    self.batch = batch
                case Durable(rooms=rooms):
                    for room, seq in rooms.items():
                        assert seq > self.durable.get(room, 0)
                        self.durable[room] = seq
                case NotSaved():
                    assert not self.failing
                    self.failing = True
                case SavedAgain():
                    assert self.failing
                    self.failing = False

    def store(self) -> None:
        assert self.batch is not None
        for room, one in self.batch:
            log = self.stored.setdefault(room, [])
            if one.seq <= len(log):
                # A store passes over what it has; if this were something else, it would be lost.
                assert log[one.seq - 1] == one
                continue
            assert one.seq == len(log) + 1
            log.append(one)

    @rule(room=st.sampled_from([A, B, RoomId("c")]), size=st.integers(0, 80))
    def add(self, room: RoomId, size: int) -> None:
        log = self.expected.setdefault(room, [])
        new = LogEntry(len(log) + 1, 0, RestoreOrigin(), b"x" * size)
        log.append(new)
        self.take(self.journal.add(room, new))

    @rule(after=st.floats(0, 3))
    def time_passes(self, after: float) -> None:
        self.now += after
        if self.wake is not None and self.wake <= self.now:
            self.wake = None
            self.take(self.journal.tick(self.now))

    @rule()
    def somebody_hurries(self) -> None:
        self.take(self.journal.hurry())

    @precondition(lambda self: self.batch is not None)
    @rule()
    def the_store_answers(self) -> None:
        self.store()
        self.batch = None
        self.take(self.journal.committed())

    @precondition(lambda self: self.batch is not None)
    @rule(stored_all_the_same=st.booleans())
    def the_store_fails(self, stored_all_the_same: bool) -> None:
        if stored_all_the_same:
            self.store()
        self.batch = None
        self.take(self.journal.failed(FULL, self.now))

    @precondition(lambda self: self.journal.unsaved())
    @rule(data=st.data())
    def a_backlog_is_replaced(self, data: st.DataObject) -> None:
        room = data.draw(st.sampled_from(sorted(self.journal.unsaved())))
        before = self.expected[room]
        kept = [one for other, one in self.journal.waiting() if other == room]
        last = self.journal.replace(room, [LogEntry(0, 1, RestoreOrigin(), b"covers all")])
        if last == before[-1].seq and before[-1] in [o for r, o in self.journal.waiting() if r == room]:
            return
        assert kept[0].seq <= last <= before[-1].seq
        self.expected[room] = [*before[: last - 1], LogEntry(last, 1, RestoreOrigin(), b"covers all")]

    @invariant()
    def nothing_is_lost_and_the_order_is_kept(self) -> None:
        waiting: dict[RoomId, list[LogEntry]] = {}
        for room, one in self.journal.waiting():
            waiting.setdefault(room, []).append(one)
        for room, log in self.expected.items():
            done = self.durable.get(room, 0)
            assert log[:done] + waiting.get(room, []) == log

    @invariant()
    def durable_is_never_ahead_of_the_store(self) -> None:
        for room, seq in self.durable.items():
            assert self.stored[room][:seq] == self.expected[room][:seq]

    @invariant()
    def the_backlog_is_what_waits(self) -> None:
        sizes: dict[RoomId, int] = {}
        for room, one in self.journal.waiting():
            sizes[room] = sizes.get(room, 0) + len(one.update)
        assert self.journal.backlog_bytes == sum(sizes.values())
        assert {room: self.journal.backlog_of(room) for room in sizes} == sizes

    @invariant()
    def whatever_waits_is_on_its_way_or_will_be_woken(self) -> None:
        if self.journal.waiting():
            assert self.batch is not None or self.wake is not None

    def teardown(self) -> None:
        for _ in range(1000):
            if self.batch is not None:
                self.the_store_answers()
            elif self.wake is not None:
                self.time_passes(max(self.wake - self.now, 0) + 0.001)
            else:
                break
        assert self.durable == {room: len(log) for room, log in self.expected.items()}
        assert self.stored == self.expected
        assert not self.failing


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# Urgent entries


def test_an_urgent_entry_does_not_wait_for_the_interval_and_takes_only_its_room_along() -> None:
    journal = Journal(Random(1), interval=1.0)
    journal.add(A, entry(1))
    journal.tick(0.0)
    journal.committed()
    journal.add(A, entry(2))
    assert journal.tick(0.1) == (Wake(1.0),)
    assert journal.add(B, entry(1), urgent=True) == (Wake(float("-inf")),)
    (start,) = journal.tick(0.1)
    assert isinstance(start, StartCommit)
    assert start.batch == ((B, entry(1)),)
    journal.committed()
    assert journal.tick(0.2) == (Wake(1.0),)
    (start,) = journal.tick(1.0)
    assert isinstance(start, StartCommit)
    assert start.batch == ((A, entry(2)),)


def test_an_urgent_entry_does_not_overtake_those_of_its_room() -> None:
    journal = Journal(Random(1), interval=1.0)
    journal.add(A, entry(1))
    journal.tick(0.0)
    journal.committed()
    journal.add(A, entry(2))
    journal.add(A, entry(3), urgent=True)
    (start,) = journal.tick(0.1)
    assert isinstance(start, StartCommit)
    assert start.batch == ((A, entry(2)), (A, entry(3)))


def test_a_store_that_fails_is_not_asked_sooner_for_an_urgent_entry() -> None:
    journal = Journal(Random(1), interval=0.0)
    journal.add(A, entry(1), urgent=True)
    journal.tick(0.0)
    journal.failed(StoreUnavailable("away"), 0.0)
    assert journal.add(A, entry(2), urgent=True) == (Wake(0.25),)
    (wake,) = journal.tick(0.0)
    assert isinstance(wake, Wake)
    assert wake.at >= 0.25
