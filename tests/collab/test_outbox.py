"""What a slow reader gets: control first, edits next, presence last, and one catch-up for all it missed."""

from __future__ import annotations

from collab.outbox import CatchUp, Outbox, OutboxState

LIMIT = 1000


def test_a_reader_that_keeps_up_gets_everything() -> None:
    outbox = Outbox(LIMIT)
    assert outbox.edit(5 * LIMIT, b"state")
    assert outbox.presence()
    assert outbox.transient()
    assert outbox.state is OutboxState.FLOWING


def test_presence_and_tokens_are_shed_first() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    assert outbox.edit(LIMIT, b"state")
    assert not outbox.presence()
    assert not outbox.transient()
    assert outbox.state is OutboxState.SLOW


def test_edits_are_shed_once_the_buffer_is_over_the_limit() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    assert not outbox.edit(LIMIT + 1, b"then")
    assert outbox.state is OutboxState.LAGGING


def test_no_edit_follows_one_that_was_shed_until_the_reader_has_drained() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    outbox.edit(LIMIT + 1, b"then")
    assert not outbox.edit(0, b"later")


def test_a_drained_reader_is_caught_up_from_the_first_edit_that_was_shed() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    outbox.edit(LIMIT + 1, b"then")
    outbox.edit(LIMIT + 1, b"later")
    outbox.presence()
    assert outbox.resumed() == CatchUp(b"then", presence=True)
    assert outbox.state is OutboxState.FLOWING


def test_a_reader_that_missed_nothing_is_told_nothing() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    outbox.edit(10, b"state")
    assert outbox.resumed() == CatchUp(None, presence=False)


def test_each_catch_up_covers_its_own_time_only() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    outbox.edit(LIMIT + 1, b"then")
    outbox.resumed()
    outbox.paused()
    assert outbox.resumed() == CatchUp(None, presence=False)


def test_a_pause_of_a_lagging_reader_changes_nothing() -> None:
    outbox = Outbox(LIMIT)
    outbox.paused()
    outbox.edit(LIMIT + 1, b"then")
    outbox.paused()
    assert outbox.state is OutboxState.LAGGING


def test_questions_of_a_reader_with_a_full_buffer_are_answered_once_it_has_drained() -> None:
    outbox = Outbox(LIMIT)
    assert outbox.answer(0, b"a")
    outbox.paused()
    assert outbox.answer(LIMIT, b"b")
    assert not outbox.answer(LIMIT + 1, b"c")
    assert not outbox.answer(LIMIT + 1, b"d")
    assert outbox.resumed().asked == b"d"
    assert outbox.resumed().asked is None


def test_only_what_has_piled_up_far_over_the_limit_ends_the_connection() -> None:
    outbox = Outbox(LIMIT)
    assert not outbox.overflows(4 * LIMIT)
    assert outbox.overflows(4 * LIMIT + 1)
