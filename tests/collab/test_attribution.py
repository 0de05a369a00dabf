"""The table of who wrote what: runs, copies, merging, and what is asked of it."""

from __future__ import annotations

from collab.attribution import NOBODY, Activity, Attribution, Author, Written
from collab.attribution_rows import GAP_SECONDS, SPAN_SECONDS
from collab.ids import ClientId
from collab.wire import IdRange

ANN = Author("person", "Ann")
BOB = Author("person", "Bob")
JOB = Author("job", "j1", "Ann")
UNDO = Author("undo", "j1", "Bob")
NOON = 1_700_000_000_000


def ids(client: int, clock: int, length: int) -> IdRange:
    return IdRange(ClientId(client), clock, length)


def who(table: Attribution, client: int, clock: int, length: int) -> list[tuple[int, str]]:
    return [(one.length, one.author.id) for one in table.written(ClientId(client), clock, length)]


def test_typing_without_a_break_is_one_run() -> None:
    table = Attribution()
    for second in range(SPAN_SECONDS):
        table.add(ids(1, second, 1), ANN, NOON + second * 1000)
    assert len(table) == 1
    assert table.written(ClientId(1), 0, 60) == [Written(60, ANN, NOON, NOON + 59_000)]


def test_a_break_a_long_time_and_another_author_begin_another_run() -> None:
    table = Attribution()
    table.add(ids(1, 0, 1), ANN, NOON)
    table.add(ids(1, 1, 1), ANN, NOON + (GAP_SECONDS + 1) * 1000)
    table.add(ids(1, 2, 1), BOB, NOON + (GAP_SECONDS + 1) * 1000)
    assert len(table) == 3
    for second in range(2 * SPAN_SECONDS + 3):
        table.add(ids(2, second, 1), ANN, NOON + second * 1000)
    assert len(table) == 6


def test_what_is_known_already_stays() -> None:
    table = Attribution()
    table.add(ids(1, 5, 10), ANN, NOON)
    table.add(ids(1, 0, 30), BOB, NOON + 1000)
    assert who(table, 1, 0, 30) == [(5, "Bob"), (10, "Ann"), (15, "Bob")]


def test_somebody_known_takes_the_place_of_who_brought_it_along() -> None:
    table = Attribution()
    table.add(ids(1, 0, 10), Author("unknown", "Bob"), NOON)
    assert [one.author for one in table.written(ClientId(1), 0, 10)] == [Author("unknown", "Bob")]
    table.add(ids(1, 3, 2), ANN, NOON)
    table.add(ids(1, 8, 1), JOB, NOON)
    assert who(table, 1, 0, 10) == [(3, "Bob"), (2, "Ann"), (3, "Bob"), (1, "j1"), (1, "Bob")]


def test_what_was_brought_along_is_of_the_only_one_who_wrote_under_the_client_id() -> None:
    table = Attribution()
    table.add(ids(1, 0, 5), Author("unknown", "Bob"), NOON)
    table.add(ids(1, 5, 5), ANN, NOON)
    assert who(table, 1, 0, 12) == [(5, "Ann"), (5, "Ann"), (2, "Ann")]
    assert table.written(ClientId(1), 10, 2) == [Written(2, ANN, 0, 0)]


def test_nobody_is_known_to_have_written_what_nobody_told_of() -> None:
    table = Attribution()
    table.add(ids(2, 0, 1), ANN, NOON)
    table.add(ids(2, 1, 1), BOB, NOON)
    assert table.written(ClientId(1), 0, 3) == [Written(3, NOBODY)]
    assert table.written(ClientId(2), 2, 3) == [Written(3, NOBODY)]


def test_a_copy_is_of_who_wrote_the_original() -> None:
    table = Attribution()
    table.add(ids(1, 0, 4), ANN, NOON)
    table.add(ids(2, 0, 4), BOB, NOON + 60_000)
    table.add(ids(9, 0, 7), UNDO, NOON + 90_000)
    table.copy(ids(9, 1, 5), [ids(1, 2, 2), ids(2, 0, 3)])
    assert who(table, 9, 0, 7) == [(1, "j1"), (2, "Ann"), (3, "Bob"), (1, "j1")]
    assert table.written(ClientId(9), 2, 1) == [Written(1, ANN, NOON, NOON)]


def test_a_copy_of_a_copy_leads_to_the_first() -> None:
    table = Attribution()
    table.copy(ids(9, 0, 4), [ids(8, 0, 4)])
    table.copy(ids(8, 0, 4), [ids(1, 6, 4)])
    table.add(ids(1, 0, 10), ANN, NOON)
    assert who(table, 9, 1, 2) == [(2, "Ann")]


def test_a_copy_of_what_nobody_knows_is_of_who_put_it_back() -> None:
    table = Attribution()
    table.add(ids(9, 0, 4), UNDO, NOON)
    table.add(ids(1, 1, 1), ANN, NOON)
    table.add(ids(1, 2, 1), BOB, NOON)
    table.copy(ids(9, 0, 4), [ids(1, 0, 4)])
    assert who(table, 9, 0, 4) == [(1, "j1"), (1, "Ann"), (1, "Bob"), (1, "j1")]


def test_copies_in_a_circle_end() -> None:
    table = Attribution()
    table.copy(ids(1, 0, 4), [ids(2, 0, 4)])
    table.copy(ids(2, 0, 4), [ids(1, 0, 4)])
    assert table.written(ClientId(1), 0, 4) == [Written(4, NOBODY)]


def test_tables_merge_into_what_both_know() -> None:
    one, other = Attribution(), Attribution()
    one.add(ids(1, 0, 4), ANN, NOON)
    other.add(ids(1, 2, 4), BOB, NOON)
    other.add(ids(3, 0, 1), JOB, NOON)
    other.copy(ids(3, 0, 1), [ids(1, 0, 1)])
    one.merge(other)
    assert who(one, 1, 0, 6) == [(4, "Ann"), (2, "Bob")]
    assert who(one, 3, 0, 1) == [(1, "Ann")]


def test_a_part_of_the_table_is_what_it_knows_of_some_ids() -> None:
    table = Attribution()
    table.add(ids(1, 0, 10), ANN, NOON)
    table.add(ids(2, 0, 10), BOB, NOON)
    table.copy(ids(2, 4, 4), [ids(1, 0, 4)])
    part = table.only([ids(1, 3, 2), ids(2, 5, 2)])
    assert list(part.rows()) == [
        (1, 3, 2, ANN, NOON // 1000, NOON // 1000),
        (2, 5, 2, BOB, NOON // 1000, NOON // 1000),
    ]
    assert [(client, copy.clock, copy.length, copy.of_clock) for client, copy in part.copies()] == [(2, 5, 2, 1)]


def test_activity_is_what_each_has_inserted_since_a_time() -> None:
    table = Attribution()
    table.add(ids(1, 0, 100), ANN, NOON - 60_000)
    table.add(ids(1, 100, 10), ANN, NOON + 5_000)
    table.add(ids(2, 0, 7), BOB, NOON + 1_000)
    table.add(ids(1, 110, 5), ANN, NOON + 50_000)
    assert table.since(NOON) == [
        Activity(BOB, NOON + 1_000, NOON + 1_000, 7),
        Activity(ANN, NOON + 5_000, NOON + 50_000, 15),
    ]


def test_a_run_that_goes_on_since_the_time_counts_from_then() -> None:
    table = Attribution()
    for second in range(20):
        table.add(ids(1, second, 1), ANN, NOON + second * 1000)
    assert table.since(NOON + 15_000) == [Activity(ANN, NOON + 15_000, NOON + 19_000, 20)]
    assert [one.inserted for one in table.since(NOON + 19_900)] == [20]
    assert table.since(NOON + 20_000) == []


def test_what_was_put_back_is_no_activity() -> None:
    table = Attribution()
    table.add(ids(1, 0, 4), ANN, NOON - 60_000)
    table.add(ids(9, 0, 6), UNDO, NOON)
    table.copy(ids(9, 2, 4), [ids(1, 0, 4)])
    assert table.since(NOON) == [Activity(UNDO, NOON, NOON, 2)]


def test_the_person_behind_an_author() -> None:
    assert [ANN.person, JOB.person, UNDO.person] == ["Ann", "Ann", "Bob"]
    assert Author("unknown", "Bob").person == ""
