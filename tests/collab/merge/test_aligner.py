from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.merge.aligner import Aligner, Change, changes_between, split_lines

LINE = st.sampled_from(["a = 1\n", "a = 2\n", "\n", "}\n", "return value\n", "é😀\r\n", "x"])
LINES = st.lists(LINE, max_size=8)


def made(text: str, changes: list[Change]) -> str:
    for start, end, insert in reversed(changes):
        text = text[:start] + insert + text[end:]
    return text


def streamed(old: str, pieces: list[str]) -> str:
    aligner = Aligner(old)
    done, at = "", 0
    for piece in [*pieces, ""]:
        for start, end, insert in aligner.feed(piece, last=piece == ""):
            assert start >= at, "a decision was taken back"
            done += old[at:start] + insert
            at = end
        assert at <= aligner.at
    return done + old[at:]


@given(LINES, LINES, st.lists(st.integers(1, 6), min_size=1))
def test_the_result_is_the_new_text_however_it_is_cut(old: list[str], new: list[str], cuts: list[int]) -> None:
    text, at = "".join(new), 0
    pieces: list[str] = []
    while at < len(text):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(text[at : at + size])
        at += size
    assert streamed("".join(old), pieces) == text


@given(LINES, LINES)
def test_changes_between_whole_texts_do_not_overlap_and_give_the_new_text(old: list[str], new: list[str]) -> None:
    before, after = "".join(old), "".join(new)
    changes = changes_between(before, after)
    assert all(one[1] < two[0] for one, two in pairwise(changes))
    assert made(before, changes) == after


def test_the_same_text_changes_nothing() -> None:
    text = "def f():\n    return 1\n\n\ndef g():\n    return 2"
    assert changes_between(text, text) == []


def test_a_changed_number_is_the_only_change() -> None:
    assert changes_between("a\nx = 10\nb\n", "a\nx = 20\nb\n") == [(6, 7, "2")]


def test_an_inserted_line_leaves_its_neighbours() -> None:
    assert changes_between("one();\nthree();\n", "one();\ntwo();\nthree();\n") == [(7, 7, "two();\n")]


def test_deleted_lines_are_found_far_ahead() -> None:
    old = [f"line number {n}\n" for n in range(300)]
    new = old[:5] + old[250:]
    changes = changes_between("".join(old), "".join(new))
    assert changes == [(len("".join(old[:5])), len("".join(old[:250])), "")]


def test_a_partial_line_streams_at_once_past_the_old_lines() -> None:
    aligner = Aligner("keep\n")
    assert aligner.feed("keep\nne") == [(5, 5, "ne")]
    assert aligner.feed("w") == [(5, 5, "w")]
    assert aligner.feed("", last=True) == []


def test_an_empty_old_text_streams_every_character() -> None:
    aligner = Aligner("")
    assert [aligner.feed(char) for char in "ab"] == [[(0, 0, "a")], [(0, 0, "b")]]


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\n\nb", "\n", "a\r\nb\r", "a\u2028b\n"])
def test_lines_end_with_newlines_only(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.endswith("\n") for line in lines[:-1])
    assert all("\n" not in line[:-1] for line in lines)


def test_a_new_line_that_stands_far_ahead_too_does_not_take_what_is_between_for_deleted() -> None:
    old = "".join(f"value_{n} = {n}\n" for n in range(30)) + "    else:\n        last()\n    else:\n"
    new = old.replace("value_5 = 5\n", "value_5 = 5\n    else:\n        new_line()\n")
    aligner = Aligner(old)
    changes = [change for line in [*split_lines(new), ""] for change in aligner.feed(line, last=not line)]
    assert all(start == end for start, end, _ in changes)
    assert streamed(old, split_lines(new)) == new
