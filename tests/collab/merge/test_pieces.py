from __future__ import annotations

from random import Random

import pytest

from collab.merge.pieces import Pieces

JOB = object()


def test_an_offset_is_found_behind_what_was_inserted_before_it() -> None:
    pieces = Pieces(10)
    pieces.replace(2, 2, 3, None)
    assert (pieces.place(1), pieces.place(2), pieces.place(10)) == (1, 5, 13)
    assert (pieces.behind(2), pieces.behind(3)) == (2, 6)


def test_what_was_inserted_at_an_offset_is_told_apart_from_the_jobs_own() -> None:
    pieces = Pieces(10)
    pieces.replace(4, 4, 2, JOB)
    assert pieces.inserted_at(4) == (6, 6)
    pieces.replace(6, 6, 3, None)
    assert pieces.inserted_at(4) == (6, 9)


@pytest.mark.parametrize(
    ("start", "end", "inserted", "touched"),
    [(3, 3, 1, True), (2, 2, 1, False), (5, 5, 1, False), (4, 5, 0, True), (1, 2, 0, False), (5, 6, 0, False)],
)
def test_a_range_is_touched_by_what_happens_within_it(start: int, end: int, inserted: int, touched: bool) -> None:
    pieces = Pieces(10)
    pieces.replace(start, end, inserted, None)
    assert pieces.touched(2, 5) is touched
    assert pieces.changed


def test_the_jobs_own_changes_touch_nothing_and_can_be_taken_back() -> None:
    pieces = Pieces(10)
    pieces.replace(3, 6, 4, JOB)
    assert not pieces.touched(0, 10)
    assert not pieces.changed
    assert pieces.length == 11
    pieces.revive(JOB)
    assert (pieces.length, pieces.place(6)) == (10, 6)
    assert pieces.stands("abcdefghij", "abcdefghij")


@pytest.mark.parametrize("seed", range(200))
def test_what_is_left_of_the_base_stands_where_it_says(seed: int) -> None:
    random = Random(seed)
    base = "".join(chr(97 + i) for i in range(random.randint(0, 20)))
    text, pieces = base, Pieces(len(base))
    for _ in range(30):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice([0, 0, 1, 4]))
        insert = "X" * random.choice([0, 1, 3])
        pieces.replace(start, end, len(insert), random.choice([None, JOB]))
        text = text[:start] + insert + text[end:]
        assert pieces.stands(base, text)
        for offset, char in enumerate(base):
            if char in text:
                assert text[pieces.place(offset)] == char
                assert text[pieces.behind(offset + 1) - 1] == char
