import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.merge.three import lines
from collab.merge.three.lines import Hunk, diff, split

FEW = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "}\n"]), max_size=30)


def patched(a: list[str], b: list[str], hunks: list[Hunk]) -> list[str]:
    done: list[str] = []
    at = 0
    for i0, i1, j0, j1 in hunks:
        done += a[at:i0] + b[j0:j1]
        at = i1
    return done + a[at:]


@given(FEW, FEW)
def test_the_hunks_make_one_text_of_the_other(a: list[str], b: list[str]) -> None:
    assert patched(a, b, diff(a, b)) == b


@given(FEW, FEW)
def test_hunks_ascend_and_do_not_touch(a: list[str], b: list[str]) -> None:
    hunks = diff(a, b)
    for one, following in pairwise(hunks):
        assert one[1] < following[0]
        assert one[3] < following[2]


@given(FEW, FEW)
def test_large_texts_are_matched_as_small_ones_are_by_a_search_that_gives_up_early(
    a: list[str], b: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LARGE", 0)
        patch.setattr("collab.merge.three.anchors.RUN", 2)
        patch.setattr("collab.merge.three.myers.unmatched.__defaults__", (2,))
        assert patched(a, b, diff(a, b)) == b


@given(st.text(alphabet="ab\n\r\u2028\x0c"))
def test_only_line_feeds_end_lines(text: str) -> None:
    assert "".join(split(text)) == text
    assert all(line.find("\n") in (-1, len(line) - 1) for line in split(text))
    assert "" not in split(text)


def test_equal_texts_have_no_hunks() -> None:
    assert diff(["a", "b"], ["a", "b"]) == []


def test_a_new_function_is_one_hunk_that_begins_where_it_begins() -> None:
    a = ["def a():\n", "    pass\n", "\n", "def c():\n", "    pass\n"]
    b = ["def a():\n", "    pass\n", "\n", "def b():\n", "    pass\n", "\n", "def c():\n", "    pass\n"]
    assert diff(a, b) == [(3, 3, 3, 6)]


def test_a_deletion_slides_to_the_insertion_that_it_belongs_to() -> None:
    a = ["x", "same", "old", "same", "y"]
    b = ["x", "same", "new", "same", "y"]
    assert diff(a, b) == [(2, 3, 2, 3)]


def test_a_moved_block_does_not_lead_the_rest_astray() -> None:
    start = [f"line {n}\n" for n in range(600)]
    block = [f"block {n}\n" for n in range(40)]
    a = start[:100] + block + start[100:]
    b = start[:500] + block + start[500:]
    assert diff(a, b) == [(100, 140, 100, 100), (540, 540, 500, 540)]


def test_two_texts_of_the_same_few_lines_without_any_order_are_matched_too() -> None:
    chance = random.Random(4)
    a = [chance.choice("abcdefgh") for _ in range(2_000)]
    b = [chance.choice("abcdefgh") for _ in range(2_000)]
    assert patched(a, b, diff(a, b)) == b
