from __future__ import annotations

import pytest

from collab.ids import JobId, PersonId, RoomId
from generation.line import Entry
from generation.turns import RoomTurns
from generation.views import Priority

ROOM, OTHER = RoomId("room"), RoomId("other")


def entry(job: str, priority: Priority = "normal", *files: str) -> Entry:
    return Entry(JobId(job), PersonId("ada"), priority, frozenset(files))


def pushed(per_room: int, *jobs: tuple[str, Priority]) -> RoomTurns:
    turns = RoomTurns(per_room)
    for job, priority in jobs:
        turns.push(ROOM, entry(job, priority))
    return turns


def test_no_more_tickets_are_posted_than_jobs_of_the_room_may_run() -> None:
    turns = pushed(2, *((f"j{number}", "normal") for number in range(5)))
    assert turns.due(ROOM, 0) == [("normal", "j0"), ("normal", "j1")]
    assert turns.due(ROOM, 0) == []


def test_when_a_job_ends_the_ticket_of_the_next_is_posted() -> None:
    turns = pushed(1, ("j0", "normal"), ("j1", "normal"))
    turns.due(ROOM, 0)
    turns.unposted(ROOM, [JobId("j0")])
    assert turns.next(ROOM) == "j0"
    assert turns.due(ROOM, 0) == []
    turns.done(JobId("j0"))
    assert ROOM in turns.changed()
    assert turns.due(ROOM, 0) == [("normal", "j1")]


def test_jobs_run_by_priority_and_then_by_age_whichever_ticket_comes_first() -> None:
    turns = pushed(3, ("j0", "low"), ("j1", "normal"), ("j2", "normal"), ("j3", "high"))
    assert [turns.next(ROOM) for _ in range(4)] == ["j3", "j1", "j2", None]


def test_a_job_of_high_priority_does_not_wait_for_the_tickets_of_low_ones() -> None:
    turns = pushed(2, ("j0", "low"), ("j1", "low"), ("j2", "low"))
    assert [job for _, job in turns.due(ROOM, 0)] == ["j0", "j1"]
    turns.push(ROOM, entry("j3", "high"))
    assert turns.due(ROOM, 0) == [("high", "j3")]


def test_a_ticket_whose_job_was_cancelled_is_another_ones_turn() -> None:
    turns = pushed(1, ("j0", "normal"), ("j1", "normal"))
    turns.due(ROOM, 0)
    assert turns.remove(JobId("j0"))
    assert not turns.remove(JobId("j0"))
    assert turns.due(ROOM, 0) == []
    turns.unposted(ROOM, [JobId("j0")])
    assert turns.next(ROOM) == "j1"


def test_a_ticket_that_never_came_is_posted_again() -> None:
    turns = pushed(1, ("j0", "normal"))
    turns.due(ROOM, 10)
    turns.doubt(10)
    assert turns.due(ROOM, 20) == []
    turns.doubt(11)
    assert turns.due(ROOM, 20) == [("normal", "j0")]


def test_of_a_room_that_is_kept_no_more_nothing_is_due() -> None:
    turns = pushed(1, ("j0", "normal"))
    turns.push(OTHER, entry("k0", "normal"))
    turns.drop(ROOM)
    assert turns.changed() == [OTHER]
    assert turns.due(ROOM, 0) == []
    assert turns.next(ROOM) is None


@pytest.mark.parametrize("per_room", [1, 3])
def test_a_room_runs_only_so_many_jobs(per_room: int) -> None:
    turns = pushed(per_room, *((f"j{number}", "normal") for number in range(5)))
    started = [turns.next(ROOM) for _ in range(5)]
    assert sum(job is not None for job in started) == per_room
    assert turns.busy(ROOM)


def test_a_job_that_waits_for_a_file_gets_no_ticket_before_that_is_free() -> None:
    turns = RoomTurns(3)
    for job, file in (("j0", "a.py"), ("j1", "a.py"), ("j2", "b.py")):
        turns.push(ROOM, entry(job, "normal", file))
    assert [job for _, job in turns.due(ROOM, 0)] == ["j0", "j2"]
    turns.unposted(ROOM, [JobId("j0"), JobId("j2")])
    assert (turns.next(ROOM), turns.next(ROOM), turns.next(ROOM)) == ("j0", "j2", None)
    assert turns.due(ROOM, 0) == []
    assert turns.waits_for(ROOM, JobId("j1")) == "j0"
    turns.done(JobId("j0"))
    assert turns.due(ROOM, 0) == [("normal", "j1")]


def test_a_job_that_is_moved_up_gets_a_ticket_of_its_new_priority() -> None:
    turns = pushed(1, ("j0", "low"), ("j1", "low"))
    assert turns.due(ROOM, 0) == [("low", "j0")]
    turns.prioritise(ROOM, JobId("j0"), "high")
    assert ROOM in turns.changed()
    assert turns.due(ROOM, 0) == [("high", "j0")]
    assert turns.due(ROOM, 0) == []


def test_a_moved_job_runs_first_whichever_ticket_comes() -> None:
    turns = pushed(1, ("j0", "normal"), ("j1", "normal"))
    assert turns.due(ROOM, 0) == [("normal", "j0")]
    turns.move(ROOM, JobId("j1"), 1)
    turns.unposted(ROOM, [JobId("j0")])
    assert turns.next(ROOM) == "j1"
