from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import InvalidInput
from collab.ids import JobId, PersonId
from generation.line import RANKS, Entry, Line
from generation.views import Priority

ADA, BOB, CID = PersonId("ada"), PersonId("bob"), PersonId("cid")


def entry(job: str, person: PersonId = ADA, priority: Priority = "normal", *files: str) -> Entry:
    return Entry(JobId(job), person, priority, frozenset(files))


def pushed(*entries: Entry) -> Line:
    line = Line()
    for one in entries:
        line.push(one)
    return line


def served(line: Line) -> list[str]:
    """Runs one job after the other."""
    order = []
    while (job := line.next()) is not None:
        order.append(str(job))
        line.done(job)
    return order


def test_people_take_turns_however_many_jobs_one_of_them_asks_for() -> None:
    line = pushed(*(entry(f"a{number}") for number in range(4)), entry("b0", BOB), entry("b1", BOB))
    line.push(entry("c0", CID))
    assert line.order() == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


def test_who_was_served_a_lot_is_not_put_back_for_it_later() -> None:
    line = pushed(*(entry(f"a{number}") for number in range(5)))
    assert len(served(line)) == 5
    line.push(entry("b0", BOB))
    line.push(entry("a5"))
    line.push(entry("b1", BOB))
    assert line.order() == ["b0", "a5", "b1"]


def test_who_comes_late_has_saved_nothing_up() -> None:
    line = pushed(*(entry(f"a{number}") for number in range(6)))
    for _ in range(3):
        job = line.next()
        assert job is not None
        line.done(job)
    for number in range(3):
        line.push(entry(f"b{number}", BOB))
    assert line.order() == ["b0", "a3", "b1", "a4", "b2", "a5"]


def test_who_has_a_job_that_runs_lets_others_go_first() -> None:
    line = pushed(entry("a0"), entry("a1"))
    assert line.next() == "a0"
    line.push(entry("b0", BOB))
    assert line.order() == ["b0", "a1"]


def test_a_higher_priority_goes_first_whoever_asks() -> None:
    line = pushed(entry("low", ADA, "low"), entry("normal"), entry("high", ADA, "high"), entry("b", BOB))
    assert line.order() == ["high", "normal", "b", "low"]


def test_a_job_waits_for_the_one_that_writes_its_file_and_others_go_past() -> None:
    line = pushed(entry("j0", ADA, "normal", "a.py"), entry("j1", ADA, "normal", "a.py", "b.py"), entry("j2"))
    assert line.next() == "j0"
    assert line.waits_for(JobId("j1")) == "j0"
    assert line.next() == "j2"
    assert line.next() is None
    line.done(JobId("j0"))
    assert line.waits_for(JobId("j1")) is None
    assert line.next() == "j1"


def test_a_job_that_waits_for_a_file_is_not_overtaken_by_others_about_its_files() -> None:
    line = pushed(
        entry("j0", ADA, "normal", "a.py"),
        entry("j1", ADA, "normal", "a.py", "b.py"),
        entry("j2", ADA, "normal", "b.py"),
    )
    assert line.next() == "j0"
    assert line.next() is None
    assert line.waits_for(JobId("j2")) == "j1"
    line.done(JobId("j0"))
    assert served(line) == ["j1", "j2"]


def test_a_job_that_comes_to_write_a_file_is_told_of_who_writes_it() -> None:
    line = pushed(entry("j0", ADA, "normal", "a.py"), entry("j1"), entry("j2", BOB, "normal", "c.py"))
    assert (line.next(), line.next()) == ("j0", "j2")
    assert line.next() == "j1"
    assert line.claim(JobId("j1"), ["b.py", "a.py"]) == "j0"
    assert line.claim(JobId("j0"), ["b.py"]) is None, "nothing of a claim that failed is held"
    assert line.claim(JobId("j1"), ["d.py"]) is None
    line.done(JobId("j0"))
    assert line.claim(JobId("j1"), ["b.py", "a.py"]) is None


def test_a_file_that_a_job_came_to_write_is_its_own_for_those_that_wait_too() -> None:
    line = pushed(entry("j0"), entry("j1", ADA, "normal", "a.py"))
    line.next()
    assert line.claim(JobId("j0"), ["a.py"]) is None
    assert line.next() is None
    line.done(JobId("j0"))
    assert line.next() == "j1"


def test_a_job_is_moved_to_a_place() -> None:
    line = pushed(*(entry(f"j{number}") for number in range(4)))
    line.move(JobId("j3"), 1)
    assert line.order() == ["j3", "j0", "j1", "j2"]
    line.move(JobId("j0"), 3)
    assert line.order() == ["j3", "j1", "j0", "j2"]
    line.move(JobId("j3"), 99)
    assert line.order() == ["j1", "j0", "j2", "j3"]
    line.move(JobId("j2"), 0)
    assert line.order() == ["j2", "j1", "j0", "j3"]


def test_a_job_that_is_moved_between_two_of_one_turn_gets_a_place_there() -> None:
    line = pushed(entry("a0"), entry("b0", BOB), entry("c0", CID), entry("a1"))
    changed = line.move(JobId("a1"), 2)
    assert line.order() == ["a0", "a1", "b0", "c0"]
    again = Line()
    for job, priority, turn in changed:
        again.push(Entry(job, ADA, priority, turn=turn))
    assert again.order() == line.order(), "what changed is all that another keeper needs"


@pytest.mark.parametrize(
    ("job", "position", "priority"),
    [("low", 1, "high"), ("low", 2, "normal"), ("high", 3, "low"), ("normal", 1, "high"), ("low", 3, "low")],
)
def test_a_place_among_jobs_of_another_priority_brings_that_priority(
    job: str, position: int, priority: Priority
) -> None:
    line = pushed(entry("high", ADA, "high"), entry("normal"), entry("low", ADA, "low"))
    [*_, (moved, given, _)] = line.move(JobId(job), position)
    assert (moved, given) == (job, priority)
    assert line.order().index(JobId(job)) == position - 1


def test_a_job_of_another_priority_goes_to_the_end_of_its_askers_there() -> None:
    line = pushed(entry("j0"), entry("j1"), entry("h0", ADA, "high"), entry("h1", BOB, "high"))
    line.prioritise(JobId("j1"), "high")
    assert line.order() == ["h0", "h1", "j1", "j0"]
    line.prioritise(JobId("h0"), "low")
    assert line.order() == ["h1", "j1", "j0", "h0"]


def test_only_a_waiting_job_has_a_place() -> None:
    line = pushed(entry("j0"))
    line.next()
    with pytest.raises(InvalidInput, match="j0 does not wait"):
        line.move(JobId("j0"), 1)
    with pytest.raises(InvalidInput, match="j9 does not wait"):
        line.prioritise(JobId("j9"), "high")


def test_a_job_that_was_there_before_is_put_before_all_of_its_priority() -> None:
    line = pushed(entry("j0"), entry("j1"), entry("h0", ADA, "high"))
    line.push_first(entry("again"))
    assert line.order() == ["h0", "again", "j0", "j1"]
    assert served(line) == ["h0", "again", "j0", "j1"]
    line.push_first(entry("alone"))
    assert line.next() == "alone"


PEOPLE = st.sampled_from([ADA, BOB, CID])
FILES = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2)
ENTRIES = st.tuples(PEOPLE, st.sampled_from(list(RANKS)), FILES)


@given(st.lists(ENTRIES, min_size=1, max_size=12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 14))))
def test_whatever_is_moved_all_run_in_order_of_priority_and_no_file_has_two_writers(
    asked: list[tuple[PersonId, Priority, frozenset[str]]], moves: list[tuple[int, int]]
) -> None:
    line = Line()
    files = {}
    for number, (person, priority, paths) in enumerate(asked):
        job = JobId(f"j{number}")
        files[job] = paths
        line.push(Entry(job, person, priority, paths))
    for number, position in moves:
        job = JobId(f"j{number % len(asked)}")
        line.move(job, position)
        assert line.order().index(job) == min(max(position, 1), len(asked)) - 1
    ran = []
    while line.order():
        while (next_job := line.next()) is not None:
            ran.append(next_job)
        writing = [path for job in line.running() for path in files[job]]
        assert len(writing) == len(set(writing))
        assert line.running(), "somebody always may run"
        line.done(next(iter(line.running())))
    assert sorted(ran) == sorted(files)
