from __future__ import annotations

import pytest

from collab.errors import InvalidInput
from collab.ids import JobId, PersonId, RoomId
from generation.line import Entry
from generation.queue import JobQueue
from generation.views import Priority

A, B = RoomId("a"), RoomId("b")


def push(queue: JobQueue, room: RoomId, job: str, priority: Priority = "normal", *files: str) -> None:
    queue.push(room, Entry(JobId(job), PersonId("ada"), priority, frozenset(files)))


def drain(queue: JobQueue) -> list[str]:
    taken: list[str] = []
    while got := queue.pop():
        taken.append(got[1])
    return taken


def test_higher_priorities_go_first_and_equal_ones_in_order() -> None:
    queue = JobQueue(10, 10)
    push(queue, A, "low", "low")
    push(queue, A, "n1")
    push(queue, A, "n2")
    push(queue, A, "high", "high")
    assert drain(queue) == ["high", "n1", "n2", "low"]


def test_rooms_take_turns() -> None:
    queue = JobQueue(10, 10)
    for number in range(3):
        push(queue, A, f"a{number}")
    push(queue, B, "b0")
    assert drain(queue) == ["a0", "b0", "a1", "a2"]


def test_no_more_run_than_allowed() -> None:
    queue = JobQueue(2, 10)
    for number in range(3):
        push(queue, A, f"a{number}")
    assert drain(queue) == ["a0", "a1"]
    queue.done(JobId("a0"))
    assert drain(queue) == ["a2"]


def test_a_room_at_its_bound_does_not_hold_up_others() -> None:
    queue = JobQueue(10, 1)
    push(queue, A, "a0", "high")
    push(queue, A, "a1", "high")
    push(queue, B, "b0", "low")
    assert drain(queue) == ["a0", "b0"]
    queue.done(JobId("a0"))
    assert drain(queue) == ["a1"]


def test_a_waiting_job_can_be_taken_out() -> None:
    queue = JobQueue(10, 10)
    push(queue, A, "a0")
    assert queue.remove(JobId("a0"))
    assert not queue.remove(JobId("a0"))
    assert len(queue) == 0
    assert queue.pop() is None


def test_ending_a_job_twice_counts_once() -> None:
    queue = JobQueue(1, 1)
    push(queue, A, "a0")
    push(queue, A, "a1")
    push(queue, A, "a2")
    queue.pop()
    queue.done(JobId("a0"))
    queue.done(JobId("a0"))
    assert drain(queue) == ["a1"]


def test_a_room_whose_next_job_waits_for_a_file_does_not_hold_up_others() -> None:
    queue = JobQueue(10, 10)
    push(queue, A, "a0", "high", "x.py")
    push(queue, A, "a1", "high", "x.py")
    push(queue, B, "b0", "low", "x.py")
    assert drain(queue) == ["a0", "b0"]
    assert queue.waits_for(A, JobId("a1")) == "a0"
    queue.done(JobId("a0"))
    assert drain(queue) == ["a1"]


def test_a_job_is_moved_and_prioritised_in_its_room() -> None:
    queue = JobQueue(10, 10)
    for number in range(3):
        push(queue, A, f"a{number}")
    queue.move(A, JobId("a2"), 1)
    queue.prioritise(A, JobId("a1"), "high")
    assert queue.order(A) == ["a1", "a2", "a0"]
    with pytest.raises(InvalidInput):
        queue.move(B, JobId("a2"), 1)


def test_what_a_deleted_room_had_is_forgotten() -> None:
    queue = JobQueue(10, 10)
    push(queue, A, "a0")
    push(queue, A, "a1")
    queue.pop()
    queue.drop(A)
    assert drain(queue) == []
    queue.done(JobId("a0"))
    assert queue.order(A) == []
