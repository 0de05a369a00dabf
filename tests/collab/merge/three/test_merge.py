from collections.abc import Iterator

import pytest

from collab.merge.three.merge import merge, merging
from collab.merge.three.regions import Kind, Layer, Merge

BASE = "one\ntwo\nthree\nfour\nfive\n"


def test_changes_of_different_lines_are_merged() -> None:
    merged = merge(BASE, BASE.replace("one", "ONE"), BASE.replace("five", "FIVE"))
    assert merged.clean
    assert merged.text == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert [region.kind for region in merged.regions] == ["ours", "same", "theirs"]


def test_a_conflict_keeps_ours_and_shows_all_three() -> None:
    ours, theirs = BASE.replace("two", "zwei"), BASE.replace("two", "deux")
    merged = merge(BASE, ours, theirs)
    assert not merged.clean
    assert merged.text == ours
    [conflict] = merged.conflicts
    assert BASE[slice(*conflict.base)] == "two\n"
    assert ours[slice(*conflict.ours)] == "zwei\n"
    assert theirs[slice(*conflict.theirs)] == "deux\n"
    assert merged.changes == []


def test_the_same_change_on_both_sides_is_agreed() -> None:
    ours = BASE.replace("two", "zwei")
    assert [region.kind for region in merge(BASE, ours, ours).regions] == ["same", "agreed", "same"]


def test_different_words_of_one_line_are_merged() -> None:
    merged = merge("def load(path, mode):\n", "def load(file, mode):\n", "def read(path, mode):\n")
    assert merged.text == "def read(file, mode):\n"
    assert [(region.kind, region.layer) for region in merged.regions] == [(Kind.MERGED, Layer.TOKENS)]


def test_the_changes_touch_nothing_but_what_theirs_changed() -> None:
    merged = merge("def load(path, mode):\n", "def load(file, mode):\n", "def read(path, mode):\n")
    assert merged.changes == [(4, 6, "re")]


def test_a_deletion_of_what_the_other_side_changed_is_asked() -> None:
    assert not merge(BASE, BASE.replace("two\n", ""), BASE.replace("two", "zwei")).clean


@pytest.mark.parametrize("text", ["", "a", "a\n", "\n", "\r\n", "a\r\nb"])
def test_any_text_merges_with_itself(text: str) -> None:
    assert merge(text, text, text).text == text


def test_two_files_that_were_created_at_once_and_differ_are_a_conflict() -> None:
    merged = merge("", "print('ours')\n", "print('theirs')\n")
    assert not merged.clean
    assert merged.text == "print('ours')\n"


def test_a_last_line_without_a_line_feed_is_not_joined_to_another() -> None:
    merged = merge("a\nb", "a\nb\nc", "A\nb")
    assert merged.text in ("A\nb\nc", "a\nb\nc")


def test_a_merge_in_steps_is_the_same_merge() -> None:
    ours, theirs = BASE.replace("two", "zwei"), BASE.replace("two", "deux").replace("five", "cinq")
    steps = merging(BASE, ours, theirs)
    results: list[Merge] = []

    def collected() -> Iterator[None]:
        results.append((yield from steps))

    assert len(list(collected())) > 3
    assert results == [merge(BASE, ours, theirs)]
