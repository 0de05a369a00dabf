from __future__ import annotations

from collab.ids import JobId, RoomId
from generation.queue import JobQueue

A, B = RoomId("a"), RoomId("b")


def drain(queue: JobQueue) -> list[str]:
    taken: list[str] = []
    while got := queue.pop():
        taken.append(got[1])
    return taken


def test_higher_priorities_go_first_and_equal_ones_in_order() -> None:
    queue = JobQueue(10, 10)
    queue.push(A, JobId("low"), "low")
    queue.push(A, JobId("n1"), "normal")
    queue.push(A, JobId("n2"), "normal")
    queue.push(A, JobId("high"), "high")
    assert drain(queue) == ["high", "n1", "n2", "low"]


def test_rooms_take_turns() -> None:
    queue = JobQueue(10, 10)
    for number in range(3):
        queue.push(A, JobId(f"a{number}"), "normal")
    queue.push(B, JobId("b0"), "normal")
    assert drain(queue) == ["a0", "b0", "a1", "a2"]


def test_no_more_run_than_allowed() -> None:
    queue = JobQueue(2, 10)
    for number in range(3):
        queue.push(A, JobId(f"a{number}"), "normal")
    assert drain(queue) == ["a0", "a1"]
    queue.done(JobId("a0"))
    assert drain(queue) == ["a2"]


def test_a_room_at_its_bound_does_not_hold_up_others() -> None:
    queue = JobQueue(10, 1)
    queue.push(A, JobId("a0"), "high")
    queue.push(A, JobId("a1"), "high")
    queue.push(B, JobId("b0"), "low")
    assert drain(queue) == ["a0", "b0"]
    queue.done(JobId("a0"))
    assert drain(queue) == ["a1"]


def test_a_waiting_job_can_be_taken_out() -> None:
    queue = JobQueue(10, 10)
    queue.push(A, JobId("a0"), "normal")
    assert queue.remove(JobId("a0"))
    assert not queue.remove(JobId("a0"))
    assert len(queue) == 0
    assert queue.pop() is None


def test_ending_a_job_twice_counts_once() -> None:
    queue = JobQueue(1, 1)
    queue.push(A, JobId("a0"), "normal")
    queue.push(A, JobId("a1"), "normal")
    queue.push(A, JobId("a2"), "normal")
    queue.pop()
    queue.done(JobId("a0"))
    queue.done(JobId("a0"))
    assert drain(queue) == ["a1"]
