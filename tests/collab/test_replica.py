"""Where a node stands in a shared log: holes are noticed, duplicates ignored, another log is found out."""

from __future__ import annotations

from collab.origin import RestoreOrigin
from collab.ports import LogEntry
from collab.replica import GAP_SECONDS, RECENT, Reading, Replica
from collab.shared import CommitState, Committed, Mark, SharedEntry, Stamp, Tail

ME, OTHER = "me", "other"


def entries(first: int, count: int, writer: str = OTHER) -> list[SharedEntry]:
    return [
        SharedEntry(LogEntry(at, 0, RestoreOrigin(), b"u%d" % at), Stamp(writer, at))
        for at in range(first, first + count)
    ]


def positions(found: list[LogEntry]) -> list[int]:
    return [entry.seq for entry in found]


def stored(first: int, *numbers: int, log: str = "log") -> Committed:
    return Committed(CommitState.STORED, log, first, len(numbers), numbers)


def replica(position: int = 0) -> Replica:
    return Replica(ME, Mark("log", position, Stamp(OTHER, position) if position else None))


def test_entries_in_order_are_new_and_move_the_mark() -> None:
    here = replica()
    assert positions(here.arrived("log", entries(1, 3), 0.0)) == [1, 2, 3]
    assert here.mark == Mark("log", 3, Stamp(OTHER, 3))
    assert not here.due(100.0)


def test_what_was_heard_before_is_not_new() -> None:
    here = replica()
    here.arrived("log", entries(1, 2), 0.0)
    assert positions(here.arrived("log", entries(1, 3), 0.0)) == [3]


def test_entries_beyond_a_hole_are_new_at_once_and_the_hole_is_read_after_a_while() -> None:
    here = replica()
    assert positions(here.arrived("log", entries(3, 1), 1.0)) == [3]
    assert here.position == 0
    assert not here.due(1.0)
    assert here.due(1.0 + GAP_SECONDS)
    assert here.due_at == 1.0 + GAP_SECONDS


def test_a_hole_that_fills_in_time_is_not_read() -> None:
    here = replica()
    here.arrived("log", entries(2, 1), 1.0)
    here.arrived("log", entries(1, 1), 1.01)
    assert here.position == 2
    assert not here.due(10.0)


def test_own_entries_count_and_are_not_new_when_they_come_back() -> None:
    here = replica()
    here.committed(stored(1, 1, 2), 0.0)
    assert here.mark == Mark("log", 2, Stamp(ME, 2))
    assert here.arrived("log", entries(1, 2, ME), 0.0) == []


def test_own_entries_after_those_of_another_leave_a_hole() -> None:
    here = replica()
    here.committed(stored(2, 1), 0.0)
    assert here.position == 0
    assert positions(here.arrived("log", entries(1, 1), 0.0)) == [1]
    assert here.position == 2


def test_a_tail_brings_what_was_missed() -> None:
    here = replica()
    here.arrived("log", entries(3, 1), 0.0)
    mark = here.asked(1.0)
    reading, new = here.read(mark, Tail("log", 3, True, tuple(entries(1, 3))), 1.0)
    assert (reading, positions(new)) == (Reading.GOOD, [1, 2])
    assert here.position == 3
    assert not here.due(10.0)


def test_a_hole_that_the_log_has_too_is_read_again_later_and_later() -> None:
    here = replica()
    here.arrived("log", entries(3, 1), 0.0)
    waits = []
    now = 0.0
    for _ in range(8):
        at = here.due_at
        assert at is not None
        waits.append(at - now)
        now = at
        assert here.due(now)
        here.read(here.asked(now), Tail("log", 3, True, ()), now)
    assert waits == sorted(waits)
    assert waits[-1] == 2.0


def test_doubt_makes_the_log_due() -> None:
    here = replica(5)
    assert not here.due(0.0)
    here.doubt()
    assert here.due(0.0)
    here.read(here.asked(0.0), Tail("log", 5, True), 0.0)
    assert not here.due(0.0)


def test_a_log_that_has_lost_something_is_found() -> None:
    for tail in (Tail("log", 3, False), Tail("log", 9, None), Tail("new", 5, False), Tail("", 0, False)):
        here = replica(5)
        assert here.read(here.asked(0.0), tail, 0.0) == (Reading.LOST, [])


def test_an_answer_to_a_question_from_before_a_resync_is_stale() -> None:
    here = replica(5)
    mark = here.asked(0.0)
    here.resynced(Mark("new", 2, Stamp(OTHER, 2)))
    assert here.read(mark, Tail("new", 2, False), 0.0) == (Reading.STALE, [])
    assert here.due(0.0)


def test_a_deleted_room_is_told() -> None:
    here = replica(5)
    assert here.read(here.asked(0.0), Tail("", 0, False, deleted=True), 0.0) == (Reading.DELETED, [])


def test_a_room_that_nobody_has_written_to_has_nothing_to_miss() -> None:
    here = Replica(ME, Mark())
    assert here.read(here.asked(0.0), Tail("", 0, True), 0.0) == (Reading.GOOD, [])


def test_a_log_that_another_begins_is_this_one_s_too() -> None:
    here = Replica(ME, Mark())
    assert positions(here.arrived("log", entries(2, 1), 0.0)) == [2]
    assert here.log == "log"
    assert here.due(GAP_SECONDS)


def test_entries_of_another_log_are_not_taken_and_raise_doubt() -> None:
    here = replica(5)
    assert here.arrived("new", entries(6, 1), 0.0) == []
    assert here.due(0.0)
    assert here.position == 5


def test_a_mark_in_doubt_stays_until_the_log_was_read_from_it() -> None:
    here = replica(5)
    here.doubt()
    # The log has lost entry 5 and has grown again: this must not make the mark look right.
    assert positions(here.arrived("log", entries(6, 1), 0.0)) == [6]
    asked = here.asked(0.0)
    assert asked == Mark("log", 5, Stamp(OTHER, 5))
    assert here.read(asked, Tail("log", 6, same=False), 0.0)[0] is Reading.LOST


def test_a_mark_that_was_found_right_moves_on_with_what_came_meanwhile() -> None:
    here = replica(5)
    here.doubt()
    here.arrived("log", entries(6, 1), 0.0)
    reading, new = here.read(here.asked(0.0), Tail("log", 6, same=True, entries=tuple(entries(6, 1))), 0.0)
    assert (reading, new, here.position) == (Reading.GOOD, [], 6)


# A log that has forked


def test_an_entry_where_another_is_known_makes_both_be_compared() -> None:
    here = replica(5)
    here.committed(stored(6, 6, 7, 8), 0.0)
    assert positions(here.arrived("log", entries(6, 2), 0.0)) == [6, 7], "nobody may miss it meanwhile"
    assert here.due(0.0)
    # Nor does a log that has its entry at the mark show that all before it is the same.
    assert here.read(here.asked(0.0), Tail("log", 8, True), 0.0) == (Reading.LOST, [])
    here.resynced(Mark("log", 9, Stamp(OTHER, 9)))
    assert here.read(here.asked(0.0), Tail("log", 9, True), 0.0) == (Reading.GOOD, [])


def test_an_answer_for_a_place_where_another_entry_is_known_makes_both_be_compared() -> None:
    here = replica(5)
    here.arrived("log", entries(6, 2), 0.0)
    here.committed(stored(7, 6), 0.0)
    assert here.due(0.0)
    assert here.read(here.asked(0.0), Tail("log", 7, True), 0.0)[0] is Reading.LOST


def test_a_tail_with_another_entry_than_the_one_beyond_a_hole_makes_both_be_compared() -> None:
    here = replica(5)
    here.committed(stored(8, 6), 0.0)
    tail = Tail("log", 8, True, tuple(entries(6, 3)))
    assert here.read(here.asked(0.0), tail, 0.0)[0] is Reading.LOST


def test_a_log_that_ends_before_an_entry_that_was_heard_of_has_lost_it() -> None:
    here = replica(5)
    here.committed(stored(8, 6), 0.0)
    mark = here.asked(0.0)
    here.arrived("log", entries(9, 1), 0.0)
    assert here.read(mark, Tail("log", 8, True, tuple(entries(6, 2))), 0.0)[0] is Reading.GOOD, "9 came later"
    here = replica(5)
    here.committed(stored(8, 6), 0.0)
    assert here.read(here.asked(0.0), Tail("log", 7, True, tuple(entries(6, 2))), 0.0)[0] is Reading.LOST


def test_an_announcement_that_is_too_old_to_be_judged_is_taken_and_the_log_is_read() -> None:
    here = replica()
    here.arrived("log", entries(1, RECENT + 2), 0.0)
    assert here.arrived("log", entries(3, 2), 0.0) == []
    assert not here.due(0.0)
    assert positions(here.arrived("log", entries(2, 1), 0.0)) == [2]
    assert here.due(0.0)
    assert here.read(here.asked(0.0), Tail("log", RECENT + 2, True), 0.0)[0] is Reading.GOOD
    assert not here.due(0.0)
